"""What every command shares: options, configuration, the run record, the summary line and the exit code."""

from __future__ import annotations

import json
import os
import sys
import time as stopwatch
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from sqlalchemy.exc import SQLAlchemyError

from lib import installing, settings
from lib.billing import texts
from lib.clock import Clock
from lib.command.codes import (
    BUG,
    CONFIGURATION,
    DONE,
    MATTERS,
    MEANINGS,
    TRY_AGAIN,
    USAGE,
    code_of,
    exit_code,
    last_line,
)
from lib.command.ending import JobCommand, Told, reporting
from lib.command.options import Options, UsageError, as_of, now, read_as_of, shared_options
from lib.command.summary import tell
from lib.failpoints import Step, reach
from lib.matters import Matters
from lib.run import Run, Scope
from lib.settings import ConfigurationError, Settings
from lib.store import DatabaseAwayError, Store, host_name

__all__ = [
    "BUG",
    "CONFIGURATION",
    "DONE",
    "MATTERS",
    "MEANINGS",
    "TRY_AGAIN",
    "USAGE",
    "Job",
    "JobCommand",
    "Options",
    "Told",
    "UsageError",
    "exit_code",
    "last_line",
    "now",
    "read_as_of",
    "reporting",
    "run_job",
    "shared_options",
]


@dataclass
class Job:
    """One job: what it counts, what it does, and what `--dry-run` would show of it."""

    name: str
    counts: Sequence[str]
    work: Callable[[Run], None]
    rehearse: Callable[[Run], Iterator[str]]
    finish: Callable[[Run], Mapping[str, object]] = field(default=lambda _run: {})
    """Counts that are read at the end rather than counted on the way."""
    check: Callable[[Store], None] = field(default=lambda _store: None)
    """What the options claim, looked at before the run begins; raises UsageError."""


def run_job(job: Job, options: Options) -> None:
    """Run a job from its options to its exit code. Does not return."""
    began = stopwatch.monotonic()
    with reporting(options) as told:
        given = settings.load(options.config)
        clock = Clock(as_of(options, given), given.shop.timezone)
        store = Store(given)
        try:
            _verify(store, given)
            job.check(store)
            run = _start(job, options, store, clock)
            try:
                _work(job, options, run)
            except BaseException as error:
                _end_badly(job, options, run, error)
                raise
            summary = _summary(job, options, run, began)
            told.code = summary["exit_code"]
            tell(job.name, options, run, summary)
        finally:
            store.close()


def _verify(store: Store, given: Settings) -> None:
    difference = store.transaction(lambda tx: installing.verify(tx, given))
    if difference:
        raise ConfigurationError(difference)


def _start(job: Job, options: Options, store: Store, clock: Clock) -> Run:
    run_id = 0
    if not options.dry_run:
        run_id = store.transaction(
            lambda tx: tx.insert(
                "start_run", job=job.name, as_of=clock.as_of, host=host_name(), pid=os.getpid(), at=now()
            )
        )
    reach(Step.RUN_STARTED)
    scope = Scope(options.subscription, options.limit, options.workers)
    return Run(store.settings, store, clock, Matters(run_id), scope)


def _work(job: Job, options: Options, run: Run) -> None:
    if options.dry_run:
        for line in job.rehearse(run):
            if not options.as_json:
                click.echo(texts.clean(line))
        return
    with _progress(job, options, run):
        job.work(run)


@contextmanager
def _progress(job: Job, options: Options, run: Run) -> Iterator[None]:
    """Show a terminal what is being done; cron gets nothing of it."""
    if options.as_json or options.quiet or not sys.stdout.isatty():
        yield
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.completed:,}건"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(), transient=True) as progress:
        task = progress.add_task(job.name, total=None)
        run.on_step = lambda number: progress.advance(task, number)
        yield


def _summary(job: Job, options: Options, run: Run, began: float) -> dict[str, Any]:
    counts: dict[str, object] = {name: run.counts[name] for name in job.counts}
    counts.update(job.finish(run))
    summary = {
        "job": job.name,
        "run_id": run.matters.run_id or None,
        "as_of": run.clock.as_of.isoformat(timespec="minutes"),
        "dry_run": options.dry_run,
        "exit_code": exit_code(run),
        "counts": counts,
        "amount_krw": run.counts["amount_krw"],
        "elapsed_s": round(stopwatch.monotonic() - began, 3),
    }
    if not options.dry_run:
        _record_end(run, summary)
    return summary


def _record_end(run: Run, summary: Mapping[str, Any]) -> None:
    text = json.dumps(summary, ensure_ascii=False)
    run.store.transaction(
        lambda tx: tx.change(
            "end_run", run_id=run.matters.run_id, at=now(), exit_code=summary["exit_code"], summary=text
        )
    )


def _end_badly(job: Job, options: Options, run: Run, error: BaseException) -> None:
    """Leave a trace of a run that could not go on, if the database is there to take it."""
    code = code_of(error)
    if options.dry_run or code is None:
        return
    counts = {name: run.counts[name] for name in job.counts}
    try:
        _record_end(run, {"exit_code": code, "error": type(error).__name__, "counts": counts})
    except (DatabaseAwayError, SQLAlchemyError):
        return
