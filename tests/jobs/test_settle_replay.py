"""charge_d1: an attempt whose answer was lost is settled before anything new is charged."""

from __future__ import annotations

import base64

import pytest
import requests

from lib.sandbox import Fault
from tests.jobs.charging import SOFT, announced, attempts, charge, due_at, give_backup, matters, state
from tests.rig import Rig
from tests.shopkeeper import card

LATER = "2026-12-02T10:05"
GONE = Fault("drop", "charge")
"""The charge never took effect, and nobody can know."""


def _lost(rig: Rig, *script: str, processed: bool) -> None:
    """Leave one attempt whose answer was lost on the way."""
    announced(rig, *script)
    rig.sandbox.toss.faults.add(Fault("drop", "charge", processed=processed, times=1))
    charge(rig)
    assert attempts(rig) == ["unknown"]


def _asked(rig: Rig) -> list[str]:
    """Return what was asked of the gateway after the first charge."""
    return [call.endpoint for call in rig.sandbox.toss.calls()][1:]


@pytest.mark.parametrize("processed", [True, False])
def test_a_lost_reply_is_settled_by_replay_and_approved_once(rig: Rig, *, processed: bool) -> None:
    _lost(rig, processed=processed)
    ended = charge(rig, LATER)
    assert (state(rig), attempts(rig), len(rig.sandbox.toss.approvals())) == ("paid", ["approved"], 1)
    assert rig.ours("SELECT source FROM payment") == [{"source": "replay"}]
    assert (ended.counts["settled"], ended.counts["written"]) == (1, 1)


def test_a_replay_that_is_declined_goes_on_to_the_backup_card(rig: Rig) -> None:
    _lost(rig, SOFT, processed=True)
    give_backup(rig)
    ended = charge(rig, LATER)
    assert (attempts(rig), len(rig.sandbox.toss.approvals())) == (["declined", "approved"], 1)
    assert (ended.counts["settled"], ended.counts["paid"]) == (1, 1)


NOT_WANTED = {
    "cancelled": "UPDATE subscription SET subscription_state = 'C'",
    "items cancelled": "UPDATE subscription_item SET subscription_state = 'A'",
    "paused": "UPDATE subscription_item SET subscription_state = 'B'",
    "card deleted": "DELETE FROM card",
    "card changed": "UPDATE card SET billing_key = 'bk-another'",
    "customer key changed": "UPDATE card SET customer_key = 'another'",
    "card of another member": "UPDATE card SET member_id = 'somebody'",
    "contract ended": "UPDATE pg_contract SET state = 'terminated', termination = 'changed', "
    "terminated_at = '2026-12-02 10:01:00'",
    "service stopped": "UPDATE subscription_service SET state = 'stopped'",
    "member withdrawn": "UPDATE member SET withdrawn_at = '2026-12-02 10:01:00'",
}


@pytest.mark.parametrize("change", NOT_WANTED.values(), ids=NOT_WANTED)
def test_a_charge_no_longer_wanted_is_only_asked_after(rig: Rig, change: str) -> None:
    _lost(rig, processed=False)
    rig.shop(change)
    charge(rig, LATER)
    assert (_asked(rig), attempts(rig), rig.sandbox.toss.approvals()) == (["inquiry"], ["unknown"], [])


def test_a_card_that_the_customer_replaced_is_not_charged_by_a_replay(rig: Rig) -> None:
    _lost(rig, processed=False)
    rig.shop("UPDATE subscription SET card_id = :new", new=card(rig, billing_key="bk-new"))
    charge(rig, LATER)
    assert (_asked(rig), rig.sandbox.toss.approvals()) == (["inquiry"], [])


def test_after_the_last_day_nothing_is_replayed(rig: Rig) -> None:
    _lost(rig, processed=False)
    charge(rig, "2026-12-05T09:00", check=1)
    assert (_asked(rig), rig.sandbox.toss.approvals()) == (["inquiry"], [])


def test_a_charge_no_longer_wanted_but_made_is_found_by_inquiry_and_delivered(rig: Rig) -> None:
    _lost(rig, processed=True)
    rig.shop(NOT_WANTED["cancelled"])
    charge(rig, LATER)
    assert (state(rig), rig.ours("SELECT source FROM payment")) == ("paid", [{"source": "inquiry"}])
    assert len(rig.shop("SELECT * FROM orders")) == 1


def _give_back(rig: Rig, part: int | None = None) -> None:
    """Do what a person does on the gateway's own page: cancel the one approval, or a part of it."""
    (made,) = rig.sandbox.toss.approvals()
    key = base64.b64encode(f"{rig.sandbox.toss.switches.secret_key}:".encode()).decode()
    requests.post(
        f"{rig.sandbox.toss.url}/v1/payments/{made.payment_key}/cancel",
        json={"cancelReason": "고객 요청"} | ({"cancelAmount": part} if part else {}),
        headers={"Authorization": f"Basic {key}"},
        timeout=10,
    ).raise_for_status()


def _ledger(rig: Rig) -> list[tuple[str, int]]:
    rows = rig.ours("SELECT kind, amount_krw FROM payment ORDER BY kind")
    return [(row["kind"], row["amount_krw"]) for row in rows]


@pytest.mark.parametrize("replaced", [False, True], ids=["replayed", "asked after only"])
def test_a_charge_given_back_at_the_gateway_is_due_again_an_hour_later(rig: Rig, *, replaced: bool) -> None:
    _lost(rig, processed=True)
    _give_back(rig)
    if replaced:
        rig.shop("UPDATE card SET customer_key = 'another'")
    charge(rig, LATER)
    assert (state(rig), attempts(rig), due_at(rig)) == ("due", ["not_charged"], "2026-12-02T11:05")
    assert _ledger(rig) == [("approve", 12_900), ("cancel", 12_900)]
    assert rig.shop("SELECT * FROM orders") == []


def test_a_charge_given_back_in_part_at_the_gateway_is_held_and_not_delivered(rig: Rig) -> None:
    _lost(rig, processed=True)
    _give_back(rig, 900)
    charge(rig, LATER, check=1)
    assert (state(rig), matters(rig)) == ("held", ["held"])
    assert _ledger(rig) == [("approve", 12_900), ("cancel", 900)]
    assert rig.shop("SELECT * FROM orders") == []


def test_where_the_gateway_does_not_find_a_charge_yet_its_replay_stands(rig: Rig) -> None:
    _lost(rig, processed=True)
    rig.sandbox.toss.faults.add(Fault("error", "inquiry", status=404, code="NOT_FOUND_PAYMENT"))
    charge(rig, LATER)
    assert (state(rig), _asked(rig)) == ("paid", ["charge", "inquiry"])


def test_not_found_never_closes_an_attempt(rig: Rig) -> None:
    _lost(rig, processed=True)
    rig.shop("UPDATE card SET customer_key = 'another'")
    rig.sandbox.toss.faults.add(Fault("error", "inquiry", status=404, code="NOT_FOUND_PAYMENT", times=2))
    for at in (LATER, "2026-12-02T17:00"):
        charge(rig, at)
        assert (state(rig), attempts(rig)) == ("charging", ["unknown"])
    charge(rig, "2026-12-02T19:00")
    assert (state(rig), len(rig.sandbox.toss.approvals())) == ("paid", 1)


def test_the_gateway_is_asked_less_and_less_often(rig: Rig) -> None:
    _lost(rig, processed=False)
    rig.shop("DELETE FROM card")
    asked = []
    for at in ("10:05", "10:05", "10:06", "10:07", "10:09", "10:20", "10:50", "11:25"):
        charge(rig, f"2026-12-02T{at}")
        asked.append(len(_asked(rig)))
    assert asked == [1, 1, 2, 2, 3, 4, 4, 5]


def test_after_a_day_a_person_decides_and_hears_of_it_once(rig: Rig) -> None:
    _lost(rig, processed=False)
    rig.shop("DELETE FROM card")
    charge(rig, "2026-12-03T09:59")
    assert attempts(rig) == ["unknown"]
    ended = charge(rig, "2026-12-03T11:01", check=1)
    assert (state(rig), attempts(rig), ended.counts["in_doubt"]) == ("in_doubt", ["in_doubt"], 1)
    assert matters(rig) == ["in_doubt"]
    before = rig.checksums()
    charge(rig, "2026-12-03T17:00")
    assert rig.checksums() == before


def test_the_day_of_doubt_can_be_shorter(rig: Rig) -> None:
    rig.config(policy={"doubt_after": 1})
    _lost(rig, processed=False)
    rig.shop("DELETE FROM card")
    charge(rig, "2026-12-02T11:01", check=1)
    assert state(rig) == "in_doubt"


def test_a_disabled_gateway_is_not_asked_either(rig: Rig) -> None:
    _lost(rig, processed=True)
    rig.config(gateway={"tosspayments": {"enabled": False}})
    charge(rig, LATER, check=75)
    assert (_asked(rig), attempts(rig)) == ([], ["unknown"])


def test_an_attempt_that_another_run_may_still_be_sending_is_left_alone(rig: Rig) -> None:
    _lost(rig, processed=True)
    rig.ours(
        "UPDATE payment_attempt SET state = 'sending', next_check_at = NULL, "
        "lease_until = UTC_TIMESTAMP(6) + INTERVAL 60 SECOND"
    )
    ended = charge(rig, LATER)
    assert (_asked(rig), attempts(rig)) == ([], ["sending"])
    assert "tosspayments: 결제 1건이 다른 작업에서 진행 중" in ended.stderr


def test_an_attempt_whose_lease_ran_out_is_settled(rig: Rig) -> None:
    _lost(rig, processed=True)
    rig.ours("UPDATE payment_attempt SET state = 'sending', next_check_at = NULL")
    ended = charge(rig, LATER)
    assert (state(rig), ended.counts["unknown"], ended.counts["settled"]) == ("paid", 1, 1)
