"""`ops settle` on held rounds: paid, due, failed or void, and never a second charge."""

from __future__ import annotations

from datetime import date

import pytest

from lib.sandbox.faults import Fault
from tests.jobs.charging import DELIVERY, announced, attempts, charge, mails, matters, state, the_round
from tests.ops.desk import decided, order_no, refused_row, settle
from tests.rig import Rig

PERSON = ("김운영", "상점관리자에서 확인")
AT = "2026-12-02T11:00"


def _id(rig: Rig) -> str:
    return str(the_round(rig)["round_id"])


def _next_date(rig: Rig) -> date:
    found: date = rig.shop("SELECT expected_delivery_date FROM subscription_item")[0][
        "expected_delivery_date"
    ]
    return found


def test_a_held_round_that_is_due_again_is_charged_by_the_next_run(rig: Rig) -> None:
    refused_row(rig)
    settle(rig, _id(rig), "--due", at=AT)
    assert (state(rig), matters(rig), decided(rig, "billing_round")) == ("due", [], [PERSON])
    charge(rig, "2026-12-02T17:00")
    assert (state(rig), attempts(rig)) == ("paid", ["not_charged", "approved"])


def test_a_held_round_that_was_never_announced_cannot_be_due(rig: Rig) -> None:
    refused_row(rig)
    rig.ours("UPDATE billing_round SET announced_on = NULL")
    rig.ours("DELETE FROM payment_attempt")
    settle(rig, _id(rig), "--due", at=AT, check=2)
    assert state(rig) == "held"


def test_a_held_round_that_failed_moves_its_items_on_and_tells_the_customer(rig: Rig) -> None:
    refused_row(rig)
    settle(rig, order_no(rig), "--failed", at=AT)
    assert (state(rig), _next_date(rig), matters(rig)) == ("failed", date(2027, 1, 3), [])
    assert mails(rig, "payment_failed") == [("customer", "queued"), ("operator", "queued")]
    assert decided(rig, "billing_round") == [PERSON]


def test_a_held_round_that_is_void_leaves_its_items_where_they_are(rig: Rig) -> None:
    refused_row(rig)
    settle(rig, _id(rig), "--void", at=AT)
    assert (state(rig), _next_date(rig), matters(rig)) == ("void", DELIVERY, [])
    assert rig.ours("SELECT COUNT(*) AS items FROM billing_round_item WHERE released_at IS NULL") == [
        {"items": 0}
    ]


@pytest.fixture
def paid_elsewhere(rig: Rig) -> Rig:
    """A round is paid, and somebody else's order for it came into the shop meanwhile."""
    announced(rig)
    rig.sandbox.toss.faults.add(Fault("drop", "charge", processed=True))
    charge(rig)
    _write_order(rig, "SOMEBODY-1", "S-1")
    rig.sandbox.toss.faults.clear()
    charge(rig, "2026-12-02T10:30", check=1)
    assert state(rig) == "held"
    return rig


def _write_order(rig: Rig, order_id: str, subscription_id: str | None) -> None:
    rig.put(
        "orders",
        order_id=order_id,
        subscription_id=subscription_id,
        delivery_date=DELIVERY if subscription_id else None,
        sequence=1,
        member_id="haneul",
        buyer_name="김하늘",
        receiver_name="박바다",
        receiver_zipcode="06236",
        receiver_address1="서울",
        receiver_cellphone="010-2000-5678",
        items_amount=12_900,
        discount_amount=0,
        shipping_fee=0,
        payment_amount=12_900,
        pg_code="tosspayments",
        paid_at="2026-12-02 10:00:00",
    )


def test_the_order_of_somebody_else_can_stand_for_a_paid_round(paid_elsewhere: Rig) -> None:
    rig = paid_elsewhere
    settle(rig, _id(rig), "--paid", "--order", "SOMEBODY-1", at=AT)
    found = the_round(rig)
    assert (found["state"], found["order_id"], found["written_at"] is None) == ("paid", "SOMEBODY-1", False)
    assert (_next_date(rig), matters(rig)) == (date(2027, 1, 3), [])
    assert len(rig.shop("SELECT * FROM orders")) == 1


@pytest.mark.parametrize("order_id", ["NOWHERE", "OTHERS-1"])
def test_an_order_that_is_not_of_this_subscription_cannot_stand_for_it(
    paid_elsewhere: Rig, order_id: str
) -> None:
    rig = paid_elsewhere
    _write_order(rig, "OTHERS-1", "S-2")
    settle(rig, _id(rig), "--paid", "--order", order_id, at=AT, check=2)
    assert state(rig) == "held"


@pytest.mark.parametrize("verb", ["--due", "--failed", "--void"])
def test_a_round_with_money_is_neither_charged_again_nor_closed_without_it(
    paid_elsewhere: Rig, verb: str
) -> None:
    rig = paid_elsewhere
    ended = settle(rig, _id(rig), verb, at=AT, check=2)
    assert (state(rig), order_no(rig) in ended.stderr) == ("held", True)


def test_a_paid_round_without_an_order_in_the_shop_is_written_by_the_next_run(paid_elsewhere: Rig) -> None:
    rig = paid_elsewhere
    rig.shop("DELETE FROM orders")
    settle(rig, _id(rig), "--paid", at=AT)
    assert (state(rig), the_round(rig)["written_at"]) == ("paid", None)
    charge(rig, "2026-12-02T17:00")
    assert [row["order_id"] for row in rig.shop("SELECT order_id FROM orders")] == [order_no(rig)]


def test_a_cancel_that_a_person_made_at_the_gateway_enters_the_ledger(paid_elsewhere: Rig) -> None:
    rig = paid_elsewhere
    settle(rig, _id(rig), "--cancelled", at=AT)
    assert rig.ours("SELECT amount_krw, source, seq FROM payment WHERE kind = 'cancel'") == [
        {"amount_krw": 12_900, "source": "operator", "seq": 0}
    ]
    assert (state(rig), decided(rig, "payment_attempt")) == ("held", [PERSON])


def test_a_cancelled_round_can_be_void_but_is_never_charged_again(paid_elsewhere: Rig) -> None:
    rig = paid_elsewhere
    settle(rig, _id(rig), "--cancelled", at=AT)
    settle(rig, _id(rig), "--due", at=AT, check=2)
    settle(rig, _id(rig), "--void", at=AT)
    assert state(rig) == "void"


def test_a_cancelled_round_is_paid_only_with_the_order_that_was_paid_otherwise(paid_elsewhere: Rig) -> None:
    rig = paid_elsewhere
    settle(rig, _id(rig), "--cancelled", at=AT)
    settle(rig, _id(rig), "--paid", at=AT, check=2)
    settle(rig, _id(rig), "--paid", "--order", "SOMEBODY-1", at=AT)
    assert state(rig) == "paid"


def test_the_same_cancel_cannot_be_recorded_twice(paid_elsewhere: Rig) -> None:
    rig = paid_elsewhere
    settle(rig, _id(rig), "--cancelled", at=AT)
    settle(rig, _id(rig), "--cancelled", at=AT, check=2)
    assert len(rig.ours("SELECT * FROM payment")) == 2


def test_a_round_that_was_approved_with_another_amount_cannot_be_paid(rig: Rig) -> None:
    announced(rig)
    rig.sandbox.toss.faults.add(Fault("alter", "charge", fields={"totalAmount": 99}))
    charge(rig, check=1)
    ended = settle(rig, _id(rig), "--paid", at=AT, check=2)
    assert (state(rig), "99원" in ended.stderr) == ("held", True)


def test_a_round_that_is_not_held_is_left_alone(rig: Rig) -> None:
    announced(rig)
    before = rig.checksums()
    for verb in ("--paid", "--due", "--failed", "--void"):
        settle(rig, _id(rig), verb, at=AT, check=2)
    assert rig.checksums() == before


def test_a_person_is_told_in_words_how_a_round_stands_that_is_not_held(rig: Rig) -> None:
    announced(rig)
    charge(rig)
    said = settle(rig, _id(rig), "--void", at=AT, check=2).stderr
    assert f"회차 {_id(rig)} 는 보류가 아니라 결제완료입니다" in said


def test_an_attempt_in_doubt_is_settled_before_its_held_round(rig: Rig) -> None:
    announced(rig)
    rig.sandbox.toss.faults.add(Fault("alter", "charge", fields={"orderId": "SOMEBODYELSES1"}))
    charge(rig, check=1)
    settle(rig, _id(rig), "--void", at=AT, check=2)
    settle(rig, order_no(rig), "--not-charged", at=AT)
    settle(rig, _id(rig), "--void", at=AT)
    assert (state(rig), attempts(rig)) == ("void", ["not_charged"])
