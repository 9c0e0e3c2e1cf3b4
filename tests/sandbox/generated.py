"""A generated shop for the tests, whole in memory or in a file, and what the tables' DDL asks of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import Connection, text

from lib import dialect
from lib.sandbox.recipe import Row
from lib.sandbox.shops import Recipe, shop
from lib.store import SQL

TABLES_SQL = SQL / "shops" / "standard" / "tables.sql"
FIRST_DAY = date(2026, 12, 1)
RECIPE = Recipe(first_day=FIRST_DAY, subscriptions=1200, second_pg_code="nicepay")

Tables = dict[str, list[Row]]


@dataclass(frozen=True)
class Column:
    """A column of the standard shop, as its DDL has it."""

    type: str
    length: int | None
    is_required: bool
    is_nullable: bool

    def holds(self, value: object) -> bool:
        if value is None:
            return self.is_nullable
        if isinstance(value, str):
            return self.type in {"VARCHAR", "CHAR"} and len(value) <= (self.length or 0)
        kinds = {"INT": int, "BIGINT": int, "DATE": date, "DATETIME": datetime}
        # Exactly the kind: a datetime is a date too, and would be cut.
        return type(value) is kinds.get(self.type)


def columns_of_the_shop() -> dict[str, dict[str, Column]]:
    column = re.compile(
        r"^\s+(\w+)\s+(VARCHAR|CHAR|INT|BIGINT|DATETIME|DATE)\b(?:\((\d+)\))?(.*)$", re.MULTILINE
    )
    found = {}
    for statement in dialect.statements(TABLES_SQL.read_text(encoding="utf-8")):
        name = statement.split()[2]
        found[name] = {
            column_name: Column(
                kind,
                int(length) if length else None,
                is_required="NOT NULL" in rest and "DEFAULT" not in rest,
                is_nullable="NOT NULL" not in rest,
            )
            for column_name, kind, length, rest in column.findall(statement)
        }
    return found


COLUMNS = columns_of_the_shop()


def tables_of(recipe: Recipe) -> Tables:
    tables: Tables = {name: [] for name in COLUMNS}
    for name, rows in shop(recipe):
        tables[name] += rows
    return tables


@contextmanager
def empty_file(folder: Path) -> Iterator[Connection]:
    """Open the shop's tables in a new SQLite file."""
    engine = dialect.open_engine(f"sqlite:///{folder / 'shop.db'}", None)
    with engine.begin() as connection:
        for statement in dialect.sqlite_ddl(TABLES_SQL.read_text(encoding="utf-8")):
            connection.execute(text(statement))
        yield connection
    engine.dispose()
