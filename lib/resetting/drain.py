"""Wait until nothing of a PG is under way, and settle what is open; what stays unknown is a person's."""

from __future__ import annotations

import time
from functools import partial

from lib.charging.claim import read_attempt
from lib.charging.desk import Desk
from lib.charging.record import set_in_doubt
from lib.charging.settle import settle_open
from lib.resetting.events import Reset
from lib.run import Run, real_now
from lib.store import utc

PAGE = 200
POLL_SECONDS = 0.2


def drain(run: Run, desk: Desk, reset: Reset) -> None:
    """Let every attempt of the PG come to an end: inquiry where there is one, never a replay."""
    _wait_for_leases(run, reset)
    run.store.transaction(lambda tx: tx.change("hasten_checks", pg_code=reset.pg_code, now=run.clock.now()))
    settle_open(run, desk, {}, may_replay=False)
    _leave_to_a_person(run, reset)


def _wait_for_leases(run: Run, reset: Reset) -> None:
    """Leases are bounded, and no claim starts while the reset is open: this ends."""
    while True:
        row = run.store.row("attempts_under_way", pg_code=reset.pg_code, real=real_now())
        if row is None or not row["attempts"]:
            return
        left = (utc(row["lease_until"]) - real_now()).total_seconds()
        time.sleep(max(0.01, min(left + 0.01, POLL_SECONDS)))


def _leave_to_a_person(run: Run, reset: Reset) -> None:
    while True:
        rows = run.store.rows("attempts_unsettled", pg_code=reset.pg_code, after_id=0, page=PAGE)
        for row in rows:
            run.store.transaction(partial(set_in_doubt, run, read_attempt(row), "PG 변경·초기화"))
        if len(rows) < PAGE:
            return
