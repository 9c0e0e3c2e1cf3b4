"""Decide the rounds of a page of subscriptions from the facts read for it. No I/O."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property

from lib.billing.calendar import Cycle, LateRules, delivery_date, last_charge_day, next_stored_date
from lib.billing.faults import discount_fault, item_fault, sums_fault
from lib.billing.invoice import (
    Consent,
    Invoice,
    Line,
    OrderedPrice,
    Setting,
    agreed_price,
    charged_price,
    make_invoice,
    price_now,
)
from lib.billing.rounds import Goods, dropped_reason
from lib.settings import Policy, Settings
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
        return {
            "item_id": item.item_id,
            "stored_on": item.delivery_on,
            "delivery_on": on,
            "pay_on": on - DAY,
            **rounds,
        }


@dataclass(frozen=True)
class BadRow:
    """A subscription whose rows cannot be understood."""

    subscription_id: str
    reason: str


def plan_rounds(facts: Facts) -> Iterator[Plan | BadRow]:
    """Yield each round that is due, by subscription and date."""
    for subscription_id, items in facts.items.items():
        fault = next((said for item in items if (said := _row_fault(facts, item))), None)
        if fault:
            yield BadRow(subscription_id, fault)
            continue
        subscription = facts.subscriptions.get(subscription_id)
        if subscription is None:
            yield BadRow(subscription_id, "상품에 적힌 신청번호의 표기가 신청과 다름")
            continue
        for delivery_on, due in sorted(_by_date(facts, subscription_id, items).items()):
            plan = _plan(facts, subscription, delivery_on, due)
            fault = _plan_fault(plan)
            yield BadRow(subscription_id, fault) if fault else plan


def _row_fault(facts: Facts, item: Item) -> str | None:
    said = item_fault(
        cycle=item.cycle,
        quantity=item.quantity,
        applied_price=item.applied_price,
        round_no=item.round_no,
    ) or discount_fault(facts.discounts.get(item.product_no), item.round_no)
    return f"상품 {item.item_id}{said}" if said else None


def _plan_fault(plan: Plan) -> str | None:
    invoice = plan.invoice
    sums = [invoice.items_amount, invoice.discount_amount, invoice.shipping_fee, invoice.amount_krw]
    for line in plan.lines:
        sums += [line.unit_price, line.price_now, line.discount_amount, line.amount]
    said = sums_fault(sums)
    return f"{plan.delivery_on} 회차의 {said}" if said else None


def _by_date(facts: Facts, subscription_id: str, items: Sequence[Item]) -> dict[date, list[Item]]:
    policy = facts.settings.policy
    late = LateRules(policy.on_missed, policy.max_late_days, policy.notice_days_before)
    horizon = facts.today + timedelta(days=policy.notice_days_before)
    grouped: dict[date, list[Item]] = defaultdict(list)
    for item in items:
        on = delivery_date(
            item.delivery_on,
            start=item.start_date,
            cycle=Cycle.parse(item.cycle),
            today=facts.today,
            late=late,
            missed_in_a_row=facts.missed.get(item.item_id, 0),
            taken=facts.taken.get(subscription_id, ()),
        )
        if on <= horizon:
            grouped[on].append(item)
    return grouped


def _plan(facts: Facts, subscription: Subscription, delivery_on: date, items: Sequence[Item]) -> Plan:
    shop = facts.judge.shop
    lines = _without_missing(facts, [_priced(facts, subscription, item, delivery_on) for item in items])
    invoice = make_invoice(
        [
            Line(
                line.item.item_id,
                line.item.round_no,
                line.unit_price,
                line.item.quantity,
                facts.discounts.get(line.item.product_no),
                line.item.shipping,
            )
            for line in lines
            if line.excluded_reason is None
        ],
        shop.shipping,
        shop.region_fee(subscription.receiver.zipcode),
    )
    card = facts.judge.main_card(subscription)
    return Plan(
        shop=shop,
        subscription=subscription,
        delivery_on=delivery_on,
        pg_code=card.pg_code if card else subscription.pg_code,
        lines=_with_amounts(lines, invoice),
        invoice=invoice,
        is_ordered=_is_ordered(facts, subscription, delivery_on, items),
        needs_notice=facts.judge.needs_notice(),
        notice_days=facts.settings.policy.notice_days_before,
        today=facts.today,
    )


def _priced(facts: Facts, subscription: Subscription, item: Item, delivery_on: date) -> PlannedLine:
    policy: Policy = facts.settings.policy
    goods = facts.goods.get(item.product_no)
    listed = goods.price if goods and goods.is_on_sale else None
    now = price_now(listed, item.option_price, item.applied_price)
    agreed = agreed_price(
        applied_for=item.applied_price,
        applied_at=subscription.created_at,
        consents=facts.consents.get(item.item_id, ()),
        newest_order=facts.newest_prices.get(item.item_id),
        now=facts.now,
        last_charge_on=last_charge_day(delivery_on, policy.retry_days),
    )
    price = charged_price(now, agreed, policy.on_price_rise)
    return PlannedLine(item, price.unit_price, agreed, now, "price_risen" if price.dropped else None)


def _without_missing(facts: Facts, lines: Sequence[PlannedLine]) -> list[PlannedLine]:
    """Drop what cannot be delivered; an item held back for its price takes no stock from the others."""
    pieces: Counter[int] = Counter()
    for line in lines:
        if line.excluded_reason is None:
            pieces[line.item.product_no] += line.item.quantity
    return [_if_there(facts, line, pieces[line.item.product_no]) for line in lines]


def _if_there(facts: Facts, line: PlannedLine, wanted: int) -> PlannedLine:
    goods = facts.goods.get(line.item.product_no)
    reason = dropped_reason(goods, wanted, facts.settings.policy.on_sold_out)
    return replace(line, excluded_reason=reason or line.excluded_reason)


def _with_amounts(lines: Sequence[PlannedLine], invoice: Invoice) -> tuple[PlannedLine, ...]:
    amounts = {each.item_id: each for each in invoice.lines}
    return tuple(
        replace(line, discount_amount=found.discount_amount, amount=found.amount)
        if (found := amounts.get(line.item.item_id))
        else line
        for line in lines
    )


def _is_ordered(facts: Facts, subscription: Subscription, delivery_on: date, items: Sequence[Item]) -> bool:
    return (subscription.subscription_id, delivery_on) in facts.ordered_rounds or any(
        (item.item_id, item.delivery_on) in facts.ordered_items for item in items
    )
