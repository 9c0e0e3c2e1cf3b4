"""The shop contract: typed reads of the contract views. Knows no shop's own tables or columns."""

from lib.shop.rows import (
    Channel,
    Item,
    Receiver,
    Recipient,
    Subscription,
    card_of,
    read_cards,
    read_consents,
    read_due_items,
    read_goods,
    read_items,
    read_newest_prices,
    read_order_lines_since,
    read_orders_since,
    read_settings,
    read_subscriptions,
)
from lib.shop.whole import ShopState, read_credits, read_pgs, read_shop

__all__ = [
    "Channel",
    "Item",
    "Receiver",
    "Recipient",
    "ShopState",
    "Subscription",
    "card_of",
    "read_cards",
    "read_consents",
    "read_credits",
    "read_due_items",
    "read_goods",
    "read_items",
    "read_newest_prices",
    "read_order_lines_since",
    "read_orders_since",
    "read_pgs",
    "read_settings",
    "read_shop",
    "read_subscriptions",
]
