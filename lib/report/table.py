"""Print rows: an aligned table with Korean headings for people, one JSON object for programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lib.billing import texts

CHUNK = 100
"""Rows that are aligned together; no more are held at once."""
PIPED_WIDTH = 1_000
"""Columns where nobody's terminal sets them: wide enough that nothing is cut."""

Cells = Mapping[str, Any]


def plain(value: object) -> str:
    """Write a value as it is: dates by ISO 8601, times to the minute, texts without control characters."""
    match value:
        case None | "":
            return "-"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M}"
        case date():
            return value.isoformat()
    return texts.clean(str(value))


def one_of(words: Mapping[str, str]) -> Callable[[str | None], str]:
    """Return how a state is written: its Korean word, or what the shop has where there is none."""
    return lambda value: words.get(value or "", plain(value))


def count(value: int | None) -> str:
    """Write a number with thousands separators."""
    return "-" if value is None else f"{value:,}"


def won(value: int | None) -> str:
    """Write a sum in won."""
    return "-" if value is None else texts.won(value)


@dataclass(frozen=True)
class Column:
    """One column: the key in JSON, the heading and the writing for people."""

    key: str
    heading: str
    write: Callable[[Any], str] = plain

    @property
    def is_number(self) -> bool:
        """Tell whether the column is set to the right."""
        return self.write in {count, won}


@dataclass(frozen=True)
class Section:
    """Rows under one title; `rows` is read once and may be as long as it likes."""

    key: str
    title: str
    columns: Sequence[Column]
    rows: Iterable[Cells]
    is_record: bool = False
    """Things with many properties: each is printed downwards."""
    below: Callable[[Cells], Iterable[str]] = lambda _cells: ()
    """Lines under a record, none of them folded: what is to be copied stays whole."""


def print_lines(heading: str, said: Iterable[str], *, as_json: bool) -> None:
    """Print lines of text."""
    rows = ({"said": line} for line in said)
    print_sections([Section("rows", "", (Column("said", heading),), rows)], as_json=as_json)


def print_sections(sections: Iterable[Section], *, as_json: bool) -> None:
    """Print sections as they come; a reader that closes the pipe has seen enough."""
    try:
        _print_json(sections) if as_json else _print_tables(sections)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print_tables(sections: Iterable[Section]) -> None:
    console = _console()
    for number, section in enumerate(sections):
        if number:
            _say(console, "")
        _print_section(console, section)


def _console() -> Console:
    is_terminal = sys.stdout.isatty()
    return Console(width=None if is_terminal else PIPED_WIDTH, no_color=not is_terminal, highlight=False)


def _print_section(console: Console, section: Section) -> None:
    if section.title:
        _say(console, f"[{section.title}]")
    rows = iter(section.rows)
    printed = 0
    while chunk := list(islice(rows, CHUNK)):
        if section.is_record:
            _print_records(console, section, chunk, printed)
        else:
            _print_table(console, _grid(section, chunk))
        printed += len(chunk)
    if not printed:
        _say(console, "없음")


def _grid(section: Section, rows: Sequence[Cells]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in section.columns:
        table.add_column(column.heading, justify="right" if column.is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(column.write(row[column.key])) for column in section.columns))
    return table


def _print_records(console: Console, section: Section, rows: Sequence[Cells], printed: int) -> None:
    for number, row in enumerate(rows, start=printed):
        if number:
            _say(console, "")
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
        table.add_column()
        table.add_column(overflow="fold")
        for column in section.columns:
            table.add_row(column.heading, Text(column.write(row[column.key])))
        _print_table(console, table)
        for line in section.below(row):
            _say(console, line)


def _print_table(console: Console, table: Table) -> None:
    with console.capture() as capture:
        console.print(table)
    for line in capture.get().splitlines():
        click.echo(line.rstrip())


def _say(console: Console, line: str) -> None:
    console.print(Text(line), soft_wrap=True)


def _print_json(sections: Iterable[Section]) -> None:
    """Write one object on one line, row by row: memory does not grow with the rows."""
    try:
        _print_object(sections)
    finally:
        click.echo("")  # also where reading failed half-way: how it ended has the last line for itself


def _print_object(sections: Iterable[Section]) -> None:
    click.echo("{", nl=False)
    for number, section in enumerate(sections):
        click.echo(f"{', ' if number else ''}{json.dumps(section.key)}: [", nl=False)
        for line in _json_rows(section.rows):
            click.echo(line, nl=False)
        click.echo("]", nl=False)
    click.echo("}", nl=False)


def _json_rows(rows: Iterable[Cells]) -> Iterator[str]:
    for number, row in enumerate(rows):
        text = _visible(json.dumps(dict(row), ensure_ascii=False, default=_json_value))
        yield f", {text}" if number else text


def _visible(text: str) -> str:
    """Escape what JSON may hold as it is and a terminal or a reader of lines would take as a command."""
    return (
        text
        if text.isprintable()
        else "".join(each if each.isprintable() else _escaped(each) for each in text)
    )


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1]


def _json_value(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value)
    return value.isoformat() if isinstance(value, date) else str(value)
