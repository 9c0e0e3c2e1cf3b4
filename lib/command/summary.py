"""How a run tells what it did: one line for cron, a table for a terminal, one object for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from lib.billing import texts, words
from lib.command.codes import DONE, last_line
from lib.command.options import Options
from lib.run import Run

TOLD_AT_MOST = 10
"""How many new matters are told without `-v`."""


def tell(job: str, options: Options, run: Run, summary: Mapping[str, Any]) -> None:
    """Print the summary of a job that came to its end; nothing with `--quiet` when all is well."""
    if options.quiet and summary["exit_code"] == DONE and not options.as_json:
        return
    for line in _troubles(run, options):
        click.echo(texts.clean(line), err=True)
    if options.as_json:
        click.echo(json.dumps(summary, ensure_ascii=False))
    elif sys.stdout.isatty():
        _print_table(job, summary)
        click.echo(last_line(summary["exit_code"]))
    else:
        click.echo(f"{one_line(summary)} · {last_line(summary['exit_code'])}")


def _troubles(run: Run, options: Options) -> Iterator[str]:
    yield from run.notes
    yield from run.refused
    yield from run.postponed
    if options.dry_run or not run.counts["matters_opened"]:
        return
    rows = run.store.rows("matters_of_run", run_id=run.matters.run_id)
    shown = rows if options.verbose else rows[:TOLD_AT_MOST]
    for row in shown:
        yield f"확인 필요 [{words.MATTER.get(row['kind'], row['kind'])}] {row['subject']}: {row['detail']}"
    if len(rows) > len(shown):
        yield f"… 외 {len(rows) - len(shown):,}건 (-v 로 모두 보기, `jeonggi report` 로 다시 보기)"


def _flat(counts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in counts.items():
        label = words.COUNT.get(name, name)
        if isinstance(value, Mapping):
            yield from (
                (f"{label}({words.COUNT.get(key, key)})", f"{number:,}") for key, number in value.items()
            )
        else:
            yield label, f"{value:,}"


def _title(job: str, summary: Mapping[str, Any]) -> str:
    dry = " [연습]" if summary["dry_run"] else ""
    return f"{job}{dry} {summary['as_of'][:16].replace('T', ' ')}"


def one_line(summary: Mapping[str, Any]) -> str:
    """Write a run into one line for cron's mail: what is not nought, the sum, the seconds."""
    said = " ".join(f"{label} {value}" for label, value in _flat(summary["counts"]) if value != "0")
    amount = f" 금액 {summary['amount_krw']:,}원" if summary["amount_krw"] else ""
    seconds = f"{summary['elapsed_s']:,.1f}초"
    return f"{_title(summary['job'], summary)} {said or '할 일 없음'}{amount} {seconds}"


def _print_table(job: str, summary: Mapping[str, Any]) -> None:
    click.echo(_title(job, summary))
    table = Table(show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for label, value in _flat(summary["counts"]):
        table.add_row(label, value)
    if summary["amount_krw"]:
        table.add_row(words.COUNT["amount_krw"], f"{summary['amount_krw']:,}원")
    table.add_row("걸린 시간", f"{summary['elapsed_s']:,.1f}초")
    Console().print(table)
