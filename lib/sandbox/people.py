"""Members of the simulated shop and their stored cards, the troublesome among them included."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime, time
from itertools import count
from random import Random

from lib.sandbox import korean
from lib.sandbox.recipe import Recipe, Row

_STRANGE_NAMES = (
    "O'Brien 수진",
    '김 "민트" 지수',
    "이나은🐶🌸",
    "<b>박민수</b>",
    "{{ 최지우 }}",
    "정다은\n(대리 수령)",
    "{% raw %}강{% endraw %}",
    "'; DROP TABLE member; --",
    "100% 한나 %s {0}",
    "뷁똠펲",
    "\u1112\u1161\u11ab\u1109\u1169\u11af",  # decomposed Hangul, as macOS copies it
    "ＡＢＣ\u200b코퍼레이션\t구매팀",
    "윤\\솔 & 서준",
    "선우" * 50,
)
_STRANGE_MAILBOXES = (
    "hong{}@@example.com",
    "홍길동{}@example.com",
    "kim{}@example.com\nBcc: everyone@example.com",
    "no-at-sign-{}",
)
# Every second one is a strange name: there are more of those than of anything else.
TROUBLES = (
    "name",
    "no_mail",
    "name",
    "landline",
    "name",
    "withdrawn",
    "name",
    "no_card",
    "name",
    "unreachable",
    "name",
    "application_without_mail",
    "name",
    "strange_mail",
    "name",
    "strange_address",
)

_COMPANIES = (
    ("신한", "4518-42"),
    ("현대", "4330-12"),
    ("삼성", "5311-60"),
    ("국민", "9445-41"),
    ("롯데", "5137-92"),
    ("하나", "4599-52"),
    ("BC", "9430-03"),
    ("농협", "5461-12"),
    ("우리", "5387-20"),
    ("카카오뱅크", "5365-10"),
)


@dataclass(frozen=True)
class Member:
    """A member; `trouble` names what is awkward about this one, empty for most."""

    number: int
    member_id: str
    name: str
    email: str
    cellphone: str
    withdrawn_at: datetime | None
    trouble: str

    def row(self) -> Row:
        """Return the row of table member."""
        return {
            "member_id": self.member_id,
            "name": self.name,
            "email": self.email,
            "cellphone": self.cellphone,
            "withdrawn_at": self.withdrawn_at,
        }


class Townsfolk:
    """Make members, each with a number of its own; every kind of trouble comes up in turn."""

    def __init__(self, recipe: Recipe, rng: Random) -> None:
        self._recipe = recipe
        self._rng = rng
        self._troubles = count()

    def member(self, number: int) -> Member:
        """Return member no. `number`."""
        rng = self._rng
        turn = next(self._troubles) if rng.random() < self._recipe.awkward else None
        trouble = "" if turn is None else TROUBLES[turn % len(TROUBLES)]
        left = trouble == "withdrawn"
        return Member(
            number,
            korean.member_id(rng, number),
            _STRANGE_NAMES[(turn or 0) // 2 % len(_STRANGE_NAMES)]
            if trouble == "name"
            else korean.person(rng),
            self._email(number, trouble),
            self._cellphone(number, trouble),
            datetime.combine(self._recipe.eve, time(20, 5)) if left else None,
            trouble,
        )

    def _email(self, number: int, trouble: str) -> str:
        usual = korean.mailbox(self._rng, number)
        if trouble in {"no_mail", "unreachable"}:
            return ""
        return self._rng.choice(_STRANGE_MAILBOXES).format(number) if trouble == "strange_mail" else usual

    def _cellphone(self, number: int, trouble: str) -> str:
        usual = korean.mobile(self._rng, 2 * number)
        return korean.landline(number) if trouble in {"landline", "unreachable"} else usual


@dataclass(frozen=True)
class StoredCard:
    """A card as the shop stores it; `row` holds its keys and is not shown."""

    card_id: int
    pg_code: str
    registered_at: datetime
    _row: Row

    def __repr__(self) -> str:
        return f"StoredCard({self.card_id}, {self.pg_code})"

    def row(self) -> Row:
        """Return the row of table card."""
        return self._row


def stored_card(
    card_id: int, member: Member, pg_code: str, registered_at: datetime, rng: Random
) -> StoredCard:
    """Return a card of a member's, with a billing key of the form its PG gives."""
    company, digits = rng.choice(_COMPANIES)
    row: Row = {
        "card_id": card_id,
        "member_id": member.member_id,
        "pg_code": pg_code,
        "billing_key": _billing_key(pg_code, card_id, registered_at, rng),
        "customer_key": f"{rng.getrandbits(128):032x}" if pg_code == "tosspayments" else None,
        "card_company": company,
        "masked_number": f"{digits}**-****-{rng.randrange(10_000):04}",
        "registered_at": registered_at,
    }
    return StoredCard(card_id, pg_code, registered_at, row)


def _billing_key(pg_code: str, card_id: int, registered_at: datetime, rng: Random) -> str:
    if pg_code == "nicepay":  # BIKY, the merchant, month and day, a running number
        return f"BIKYdemo0001m{registered_at:%y%m%d}{card_id:011}"
    if pg_code == "allat":  # opaque, at most 24 characters
        return f"{rng.getrandbits(48):012x}{card_id:012}"
    return base64.urlsafe_b64encode(rng.randbytes(32)).decode()
