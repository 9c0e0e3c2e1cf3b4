"""charge_d1 at NICEPAY: a doubt is looked up by order number, and only the same order is ever sent again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from lib.gateways import Approval, Card
from lib.gateways.opening import open_gateways
from lib.sandbox import Fault
from tests.jobs.charging import MAIN, attempts, due_at, matters, state
from tests.jobs.gateways import NICEPAY, announced_at, approvals_at, calls_at, charge_at, give_backup_at
from tests.rig import Rig

pytestmark = pytest.mark.rule(9, 10)

IN_QUARANTINE, LATER, MUCH_LATER = "2026-12-02T10:05", "2026-12-02T10:20", "2026-12-02T11:30"


def _lost(rig: Rig, *script: str, processed: bool, **switches: Any) -> None:  # noqa: ANN401 any switch
    """Leave one attempt whose answer was lost on the way."""
    announced_at(rig, NICEPAY, *script)
    nicepay = rig.sandbox.nicepay
    nicepay.switches = replace(nicepay.switches, **switches)
    nicepay.faults.add(Fault("drop", "charge", processed=processed, times=1))
    charge_at(rig)
    assert attempts(rig) == ["unknown"]


def _late(rig: Rig, *script: str, minutes: int, takes_number: bool = True) -> None:
    """Leave one attempt that the PG approves minutes after nobody waits for it any more."""
    announced_at(rig, NICEPAY, "late", *script)
    nicepay = rig.sandbox.nicepay
    nicepay.switches = replace(nicepay.switches, late_s=minutes * 60, late_takes_number=takes_number)
    charge_at(rig)
    assert attempts(rig) == ["unknown"]


def _sources(rig: Rig) -> list[str]:
    return [row["source"] for row in rig.ours("SELECT source FROM payment ORDER BY kind, seq")]


def _order_numbers_charged(rig: Rig) -> set[str]:
    return {call.order_no for call in rig.sandbox.nicepay.calls() if call.endpoint == "charge"}


def test_a_charge_at_nicepay_is_paid_and_written(rig: Rig) -> None:
    announced_at(rig, NICEPAY)
    ended = charge_at(rig)
    assert (state(rig), attempts(rig), ended.counts["written"]) == ("paid", ["approved"], 1)
    assert (_sources(rig), approvals_at(rig, NICEPAY)) == (["response"], 1)
    assert [row["pg_code"] for row in rig.ours("SELECT pg_code FROM payment")] == ["nicepay"]


def test_a_decline_goes_on_to_the_backup_card(rig: Rig) -> None:
    announced_at(rig, NICEPAY, NICEPAY.hard)
    give_backup_at(rig, NICEPAY)
    charge_at(rig)
    assert (state(rig), attempts(rig)) == ("paid", ["declined", "approved"])
    assert rig.ours("SELECT decline FROM payment_attempt WHERE attempt_no = 1") == [{"decline": "hard"}]


def test_a_lost_reply_is_settled_by_inquiry_and_approved_once(rig: Rig) -> None:
    _lost(rig, processed=True)
    ended = charge_at(rig, IN_QUARANTINE)
    assert (state(rig), attempts(rig), approvals_at(rig, NICEPAY)) == ("paid", ["approved"], 1)
    assert (_sources(rig), ended.counts["settled"], ended.counts["written"]) == (["inquiry"], 1, 1)
    assert [call for call, _ in calls_at(rig, NICEPAY)] == ["charge", "inquiry"]


def test_a_request_that_never_arrived_is_sent_again_under_its_number_after_the_quarantine(rig: Rig) -> None:
    _lost(rig, processed=False)
    charge_at(rig, IN_QUARANTINE)
    assert (attempts(rig), calls_at(rig, NICEPAY)[1:]) == (["unknown"], [("inquiry", "U107")])
    charge_at(rig, LATER)
    assert (state(rig), attempts(rig), approvals_at(rig, NICEPAY)) == ("paid", ["approved"], 1)
    assert (_sources(rig), len(_order_numbers_charged(rig))) == (["replay"], 1)


def test_the_next_question_falls_on_the_end_of_the_quarantine(rig: Rig) -> None:
    _lost(rig, processed=False)
    charge_at(rig, IN_QUARANTINE)
    charge_at(rig, "2026-12-02T10:14")
    assert len(calls_at(rig, NICEPAY)) == 2
    charge_at(rig, "2026-12-02T10:16")
    assert state(rig) == "paid"


def test_an_inquiry_that_lags_for_minutes_never_makes_a_second_approval(rig: Rig) -> None:
    _lost(rig, processed=True, inquiry_lag_s=45 * 60)
    charge_at(rig, LATER)
    assert (attempts(rig), calls_at(rig, NICEPAY)[1:]) == (
        ["unknown"],
        [("inquiry", "U107"), ("charge", "U112")],
    )
    charge_at(rig, MUCH_LATER)
    assert (state(rig), attempts(rig), _sources(rig)) == ("paid", ["approved"], ["inquiry"])
    assert (approvals_at(rig, NICEPAY), len(_order_numbers_charged(rig))) == (1, 1)


@pytest.mark.parametrize("minutes", [3, 10, 40])
@pytest.mark.parametrize("takes_number", [True, False])
def test_a_late_approval_is_the_only_one(rig: Rig, minutes: int, *, takes_number: bool) -> None:
    _late(rig, "approve", minutes=minutes, takes_number=takes_number)
    for at in (IN_QUARANTINE, LATER, MUCH_LATER, "2026-12-02T17:00"):
        charge_at(rig, at)
    assert (state(rig), attempts(rig), approvals_at(rig, NICEPAY)) == ("paid", ["approved"], 1)
    assert len(rig.shop("SELECT * FROM orders")) == 1


def test_a_charge_stuck_on_its_way_is_not_overtaken_by_a_decline_and_another_card(rig: Rig) -> None:
    _late(rig, NICEPAY.soft, minutes=10, takes_number=False)
    give_backup_at(rig, NICEPAY)
    for at in (IN_QUARANTINE, LATER):
        charge_at(rig, at)
    assert (state(rig), attempts(rig), approvals_at(rig, NICEPAY)) == ("paid", ["approved"], 1)


def test_a_second_sending_stuck_on_its_way_is_not_overtaken_either(rig: Rig) -> None:
    _lost(rig, "late", NICEPAY.soft, processed=False, late_s=600, late_takes_number=False)
    give_backup_at(rig, NICEPAY)
    for at in (LATER, "2026-12-02T10:22", "2026-12-02T10:36"):
        charge_at(rig, at)
    assert (state(rig), attempts(rig), approvals_at(rig, NICEPAY)) == ("paid", ["approved"], 1)


def test_a_second_sending_that_is_declined_goes_on_to_the_backup_card(rig: Rig) -> None:
    _lost(rig, NICEPAY.soft, processed=False)
    give_backup_at(rig, NICEPAY)
    ended = charge_at(rig, LATER)
    assert (attempts(rig), approvals_at(rig, NICEPAY)) == (["declined", "approved"], 1)
    assert (ended.counts["settled"], ended.counts["paid"]) == (1, 1)


def test_a_decline_whose_reply_was_lost_is_found_out_by_sending_it_again(rig: Rig) -> None:
    _lost(rig, NICEPAY.soft, processed=True)
    charge_at(rig, LATER)
    assert (state(rig), attempts(rig), due_at(rig)) == ("due", ["declined"], "2026-12-02T17:00")


def test_a_charge_no_longer_wanted_is_only_asked_after(rig: Rig) -> None:
    _lost(rig, processed=False)
    rig.shop("UPDATE subscription SET subscription_state = 'C'")
    charge_at(rig, LATER)
    assert (attempts(rig), calls_at(rig, NICEPAY)[1:]) == (["unknown"], [("inquiry", "U107")])


@pytest.mark.parametrize(
    "change", ["UPDATE card SET billing_key = 'bk-another'", "DELETE FROM card"], ids=["replaced", "deleted"]
)
def test_another_card_is_not_charged_by_a_second_sending(rig: Rig, change: str) -> None:
    _lost(rig, processed=False)
    rig.shop(change)
    charge_at(rig, LATER)
    assert (attempts(rig), calls_at(rig, NICEPAY)[1:]) == (["unknown"], [("inquiry", "U107")])


def test_a_key_deleted_meanwhile_says_nothing_of_the_first_sending(rig: Rig) -> None:
    _lost(rig, processed=True, inquiry_lag_s=45 * 60)
    with_key = Card(1, "haneul", "nicepay", MAIN, "", "", datetime.now(UTC))
    assert (
        open_gateways(rig.settings(), lambda: datetime.now(UTC))["nicepay"].forget(with_key).state == "done"
    )
    give_backup_at(rig, NICEPAY)
    charge_at(rig, LATER)
    assert (attempts(rig), calls_at(rig, NICEPAY)[-1]) == (["unknown"], ("charge", "U115"))
    charge_at(rig, MUCH_LATER)
    assert (state(rig), approvals_at(rig, NICEPAY)) == ("paid", 1)


def test_an_order_sent_again_on_another_day_is_found_under_that_day(rig: Rig) -> None:
    _lost(rig, processed=False, order_date_counts=True)
    rig.sandbox.nicepay.faults.add(Fault("drop", "charge", processed=True, times=1))
    charge_at(rig, "2026-12-03T09:00")
    assert (attempts(rig), approvals_at(rig, NICEPAY)) == (["unknown"], 1)
    charge_at(rig, "2026-12-03T09:30")
    assert (state(rig), approvals_at(rig, NICEPAY), _sources(rig)) == ("paid", 1, ["inquiry"])


def test_money_given_back_at_the_gateway_makes_the_round_due_an_hour_later(rig: Rig) -> None:
    _lost(rig, processed=True)
    (made,) = rig.sandbox.nicepay.approvals()
    approval = Approval(made.payment_key, made.order_no, made.amount, "")
    open_gateways(rig.settings(), lambda: datetime.now(UTC))["nicepay"].cancel(approval, "고객 요청")
    charge_at(rig, LATER)
    assert (state(rig), attempts(rig), due_at(rig)) == ("due", ["not_charged"], "2026-12-02T11:20")
    assert [row["kind"] for row in rig.ours("SELECT kind FROM payment ORDER BY kind")] == [
        "approve",
        "cancel",
    ]


def test_after_a_day_of_silence_a_person_decides_and_the_report_names_the_order(rig: Rig) -> None:
    _lost(rig, processed=True)
    rig.sandbox.nicepay.faults.add(Fault("error", "inquiry"))
    charge_at(rig, "2026-12-03T09:50")
    assert attempts(rig) == ["unknown"]
    ended = charge_at(rig, "2026-12-03T11:01", check=1)
    assert (state(rig), attempts(rig), ended.counts["in_doubt"]) == ("in_doubt", ["in_doubt"], 1)
    assert (matters(rig), approvals_at(rig, NICEPAY)) == (["in_doubt"], 1)
    (order_no,) = _order_numbers_charged(rig)
    report = rig.run("ops", "report", "--doubts", check=None).stdout
    assert order_no in report
    assert "나이스페이" in report


def test_a_wrong_secret_stops_the_gateway_and_charges_nobody(rig: Rig) -> None:
    announced_at(rig, NICEPAY, gateway={"secret_key": "wrong"})
    ended = charge_at(rig, check=78)
    assert (attempts(rig), approvals_at(rig, NICEPAY)) == (["not_charged"], 0)
    assert "nicepay: 상점 계정을 거부합니다" in ended.stderr
