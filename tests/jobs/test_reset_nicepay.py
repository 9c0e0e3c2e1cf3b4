"""reset_pg at NICEPAY: a doubt is looked up and never sent again, and the billing keys go there too."""

from __future__ import annotations

import pytest

from lib.sandbox import Fault
from tests.jobs.charging import attempts, state
from tests.jobs.gateways import NICEPAY, announced_at, approvals_at, calls_at, charge_at
from tests.jobs.resetting import EVENT, LOST_REPLY, LOST_REQUEST, RESET_AT
from tests.rig import Rig, Run
from tests.shopkeeper import terminate_contract

pytestmark = pytest.mark.rule(12)


def _reset(rig: Rig, check: int = 0) -> Run:
    terminate_contract(rig, at=EVENT, pg_code=NICEPAY.code)
    return rig.run("reset_pg", "--as-of", RESET_AT, check=check)


def _no_charge_after_the_first(rig: Rig) -> bool:
    return [call for call, _ in calls_at(rig, NICEPAY)].count("charge") == 1


def test_the_billing_key_is_deleted_at_the_gateway(rig: Rig) -> None:
    announced_at(rig, NICEPAY)
    ended = _reset(rig)
    assert (ended.counts["cards_deleted"], ended.counts["pg_keys_deleted"]) == (1, 1)
    assert (state(rig), rig.sandbox.nicepay.calls()[-1].outcome) == ("void", "deleted")


def test_a_key_whose_deletion_lost_its_reply_is_gone_all_the_same(rig: Rig) -> None:
    announced_at(rig, NICEPAY)
    rig.sandbox.nicepay.faults.add(Fault("drop", "forget", processed=True, times=1))
    ended = _reset(rig)
    assert (ended.counts["pg_keys_deleted"], ended.counts["pg_keys_failed"]) == (1, 0)
    assert [outcome for call, outcome in calls_at(rig, NICEPAY) if call == "forget"] == [
        "deleted",
        "U112",
        "U115",
    ]


def test_a_charge_whose_reply_was_lost_is_found_and_delivered(rig: Rig) -> None:
    announced_at(rig, NICEPAY)
    rig.sandbox.nicepay.faults.add(LOST_REPLY)
    charge_at(rig)
    _reset(rig)
    assert (state(rig), attempts(rig), approvals_at(rig, NICEPAY)) == ("paid", ["approved"], 1)
    assert _no_charge_after_the_first(rig)


def test_a_charge_that_never_arrived_is_not_sent_again_and_left_to_a_person(rig: Rig) -> None:
    announced_at(rig, NICEPAY)
    rig.sandbox.nicepay.faults.add(LOST_REQUEST)
    charge_at(rig)
    _reset(rig, check=1)
    assert (state(rig), attempts(rig), approvals_at(rig, NICEPAY)) == ("in_doubt", ["in_doubt"], 0)
    assert _no_charge_after_the_first(rig)
