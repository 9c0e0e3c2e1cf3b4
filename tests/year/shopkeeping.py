"""What the shop's people do on the admin pages: prices, stock, discounts, switches, credits and the PG."""

from __future__ import annotations

from datetime import datetime

from tests.town import PG, Channel, Contract, Kind, Order, OrderLine, Recipient, Setting
from tests.year.front import Front

STEPS: tuple[dict[int, int], ...] = ({}, {1: 5}, {1: 5, 3: 10}, {2: 7, 4: 12, 8: 33}, {1: 3, 2: 100}, {3: 50})
WON_STEPS = ({1: 300}, {2: 500, 5: 700}, {1: 300, 4: 100_000})
"""A discount leaves nothing of a line or at least 300 won: a gateway takes no sum below 100."""
REGIONS: tuple[list[tuple[str, str, int]], ...] = (
    [],
    [("63000", "63644", 3_000)],
    [("40200", "40240", 5_000), ("63000", "63644", 3_000)],
)
SWITCHES: tuple[tuple[Kind, Recipient, Channel], ...] = (
    ("payment_notice", "customer", "mail"),
    ("payment_notice", "customer", "sms"),
    ("payment_notice", "operator", "mail"),
    ("payment_declined", "customer", "mail"),
    ("payment_failed", "customer", "mail"),
    ("payment_failed", "operator", "mail"),
    ("auto_cancel", "customer", "mail"),
    ("auto_cancel", "operator", "mail"),
)
LOWEST_PRICE = 1_000


def change_price(front: Front, at: datetime) -> str:
    del at
    product = front.one_of(front.products())
    product.price = max(LOWEST_PRICE, product.price + front.one_of((-2_000, -310, 190, 500, 1_000, 3_000)))
    return f"product {product.product_no} costs {product.price:,}"


def change_stock(front: Front, at: datetime) -> str:
    """Sell out, restock, count or stop counting; what is missing comes back sooner than other things go."""
    del at
    missing = [each for each in front.products() if each.sold_out or (each.stock or 99) < 5]
    if missing and front.chance(0.7):
        product = front.one_of(missing)
        product.sold_out, product.stock = False, front.one_of((None, 30, 300))
    else:
        product = front.one_of(front.products())
        product.sold_out, product.stock = front.chance(0.3), front.one_of((None, 0, 2, 5))
    return f"product {product.product_no}: sold out {product.sold_out}, stock {product.stock}"


def change_sale(front: Front, at: datetime) -> str:
    """Hide or show a product, begin a 1+N event or make it a set; both end sooner than others begin."""
    del at
    special = [each for each in front.products() if each.is_set or each.one_plus_n]
    if special and front.chance(0.8):
        product = front.one_of(special)
        product.is_set = product.one_plus_n = False
    else:
        product = front.one_of(front.products())
        match front.one_of(("sale", "sale", "event", "set")):
            case "sale":
                product.is_on_sale = not product.is_on_sale
            case "event":
                product.one_plus_n = True
            case _:
                product.is_set = True
    kind = f"1+N {product.one_plus_n}, set {product.is_set}"
    return f"product {product.product_no}: on sale {product.is_on_sale}, {kind}"


def new_setting(front: Front, setting_no: int, products: tuple[int, ...]) -> Setting:
    unit = front.one_of("PPW")
    steps = front.one_of(STEPS) if unit == "P" else front.one_of(WON_STEPS)
    price = front.one_of([front.town.products[each].price for each in products] or [LOWEST_PRICE])
    return Setting(
        setting_no,
        products,
        "P" if unit == "P" else "W",
        per_piece=front.chance(0.5),
        threshold=front.one_of((None, None, price, 2 * price, 3 * price)),
        waives_region_fee=front.chance(0.3),
        steps=dict(steps),
    )


def change_discount(front: Front, at: datetime) -> str:
    """Change a setting, or move a product to another one or out of all."""
    del at
    settings = front.town.settings
    if front.chance(0.6):
        place = front.rng.randint(0, len(settings) - 1)
        settings[place] = new_setting(front, settings[place].setting_no, settings[place].products)
        return f"setting {settings[place].setting_no}: {settings[place].steps}"
    product_no = front.one_of(front.products()).product_no
    for setting in settings:
        setting.products = tuple(each for each in setting.products if each != product_no)
    if front.chance(0.8):
        chosen = front.one_of(settings)
        chosen.products = (*chosen.products, product_no)
    return f"product {product_no} in another setting"


def change_shipping(front: Front, at: datetime) -> str:
    del at
    town = front.town
    town.base_fee = front.one_of((0, 2_500, 3_000))
    town.free_over = front.one_of((None, 15_000, 25_800, 30_000))
    town.region_fees = list(front.one_of(REGIONS))
    return f"shipping {town.base_fee}, free over {town.free_over}"


def change_limit(front: Front, at: datetime) -> str:
    """Change after how many rounds an item ends: at least those that it had."""
    del at
    items = [item for _, item in front.items()]
    if not items:
        return ""
    item = front.one_of(items)
    item.max_rounds = 0 if front.chance(0.3) else max(2, item.round_no + front.rng.randint(0, 2))
    return f"item {item.item_id} ends after {item.max_rounds}"


def switch(front: Front, at: datetime) -> str:
    """Switch a message off or on; off for good is none."""
    del at
    off = sorted(front.town.switched_off)
    chosen = front.one_of(off) if off and front.chance(0.7) else front.one_of(SWITCHES)
    front.town.switched_off ^= {chosen}
    return f"switch {' '.join(chosen)}"


def rename_shop(front: Front, at: datetime) -> str:
    """Give the shop a long name, so that its text messages are longer, or a short one."""
    del at
    front.town.is_long_sms = not front.town.is_long_sms
    return "the shop is renamed"


def enter_order(front: Front, at: datetime) -> str:
    """Enter an order for a coming round by hand."""
    if not (items := front.items()):
        return ""
    subscription, item = front.one_of(items)
    taken = {(order.subscription_id, order.delivery_on) for order in front.town.orders}
    if (subscription.subscription_id, item.delivery_on) in taken:
        return ""
    price = item.product_price + item.option_price
    line = OrderLine(item.item_id, item.round_no, price, item.quantity, price * item.quantity)
    front.town.orders.append(
        Order(
            subscription.subscription_id,
            item.delivery_on,
            subscription.receiver_name,
            line.amount,
            paid_at=at,
            lines=[line],
        )
    )
    return f"an order by hand for {subscription.subscription_id} {item.delivery_on}"


def run_short(front: Front, at: datetime) -> str:
    """Use up nearly all credits of a channel for something else."""
    del at
    channel = front.one_of(("bulk_mail", "sms"))
    front.town.credits[channel] = min(front.town.credits[channel], front.rng.randint(0, 4))
    return f"{front.town.credits[channel]} {channel} credits left"


def leave_manager(front: Front, at: datetime) -> str:
    del at
    front.town.is_ready = False
    return "back to the old product manager"


def _terminate(front: Front, at: datetime, termination: str) -> str:
    for contract in front.town.contracts:
        if contract.state == "in_use":
            contract.state, contract.terminated_at, contract.termination = "terminated", at, termination
    return f"PG contract {termination}"


def change_pg(front: Front, at: datetime) -> str:
    """End the contract for another: the shop's subscriptions through it are over."""
    return _terminate(front, at, front.one_of(("changed", "changed", "reset")))


def renew_pg(front: Front, at: datetime) -> str:
    """Apply to the same PG again: nothing is over."""
    said = _terminate(front, at, "renewed")
    if front.chance(0.7):
        new_contract(front, at)
    return said


def new_contract(front: Front, at: datetime) -> None:
    front.town.contracts.append(Contract(len(front.town.contracts) + 1, at, PG))


def mend(front: Front, at: datetime) -> str:
    """Do what a shop must do to go on: a new contract, the service, the new manager, more credits."""
    town = front.town
    if not front.is_pg_in_use:
        new_contract(front, at)
        return "a new PG contract"
    if not town.service_in_use:
        town.service_in_use, town.service_in_use_at = True, at
        return "the service is in use again"
    if not town.is_ready:
        town.is_ready = True
        return "the new product manager again"
    for channel, balance in town.credits.items():
        if balance < 5 * front.size:
            town.credits[channel] = balance + 20 * front.size
            return f"more {channel} credits"
    return ""
