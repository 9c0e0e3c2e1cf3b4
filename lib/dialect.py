"""The few differences between MySQL/MariaDB and SQLite, in one place.

Our SQL is written for MySQL; SQLite (the demo and quick tests) takes a derived form of it.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from datetime import date, datetime

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

SESSION = (
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    (
        "SET SESSION sql_mode ="
        " 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_ZERO_DATE,NO_ZERO_IN_DATE',"
        " time_zone = '+00:00', innodb_lock_wait_timeout = 5, wait_timeout = 600"
    ),
)
# A transaction left open across a network call shall fail loudly, not lock a shop in silence.
SESSION_MARIADB = "SET SESSION idle_transaction_timeout = 30"

TIMEOUTS = {"connect_timeout": 5, "read_timeout": 60, "write_timeout": 60}
"""Seconds. PyMySQL's own default for reading and writing is to wait for ever."""

_DELETED = re.compile(
    r"\s+CHARACTER SET \w+|\s+COLLATE \w+|\s+AUTO_INCREMENT(?==)|\)\s*ENGINE=[^;]*(?=;)", re.IGNORECASE
)
_KEY = re.compile(r"^\s*(UNIQUE )?KEY (\w+) \((.*)\),?$", re.IGNORECASE)
_AUTO = re.compile(r"\b(BIGINT|INT)\s+NOT NULL\s+AUTO_INCREMENT\s+PRIMARY KEY", re.IGNORECASE)
_TABLE = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)", re.IGNORECASE)
_LOCK = re.compile(
    r"\s+(FOR UPDATE( SKIP LOCKED)?\b|LOCK IN SHARE MODE\b|FORCE INDEX \(\w+\))", re.IGNORECASE
)
_VIEW = re.compile(r"CREATE OR REPLACE SQL SECURITY INVOKER VIEW (\w+)", re.IGNORECASE)


def statements(script: str) -> list[str]:
    """Split a script of whole statements; comments go, the final semicolons too."""
    bare = re.sub(r"--[^\n]*", "", script)
    return [part.strip() for part in bare.split(";") if part.strip()]


def sqlite_ddl(script: str) -> list[str]:
    """Derive SQLite's form of a MySQL schema: inline keys become indexes of their own."""
    return [derived for statement in statements(script) for derived in _sqlite_table(statement)]


def _sqlite_table(statement: str) -> Iterator[str]:
    found = _TABLE.match(statement)
    if not found:
        yield _DELETED.sub("", statement)
        return
    table = found[1]
    kept: list[str] = []
    indexes: list[str] = []
    for line in statement.splitlines():
        key = _KEY.match(line)
        if key:
            unique, name, columns = key[1] or "", key[2], key[3]
            indexes.append(f"CREATE {unique}INDEX IF NOT EXISTS {name} ON {table} ({columns})")
        elif line.strip():
            kept.append(line)
    text = _AUTO.sub("INTEGER PRIMARY KEY AUTOINCREMENT", "\n".join(kept))
    text = re.sub(r"\)\s*ENGINE=\w+[^;]*$", ")", text)
    yield re.sub(r",\s*\)$", "\n)", _DELETED.sub("", text))
    yield from indexes


def sqlite_statement(sql: str) -> str:
    """Take out what SQLite has no word for: index hints, and locking reads: its transactions are alone."""
    return _LOCK.sub("", sql)


def sqlite_view(sql: str) -> list[str]:
    """Derive SQLite's form of a view that may already be there."""
    found = _VIEW.match(sql)
    if not found:
        raise ValueError(f"not a view of ours: {sql[:60]}")
    return [f"DROP VIEW IF EXISTS {found[1]}", _VIEW.sub(rf"CREATE VIEW {found[1]}", sql)]


def open_engine(url: str, password: str | None) -> Engine:
    """Open the database with time-outs, strict mode, UTC and READ COMMITTED set by the session itself."""
    made = make_url(url)
    if password is not None:
        made = made.set(password=password)
    return _sqlite_engine(made) if made.get_backend_name() == "sqlite" else _mysql_engine(made)


def _mysql_engine(url: URL) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=4,
        max_overflow=16,
        pool_recycle=300,
        connect_args={"charset": "utf8mb4", **TIMEOUTS},
    )

    @event.listens_for(engine, "connect")
    def _set_session(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        version: str = connection.get_server_info()
        cursor = connection.cursor()
        for statement in (*SESSION, *([SESSION_MARIADB] if "MariaDB" in version else [])):
            cursor.execute(statement)
        cursor.close()

    return engine


def _sqlite_engine(url: URL) -> Engine:
    sqlite3.register_adapter(datetime, lambda value: value.replace(tzinfo=None).isoformat(" "))
    sqlite3.register_adapter(date, date.isoformat)
    sqlite3.register_converter("date", lambda value: date.fromisoformat(value.decode()[:10]))
    sqlite3.register_converter("datetime", lambda value: datetime.fromisoformat(value.decode()))
    engine = create_engine(
        url, hide_parameters=True, connect_args={"detect_types": sqlite3.PARSE_DECLTYPES, "timeout": 30}
    )

    @event.listens_for(engine, "connect")
    def _set_session(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # SQLAlchemy begins, not the driver
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")

    @event.listens_for(engine, "begin")
    def _begin(connection: object) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # type: ignore[attr-defined]

    return engine


def as_date(value: date | datetime | str) -> date:
    """Read a date from either database; SQLite gives text for an expression."""
    if isinstance(value, str):
        return date.fromisoformat(value[:10])
    return value.date() if isinstance(value, datetime) else value


def as_datetime(value: datetime | str) -> datetime:
    """Read a naive date and time from either database."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value
