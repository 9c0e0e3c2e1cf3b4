"""The ways out of doubt of each PG, struck at each of their steps: nothing is charged twice or forgotten."""

from __future__ import annotations

import os
import time
from collections import Counter
from datetime import datetime, timedelta

import pytest

from lib.failpoints import Step
from lib.sandbox import Fault
from tests.chaos import armed
from tests.chaos.armed import KINDS, Blow, Kind
from tests.chaos.days import leases_run_out
from tests.jobs.charging import DELIVERY, NOTICE_AT
from tests.jobs.gateways import ALLAT, NICEPAY, TOSS, Pg, charge_at, set_clock
from tests.rig import Rig
from tests.shopkeeper import card, open_shop, subscription

pytestmark = pytest.mark.rule(9, 11)

LEASE = 1.2
NOBODY = ("--subscription", "nobody")
"""Charge nothing new: what is in doubt is settled all the same."""
ASKED = (
    Step.CHECKS_TAKEN,
    Step.REQUEST_SENT,
    Step.CHECK_ANSWERED,
    Step.RESULTS_MARKED,
    Step.RESULTS_RECORDED,
)
CHARGED = (Step.REPLAY_ALLOWED, Step.SPOOL_WRITTEN, Step.SPOOL_SYNCED, Step.EVIDENCE_WRITTEN)
STEPS = {
    TOSS: (*ASKED, *CHARGED),
    NICEPAY: (*ASKED, *CHARGED),
    # A void asks nobody whether the charge is still wanted, and what it proves closes the attempt.
    ALLAT: (*ASKED, Step.EVIDENCE_WRITTEN, Step.ATTEMPT_CLOSED),
}
MORNING = datetime(2026, 12, 2, 10)
LATER = ("2026-12-02T17:05", "2026-12-03T10:00", "2026-12-03T17:05", "2026-12-04T10:00", "2026-12-04T17:05")
EVERY: list[tuple[Pg, Kind]] = [(pg, kind) for pg in STEPS for kind in KINDS]
SOME: list[tuple[Pg, Kind]] = [(NICEPAY, "kill"), (ALLAT, "kill")]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("pg", "kind"), EVERY if os.environ.get("JEONGGI_CHAOS") else SOME, ids=str)
def test_doubts_are_settled_once_whatever_strikes_the_runs_that_settle_them(
    rig: Rig, pg: Pg, kind: Kind
) -> None:
    _announce(rig, pg, lease=LEASE if kind == "stop" else 180)
    for number, step in enumerate(STEPS[pg]):
        at = MORNING + timedelta(minutes=40 * number)
        _lose_answers(rig, pg, number, at)
        assert step in _struck(rig, at + timedelta(minutes=20), step, kind)
        assert rig.invariants() == []
        leases_run_out(rig)
        charge_at(rig, f"{at + timedelta(minutes=30):%Y-%m-%dT%H:%M}", *NOBODY, check=None)
    for later in LATER:
        leases_run_out(rig)
        charge_at(rig, later, check=None)
    states = Counter(row["state"] for row in rig.ours("SELECT state FROM billing_round"))
    for_a_person = states.pop("in_doubt", 0)
    assert states == {"paid": 2 * len(STEPS[pg]) - for_a_person}
    # Allat cannot tell a charge that never came, nor a void whose own answer was lost.
    assert for_a_person <= (2 * len(STEPS[pg]) if pg is ALLAT else 0)
    assert _money_nobody_knows_of(rig, pg) == []


def test_a_second_sending_of_a_lost_run_is_left_in_peace_for_a_quarantine(rig: Rig) -> None:
    """While it may be on its way an inquiry finds nothing, and a third one could be declined before it."""
    _announce(rig, NICEPAY, lease=180)
    rig.sandbox.nicepay.faults.add(Fault("drop", "charge", times=1))
    charge_at(rig, "2026-12-02T10:00", "--subscription", "there-0")
    set_clock(rig, "2026-12-02T10:20")
    twice = Blow(Step.REQUEST_SENT, "kill", nth=2)
    lost = armed.start(rig, "charge_d1", "--as-of", "2026-12-02T10:20", *NOBODY, plan=twice)
    lost.wait()
    assert lost.fired
    leases_run_out(rig)
    called = len(rig.sandbox.nicepay.calls())
    charge_at(rig, "2026-12-02T10:30", *NOBODY)
    assert len(rig.sandbox.nicepay.calls()) == called
    charge_at(rig, "2026-12-02T10:36", *NOBODY)
    (approved,) = rig.sandbox.nicepay.approvals()
    assert rig.ours("SELECT order_no, source FROM payment") == [
        {"order_no": approved.order_no, "source": "inquiry"}
    ]


def _announce(rig: Rig, pg: Pg, lease: float) -> None:
    rig.config(gateway={pg.code: {"lease": lease, "workers": 1}})
    open_shop(rig, pg.code)
    for name in (f"{way}-{number}" for number in range(len(STEPS[pg])) for way in ("back", "there")):
        pg.register(rig.sandbox, f"key-{name}", ("approve",))
        main = card(rig, name, billing_key=f"key-{name}", pg_code=pg.code)
        subscription(rig, name, delivery_on=DELIVERY, member_id=name, card_id=main, pg_code=pg.code)
    rig.run("notify_d2", "--as-of", NOTICE_AT)


def _lose_answers(rig: Rig, pg: Pg, number: int, at: datetime) -> None:
    """Charge two rounds: one is approved and the answer gets lost, the other's request never arrives."""
    faults = rig.sandbox.pgs[pg.code].faults
    for name, processed in (("back", True), ("there", False)):
        faults.add(Fault("drop", "charge", times=1, processed=processed))
        charge_at(rig, f"{at:%Y-%m-%dT%H:%M}", "--subscription", f"{name}-{number}", check=None)
    faults.clear()


def _struck(rig: Rig, moment: datetime, step: Step, kind: Kind) -> set[Step]:
    """Run charge_d1 struck at a step; where it stands still, another does its work before it goes on."""
    rig.ours("UPDATE payment_attempt SET next_check_at = '2026-12-01' WHERE state = 'unknown'")
    at = f"{moment:%Y-%m-%dT%H:%M}"
    set_clock(rig, at)
    run = armed.start(rig, "charge_d1", "--as-of", at, *NOBODY, plan=Blow(step, kind))
    if kind == "stop" and run.wait_until_stopped():
        time.sleep(LEASE)
        other = armed.start(rig, "charge_d1", "--as-of", at, *NOBODY, plan=armed.Watch())
        other.process.join(LEASE)
        run.go_on()
        other.wait()
    run.wait()
    return {struck for struck, _ in run.fired}


def _money_nobody_knows_of(rig: Rig, pg: Pg) -> list[str]:
    """Return the order numbers that the PG was paid for and our ledger has no approval of."""
    known = {row["order_no"] for row in rig.ours("SELECT order_no FROM payment WHERE kind = 'approve'")}
    held = [each for each in rig.sandbox.pgs[pg.code].approvals() if each.amount > each.cancelled_amount]
    return [each.order_no for each in held if each.order_no not in known]
