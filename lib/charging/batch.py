"""Several rounds share a transaction; where a row spoils it, it is done again round by round (rule 14)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from lib.charging.desk import Desk
from lib.charging.record import Result, record, record_plainly
from lib.failpoints import Step, reach
from lib.gateways import Approval, Approved
from lib.outbox.bad_data import is_bad_data
from lib.run import Run
from lib.spool import Spool
from lib.store import ContendedError, DuplicateError, Transaction

K = TypeVar("K")
T = TypeVar("T")


def is_bad_row(error: Exception) -> bool:
    """Tell whether an error is about the values of a row; a stray NULL makes an AttributeError too."""
    return is_bad_data(error) or isinstance(error, DuplicateError | ContendedError | AttributeError)


def in_batch(
    run: Run,
    rows: Sequence[K],
    work: Callable[[Sequence[K], Transaction], list[T]],
    bad: Callable[[K, Exception], None],
) -> list[T]:
    """Do `work` for all rows in one transaction or, after a bad row, for each alone; `bad` is told which."""
    try:
        return run.store.transaction(partial(work, rows)) if rows else []
    except Exception as error:
        if not is_bad_row(error):
            raise
    return [found for row in rows for found in _alone(run, row, work, bad)]


def _alone(
    run: Run,
    row: K,
    work: Callable[[Sequence[K], Transaction], list[T]],
    bad: Callable[[K, Exception], None],
) -> list[T]:
    try:
        return run.store.transaction(partial(work, [row]))
    except Exception as error:
        if not is_bad_row(error):
            raise
        bad(row, error)
        return []


def note_bad_round(run: Run, round_id: int, error: Exception) -> None:
    """Leave a round as it is and tell a person; the next run tries it again."""
    run.store.transaction(partial(_open_matter, run, round_id, type(error).__name__))


def _open_matter(run: Run, round_id: int, why: str, tx: Transaction) -> None:
    for round_ in tx.rows("rounds_by_id", ids=[round_id]):
        detail = (
            f"{round_['subscription_id']}: {round_['delivery_on']} 회차를 처리할 수 없음({why}). "
            "쇼핑몰 자료를 고치면 다음 작업이 다시 합니다"
        )
        run.matters.open(tx, f"round {round_id}", "bad_row", detail, run.clock.now())


def save(
    run: Run, desk: Desk, spool: Spool | None, results: Sequence[Result], tried: dict[int, set[int]]
) -> list[int]:
    """Record results: approvals to disk, then the database; returns the rounds that go on to another card."""
    try:
        if spool:
            spool.append(_approvals(results))
            reach(Step.SPOOL_SYNCED)
    finally:
        # Also where the disk is full: the database may still take the evidence.
        again = in_batch(run, results, partial(record, run, tried), partial(_save_plainly, run))
        reach(Step.RESULTS_RECORDED)
        for result in results:
            desk.saw(result.attempt.pg_code, result.outcome)
    return again


def _approvals(results: Iterable[Result]) -> Iterator[tuple[str, Approval]]:
    for result in results:
        if isinstance(result.outcome, Approved):
            for each in result.outcome.evidence:
                yield result.attempt.pg_code, each


def _save_plainly(run: Run, result: Result, error: Exception) -> None:
    run.store.transaction(partial(record_plainly, run, result, type(error).__name__))
