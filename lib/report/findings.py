"""What `ops check` prints: a line a finding, with what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from lib import checking
from lib.billing import words
from lib.checking import Finding, server, structure
from lib.report.service import JOBS
from lib.report.table import Cells, Column, Section, one_of
from lib.store import Store, utc

ROWS_TOLD = 3
COLUMNS = (Column("state", "결과", one_of(words.FINDING)), Column("said", "점검 → 할 일"))


def is_readable(store: Store) -> bool:
    """Tell whether our tables can be read at all."""
    return server.connection_fault(store) is None and all(one.ok for one in structure.our_tables(store))


def deeper(store: Store, now: datetime, *, invariants: bool, longest: timedelta | None) -> list[Finding]:
    """Look into the rows: whether the books are right, whether the jobs have run. `now` is real time."""
    found = [*_invariants(store)] if invariants else []
    return found + ([*_freshness(store, now, longest)] if longest else [])


def _invariants(store: Store) -> Iterator[Finding]:
    for one in checking.invariants(store):
        rows = "; ".join(str(dict(row)) for row in one.rows[:ROWS_TOLD])
        remedy = f"{len(one.rows):,}건, 개발자에게 알려 주세요: {rows}" if one.rows else ""
        yield Finding(not one.rows, f"{one.name}: {words.INVARIANT.get(one.name, one.purpose)}", remedy)


def _freshness(store: Store, now: datetime, longest: timedelta) -> Iterator[Finding]:
    for job in JOBS:
        row = store.row("last_good_run", job=job)
        ended_at = utc(row["ended_at"]) if row else None
        last = f"마지막 {ended_at:%Y-%m-%d %H:%M} UTC" if ended_at else "한 번도 없음"
        is_fresh = ended_at is not None and now - ended_at <= longest
        remedy = "" if is_fresh else "crontab 과 작업의 기록을 확인하고 작업을 직접 실행해 보세요"
        yield Finding(is_fresh, f"{words.JOB[job]}({job}) 정상 종료: {last}", remedy)


def section(found: Sequence[Finding]) -> Section:
    """Return findings as rows."""
    return Section("rows", "", COLUMNS, [_row(one) for one in found])


def _row(one: Finding) -> Cells:
    state = "problem" if not one.ok else "warning" if one.remedy else "ok"
    said = f"{one.what} → {one.remedy}" if one.remedy else one.what
    return {"state": state, "what": one.what, "remedy": one.remedy, "said": said}
