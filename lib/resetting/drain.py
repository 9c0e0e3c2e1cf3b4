"""Wait until nothing of a PG is under way, and settle what is open; what stays unknown is a person's."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from functools import partial

from lib.charging.claim import read_attempt
from lib.charging.desk import Desk
from lib.charging.record import set_in_doubt
from lib.charging.settle import give_up_lost, settle_open
from lib.failpoints import Step, reach
from lib.resetting.events import Reset
from lib.run import Run, real_now
from lib.store import utc

PAGE = 200
POLL_SECONDS = 0.2


def drain(run: Run, desk: Desk, reset: Reset) -> bool:
    """Let every attempt of the PG come to an end: inquiry where there is one, never a replay.

    False: the PG has no inquiry and must not be asked to void an attempt yet; the next run goes on.
    """
    _wait_for_leases(run, reset)
    reach(Step.LEASES_OVER)
    run.store.transaction(lambda tx: tx.change("hasten_checks", pg_code=reset.pg_code, now=run.clock.now()))
    _settle(run, desk, reset)
    while _lease_under_way(run, reset):  # another run of the same reset is asking too
        _wait_for_leases(run, reset)
        _settle(run, desk, reset)
    reach(Step.ATTEMPTS_SETTLED)
    until = _quarantine_until(run, desk, reset)
    if until:
        run.postpone(
            f"{reset.pg_code}: 결과를 모르는 결제는 {run.clock.to_local(until):%m-%d %H:%M}부터 "
            "취소할 수 있습니다. 그 뒤에 reset-pg 를 다시 실행하세요"
        )
        return False
    _leave_to_a_person(run, reset)
    reach(Step.LEFT_TO_A_PERSON)
    return True


def _wait_for_leases(run: Run, reset: Reset) -> None:
    """Leases are bounded, and no claim starts while the reset is open: this ends."""
    while until := _lease_under_way(run, reset):
        left = (until - real_now()).total_seconds()
        time.sleep(max(0.01, min(left + 0.01, POLL_SECONDS)))


def _lease_under_way(run: Run, reset: Reset) -> datetime | None:
    """Return when the longest lease ends that somebody still works under, in real time."""
    row = run.store.row("attempts_under_way", pg_code=reset.pg_code, real=real_now())
    return utc(row["lease_until"]) if row and row["attempts"] else None


def _settle(run: Run, desk: Desk, reset: Reset) -> None:
    """Ask after the PG's attempts; one that is not configured or switched off has nobody to ask."""
    if desk.reachable(reset.pg_code):
        settle_open(run, desk, {}, may_replay=False, pg_code=reset.pg_code)
    else:
        give_up_lost(run)


def _quarantine_until(run: Run, desk: Desk, reset: Reset) -> datetime | None:
    """Return until when a PG without inquiry is left in peace: a void that comes too early proves nothing."""
    gateway = desk.reachable(reset.pg_code)
    if gateway is None or gateway.abilities.inquiry or not gateway.abilities.void_by_order:
        return None
    row = run.store.row("newest_unsettled", pg_code=reset.pg_code)
    if row is None or row["sent_at"] is None:
        return None
    seconds = run.settings.gateways()[reset.pg_code].quarantine
    until = utc(row["sent_at"]) + timedelta(seconds=seconds)
    return until if until > run.clock.now() else None


def _leave_to_a_person(run: Run, reset: Reset) -> None:
    while True:
        rows = run.store.rows("attempts_unsettled", pg_code=reset.pg_code, after_id=0, page=PAGE)
        for row in rows:
            run.store.transaction(partial(set_in_doubt, run, read_attempt(row), "PG 변경·초기화"))
        if len(rows) < PAGE:
            return
