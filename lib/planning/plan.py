"""What is decided: the facts it is decided from, and rounds, items that wait, and rows that mean nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from lib.billing.calendar import Cycle, next_stored_date
from lib.billing.invoice import Consent, Invoice, OrderedPrice, Setting
from lib.billing.rounds import Goods
from lib.settings import Settings
from lib.shop import Item, ShopState, Subscription
from lib.standing import Judge

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Facts:
    """All that the rounds of a page of subscriptions are decided from."""

    settings: Settings
    today: date
    now: datetime
    """The shop's local time of the seal."""
    judge: Judge
    subscriptions: Mapping[str, Subscription]
    items: Mapping[str, Sequence[Item]]
    goods: Mapping[int, Goods]
    discounts: Mapping[int, Setting]
    consents: Mapping[int, Sequence[Consent]]
    newest_prices: Mapping[int, OrderedPrice]
    ordered_rounds: Mapping[tuple[str, date], str]
    ordered_items: Mapping[tuple[int, date], str]
    taken: Mapping[str, set[date]]
    missed: Mapping[int, int]


@dataclass(frozen=True)
class PlannedLine:
    """An item of a round: what it costs, or why it is left out."""

    item: Item
    unit_price: int
    agreed_price: int
    price_now: int
    excluded_reason: str | None
    discount_amount: int = 0
    amount: int = 0


@dataclass(frozen=True)
class Plan:
    """One round as it would be sealed."""

    shop: ShopState
    subscription: Subscription
    delivery_on: date
    pg_code: str
    lines: tuple[PlannedLine, ...]
    invoice: Invoice
    is_ordered: bool
    needs_notice: bool
    notice_days: int
    today: date

    @property
    def key(self) -> tuple[str, date]:
        """Return what makes a round one: subscription and delivery date."""
        return (self.subscription.subscription_id, self.delivery_on)

    @property
    def included(self) -> list[PlannedLine]:
        """Return the lines that are charged."""
        return [line for line in self.lines if line.excluded_reason is None]

    @property
    def dropped(self) -> list[PlannedLine]:
        """Return the lines that are left out."""
        return [line for line in self.lines if line.excluded_reason is not None]

    @property
    def risen(self) -> list[PlannedLine]:
        """Return the charged lines for which the shop now asks more than the customer agreed to."""
        return [line for line in self.included if line.price_now > line.agreed_price]

    @property
    def is_skipped(self) -> bool:
        """Tell whether nothing is left to charge."""
        return not self.included

    @property
    def round_no(self) -> int:
        """Return the largest round number (회차) of its items."""
        return max(line.item.round_no for line in self.included or self.lines)

    @property
    def earliest_stored_on(self) -> date:
        """Return the smallest delivery date that is stored in its items."""
        return min(line.item.delivery_on for line in self.lines)

    @property
    def is_late(self) -> bool:
        """Tell whether the day of the notice (D-2) has passed, or a date had to be changed."""
        return (
            self.earliest_stored_on != self.delivery_on
            or self.delivery_on < self.today + self.notice_days * DAY
        )

    @cached_property
    def moves(self) -> list[dict[str, object]]:
        """Return what the seal writes back to items: a changed date; after a skipped round the next one."""
        return [move for line in self.lines if (move := self._move(line.item)) is not None]

    def _move(self, item: Item) -> dict[str, object] | None:
        if self.is_skipped:
            cycle = Cycle.parse(item.cycle)
            on = next_stored_date(item.start_date, cycle, self.delivery_on, item.delivery_on)
            rounds = {"round_no": item.round_no, "stored_round_no": item.round_no}
        elif item.delivery_on != self.delivery_on:
            on, rounds = self.delivery_on, {}
        else:
            return None
        return {**_moved(item, on), **rounds}


def _moved(item: Item, on: date) -> dict[str, object]:
    return {
        "item_id": item.item_id,
        "stored_on": item.delivery_on,
        "delivery_on": on,
        "pay_on": on - DAY,
    }


@dataclass(frozen=True)
class BadRow:
    """A subscription whose rows cannot be understood."""

    subscription_id: str
    reason: str


@dataclass(frozen=True)
class Wait:
    """An item whose date has come without a round and that waits for its cycle, until `delivery_on`.

    The date is stored as soon as it is known: else an outage on its D-2 would cost a whole cycle.
    """

    subscription: Subscription
    item: Item
    delivery_on: date
    is_ordered: bool

    @property
    def move(self) -> dict[str, object]:
        """Return what is written back to the item."""
        return _moved(self.item, self.delivery_on)
