"""Decide the rounds of a page of subscriptions from the facts read for it. No I/O."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from lib.billing.calendar import Cycle, LateRules, delivery_date, last_charge_day
from lib.billing.faults import discount_fault, item_fault, sums_fault
from lib.billing.invoice import Invoice, Line, agreed_price, charged_price, make_invoice, price_now
from lib.billing.rounds import dropped_reason
from lib.planning.plan import DAY, BadRow, Facts, Plan, PlannedLine, Wait
from lib.settings import Policy
from lib.shop import Item, Subscription

__all__ = ["BadRow", "Facts", "Plan", "PlannedLine", "Wait", "plan_rounds"]


def plan_rounds(facts: Facts) -> Iterator[Plan | Wait | BadRow]:
    """Yield each round that is due, by subscription and date, and the items that wait for a later one."""
    for subscription_id, items in facts.items.items():
        fault = next((said for item in items if (said := _row_fault(facts, item))), None)
        if fault:
            yield BadRow(subscription_id, fault)
            continue
        subscription = facts.subscriptions.get(subscription_id)
        if subscription is None:
            yield BadRow(subscription_id, "상품에 적힌 신청번호의 표기가 신청과 다름")
            continue
        horizon = facts.today + facts.settings.policy.notice_days_before * DAY
        for delivery_on, due in sorted(_by_date(facts, subscription_id, items).items()):
            if delivery_on > horizon:
                yield from (_wait(facts, subscription, item, delivery_on) for item in due)
                continue
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
        grouped[on].append(item)
    return grouped


def _wait(facts: Facts, subscription: Subscription, item: Item, delivery_on: date) -> Wait:
    return Wait(subscription, item, delivery_on, _is_ordered(facts, subscription, delivery_on, [item]))


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
