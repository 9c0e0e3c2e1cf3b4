"""Charge what is due: claim, send in worker threads, record. At most `workers` attempts are ever open."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain, islice

from lib.charging.batch import in_batch, note_bad_round, save
from lib.charging.claim import claim
from lib.charging.desk import Desk
from lib.charging.record import Result
from lib.charging.start import Claimed
from lib.failpoints import Step, reach
from lib.gateways import NotSent, Outcome
from lib.run import Run, real_now
from lib.spool import Spool
from lib.store import utc

PAGE = 500
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

Sent = tuple[Claimed, Outcome]


class Till:
    """The loop of one run."""

    def __init__(self, run: Run, desk: Desk, spool: Spool, tried: dict[int, set[int]]) -> None:
        self._run = run
        self._desk = desk
        self._spool = spool
        self._tried = tried
        self._again: deque[int] = deque()
        self._open: set[Future[Sent]] = set()

    def charge_due(self, first: list[int]) -> None:
        """Charge every due round; `first` are rounds that go on to another card."""
        due = chain(first, due_rounds(self._run))
        workers = self._desk.workers()
        with ThreadPoolExecutor(workers) as pool:
            try:
                while True:
                    self._claim(pool, workers - len(self._open), due)
                    if not self._open and not self._again:
                        break
                    self._record(wait(self._open, return_when=FIRST_COMPLETED).done)
            finally:
                # After a failure too: what is under way is waited for, its approvals get to disk at least.
                self._record(wait(self._open).done)

    def _claim(self, pool: ThreadPoolExecutor, free: int, due: Iterator[int]) -> None:
        """Fill the free places; a batch may come to nothing, so go on until they are full or none is due."""
        while free > 0:
            ids = [self._again.popleft() for _ in range(min(free, len(self._again)))]
            ids += islice(due, free - len(ids))
            if not ids:
                return
            token = secrets.token_hex(8)
            work = partial(claim, self._run, self._desk, self._tried, token)
            claimed = in_batch(self._run, ids, work, partial(note_bad_round, self._run))
            if claimed:
                reach(Step.CHARGES_CLAIMED)
            self._open |= {pool.submit(send, self._desk, each) for each in claimed}
            free -= len(claimed)

    def _record(self, done: set[Future[Sent]]) -> None:
        """Record what came back; a call that broke off is a bug, told once the others' money is safe."""
        self._open -= done
        self._run.on_step(len(done))
        sent = [future.result() for future in done if future.exception() is None]
        results = [Result(claimed.attempt, outcome, "sending") for claimed, outcome in sent]
        self._again.extend(save(self._run, self._desk, self._spool, results, self._tried))
        for future in done:
            future.result()


def send(desk: Desk, claimed: Claimed) -> Sent:
    """Send one claimed charge, unless its lease is over: another run may be settling it by now."""
    reach(Step.CHARGE_BEGUN)
    if real_now() >= claimed.lease_until:
        return claimed, NotSent("보내기 전에 제한 시간이 지남")
    gateway = desk.gateways[claimed.attempt.pg_code]
    outcome = gateway.charge(replace(claimed.attempt, send_until=claimed.lease_until), claimed.card)
    reach(Step.CHARGE_ANSWERED)
    return claimed, outcome


def due_rounds(run: Run) -> Iterator[int]:
    """Yield the rounds whose charge is due at the start of the run, oldest slot first."""
    now = run.clock.as_of
    left = run.scope.limit
    found = _due_of(run, now) if run.scope.subscriptions else _due_pages(run, now)
    yield from found if left is None else islice(found, left)


def _due_of(run: Run, now: datetime) -> Iterator[int]:
    for row in run.store.rows("due_rounds_of", ids=list(run.scope.subscriptions), now=now):
        yield row["round_id"]


def _due_pages(run: Run, now: datetime) -> Iterator[int]:
    after_at, after_id = BEGINNING, 0
    while True:
        rows = run.store.rows("due_rounds", now=now, after_at=after_at, after_id=after_id, page=PAGE)
        for row in rows:
            yield row["round_id"]
        if len(rows) < PAGE:
            return
        after_at, after_id = utc(rows[-1]["next_attempt_at"]), rows[-1]["round_id"]
