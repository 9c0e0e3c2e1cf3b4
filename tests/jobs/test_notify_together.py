"""Two runs at once over a generated shop share the work."""

from __future__ import annotations

from typing import Any

import pytest

from lib.sandbox.shops import Recipe, load
from tests.jobs.notices import D_MINUS_2, D
from tests.rig import Rig, Run

SUBSCRIPTIONS = 700
DUE = 500


def generated(rig: Rig) -> None:
    recipe = Recipe(first_day=D, all_due_on=D, subscriptions=SUBSCRIPTIONS)
    with rig.home.shop.begin() as connection:
        load(connection, recipe)
    rig.remember_credits()


def both(rig: Rig) -> list[Run]:
    started = [rig.start("notify_d2", "--as-of", D_MINUS_2) for _ in range(2)]
    return [rig.finish(process) for process in started]


@pytest.mark.parametrize("operator_mail", ["each", "digest"])
def test_two_runs_at_once_announce_and_debit_nobody_twice(rig: Rig, operator_mail: str) -> None:
    rig.config(policy={"operator_mail": operator_mail})
    generated(rig)
    ended = both(rig)
    assert {run.exit_code for run in ended} <= {0, 1}, [run.stderr for run in ended]
    assert set(_column(rig, "SELECT DISTINCT state FROM billing_round")) <= {"due", "skipped"}
    assert set(_column(rig, "SELECT DISTINCT state FROM message")) <= {"accepted", "merged"}
    (total,) = _column(rig, "SELECT COUNT(*) FROM billing_round WHERE state = 'due'")
    assert sum(run.counts["sealed"] for run in ended) == total > DUE
    (accepted,) = _column(rig, "SELECT COUNT(*) FROM message WHERE state = 'accepted'")
    assert sum(run.counts["messages_accepted"] for run in ended) == accepted
    assert len(rig.sandbox.smtp.book) + len(rig.sandbox.solapi.released()) == accepted
    debits = rig.ours("SELECT COUNT(*) AS n FROM credit_entry WHERE kind = 'debit'")
    assert debits == [{"n": accepted}]


def _column(rig: Rig, sql: str) -> list[Any]:
    return [next(iter(row.values())) for row in rig.ours(sql)]
