"""The database server: reachable, new enough, durable, writable, and with the right time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import DBAPIError

from lib import dialect
from lib.checking.finding import Finding, bad, good, warning
from lib.store import Store, error_code

OLDEST = {"MariaDB": (10, 6, 0), "MySQL": (8, 0, 16)}
"""CHECK constraints are enforced from here on, and SKIP LOCKED is there."""
SKEW_WARNS = timedelta(seconds=2)
SKEW_FAILS = timedelta(seconds=30)
"""A lease is 180 seconds; a clock this far off would eat up a good part of it."""
REMEDIES = {
    1044: "grant the user what sql/grants.sql says",
    1045: "correct the user in database.url, or database.password",
    1049: "create the schema that database.url names, then run: ops setup",
}


@dataclass(frozen=True)
class ServerState:
    """What a server says about itself; `at` is its clock in UTC, naive."""

    version: str
    flush_log: int
    is_read_only: bool
    at: datetime


def connection_fault(store: Store) -> Finding | None:
    """Return why the database cannot be used at all; None: it answers."""
    try:
        store.engine.connect().close()
    except DBAPIError as error:
        code = error_code(error)
        remedy = REMEDIES.get(code or 0, "start the server, or correct database.url")
        return bad(f"the database does not answer (error {code or 'unknown'})", remedy)
    return None


def server_findings(store: Store) -> list[Finding]:
    """Look at the server's version, settings and clock."""
    if store.is_sqlite:
        return [warning("SQLite: for the demo only", "use MySQL or MariaDB for anything about money")]
    asked = datetime.now(UTC)
    row = store.row("find_server_state")
    here = asked + (datetime.now(UTC) - asked) / 2
    if row is None:
        return []
    state = ServerState(
        version=row["version"],
        flush_log=row["flush_log"],
        is_read_only=str(row["is_read_only"]).upper() not in {"0", "OFF"},
        at=dialect.as_datetime(row["at"]),
    )
    return list(judge(state, here.replace(tzinfo=None)))


def judge(state: ServerState, here: datetime) -> Iterator[Finding]:
    """Judge a server by what it says; `here` is this host's clock in UTC, naive."""
    yield judge_version(state.version)
    if state.flush_log == 1:
        yield good("a committed transaction is on the server's disk")
    else:
        yield bad(
            f"innodb_flush_log_at_trx_commit is {state.flush_log}: a power cut loses committed charges",
            "set innodb_flush_log_at_trx_commit = 1 in the server's configuration",
        )
    if state.is_read_only:
        yield bad("the server is read-only: a replica?", "name the primary in database.url")
    yield judge_skew(abs(state.at - here))


def judge_version(version: str) -> Finding:
    """Judge what VERSION() says, such as 8.0.36 or 10.11.19-MariaDB-0+deb12u1."""
    kind = "MariaDB" if "MariaDB" in version else "MySQL"
    numbers = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    if numbers and tuple(map(int, numbers.groups())) >= OLDEST[kind]:
        return good(f"{kind} {numbers[0]}")
    oldest = ".".join(map(str, OLDEST[kind]))
    return bad(f"{kind} {version} is too old", f"use {kind} {oldest} or later")


def judge_skew(skew: timedelta) -> Finding:
    """Judge how far the clocks of this host and of the server are apart."""
    seconds = f"{skew.total_seconds():.1f} s"
    remedy = "let both hosts follow NTP"
    if skew > SKEW_FAILS:
        return bad(f"the clocks of this host and the database are {seconds} apart", remedy)
    if skew > SKEW_WARNS:
        return warning(f"the clocks of this host and the database are {seconds} apart", remedy)
    return good("the clocks of this host and the database agree")
