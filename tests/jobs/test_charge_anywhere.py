"""charge_d1 does the same whichever PG the shop has."""

from __future__ import annotations

import pytest

from tests.jobs.charging import attempts, state
from tests.jobs.gateways import (
    ALLAT,
    NICEPAY,
    TOSS,
    Pg,
    announced_at,
    approvals_at,
    charge_at,
    give_backup_at,
)
from tests.rig import Rig

pytestmark = [pytest.mark.rule(9), pytest.mark.parametrize("pg", [TOSS, NICEPAY, ALLAT], ids=str)]


def test_a_round_is_paid_written_and_not_charged_again(rig: Rig, pg: Pg) -> None:
    announced_at(rig, pg)
    charge_at(rig)
    before = rig.checksums()
    charge_at(rig, "2026-12-02T17:00")
    assert (rig.checksums(), state(rig), approvals_at(rig, pg)) == (before, "paid", 1)
    assert [row["pg_code"] for row in rig.ours("SELECT pg_code FROM payment")] == [pg.code]
    assert len(rig.shop("SELECT * FROM orders")) == 1


@pytest.mark.parametrize("kind", ["soft", "hard"])
def test_a_decline_goes_on_to_the_backup_card(rig: Rig, pg: Pg, kind: str) -> None:
    announced_at(rig, pg, {"soft": pg.soft, "hard": pg.hard}[kind])
    give_backup_at(rig, pg)
    charge_at(rig)
    assert (state(rig), attempts(rig), approvals_at(rig, pg)) == ("paid", ["declined", "approved"], 1)
    assert rig.ours("SELECT decline FROM payment_attempt WHERE attempt_no = 1") == [{"decline": kind}]


def test_an_approval_that_the_ledger_does_not_have_is_noticed(rig: Rig, pg: Pg) -> None:
    announced_at(rig, pg)
    charge_at(rig)
    (row,) = rig.ours("SELECT order_no FROM payment")
    rig.ours("UPDATE payment SET tid = 'another', order_no = 'another'")
    broken = {line for line in rig.invariants() if line.startswith("approval_")}
    assert broken == {f"approval_lost: {row['order_no']}", "approval_invented: another"}
    rig.broken_on_purpose = {line.partition(":")[0] for line in rig.invariants()}
