"""A small shop for the model's own tests: one application, two cards, ten credits of each kind."""

from __future__ import annotations

from datetime import date, datetime

from tests.town import Card, Contract, Item, Member, Policy, Product, Subscription, Town

LONG_AGO = datetime(2026, 6, 1, 9)
TUESDAY = date(2026, 12, 8)
POLICY = Policy(first_delivery=date(2026, 12, 1))


def item(item_id: int = 1, cycle: str = "1W", start: date = TUESDAY, price: int = 10_000) -> Item:
    return Item(item_id, item_id, cycle, start, start, price)


def a_town(*items: Item) -> Town:
    """Return a shop with one application by card 1, a card 2 to change to, and ten credits of each kind."""
    subscription = Subscription("S-1", "sea", LONG_AGO, card_id=1, items=list(items or (item(),)))
    return Town(
        base_fee=3_000,
        credits={"bulk_mail": 10, "sms": 10},
        contracts=[Contract(1, LONG_AGO)],
        products={
            each.product_no: Product(each.product_no, each.product_price) for each in subscription.items
        },
        members={"sea": Member("sea", "sea@example.com", "01020005678")},
        cards={no: Card(no, "sea", LONG_AGO) for no in (1, 2)},
        subscriptions={"S-1": subscription},
    )
