"""Which events there are, and how often each happens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tests.year import customers, shopkeeping
from tests.year.front import Event, Front

Table = Sequence[tuple[int, Event]]

CUSTOMERS: Table = (
    (2, customers.apply),
    (3, customers.end_item),
    (2, customers.end_subscription),
    (5, customers.pause_item),
    (4, customers.pause_subscription),
    (8, customers.move_date),
    (6, customers.change_quantity),
    (6, customers.store_card),
    (3, customers.swap_cards),
    (14, customers.card_answers),
    (6, customers.consent),
    (4, customers.change_receiver),
    (5, customers.change_address),
    (1, customers.withdraw),
)
SHOP: Table = (
    (5, shopkeeping.change_price),
    (5, shopkeeping.change_stock),
    (3, shopkeeping.change_sale),
    (3, shopkeeping.change_discount),
    (2, shopkeeping.change_shipping),
    (3, shopkeeping.change_limit),
    (3, shopkeeping.switch),
    (1, shopkeeping.rename_shop),
    (1, shopkeeping.enter_order),
    (5, shopkeeping.mend),
)
RARE: Table = (
    (2, shopkeeping.run_short),
    (1, shopkeeping.leave_manager),
    (1, shopkeeping.change_pg),
    (1, shopkeeping.renew_pg),
)


def happen(front: Front, at: datetime, table: Table) -> str:
    """Let one event of a table happen; says what it was."""
    left = front.rng.randint(1, sum(weight for weight, _ in table))
    for weight, event in table:
        left -= weight
        if left <= 0:
            return event(front, at)
    raise AssertionError("weights are positive")
