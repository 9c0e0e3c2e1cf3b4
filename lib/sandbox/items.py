"""Items of the simulated applications: product, price applied for, cycle, round number and dates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import count
from random import Random
from typing import Literal

from lib.billing.calendar import Cycle, cycle_date
from lib.billing.invoice import Line
from lib.sandbox.catalogue import ON_SALE, WITHHELD, Product
from lib.sandbox.recipe import Recipe, Row

Shipping = Literal["prepaid", "free", "collect"]
Life = Literal["live", "paused", "ended"]

_SHIPPING_CODES: dict[Shipping, str] = {"prepaid": "P", "free": "F", "collect": "C"}
_ENDED = ("M", "O", "A")
_LIMITS = (2, 3, 4, 6, 8, 10, 12)
_ROUNDS_MAX = 24
_AGE_DAYS_MAX = 3 * 365  # younger than the contracts with the PGs


@dataclass(frozen=True)
class Schedule:
    """When an item is delivered: `round_no` is the next round, `delivery_on` its date."""

    cycle: str
    start: date
    round_no: int
    delivery_on: date

    def past(self, most: int) -> list[tuple[int, date]]:
        """Return (round number, delivery date) of at most the last `most` rounds."""
        cycle = Cycle.parse(self.cycle)
        first = max(1, self.round_no - most)
        return [
            (round_no, cycle_date(self.start, cycle, round_no - 1))
            for round_no in range(first, self.round_no)
        ]


@dataclass(frozen=True)
class Item:
    """A product line of an application; prices in won."""

    item_id: int
    product: Product
    option: int
    quantity: int
    product_price: int
    """As applied for, without the option."""
    shipping: Shipping
    schedule: Schedule
    max_rounds: int
    state: str
    terminated_at: datetime | None

    @property
    def unit_price(self) -> int:
        """As applied for, with the option."""
        return self.product_price + self.product.options[self.option][1]

    @property
    def unit_price_now(self) -> int:
        """What the storefront asks today."""
        return self.product.price + self.product.options[self.option][1]

    def line(self, round_no: int) -> Line:
        """Return the invoice line of one of its rounds."""
        setting = self.product.setting
        return Line(self.item_id, round_no, self.unit_price, self.quantity, setting, self.shipping)

    def goods(self) -> Row:
        """Return the columns it shares with an order's line."""
        return {
            "product_no": self.product.product_no,
            "variants_code": self.product.variants_code(self.option),
            "product_name": self.product.name,
            "option_value": self.product.options[self.option][0],
            "quantity": self.quantity,
        }

    def row(self, subscription_id: str) -> Row:
        """Return the row of table subscription_item."""
        return {
            "subscription_item_id": self.item_id,
            "subscription_id": subscription_id,
            **self.goods(),
            "product_price": self.product_price,
            "option_price": self.product.options[self.option][1],
            "shipping_payment_option": _SHIPPING_CODES[self.shipping],
            "subscription_shipments_cycle": self.schedule.cycle,
            "start_date": self.schedule.start,
            "subscription_shipments_sequence": self.schedule.round_no,
            "max_delivery_limit": self.max_rounds,
            "subscription_state": self.state,
            "expected_delivery_date": self.schedule.delivery_on,
            "expected_pay_date": self.schedule.delivery_on - timedelta(days=1),
            "terminated_date": self.terminated_at,
        }


class ItemMaker:
    """Make the items of one application after the other."""

    def __init__(self, recipe: Recipe, rng: Random) -> None:
        self._recipe = recipe
        self._rng = rng
        self._numbers = count(1)

    def items(self, life: Life) -> list[Item]:
        """Return the items of an application; the first one is in the state of the whole."""
        state = self._state(life)
        product = self._product(ON_SALE)
        schedule, limit = self._schedule(product, state)
        items = [self._item(product, schedule, limit, state)]
        if self._chance(self._recipe.several_items):
            items += [self._companion(items[0]) for _ in range(self._rng.choices((1, 2, 3), (7, 2, 1))[0])]
        return items

    def _companion(self, first: Item) -> Item:
        """Return a further item: of the same group on the same day, or one on a cycle of its own."""
        if first.state != "A" and self._chance(self._recipe.mixed_cycles):
            product = self._product(ON_SALE)
            schedule, limit = self._schedule(product, first.state)
            return self._item(product, schedule, limit, self._companion_state(first.state))
        group = tuple(one for one in ON_SALE if one.setting_no == first.product.setting_no)
        schedule = first.schedule if first.state == "A" else self._added_later(first.schedule)
        state = self._companion_state(first.state)
        return self._item(self._product(group), schedule, first.max_rounds, state)

    def _added_later(self, schedule: Schedule) -> Schedule:
        if not self._chance(0.3):
            return schedule
        missed = self._rng.randrange(schedule.round_no)
        start = cycle_date(schedule.start, Cycle.parse(schedule.cycle), missed)
        return replace(schedule, start=start, round_no=schedule.round_no - missed)

    def _state(self, life: Life) -> str:
        choices = {"live": ("U",), "paused": ("B", "B", "Q"), "ended": ("M", "M", "O", "A")}
        return self._rng.choice(choices[life])

    def _companion_state(self, first: str) -> str:
        if first != "U":
            return first
        if self._chance(self._recipe.paused):
            return self._rng.choice("BQ")
        return self._rng.choice("MO") if self._chance(self._recipe.cancelled) else "U"

    def _product(self, usual: tuple[Product, ...]) -> Product:
        return self._rng.choice(WITHHELD if self._chance(self._recipe.withheld) else usual)

    def _schedule(self, product: Product, state: str) -> tuple[Schedule, int]:
        """Return a schedule and its limit of rounds, 0 for none."""
        code = self._rng.choice(product.cycles)
        cycle = Cycle.parse(code)
        rounds_max = min(_ROUNDS_MAX, _AGE_DAYS_MAX // _shortest(cycle))
        if state == "A":
            limit = self._rng.choice([limit for limit in _LIMITS if limit <= rounds_max])
            return self._counted_back(code, limit, state), limit
        before = 0 if self._chance(self._recipe.new) else self._rng.randint(1, rounds_max)
        return self._counted_back(code, before, state), self._limit(before + 1)

    def _counted_back(self, code: str, rounds_before: int, state: str) -> Schedule:
        """Return a schedule that has had so many rounds before its next date."""
        cycle = Cycle.parse(code)
        on_cycle = self._cycle_day(cycle, rounds_before, state)
        start = cycle_date(on_cycle, cycle, -rounds_before)
        return Schedule(code, start, rounds_before + 1, self._perhaps_moved(on_cycle, state))

    def _cycle_day(self, cycle: Cycle, rounds_before: int, state: str) -> date:
        recipe = self._recipe
        if state in _ENDED:
            return recipe.eve - timedelta(days=self._rng.randrange(300))
        if recipe.all_due_on:
            return recipe.all_due_on
        # The round before was charged on the eve at the latest.
        days = min(recipe.days, _shortest(cycle) - 1) if rounds_before else recipe.days
        return recipe.first_day + timedelta(days=self._rng.randrange(days))

    def _perhaps_moved(self, day: date, state: str) -> date:
        if state in _ENDED or self._recipe.all_due_on or not self._chance(self._recipe.moved_date):
            return day
        return day + timedelta(days=self._rng.randint(1, 5))

    def _limit(self, round_no: int) -> int:
        possible = [limit for limit in _LIMITS if limit >= round_no]
        return self._rng.choice(possible) if possible and self._chance(self._recipe.limited_rounds) else 0

    def _item(self, product: Product, schedule: Schedule, limit: int, state: str) -> Item:
        return Item(
            next(self._numbers),
            product,
            self._rng.randrange(len(product.options)),
            self._rng.choices((1, 2, 3, 5), (75, 18, 5, 2))[0],
            self._applied_price(product),
            self._shipping(),
            schedule,
            limit,
            state,
            self._terminated(schedule, state),
        )

    def _applied_price(self, product: Product) -> int:
        chance = self._rng.random()
        if chance < self._recipe.dearer:
            return product.price - 100 * self._rng.randint(3, product.price // 500)
        if chance < self._recipe.dearer + self._recipe.cheaper:
            return product.price + 100 * self._rng.randint(3, 30)
        return product.price

    def _shipping(self) -> Shipping:
        chance = self._rng.random()
        if chance < self._recipe.collect_on_delivery:
            return "collect"
        return "free" if chance < self._recipe.collect_on_delivery + self._recipe.free_delivery else "prepaid"

    def _terminated(self, schedule: Schedule, state: str) -> datetime | None:
        """Return when it was ended: after its last round, before its next charge, not after the eve."""
        if state not in _ENDED:
            return None
        day = min(schedule.delivery_on - timedelta(days=self._rng.randint(2, 3)), self._recipe.eve)
        return datetime.combine(day, time(20, self._rng.randrange(60), self._rng.randrange(60)))

    def _chance(self, share: float) -> bool:
        return self._rng.random() < share


def _shortest(cycle: Cycle) -> int:
    return cycle.count * (7 if cycle.unit == "W" else 28)
