"""How texts, sums, dates, numbers and addresses are written so that mail, SMS and logs can carry them."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import lru_cache
from typing import Literal

import phonenumbers
from email_validator import EmailNotValidError, validate_email

SMS_BYTES_MAX = 90
LMS_BYTES_MAX = 2000
LMS_SUBJECT_BYTES_MAX = 40

_WEEKDAYS = "월화수목금토일"

# Line ends become LF; the rest is what word processors and phones write where KS X 1001 has another sign.
_FOR_SMS = str.maketrans(
    {
        "\r": "\n",
        "\x85": "\n",
        "\u2028": "\n",
        "\u2029": "\n",
        "\t": " ",
        "\u3000": " ",
        "\u00ad": "",  # the soft hyphen is in KS X 1001, but nobody sees it
        "₩": "￦",
        "−": "-",
        "〜": "～",
        "•": "·",
        "‧": "·",
        "∙": "·",
        "・": "·",
        "⋯": "…",
        "❤": "♥",
    }
)
_BY_CATEGORY = {"Pd": "-", "Zs": " "}
_KSX1001_FIRST = 0xA1

# Mobile, area code, 070 and 080, 050, 030, or the eight digits of 1588-1234; never 112 and its like.
_SENDER = re.compile(
    r"010\d{8}|02\d{7,8}|0(?:3[1-3]|4[1-4]|5[1-5]|6[1-4])\d{7,8}|0[78]0\d{7,8}|050\d{7,8}|030\d{7,9}|1[568]\d{6}",
    re.ASCII,
)
_BETWEEN_DIGITS = re.compile(r"[\s().-]")
_SENDER_COUNTRY = re.compile(r"^\+?820?")
_KOREA = 82
_MASKABLE_DIGITS_MIN = 10
_MOBILE = re.compile(r"010\d{8}|050\d{8,9}")


def clean(text: str) -> str:
    """Return the text as one NFC line: no control, zero-width or bidi characters, white space folded.

    For every name and subject that comes from a table: a line break in one would end a mail header.
    """
    visible = "".join(" " if character.isspace() else _unless_invisible(character) for character in text)
    return unicodedata.normalize("NFC", " ".join(visible.split()))


def won(amount: int) -> str:
    """Write a sum: 1,234,567원."""
    return f"{amount:,}원"


def korean_date(day: date) -> str:
    """Write a date in full: 2026년 12월 1일(화)."""
    return f"{day.year}년 {day.month}월 {day.day}일({_WEEKDAYS[day.weekday()]})"


def short_date(day: date) -> str:
    """Write a date for an SMS: 12/1(화)."""
    return f"{day.month}/{day.day}({_WEEKDAYS[day.weekday()]})"


def sms_text(text: str) -> str:
    """Return the text in ASCII and KS X 1001, which every provider takes; LF is its only control character.

    Providers refuse the rest (SOLAPI 1029) or alter it. NFC, never NFKC, which makes the sendable ￦ an
    unsendable ₩. Known signs are replaced, é becomes e, emoji go; what then has no likeness becomes "?".
    """
    composed = unicodedata.normalize("NFC", text).replace("\r\n", "\n").translate(_FOR_SMS)
    return "".join(map(_sendable, composed))


def sms_bytes(text: str) -> int:
    """Return the length of an `sms_text` in cp949 bytes, as providers count."""
    return len(text.encode("cp949"))


def sms_kind(text: str) -> Literal["SMS", "LMS"]:
    """Return the kind of an `sms_text`: up to 90 bytes an SMS, else an LMS."""
    return "SMS" if sms_bytes(text) <= SMS_BYTES_MAX else "LMS"


def cut_bytes(text: str, limit: int) -> str:
    """Return as many whole characters of an `sms_text` as `limit` cp949 bytes hold."""
    return text.encode("cp949")[:limit].decode("cp949", "ignore")


def mobile_number(raw: str) -> str | None:
    """Return the national digits (01012345678) of a Korean number that can receive an SMS, else None.

    Free format, with or without +82. Mobile and 050 safe numbers only; 011 to 019 ended in June 2021, and a
    provider that accepts one would make us believe the customer was told. A letter makes it no number: the
    library would read it as a digit of somebody else's.
    """
    if any(map(str.isalpha, raw)):
        return None
    try:
        number = phonenumbers.parse(raw, "KR")
    except phonenumbers.NumberParseException:
        return None
    # Written by hand: the library formats 050 numbers oddly.
    digits = f"0{number.national_number}"
    is_korean = number.country_code == _KOREA and phonenumbers.is_valid_number(number)
    return digits if is_korean and _MOBILE.fullmatch(digits) else None


def sender_number(raw: str) -> str | None:
    """Return the digits of a number that may be registered as a sender (발신번호), else None.

    8 to 11 digits with the area code, 030 up to 12 (전기통신사업법 제84조의2). Whether it is registered only
    the provider knows.
    """
    compact = _BETWEEN_DIGITS.sub("", unicodedata.normalize("NFKC", raw))
    digits = _SENDER_COUNTRY.sub("0", compact)
    return digits if _SENDER.fullmatch(digits) else None


def mail_address(raw: str) -> str | None:
    """Return the address in ASCII, a Korean domain in its xn-- form, or None where mail cannot be sent.

    By syntax only, without DNS. None too for a local part that needs SMTPUTF8.
    """
    try:
        valid = validate_email(clean(raw), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        return None
    return valid.ascii_email


def mask_phone(number: str) -> str:
    """Return 010-****-5678 for logs and reports; **** for what is too short to show a part of."""
    digits = "".join(filter(str.isdecimal, number))
    return f"{digits[:3]}-****-{digits[-4:]}" if len(digits) >= _MASKABLE_DIGITS_MIN else "****"


def mask_address(address: str) -> str:
    """Return a mail address as h***@example.com, a phone number as `mask_phone` does."""
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain}" if at else mask_phone(address)


def _unless_invisible(character: str) -> str:
    """Drop control (Cc), format (Cf: zero-width and bidi) and surrogate (Cs) characters."""
    return "" if unicodedata.category(character) in {"Cc", "Cf", "Cs"} else character


@lru_cache(maxsize=4096)
def _sendable(character: str) -> str:
    """Return the character, what stands for it, "?" for a letter or sign, "" for an emoji or invisible."""
    category = unicodedata.category(character)
    if character == "\n" or _is_ksx1001(character):
        return character
    if category in _BY_CATEGORY:
        return _BY_CATEGORY[category]
    parts = [part for part in unicodedata.normalize("NFKD", character) if unicodedata.category(part) != "Mn"]
    if parts and all(map(_is_ksx1001, parts)):
        return "".join(parts)
    return "?" if category[0] in "LNP" or category in {"Sc", "Sm"} else ""


def _is_ksx1001(character: str) -> bool:
    """Tell printable ASCII and KS X 1001 from cp949's other 8,822 syllables, not surely taken by carriers."""
    if character.isascii():
        return character.isprintable()
    try:
        encoded = character.encode("cp949")
    except UnicodeEncodeError:
        return False
    return min(encoded) >= _KSX1001_FIRST
