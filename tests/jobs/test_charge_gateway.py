"""charge_d1: whatever a gateway says instead of yes or no, nothing is charged twice and nothing is lost."""

from __future__ import annotations

import pytest

from lib.sandbox import Card, Fault
from tests.jobs.charging import (
    DELIVERY,
    MAIN,
    NOTICE_AT,
    announced,
    attempts,
    charge,
    charges,
    give_backup,
    state,
)
from tests.rig import Rig
from tests.shopkeeper import subscription

pytestmark = pytest.mark.rule(9, 14)

NOWHERE = "http://127.0.0.1:9"


def _many(rig: Rig, number: int) -> None:
    announced(rig)
    for place in range(2, number + 1):
        subscription(rig, f"S-{place}", delivery_on=DELIVERY)
    rig.run("notify_d2", "--as-of", NOTICE_AT)


def test_an_unknown_outcome_never_goes_on_to_the_backup_card(rig: Rig) -> None:
    announced(rig)
    give_backup(rig)
    rig.sandbox.toss.faults.add(Fault("drop", "charge"))
    ended = charge(rig)
    assert (state(rig), attempts(rig), charges(rig)) == ("charging", ["unknown"], 1)
    assert ended.counts["unknown"] == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault("drop", "charge", processed=True),
        Fault("reset", "charge"),
        Fault("html", "charge", status=502, processed=True),
        Fault("empty", "charge", processed=True),
        Fault("truncated", "charge"),
        Fault("error", "charge", status=500, processed=True),
        Fault("error", "charge", status=400, code="A_CODE_NOBODY_PUBLISHED", processed=True),
        Fault("error", "charge", status=409, code="IDEMPOTENT_REQUEST_PROCESSING", processed=True),
    ],
    ids=lambda fault: f"{fault.kind} {fault.code}",
)
def test_an_answer_that_cannot_be_relied_on_is_unknown_until_it_is_settled(rig: Rig, fault: Fault) -> None:
    announced(rig)
    rig.sandbox.toss.faults.add(fault)
    charge(rig)
    assert (state(rig), attempts(rig)) == ("charging", ["unknown"])
    rig.sandbox.toss.faults.clear()
    charge(rig, "2026-12-02T10:05")
    assert (state(rig), attempts(rig), len(rig.sandbox.toss.approvals())) == ("paid", ["approved"], 1)


@pytest.mark.parametrize(
    ("fields", "attempt"),
    [({"totalAmount": 99}, "approved"), ({"orderId": "SOMEBODYELSES1"}, "in_doubt")],
    ids=["wrong amount", "wrong order number"],
)
def test_an_approval_of_something_else_is_recorded_and_holds_the_round(
    rig: Rig, fields: dict[str, object], attempt: str
) -> None:
    announced(rig)
    give_backup(rig)
    rig.sandbox.toss.faults.add(Fault("alter", "charge", fields=fields))
    ended = charge(rig, check=1)
    assert (state(rig), attempts(rig), ended.counts["held"]) == ("held", [attempt], 1)
    assert len(rig.ours("SELECT * FROM payment")) == 1
    charge(rig, "2026-12-02T10:05")
    assert (charges(rig), rig.shop("SELECT * FROM orders")) == (1, [])


def test_a_partly_cancelled_approval_holds_the_round(rig: Rig) -> None:
    announced(rig)
    cancels = [{"cancelAmount": 900, "cancelStatus": "DONE"}]
    fields = {"status": "PARTIAL_CANCELED", "balanceAmount": 12_000, "cancels": cancels}
    rig.sandbox.toss.faults.add(Fault("alter", "charge", fields=fields))
    charge(rig, check=1)
    assert (state(rig), len(rig.ours("SELECT * FROM payment"))) == ("held", 2)


@pytest.mark.parametrize("code", ["NOT_MATCHES_CUSTOMER_KEY", "INVALID_ORDER_NAME", "BELOW_MINIMUM_AMOUNT"])
def test_a_row_that_the_gateway_refuses_is_held_and_the_run_goes_on(rig: Rig, code: str) -> None:
    _many(rig, 3)
    rig.sandbox.toss.register(Card(MAIN, script=(code,)))
    ended = charge(rig, check=1)
    assert (ended.counts["held"], ended.counts["paid"]) == (1, 2)
    assert rig.ours("SELECT subscription_id FROM billing_round WHERE state = 'held'") == [
        {"subscription_id": "S-1"}
    ]


def test_a_refused_account_stops_the_gateway_and_the_rounds_are_due_an_hour_later(rig: Rig) -> None:
    _many(rig, 4)
    rig.config(gateway={"tosspayments": {"secret_key": "test_sk_wrong"}})
    ended = charge(rig, "2026-12-02T10:00", "--workers", "1", check=78)
    assert (charges(rig), attempts(rig)) == (1, ["not_charged"])
    assert "UNAUTHORIZED_KEY" in ended.stderr
    assert "test_sk_wrong" not in ended.stdout + ended.stderr
    rig.config()
    charge(rig, "2026-12-02T10:30")
    assert charges(rig) == 1 + 3
    charge(rig, "2026-12-02T11:01")
    assert rig.ours("SELECT state FROM billing_round WHERE state <> 'paid'") == []


def test_three_charges_in_a_row_that_did_not_leave_stop_the_gateway(rig: Rig) -> None:
    _many(rig, 6)
    rig.config(gateway={"tosspayments": {"base_url": NOWHERE}})
    ended = charge(rig, "2026-12-02T10:00", "--workers", "1", check=75)
    assert attempts(rig) == ["not_sent"] * 3
    assert "연결되지 않습니다" in ended.stderr
    rig.config()
    charge(rig, "2026-12-02T11:01")
    assert rig.ours("SELECT state FROM billing_round WHERE state <> 'paid'") == []


def test_a_disabled_gateway_charges_nothing(rig: Rig) -> None:
    announced(rig)
    rig.config(gateway={"tosspayments": {"enabled": False}})
    ended = charge(rig, check=75)
    assert (state(rig), charges(rig)) == ("due", 0)
    assert "꺼져 있습니다" in ended.stderr


def test_no_secret_of_a_card_is_printed_or_stored(rig: Rig) -> None:
    announced(rig, "REJECT_CARD_PAYMENT")
    give_backup(rig)
    rig.sandbox.toss.faults.add(Fault("drop", "charge", skip=1))
    ended = charge(rig, "2026-12-02T10:00", "-v")
    told = ended.stdout + ended.stderr + str(rig.ours("SELECT * FROM payment_attempt"))
    assert MAIN not in told
    assert "bk-" not in told
