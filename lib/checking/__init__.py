"""What `ops check` looks at: everything that must be in order before money is moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from lib.checking import server, structure, surroundings
from lib.checking.contract import CONTRACT
from lib.checking.finding import Finding
from lib.checking.structure import grants
from lib.settings import Settings
from lib.store import SQL, Store, read_statements

__all__ = ["CONTRACT", "Finding", "Invariant", "check", "grants", "invariants"]


@dataclass(frozen=True)
class Invariant:
    """A rule that holds at every moment, with the rows that break it."""

    name: str
    purpose: str
    rows: list[dict[str, Any]]


def check(settings: Settings, store: Store) -> list[Finding]:
    """Look at everything; what needs a database or its tables is left out where they are missing."""
    found = [surroundings.spool(settings), surroundings.templates(settings)]
    fault = server.connection_fault(store)
    if fault:
        return [*found, fault]
    found += server.server_findings(store)
    made = [*structure.our_tables(store), *structure.shop_engines(store), *structure.views(store)]
    found += made
    if all(one.ok for one in made):
        found += structure.statements(store)
        found += _content(settings, store)
    return found


def _content(settings: Settings, store: Store) -> list[Finding]:
    return [
        surroundings.installation(settings, store),
        *surroundings.gateways(settings, store),
        surroundings.sender_number(settings, store),
        surroundings.second_charger(settings, store),
    ]


def invariants(store: Store) -> list[Invariant]:
    """Run every statement of sql/invariants.sql; each must find no row."""
    found = []
    with store.engine.connect() as connection:
        for one in read_statements(SQL / "invariants.sql").values():
            rows = connection.execute(text(store.fit(one.sql))).mappings().all()
            found.append(Invariant(one.name, one.purpose, [dict(row) for row in rows]))
    return found
