"""Rule 3: what blocks a round is told once, and told no more once it is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import pytest

from lib.billing import words
from tests.jobs.notices import D_MINUS_1, D_MINUS_2, D, notify, open_matters, rounds, the_round
from tests.rig import Rig
from tests.shopkeeper import Item, contract, open_shop, subscription

S = "S-20261101-0000001"
Act = Callable[[Rig], object]


def sql(statement: str) -> Act:
    return lambda rig: rig.shop(statement)


def ours(statement: str) -> Act:
    return lambda rig: rig.ours(statement)


def ended(termination: str) -> Act:
    def act(rig: Rig) -> None:
        contract(rig, state="terminated", terminated_at="2026-11-30 10:00:00", termination=termination)

    return act


def reset(event_at: str, state: str = "open") -> Act:
    return ours(
        "INSERT INTO pg_reset (pg_contract_no, pg_code, event_at, event_local, state, reason, opened_by, "
        f"opened_at) VALUES (1, 'tosspayments', '{event_at}', '{event_at}', '{state}', '', '', '{event_at}')"
    )


def ordered(subscription_id: str) -> Act:
    """Put in an order of the shop's own; its line is our item's."""

    def act(rig: Rig) -> None:
        rig.put(
            "orders",
            order_id="X1",
            subscription_id=subscription_id,
            delivery_date=D,
            **dict.fromkeys(("member_id", "buyer_name", "receiver_name", "receiver_zipcode"), ""),
            **dict.fromkeys(("receiver_address1", "receiver_cellphone", "pg_code"), ""),
            **dict.fromkeys(("items_amount", "discount_amount", "shipping_fee", "payment_amount"), 0),
            paid_at=datetime(2026, 11, 3, 9),
        )
        rig.put(
            "order_item",
            order_id="X1",
            line_no=1,
            subscription_item_id=rig.shop("SELECT subscription_item_id AS i FROM subscription_item")[0]["i"],
            product_no=1,
            product_name="",
            quantity=1,
            unit_price=12_900,
            amount=0,
        )

    return act


SHOP_WIDE = [
    (
        "shop_not_ready",
        "UPDATE shop SET new_product_manager = 'F'",
        "UPDATE shop SET new_product_manager = 'T'",
    ),
    ("pg_not_in_use", "UPDATE pg_contract SET state = 'approved'", "UPDATE pg_contract SET state = 'in_use'"),
    (
        "service_not_in_use",
        "UPDATE subscription_service SET state = 'reviewing'",
        "UPDATE subscription_service SET state = 'in_use'",
    ),
]
BLOCKED = [
    *[pytest.param(reason, "tosspayments", sql(on), sql(off), id=reason) for reason, on, off in SHOP_WIDE],
    pytest.param(
        "reset_in_progress",
        "tosspayments",
        reset("2025-12-01"),
        ours("UPDATE pg_reset SET state = 'done'"),
        id="reset_in_progress",
    ),
    *[
        pytest.param(reason, S, on, off, id=name)
        for name, reason, on, off in (
            (
                "withdrawn",
                "member_withdrawn",
                sql("UPDATE member SET withdrawn_at = '2026-11-30 00:00:00'"),
                sql("UPDATE member SET withdrawn_at = NULL"),
            ),
            (
                "member_gone",
                "member_withdrawn",
                sql("UPDATE member SET member_id = 'other'"),
                sql("UPDATE member SET member_id = 'haneul'"),
            ),
            (
                "no_card",
                "no_card",
                sql("UPDATE subscription SET card_id = NULL"),
                sql("UPDATE subscription SET card_id = (SELECT card_id FROM card)"),
            ),
            (
                "card_row_gone",
                "no_card",
                sql("UPDATE card SET card_id = card_id + 1000000"),
                sql("UPDATE card SET card_id = card_id - 1000000"),
            ),
            (
                "foreign_card",
                "foreign_card",
                sql("UPDATE card SET member_id = 'other'"),
                sql("UPDATE card SET member_id = 'haneul'"),
            ),
            (
                "contract_changed",
                "contract_ended",
                ended("changed"),
                sql("UPDATE card SET registered_at = '2026-11-30 10:00:01'"),
            ),
            (
                "contract_reset",
                "contract_ended",
                ended("reset"),
                sql("UPDATE card SET registered_at = '2026-11-30 10:00:01'"),
            ),
            ("pg_reset", "contract_ended", reset("2026-11-30", "done"), ours("DELETE FROM pg_reset")),
            (
                "no_address",
                "no_address",
                sql("UPDATE subscription SET buyer_email = 'nobody', buyer_cellphone = '02-123-4567'"),
                sql("UPDATE subscription SET buyer_email = 'kim@example.com'"),
            ),
            (
                "ordered_round",
                "already_ordered",
                ordered(S),
                sql("DELETE FROM orders"),
            ),
            (
                "ordered_line",
                "already_ordered",
                ordered("S-of-before"),
                sql("DELETE FROM order_item"),
            ),
        )
    ],
]


@pytest.mark.parametrize(("reason", "subject", "block", "mend"), BLOCKED)
def test_a_blocked_round_is_told_once_and_sealed_when_it_is_over(
    rig: Rig, reason: str, subject: str, block: Act, mend: Act
) -> None:
    open_shop(rig)
    subscription(rig, delivery_on=D)
    rig.shop("UPDATE member SET email = '', cellphone = ''")
    block(rig)
    counts = notify(rig, check=1).counts
    assert (counts["due"], counts["blocked"], counts["sealed"]) == (1, 1, 0)
    assert rounds(rig) == rig.ours("SELECT * FROM message") == []
    assert rig.ours("SELECT kind, subject, detail FROM matter") == [
        {
            "kind": "blocked",
            "subject": subject,
            "detail": f"2026-12-03 회차를 안내하지 않음: {words.blocked(reason)}",
        }
    ]
    notify(rig, "2026-12-01T12:00")
    mend(rig)
    assert notify(rig, D_MINUS_1).counts["sealed"] == 1
    assert open_matters(rig) == []


def test_a_date_before_the_first_delivery_belongs_to_the_system_before_us(any_rig: Rig) -> None:
    any_rig.config(shop={"first_delivery": D})
    open_shop(any_rig)
    subscription(any_rig, delivery_on=date(2026, 12, 2))
    notify(any_rig, check=1)
    assert "첫 배송일 이전" in any_rig.ours("SELECT detail FROM matter")[0]["detail"]
    any_rig.shop("UPDATE subscription_item SET expected_delivery_date = '2026-12-03'")
    notify(any_rig)
    assert the_round(any_rig)["delivery_on"] == D


def test_a_contract_that_was_renewed_blocks_nothing(any_rig: Rig) -> None:
    open_shop(any_rig)
    ended("renewed")(any_rig)
    subscription(any_rig, delivery_on=D)
    assert notify(any_rig).counts["sealed"] == 1


def test_without_an_address_nothing_is_blocked_where_no_notice_is_required(any_rig: Rig) -> None:
    any_rig.config(policy={"require_notice": "none"})
    open_shop(any_rig)
    subscription(any_rig, delivery_on=D, buyer_email="", buyer_cellphone="")
    any_rig.shop("UPDATE member SET email = '', cellphone = ''")
    notify(any_rig)
    found = the_round(any_rig)
    assert (found["state"], found["announced_on"]) == ("due", date(2026, 12, 1))


def test_what_concerns_the_whole_shop_is_one_matter(any_rig: Rig) -> None:
    open_shop(any_rig)
    for number in range(3):
        subscription(any_rig, f"S-{number}", delivery_on=D, card_id="new")
    any_rig.shop("UPDATE pg_contract SET state = 'approved'")
    assert notify(any_rig, check=1).counts["blocked"] == 3
    assert open_matters(any_rig) == [("blocked", "tosspayments")]


OVER = [
    pytest.param("UPDATE subscription SET subscription_state = 'C'", id="cancelled"),
    pytest.param("UPDATE subscription SET subscription_state = 'P'", id="paused"),
    pytest.param("UPDATE subscription_item SET subscription_state = 'M'", id="items_cancelled"),
    pytest.param("UPDATE subscription_item SET expected_delivery_date = '2027-01-15'", id="moved"),
]


@pytest.mark.parametrize("meanwhile", OVER)
@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        ("UPDATE subscription SET card_id = NULL", "blocked"),
        ("UPDATE subscription_item SET quantity = 0", "bad_row"),
    ],
)
def test_the_matter_of_a_subscription_that_is_no_longer_due_is_closed(
    any_rig: Rig, meanwhile: str, spoil: str, kind: str
) -> None:
    open_shop(any_rig)
    subscription(any_rig, delivery_on=D)
    any_rig.shop(spoil)
    notify(any_rig, check=1)
    assert open_matters(any_rig) == [(kind, S)]
    any_rig.shop(meanwhile)
    notify(any_rig, D_MINUS_1)
    assert open_matters(any_rig) == []


def test_the_matter_of_a_pg_is_closed_when_it_works_again_though_nothing_is_due(any_rig: Rig) -> None:
    open_shop(any_rig)
    subscription(any_rig, delivery_on=D)
    any_rig.shop("UPDATE pg_contract SET state = 'approved'")
    notify(any_rig, check=1)
    any_rig.shop("UPDATE pg_contract SET state = 'in_use'")
    any_rig.shop("UPDATE subscription_item SET expected_delivery_date = '2027-01-15'")
    notify(any_rig, D_MINUS_1)
    assert open_matters(any_rig) == []


@pytest.mark.parametrize(
    ("spoil", "subject"),
    [
        ("UPDATE subscription SET card_id = NULL", S),
        ("UPDATE pg_contract SET state = 'approved'", "tosspayments"),
    ],
)
def test_a_matter_of_an_announced_round_is_left_to_the_charge(any_rig: Rig, spoil: str, subject: str) -> None:
    open_shop(any_rig)
    subscription(any_rig, delivery_on=D)
    notify(any_rig)
    any_rig.shop(spoil)
    any_rig.run("charge_d1", "--as-of", "2026-12-02T10:00", check=1)
    notify(any_rig, "2026-12-02T11:00")
    assert open_matters(any_rig) == [("blocked", subject)]


def test_a_run_for_one_subscription_closes_no_matter_of_another(any_rig: Rig) -> None:
    open_shop(any_rig)
    subscription(any_rig, "S-1", delivery_on=D, card_id=None)
    subscription(any_rig, "S-2", delivery_on=D, items=(Item(),))
    notify(any_rig, check=1)
    any_rig.shop("UPDATE subscription SET subscription_state = 'C' WHERE subscription_id = 'S-1'")
    notify(any_rig, D_MINUS_2, "--subscription", "S-2")
    assert open_matters(any_rig) == [("blocked", "S-1")]
