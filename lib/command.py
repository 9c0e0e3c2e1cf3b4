"""What every command shares: options, configuration, the run record, the summary line and the exit code."""

from __future__ import annotations

import json
import os
import re
import sys
import time as stopwatch
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from lib import installing, settings
from lib.clock import Clock
from lib.matters import Matters
from lib.redaction import redact
from lib.rendering import TemplateError
from lib.run import Run, Scope
from lib.settings import ConfigurationError, Settings
from lib.spool import SpoolError
from lib.store import DatabaseAwayError, Store, error_code, host_name

DONE, MATTERS, USAGE, BUG, TRY_AGAIN, CONFIGURATION = 0, 1, 2, 70, 75, 78

MEANINGS = {
    DONE: "정상",
    MATTERS: "완료했으나 사람이 확인할 일이 생김",
    BUG: "프로그램 오류: 아래 위치를 개발자에게 알려 주세요",
    TRY_AGAIN: "지금은 할 수 없음: 같은 명령을 다시 실행하세요",
    CONFIGURATION: "설정 또는 설치 문제: 고친 뒤 `jeonggi check` 로 확인하세요",
}

ACCESS_DENIED = frozenset({1044, 1045, 1049, 1142, 1143, 1370})
NOT_INSTALLED = frozenset({1146, 1356, 1054})

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Options:
    """The shared options as given."""

    config: Path | None = None
    as_of: str | None = None
    dry_run: bool = False
    limit: int | None = None
    subscription: tuple[str, ...] = ()
    workers: int | None = None
    as_json: bool = False
    quiet: bool = False
    verbose: bool = False


def shared_options(command: F) -> F:
    """Add the options that every job has."""
    for option in reversed(
        (
            click.option(
                "--config",
                type=click.Path(path_type=Path),
                help="설정 파일 (기본: $JEONGGI_CONFIG, /etc/jeonggi.toml)",
            ),
            click.option(
                "--as-of", metavar="YYYY-MM-DD[THH:MM]", help="이 시각을 기준으로 실행 (예: 2026-12-01T10:00)"
            ),
            click.option("--dry-run", is_flag=True, help="무엇을 할지 보여 주기만 하고 아무것도 바꾸지 않음"),
            click.option("--limit", type=click.IntRange(min=1), metavar="N", help="회차를 N건까지만 처리"),
            click.option(
                "--subscription", multiple=True, metavar="ID", help="이 신청번호만 처리 (여러 번 쓸 수 있음)"
            ),
            click.option(
                "--workers", type=click.IntRange(1, 256), metavar="N", help="동시에 열어 둘 결제 시도 수"
            ),
            click.option("--json", "as_json", is_flag=True, help="마지막 줄에 JSON 한 줄로 요약"),
            click.option("--quiet", is_flag=True, help="모두 정상이면 아무것도 출력하지 않음"),
            click.option("-v", "--verbose", is_flag=True, help="확인할 일을 모두 보여 줌"),
        )
    ):
        command = option(command)
    return command


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


class UsageError(click.UsageError):
    """Wrong usage: exit 2."""


def now() -> datetime:
    """Return the real time, the default of `--as-of`."""
    return datetime.now(UTC)


def read_as_of(given: str | None, zone: ZoneInfo) -> datetime:
    """Read `--as-of`; a date without a time is now if it is today, else 20:00 of that day."""
    real = now().astimezone(zone)
    if given is None:
        return real
    if not re.fullmatch(r"\d{4}-\d\d-\d\d(T\d\d:\d\d)?", given):
        raise UsageError(f"--as-of {given}: write YYYY-MM-DD or YYYY-MM-DDTHH:MM")
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise UsageError(f"--as-of {given}: there is no such date or time") from None
    if "T" not in given:
        if moment.date() == real.date():
            return real
        moment = datetime.combine(moment.date(), time(20))
    return moment.replace(tzinfo=zone)


def may_travel(options: Options, given: Settings) -> None:
    """Refuse an `--as-of` other than now, unless nothing real can be changed by it."""
    if options.as_of and not options.dry_run and not given.policy.time_travel:
        raise UsageError(
            "--as-of: only with --dry-run, or where [policy] time_travel = true (simulators only)"
        )


def run_job(job: Job, options: Options) -> None:
    """Run a job from its options to its exit code. Does not return."""
    began = stopwatch.monotonic()
    with reporting(options) as told:
        given = settings.load(options.config)
        may_travel(options, given)
        clock = Clock(read_as_of(options.as_of, given.shop.timezone), given.shop.timezone)
        store = Store(given)
        try:
            _verify(store, given)
            job.check(store)
            run = _start(job, options, store, clock)
            try:
                _work(job, options, run)
            except BaseException as error:
                _end_badly(run, options, error)
                raise
            summary = _summary(job, options, run, began)
            told.end(job, options, run, summary)
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
    scope = Scope(options.subscription, options.limit, options.workers)
    return Run(store.settings, store, clock, Matters(run_id), scope)


def _work(job: Job, options: Options, run: Run) -> None:
    if options.dry_run:
        for line in job.rehearse(run):
            if not options.as_json:
                click.echo(line)
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


def _end_badly(run: Run, options: Options, error: BaseException) -> None:
    """Leave a trace of a run that could not go on, if the database is there to take it."""
    code = code_of(error)
    if options.dry_run or code is None:
        return
    try:
        _record_end(run, {"exit_code": code, "error": type(error).__name__})
    except (DatabaseAwayError, SQLAlchemyError):
        return


def exit_code(run: Run) -> int:
    """Return the run's exit code; where several apply, the largest."""
    if run.refused:
        return CONFIGURATION
    if run.postponed:
        return TRY_AGAIN
    return MATTERS if run.matters.opened else DONE


def code_of(error: BaseException) -> int | None:
    """Return the exit code an error that ends a command stands for; None: not ours to judge."""
    if isinstance(
        error, ConfigurationError | TemplateError | SpoolError | installing.InstalledElsewhereError
    ):
        return CONFIGURATION
    if isinstance(error, DatabaseAwayError):
        return TRY_AGAIN
    if isinstance(error, DBAPIError) and database_fault(error):
        return CONFIGURATION
    return BUG if isinstance(error, Exception) and not isinstance(error, click.ClickException) else None


def database_fault(error: DBAPIError) -> str | None:
    """Say what is wrong with the database's set-up, or None: then it is a bug of ours."""
    code = error_code(error)
    said = redact(str(error.orig.args[-1]) if error.orig and error.orig.args else "")
    if code in ACCESS_DENIED:
        return f"the database refuses us: {said}; see sql/grants.sql"
    if code in NOT_INSTALLED or "no such table" in said or "no such column" in said:
        return f"a table, view or column is missing: {said}; run `jeonggi setup`, then `jeonggi check`"
    return None


class Told:
    """What a command says at its end."""

    def __init__(self) -> None:
        self.code = DONE

    def end(self, job: Job, options: Options, run: Run, summary: Mapping[str, Any]) -> None:
        """Print the summary of a job that came to its end."""
        self.code = summary["exit_code"]
        if options.quiet and self.code == DONE and not options.as_json:
            return
        for line in _troubles(run, options):
            click.echo(line, err=True)
        if options.as_json:
            click.echo(json.dumps(summary, ensure_ascii=False))
        elif sys.stdout.isatty():
            _print_table(job, summary)
            click.echo(last_line(self.code))
        else:
            click.echo(f"{_one_line(summary)} · {last_line(self.code)}")


TOLD_AT_MOST = 10


def _troubles(run: Run, options: Options) -> Iterator[str]:
    yield from run.refused
    yield from run.postponed
    if options.dry_run or not run.matters.opened:
        return
    rows = run.store.rows("matters_of_run", run_id=run.matters.run_id)
    shown = rows if options.verbose else rows[:TOLD_AT_MOST]
    for row in shown:
        yield f"확인 필요 [{row['kind']}] {row['subject']}: {row['detail']}"
    if len(rows) > len(shown):
        yield f"… 외 {len(rows) - len(shown):,}건 (-v 로 모두 보기, `jeonggi report` 로 다시 보기)"


def _flat(counts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in counts.items():
        if isinstance(value, Mapping):
            yield name, " ".join(f"{key} {number:,}" for key, number in value.items())
        else:
            yield name, f"{value:,}"


def _one_line(summary: Mapping[str, Any]) -> str:
    said = " ".join(f"{name}={value}" for name, value in _flat(summary["counts"]) if value != "0")
    amount = f" {summary['amount_krw']:,}원" if summary["amount_krw"] else ""
    dry = " [연습]" if summary["dry_run"] else ""
    return f"{summary['job']}{dry} {summary['as_of'][:16]} {said or '할 일 없음'}{amount} {summary['elapsed_s']:.1f}초"


def _print_table(job: Job, summary: Mapping[str, Any]) -> None:
    dry = " [연습]" if summary["dry_run"] else ""
    table = Table(title=f"{job.name}{dry} {summary['as_of'][:16]}", show_header=False)
    table.add_column("항목")
    table.add_column("건수", justify="right")
    for name, value in _flat(summary["counts"]):
        table.add_row(name, value)
    if summary["amount_krw"]:
        table.add_row("amount_krw", f"{summary['amount_krw']:,}원")
    Console().print(table)


def last_line(code: int) -> str:
    """Say which exit code it is and what to do."""
    return f"종료 {code}: {MEANINGS[code]}"


@contextmanager
def reporting(options: Options) -> Iterator[Told]:
    """Turn what ends a command into one clear line and its exit code; never returns normally."""
    told = Told()
    try:
        yield told
    except click.ClickException:
        raise
    except Exception as error:  # noqa: BLE001 the last place before the operator: everything ends in a code
        told.code = code_of(error) or BUG
        for line in _error_lines(error):
            click.echo(line, err=True)
        if options.as_json:
            click.echo(json.dumps({"exit_code": told.code, "error": type(error).__name__}))
        else:
            click.echo(last_line(told.code), err=True)
    sys.exit(told.code)


def _error_lines(error: Exception) -> Iterator[str]:
    if isinstance(error, DBAPIError):
        yield database_fault(error) or f"database error {error_code(error)} in {_place(error)}"
    elif code_of(error) == BUG:
        # The text of an unexpected error may hold anything: only its kind and place are told.
        yield f"{type(error).__name__} in {_place(error)}"
    else:
        yield str(error)


def _place(error: Exception) -> str:
    root = str(Path(__file__).resolve().parent.parent)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(root)]
    ours = [frame for frame in frames if "site-packages" not in frame.filename] or frames
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(ours[-4:]))
