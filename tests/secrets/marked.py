"""What nobody may read: marked values, the ways a peer may repeat them, and where one of them came out."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from urllib.parse import quote

BILLING_KEY = "bk/MARKED+7f3a=="
CUSTOMER_KEY = "cust-MARKED-91c2"
PG_SECRET = "test_sk_MARKED55aa"
DB_PASSWORD = "db-MARKED-pw"
SMS_KEY, SMS_SECRET = "NCSMARKED31", "sms-MARKED-secret"
SMTP_USER, SMTP_PASSWORD = "mailer", "smtp-MARKED-pw"
MASK, CARD = "4330-12**-****-1001", "4330-1298-7654-1001"
PHONE, MEMBER_PHONE, RECEIVER_PHONE = "010-7431-9265", "0502-8642-9753", "010-5319-8642"
MAIL, MEMBER_MAIL = "Marked.Person@private-mail.com", "marked.member@private-mail.com"
STREET, DOOR_CODE = "MARKED로 77길 12-34", "공동현관 MARKED7431*"

WORDS = {
    "billing key": BILLING_KEY,
    "customer key": CUSTOMER_KEY,
    "secret key of the PG": PG_SECRET,
    "password of the database": DB_PASSWORD,
    "API key of the SMS provider": SMS_KEY,
    "API secret of the SMS provider": SMS_SECRET,
    "password of the mail server": SMTP_PASSWORD,
    "mail address": MAIL,
    "mail address of the member": MEMBER_MAIL,
    "street": STREET,
    "shipping message": DOOR_CODE,
}
NUMBERS = {
    "card number": CARD,
    "phone number": PHONE,
    "phone number of the member": MEMBER_PHONE,
    "phone number of the receiver": RECEIVER_PHONE,
}
_BETWEEN = re.compile(r"[\s.()-]+")


def leaks(text: str) -> list[str]:
    """Name the marked values that stand in a text, written in whatever way."""
    return [*_words_in(text), *_numbers_in(text)]


def _words_in(text: str) -> Iterator[str]:
    low = text.casefold()
    for name, word in WORDS.items():
        written = (word, quote(word, safe=""), repr(word)[1:-1])
        if any(form.casefold() in low for form in written) or any(form in text for form in base64_of(word)):
            yield name


def _numbers_in(text: str) -> Iterator[str]:
    digits = _BETWEEN.sub("", text)
    for name, number in NUMBERS.items():
        if _BETWEEN.sub("", number).lstrip("0") in digits:
            yield name


def base64_of(word: str) -> list[str]:
    """Return how a word looks in HTTP's Basic, alone and as a user, and in SMTP's AUTH PLAIN."""
    plain = [word, f"{word}:", *([f"\0{SMTP_USER}\0{word}"] if word == SMTP_PASSWORD else [])]
    return [base64.b64encode(each.encode()).decode() for each in plain]


def of_a_phone(number: str) -> list[str]:
    """Return how people and providers write a mobile number."""
    first, middle, last = number.split("-")
    return [
        number,
        f"{first}{middle}{last}",
        f"{first} {middle} {last}",
        f"{first}.{middle}.{last}",
        f"+82 {first[1:]}-{middle}-{last}",
        f"+82(0){first[1:]}-{middle}-{last}",
        f"82{first[1:]}{middle}{last}",
        f"to:{first}{middle}{last},from:0215440000",
    ]


OF_THE_CARD = [CARD, CARD.replace("-", ""), CARD.replace("-", " "), f"card={CARD.replace('-', '')};"]
OF_THE_MAIL = [MAIL, f"<{MAIL.upper()}>", f"rfc822;{MAIL.lower()}:", f"mailto:{MAIL}?x", f"'{MAIL}'"]
OF_THE_PG = [
    BILLING_KEY,
    quote(BILLING_KEY, safe=""),
    CUSTOMER_KEY,
    PG_SECRET,
    base64_of(PG_SECRET)[1],
    f"POST /v1/billing/{quote(BILLING_KEY, safe='')}?customerKey={CUSTOMER_KEY}",
]
ECHOES = [*OF_THE_PG, *OF_THE_CARD, *OF_THE_MAIL, *of_a_phone(PHONE), *of_a_phone(MEMBER_PHONE)]
"""What a PG may repeat of what it was sent or has in its records."""


def packed(echoes: list[str], longest: int = 180) -> list[str]:
    """Join echoes to as few texts as may stand whole in what is kept of an answer."""
    texts = [""]
    for echo in echoes:
        if len(texts[-1]) + len(echo) >= longest:
            texts.append("")
        texts[-1] = f"{texts[-1]} {echo}".strip()
    return texts
