"""Dates and amounts: rules 2, 4 and 5 as arithmetic over a town."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from tests.town import Item, Policy, Setting, Subscription, Town

DAY = timedelta(days=1)
CONSENT_DAYS = 30


@dataclass
class Line:
    """A line of a round; dropped where `excluded_reason` names why."""

    item_id: int
    round_no: int
    unit_price: int
    quantity: int
    excluded_reason: str | None
    discount_amount: int = 0
    amount: int = 0

    @property
    def gross(self) -> int:
        return self.unit_price * self.quantity


def cycle_date(item: Item, k: int) -> date:
    """Count k cycles from the start date; a day that the month lacks becomes its last."""
    start, count, unit = item.start_date, k * int(item.cycle[:-1]), item.cycle[-1]
    if unit == "W":
        return start + count * timedelta(weeks=1)
    year, month = divmod(start.year * 12 + start.month - 1 + count * (12 if unit == "Y" else 1), 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def first_cycle(item: Item, day: date) -> int:
    """Return the k of the first cycle date that is not before the day."""
    k = 0
    while cycle_date(item, k) >= day:
        k -= 1
    while cycle_date(item, k) < day:
        k += 1
    return k


def next_date(item: Item, delivered_on: date) -> date:
    """Return the first cycle date more than half a cycle after the delivery, or the stored one if later."""
    k = first_cycle(item, delivered_on + DAY)
    while 2 * (cycle_date(item, k) - delivered_on) <= cycle_date(item, k) - cycle_date(item, k - 1):
        k += 1
    return max(cycle_date(item, k), item.delivery_on)


def invoice(
    town: Town, policy: Policy, subscription: Subscription, items: list[Item], day: date
) -> tuple[list[Line], int]:
    """Return the lines of the items' round on the day, and its shipping fee."""
    lines = [_line(town, policy, subscription, item, day) for item in items]
    for product_no in {item.product_no for item in items}:
        pairs = zip(items, lines, strict=True)
        _drop(town, policy, product_no, [line for item, line in pairs if item.product_no == product_no])
    included = {line.item_id: line for line in lines if line.excluded_reason is None}
    settings = []
    for setting in town.settings:
        ours = [each.item_id for each in items if each.product_no in setting.products]
        if group := [included[item_id] for item_id in ours if item_id in included]:
            settings.append(setting)
            _discount(setting, group)
    for line in included.values():
        line.amount = line.gross - line.discount_amount
    billed = [item for item in items if item.item_id in included]
    return lines, _shipping(town, subscription.zipcode, billed, sum(line.amount for line in lines), settings)


def _line(town: Town, policy: Policy, subscription: Subscription, item: Item, day: date) -> Line:
    product = town.products[item.product_no]
    now = (product.price if product.is_on_sale else item.product_price) + item.option_price
    agreed = _agreed_price(town, policy, subscription, item, day)
    charged = now if policy.on_price_rise == "charge_new" else min(now, agreed)
    reason = "price_risen" if now > agreed and policy.on_price_rise == "hold" else None
    return Line(item.item_id, item.round_no, charged, item.quantity, reason)


def _agreed_price(town: Town, policy: Policy, subscription: Subscription, item: Item, day: date) -> int:
    """Return the newest of what was applied for, consented to in time, and ordered."""
    last_charge = day + (policy.retry_days - 1) * DAY
    prices = [(subscription.created_at, item.product_price + item.option_price)]
    valid = [each for each in item.consents if (last_charge - each.agreed_at.date()).days <= CONSENT_DAYS]
    prices += [(consent.agreed_at, consent.unit_price) for consent in valid]
    for order in town.orders:
        prices += [(order.paid_at, line.unit_price) for line in order.lines if line.item_id == item.item_id]
    return max(prices, key=lambda price: price[0])[1]


def _drop(town: Town, policy: Policy, product_no: int, lines: list[Line]) -> None:
    """Drop the lines of a product that may not or cannot be delivered: with too few pieces, none of them."""
    product, is_watched = town.products[product_no], policy.on_sold_out == "drop"
    wanted = sum(line.quantity for line in lines if line.excluded_reason is None)
    reasons = {
        "set_product": product.is_set,
        "one_plus_n": product.one_plus_n,
        "sold_out": is_watched and product.sold_out,
        "short_of_stock": is_watched and product.stock is not None and product.stock < wanted,
    }
    if reason := next((reason for reason, holds in reasons.items() if holds), None):
        for line in lines:
            line.excluded_reason = reason


def _discount(setting: Setting, lines: list[Line]) -> None:
    """Discount the included lines of one setting, each by the step that its own round number has reached."""
    if sum(line.gross for line in lines) < (setting.threshold or 0):
        return
    for line in lines:
        steps = [step for step in setting.steps if step <= line.round_no]
        value = setting.steps[max(steps)] if steps else 0
        won = value * line.quantity if setting.per_piece else value
        off = line.gross * value // 100 if setting.unit == "P" else won
        line.discount_amount = min(off, line.gross)


def _shipping(town: Town, zipcode: str, items: list[Item], amount: int, settings: list[Setting]) -> int:
    is_waived = town.free_over is not None and amount >= town.free_over
    is_region_waived = is_waived and any(setting.waives_region_fee for setting in settings)
    area = "".join(filter(str.isdigit, zipcode))[:5]
    region = next((fee for first, last, fee in town.region_fees if first <= area <= last), 0)
    by_us = [item for item in items if item.shipping != "C"]
    has_base_fee = any(item.shipping == "P" for item in items) and not is_waived
    return (town.base_fee if has_base_fee else 0) + (region if by_us and not is_region_waived else 0)
