"""What can stand in a round's way (rule 3): what the storefront did, and what it does when it is over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pytest

from tests.jobs.notices import D
from tests.rig import Rig
from tests.shopkeeper import contract, open_shop, subscription

S = "S-20261101-0000001"
PG = "tosspayments"
Act = Callable[[Rig], object]

ORDER = {
    "member_id": "haneul",
    "buyer_name": "김하늘",
    "receiver_name": "박바다",
    "receiver_zipcode": "06236",
    "receiver_address1": "서울특별시 강남구 테헤란로 152",
    "receiver_cellphone": "010-2000-5678",
    "items_amount": 0,
    "discount_amount": 0,
    "shipping_fee": 0,
    "payment_amount": 0,
    "pg_code": PG,
    "paid_at": datetime(2026, 11, 3, 9),
}
"""An order of the shop's own, whatever of it does not matter here."""


def a_due_subscription(rig: Rig) -> None:
    """Put in one subscription that nothing stands in the way of; its only address is the application's."""
    open_shop(rig)
    subscription(rig, S, delivery_on=D)
    rig.shop("UPDATE member SET email = '', cellphone = ''")


def shop(*statements: str) -> Act:
    return lambda rig: [rig.shop(statement) for statement in statements]


def ended(termination: str, at: str = "2026-11-30 10:00:00") -> Act:
    """End an earlier contract with the PG; one is in use again."""
    return lambda rig: contract(rig, state="terminated", terminated_at=at, termination=termination)


def reset(event_at: str, state: str = "done") -> Act:
    """Put in a reset of the PG; `event_at` is UTC."""
    return lambda rig: rig.ours(
        "INSERT INTO pg_reset (pg_contract_no, pg_code, event_at, event_local, state, reason, opened_by, "
        "opened_at) VALUES (1, 'tosspayments', :at, :at, :state, '', '', :at)",
        at=event_at,
        state=state,
    )


def ours(statement: str) -> Act:
    return lambda rig: rig.ours(statement)


def ordered(subscription_id: str | None, on: object = D, item: int | None = 0, **columns: object) -> Act:
    """Put in an order of the shop's own with one line, of our only item or of another one."""

    def act(rig: Rig) -> None:
        ids = rig.shop("SELECT subscription_item_id AS id FROM subscription_item")
        order = ORDER | {"order_id": "HAND-1", "subscription_id": subscription_id, "delivery_date": on}
        rig.put("orders", **order | columns)
        rig.put(
            "order_item",
            order_id="HAND-1",
            line_no=1,
            subscription_item_id=ids[0]["id"] if item == 0 else item,
            product_no=1,
            product_name="에티오피아 예가체프 200g",
            quantity=1,
            unit_price=12_900,
            amount=12_900,
        )

    return act


@dataclass(frozen=True)
class Block:
    """One way to block the round of S; `subject` is what the matter is about."""

    name: str
    reason: str
    subject: str
    block: Act
    mend: Act


NEWER_CARD = shop("UPDATE card SET registered_at = '2026-11-30 10:00:01'")
UNORDERED = shop("DELETE FROM order_item", "DELETE FROM orders")

BLOCKS = (
    Block(
        "not_on_the_new_product_manager",
        "shop_not_ready",
        PG,
        shop("UPDATE shop SET new_product_manager = 'F'"),
        shop("UPDATE shop SET new_product_manager = 'T'"),
    ),
    Block(
        "contract_not_in_use",
        "pg_not_in_use",
        PG,
        shop("UPDATE pg_contract SET state = 'approved'"),
        shop("UPDATE pg_contract SET state = 'in_use'"),
    ),
    Block(
        "contract_ended_and_none_after_it",
        "pg_not_in_use",
        PG,
        shop(
            "UPDATE pg_contract SET state = 'terminated', termination = 'changed', "
            "terminated_at = '2026-12-01 08:00:00'"
        ),
        shop("UPDATE pg_contract SET state = 'in_use', termination = NULL, terminated_at = NULL"),
    ),
    Block(
        "service_under_review",
        "service_not_in_use",
        PG,
        shop("UPDATE subscription_service SET state = 'reviewing'"),
        shop("UPDATE subscription_service SET state = 'in_use'"),
    ),
    Block(
        "service_reset",
        "service_not_in_use",
        PG,
        shop("UPDATE subscription_service SET state = 'reset'"),
        shop("UPDATE subscription_service SET state = 'in_use'"),
    ),
    Block(
        "reset_under_way",
        "reset_in_progress",
        PG,
        reset("2025-12-01 00:00:00", "open"),
        ours("UPDATE pg_reset SET state = 'done'"),
    ),
    Block(
        "member_withdrawn",
        "member_withdrawn",
        S,
        shop("UPDATE member SET withdrawn_at = '2026-11-30 00:00:00'"),
        shop("UPDATE member SET withdrawn_at = NULL"),
    ),
    Block(
        "member_row_gone",
        "member_withdrawn",
        S,
        shop("UPDATE member SET member_id = 'other'"),
        shop("UPDATE member SET member_id = 'haneul'"),
    ),
    Block(
        "no_card_chosen",
        "no_card",
        S,
        shop("UPDATE subscription SET card_id = NULL"),
        shop("UPDATE subscription SET card_id = (SELECT card_id FROM card)"),
    ),
    Block(
        "card_row_gone",
        "no_card",
        S,
        shop("UPDATE card SET card_id = card_id + 1000000"),
        shop("UPDATE card SET card_id = card_id - 1000000"),
    ),
    Block(
        "card_of_another_member",
        "foreign_card",
        S,
        shop("UPDATE card SET member_id = 'other'"),
        shop("UPDATE card SET member_id = 'haneul'"),
    ),
    Block("card_of_a_changed_contract", "contract_ended", S, ended("changed"), NEWER_CARD),
    Block("card_of_a_reset_contract", "contract_ended", S, ended("reset"), NEWER_CARD),
    Block(
        "card_of_before_an_operators_reset",
        "contract_ended",
        S,
        reset("2026-11-30 01:00:00"),
        NEWER_CARD,
    ),
    Block(
        "no_address",
        "no_address",
        S,
        shop("UPDATE subscription SET buyer_email = 'nobody', buyer_cellphone = '02-123-4567'"),
        shop("UPDATE subscription SET buyer_email = 'kim@example.com'"),
    ),
    Block(
        "before_first_delivery",
        "before_first_delivery",
        S,
        shop("UPDATE subscription_item SET expected_delivery_date = '2025-12-31'"),
        shop("UPDATE subscription_item SET expected_delivery_date = '2026-12-03'"),
    ),
    Block("order_for_the_round", "already_ordered", S, ordered(S, item=None), UNORDERED),
    Block("order_line_of_the_item", "already_ordered", S, ordered("S-of-before"), UNORDERED),
)


def each(blocks: tuple[Block, ...] = BLOCKS) -> pytest.MarkDecorator:
    """Run a test once for each way to be blocked."""
    return pytest.mark.parametrize("case", [pytest.param(block, id=block.name) for block in blocks])
