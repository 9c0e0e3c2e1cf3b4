"""Generated Korean shops in the standard shop's tables, of any size, for the demo, tests and the bench."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from sqlalchemy import Connection, column, insert, table

from lib.sandbox import catalogue
from lib.sandbox.applications import Storefront
from lib.sandbox.recipe import Recipe, Row

__all__ = ["Counts", "Recipe", "Row", "load", "shop"]

CHUNK = 1000

Counts: TypeAlias = Counter[str]
"""Rows by table."""

_GROWING = (
    "member",
    "card",
    "subscription",
    "subscription_item",
    "price_consent",
    "orders",
    "order_item",
)
"""In the order in which their rows refer to each other."""


def shop(recipe: Recipe) -> Iterator[tuple[str, list[Row]]]:
    """Yield (table, at most 1,000 rows) so that each row comes after those it refers to.

    The same recipe gives the same rows; memory does not grow with the number of subscriptions.
    """
    yield from catalogue.rows(recipe)
    waiting: dict[str, list[Row]] = {name: [] for name in _GROWING}
    for name, row in Storefront(recipe).rows():
        waiting[name].append(row)
        if len(waiting[name]) == CHUNK:
            yield from _drain(waiting)
    yield from _drain(waiting)


def _drain(waiting: dict[str, list[Row]]) -> Iterator[tuple[str, list[Row]]]:
    # All of them, for the full table may refer to rows of one that is not full yet.
    for name, rows in waiting.items():
        if rows:
            yield name, rows
            waiting[name] = []


def load(connection: Connection, recipe: Recipe, *, schema: str = "") -> Counts:
    """Insert a shop into empty tables and return the rows by table; the caller commits.

    `schema` is the shop's schema; SQLite has none.
    """
    counts: Counts = Counter()
    for name, rows in shop(recipe):
        _insert(connection, name, rows, schema)
        counts[name] += len(rows)
    return counts


def _insert(connection: Connection, name: str, rows: Sequence[Row], schema: str) -> None:
    # Untyped columns: the driver alone decides how a date is written, as it does for the jobs' own SQL.
    target = table(name, *(column(key) for key in rows[0]), schema=schema or None)
    connection.execute(insert(target), rows)
