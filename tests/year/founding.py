"""A random town as it stands on the day before the jobs begin."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from random import Random

from tests.town import PG, Consent, Contract, Item, Order, OrderLine, Policy, Product, Subscription, Town
from tests.year import customers, shopkeeping
from tests.year.front import Front
from tests.year.tables import LONG_AGO

PRODUCTS = 12
PRICES = (3_900, 9_950, 12_900, 12_950, 15_400, 24_990, 33_333)


def found(rng: Random, size: int, day: date, *, within: int = 28) -> Front:
    """Make a town with `size` subscriptions on a day, due `within` so many days; some are paused or over."""
    town = Town(contracts=[Contract(1, LONG_AGO, PG)])
    front = Front(town, rng, size)
    town.credits = {"bulk_mail": 20 * size, "sms": 20 * size}
    _stock_up(front)
    for _ in range(size):
        _application(front, day, within)
    return front


def _stock_up(front: Front) -> None:
    """Fill the catalogue: products of every kind, three settings, shipping."""
    for number in range(1, PRODUCTS + 1):
        front.town.products[number] = Product(
            number,
            front.one_of(PRICES),
            is_set=front.chance(0.06),
            one_plus_n=front.chance(0.06),
            is_on_sale=front.chance(0.9),
            sold_out=front.chance(0.06),
            stock=front.one_of((3, 40, 500)) if front.chance(0.3) else None,
        )
    groups = ((1, 2, 3, 4), (5, 6, 7), (8,))
    front.town.settings = [
        shopkeeping.new_setting(front, number, products) for number, products in enumerate(groups, 1)
    ]
    shopkeeping.change_shipping(front, LONG_AGO)


def _application(front: Front, day: date, within: int) -> None:
    """Put in one application of the last months, with what its items have behind them."""
    at = datetime.combine(day - timedelta(days=front.rng.randint(1, 300)), time(11, 3))
    known = list(front.town.members.values())
    member = front.one_of(known) if known and front.chance(0.2) else customers.new_member(front)
    subscription = customers.subscribe(front, member, at)
    first_on = day + timedelta(days=front.rng.randint(1, within))
    for _ in range(front.one_of((1, 1, 1, 2, 2, 3, 4))):
        subscription.items.append(_item(front, first_on, day))
    if front.chance(0.5):
        _remember_orders(front, subscription, day)
    if front.chance(0.03):
        subscription.card_id = None
    if front.chance(0.05):
        subscription.state = front.one_of("PPC")


def _item(front: Front, first_on: date, day: date) -> Item:
    """Draw a line that may be on a later round, paused, over, or on a cycle of its own."""
    on = first_on if front.chance(0.7) else day + timedelta(days=front.rng.randint(1, 40))
    if front.chance(0.15):
        on = on.replace(day=monthrange(on.year, on.month)[1])
    item = customers.new_item(front, on)
    if front.chance(0.6):
        _age(front, item)
    if front.chance(0.15):
        item.start_date += timedelta(weeks=front.one_of((-3, -1, 1, 2)))
    if front.chance(0.02):
        item.delivery_on = day - timedelta(days=front.rng.randint(0, 20))
    if front.chance(0.08):
        item.state = front.one_of("BQBQMOA")
    return item


def _age(front: Front, item: Item) -> None:
    """Let an item have had rounds: its cycle began long ago, on the same day of the month or on the 31st."""
    item.round_no = front.rng.randint(2, 9)
    if item.max_rounds:
        item.round_no = min(item.round_no, item.max_rounds)
    if item.cycle.endswith("W"):
        item.start_date -= timedelta(weeks=int(item.cycle[0]) * front.rng.randint(1, 12))
    else:
        begun = item.start_date.replace(day=1) - timedelta(days=front.rng.randint(1, 300))
        days = monthrange(begun.year, begun.month)[1]
        item.start_date = begun.replace(day=days if front.chance(0.4) else min(item.start_date.day, days))
    item.product_price = max(shopkeeping.LOWEST_PRICE, item.product_price + front.one_of((0, 0, -500, 700)))


def _remember_orders(front: Front, subscription: Subscription, day: date) -> None:
    """Put in an order of an earlier round, at another price, and consents that may be too old."""
    on = day - timedelta(days=front.rng.randint(1, 40))
    lines = []
    for item in subscription.items:
        price = item.product_price + item.option_price + front.one_of((0, 0, 400, -300))
        if item.round_no > 1:
            line = OrderLine(item.item_id, item.round_no - 1, price, item.quantity, price * item.quantity)
            lines.append(line)
        if front.chance(0.3):
            item.consents.append(Consent(price + 500, _agreed_at(front, item, day)))
    paid_at = datetime.combine(on - timedelta(days=1), time(10, 1))
    amount = sum(line.amount for line in lines)
    if lines:
        key, name = subscription.subscription_id, subscription.receiver_name
        front.town.orders.append(Order(key, on, name, amount, paid_at, lines))


def _agreed_at(front: Front, item: Item, day: date) -> datetime:
    """Draw when a consent was given: a month before the last charge of the coming round, or some time ago."""
    on = item.delivery_on - timedelta(days=front.rng.randint(27, 30))
    if on > day or front.chance(0.3):
        on = day - timedelta(days=front.rng.randint(0, 40))
    return datetime.combine(on, time(15, 33))


def draw_policy(rng: Random, first_delivery: date) -> Policy:
    """Draw the operator's choices: each option mostly as it comes, sometimes another."""
    policy = Policy(first_delivery)
    changes: dict[str, tuple[object, ...]] = {
        "retry_days": (1, 2, 5),
        "retry_times": ((time(9),), (time(7, 30), time(12), time(20)), (time(10), time(22))),
        "backup_card": (False,),
        "on_missed": ("skip",),
        "max_late_days": (0, 5),
        "on_sold_out": ("charge",),
        "on_price_rise": ("hold", "charge_new"),
        "require_notice": ("none",),
        "debit_notice_mail": (False,),
        "sms_units": (0, 2),
        "lms_units": (1, 4),
        "operator_mail": ("digest",),
        "quiet_hours": (None, (time(1), time(6))),
        "reset_max_age_days": (0, 30),
    }
    for name, others in changes.items():
        if rng.random() < 0.3:
            policy = replace(policy, **{name: others[rng.randint(0, len(others) - 1)]})  # type: ignore[arg-type]
    if rng.random() < 0.2:
        policy = replace(policy, notice_days_before=5, charge_days_before=rng.randint(0, 3))
    return policy
