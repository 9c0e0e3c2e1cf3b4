"""What the customers were told and what the gateway's book says: the rules that bind them, in small.

Nothing of ours is asked: a round is what a mail or a text told its customer, a charge is what the gateway's
book holds, and the order number says which round it was for.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from email import message_from_bytes
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from lib.billing.numbers import order_no
from lib.sandbox import Mail, Sandbox
from lib.sandbox.solapi_groups import Released
from lib.sandbox.tosspayments_book import TossApproved

SEOUL = ZoneInfo("Asia/Seoul")
SHOP_NO = 1
DAYS_OF_TRYING = timedelta(days=2)
"""After the first day: `retry_days` counts that one too."""
NOTICE = "[결제 예정 내역]"
_LINE = re.compile(r"^(결제 금액|결제 예정일|배송 예정일|신청번호): (.+?)\s*$", re.MULTILINE)
_TEXT = re.compile(r"(\d+)/(\d+) 배송분 ([\d,]+)원이 (\d+)/(\d+) 결제됩니다")


class Round(NamedTuple):
    """One delivery of one subscription."""

    subscription_id: str
    delivery_on: date


@dataclass(frozen=True)
class Told:
    """One notice that reached its customer: which sum, on which day it is charged, and when it came."""

    amount_krw: int
    charge_on: date
    came_on: date


@dataclass
class Customer:
    """A subscription as its customer sees it; `most_krw` is what was applied for: no round costs more."""

    subscription_id: str
    phone: str
    most_krw: int
    state: Literal["U", "P", "C"] = "U"


@dataclass
class Model:
    """The promises that were made, and the money that was taken."""

    customers: list[Customer] = field(default_factory=list)
    registered: dict[str, datetime] = field(default_factory=dict)
    """When each billing key was issued, in the shop's time."""
    dead_keys: set[str] = field(default_factory=set)
    """Their contract has ended: nothing is charged to them any more."""
    told: dict[Round, list[Told]] = field(default_factory=lambda: defaultdict(list))
    letters: dict[Round, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The Message-IDs of the notices that came."""
    texts: dict[Round, int] = field(default_factory=lambda: defaultdict(int))
    charged: dict[Round, int] = field(default_factory=lambda: defaultdict(int))
    """How many approvals the gateway's book has."""
    is_restored: bool = False
    """Our schema is that of a backup: a customer may hear of a round twice, but never pays it twice."""
    _read: tuple[int, int, int] = (0, 0, 0)
    """How many mails, texts and approvals were read so far."""
    _out_before: frozenset[str] = frozenset()
    _dead_before: frozenset[str] = frozenset()

    def begin_step(self) -> None:
        """Remember, before something happens, who must not be charged by it."""
        self._out_before = frozenset(one.subscription_id for one in self.customers if one.state != "U")
        self._dead_before = frozenset(self.dead_keys)

    def end_contract(self, at: datetime) -> None:
        """From now on nobody may charge a card that was registered up to this moment."""
        self.dead_keys |= {key for key, registered_at in self.registered.items() if registered_at <= at}

    def violations(self, sandbox: Sandbox) -> list[str]:
        """Read what came in since the last time, and say which promise it breaks."""
        mails, texts, booked = list(sandbox.smtp.book), sandbox.solapi.released(), _booked(sandbox)
        for mail in mails[self._read[0] :]:
            self._read_mail(mail)
        for text in texts[self._read[1] :]:
            self._read_text(text)
        broken = [fault for each in booked[self._read[2] :] for fault in self._wrong_with(each)]
        self._read = (len(mails), len(texts), len(booked))
        return broken if self.is_restored else broken + list(self._told_twice())

    def _read_mail(self, mail: Mail) -> None:
        letter = message_from_bytes(mail.raw)
        plain = next(part for part in letter.walk() if part.get_content_type() == "text/plain")
        content = plain.get_payload(decode=True)
        assert isinstance(content, bytes)
        said = dict(_LINE.findall(content.decode()))
        if NOTICE not in content.decode() or mail.recipients[0].startswith("operator"):
            return
        found = Round(said["신청번호"], _korean(said["배송 예정일"]))
        amount = int(said["결제 금액"].replace(",", "").removesuffix("원"))
        self.told[found].append(Told(amount, _korean(said["결제 예정일"]), _day(mail.at)))
        self.letters[found].add(letter["Message-ID"])

    def _read_text(self, text: Released) -> None:
        matched = _TEXT.search(text.text)
        assert matched, text.text
        came_on = _day(text.at)
        delivery_on, charge_on = (_next(came_on, *map(int, matched.group(*two))) for two in ((1, 2), (4, 5)))
        (customer,) = (one for one in self.customers if one.phone == text.to)
        found = Round(customer.subscription_id, delivery_on)
        self.told[found].append(Told(int(matched[3].replace(",", "")), charge_on, came_on))
        self.texts[found] += 1

    def _wrong_with(self, approval: TossApproved) -> Iterator[str]:
        """Say what is wrong with one approval in the gateway's book."""
        said = f"{approval.order_no} {approval.amount}"
        found = self._round_of(approval.order_no)
        if found is None:
            yield f"charged_untold: {said}"
            return
        self.charged[found] += 1
        told, day = self.told[found], _day(approval.at)
        customer = next(one for one in self.customers if one.subscription_id == found.subscription_id)
        wrong = {
            "charged_twice": self.charged[found] > 1,
            "charged_another_sum": approval.amount not in {each.amount_krw for each in told},
            "charged_more_than_applied_for": approval.amount > customer.most_krw,
            "charged_too_early": day < min(each.charge_on for each in told),
            "charged_on_the_day_of_the_notice": day <= min(each.came_on for each in told),
            "charged_after_its_days": day > max(each.charge_on for each in told) + DAYS_OF_TRYING,
            "charged_though_out": found.subscription_id in self._out_before,
            "charged_an_ended_contract": approval.billing_key in self._dead_before,
        }
        yield from (f"{name}: {said} {found} {told}" for name, is_so in wrong.items() if is_so)

    def _round_of(self, number: str) -> Round | None:
        """Find the round that an order number is made from, among those that somebody was told of."""
        attempt_no = int(number[-2:])
        return next((each for each in self.told if order_no(SHOP_NO, *each, attempt_no) == number), None)

    def _told_twice(self) -> Iterator[str]:
        yield from (f"mailed_twice: {each} {ids}" for each, ids in self.letters.items() if len(ids) > 1)
        yield from (f"texted_twice: {each}" for each, times in self.texts.items() if times > 1)
        for each, told in self.told.items():
            if len({one.amount_krw for one in told}) > 1:
                yield f"told_two_sums: {each} {told}"


def _booked(sandbox: Sandbox) -> list[TossApproved]:
    return sandbox.toss.book.of(TossApproved)


def _day(moment: datetime) -> date:
    return moment.astimezone(SEOUL).date()


def _korean(said: str) -> date:
    year, month, day = map(int, re.findall(r"\d+", said)[:3])
    return date(year, month, day)


def _next(after: date, month: int, day: int) -> date:
    """Return the date that a month and a day mean, at or after another date."""
    this_year = date(after.year, month, day)
    return this_year if this_year >= after else date(after.year + 1, month, day)
