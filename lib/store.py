"""Our schema: transactions that can be run again, and named SQL."""

from __future__ import annotations

import functools
import re
import socket
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, TextClause, bindparam, text
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from lib import dialect
from lib.settings import Settings

SQL = Path(__file__).resolve().parent.parent / "sql"

LOCKED_OR_LOST = frozenset(
    {1020, 1040, 1053, 1205, 1213, 1290, 1305, 1927, 2003, 2006, 2013, 2014, 2045, 2055, 4031}
)
"""Server and driver codes after which a whole transaction is rolled back and run again.

1305: a deadlock took the savepoint with it, and the driver tells of the savepoint. 1040, 1053, 1290: the
server is full, shutting down, or has just become a replica.
"""

DUPLICATE_KEY = 1062
TRIES = 6

T = TypeVar("T")
Row = RowMapping


class DatabaseAwayError(Exception):
    """The database cannot be reached, or went away and did not come back; nothing half-done is left."""


class ContendedError(Exception):
    """A compare-and-set found that somebody was faster; the transaction is run again and reads anew."""


class DuplicateError(Exception):
    """A unique key says that this is already done; the transaction was rolled back."""


@dataclass(frozen=True)
class Statement:
    """A named statement of sql/, with its sentence of purpose."""

    name: str
    purpose: str
    sql: str


_BLOCK = re.compile(r"^-- name: (\w+)\n((?:-- [^\n]*\n)+)(.*?);[ \t]*$", re.MULTILINE | re.DOTALL)
_LIST = re.compile(r"\bIN :(\w+)")


def read_statements(path: Path) -> dict[str, Statement]:
    """Read the named statements of one file; a block without a sentence of purpose is no statement."""
    found = {}
    for name, purpose, sql in _BLOCK.findall(path.read_text(encoding="utf-8")):
        sentence = " ".join(line.removeprefix("-- ") for line in purpose.strip().splitlines())
        found[name] = Statement(name, sentence, sql.strip())
    return found


@functools.cache
def all_statements(adapter: str) -> Mapping[str, Statement]:
    """Return every named statement of ours and of the shop's adapter; a name stands once."""
    paths = [
        path for path in sorted(SQL.glob("*.sql")) if path.stem not in {"schema", "grants", "invariants"}
    ]
    found: dict[str, Statement] = {}
    for path in [*paths, SQL / "shops" / adapter / "writes.sql"]:
        for name, statement in read_statements(path).items():
            if name in found:
                raise ValueError(f"{path}: a statement called {name} stands twice")
            found[name] = statement
    return found


class Transaction:
    """One open transaction: named statements only."""

    def __init__(self, store: Store, connection: Connection) -> None:
        self._store = store
        self._connection = connection
        self.counted: Counter[str] = Counter()

    def count(self, name: str, number: int = 1) -> None:
        """Count something for the run's summary, if and when this transaction commits."""
        self.counted[name] += number

    def rows(self, name: str, **parameters: object) -> Sequence[Row]:
        """Return all rows of a named query."""
        return self._connection.execute(self._store.clause(name), _naive(parameters)).mappings().all()

    def row(self, name: str, **parameters: object) -> Row | None:
        """Return the first row of a named query."""
        return self._connection.execute(self._store.clause(name), _naive(parameters)).mappings().first()

    def change(self, name: str, **parameters: object) -> int:
        """Run a named write and return how many rows it found; 0 after a compare-and-set means: not ours."""
        return self._connection.execute(self._store.clause(name), _naive(parameters)).rowcount

    def change_many(self, name: str, rows: Iterable[Mapping[str, object]]) -> int:
        """Run a named write for many rows and return how many it found in all."""
        parameters = [_naive(row) for row in rows]
        return self._connection.execute(self._store.clause(name), parameters).rowcount if parameters else 0

    def insert(self, name: str, **parameters: object) -> int:
        """Run a named insert and return the id that the database gave."""
        return int(self._connection.execute(self._store.clause(name), _naive(parameters)).lastrowid)

    def is_new(self, name: str, **parameters: object) -> bool:
        """Run a named insert inside a savepoint; False: its unique key says it is already there."""
        try:
            with self._connection.begin_nested():
                self.change(name, **parameters)
        except IntegrityError as error:
            if not is_duplicate(error):
                raise
            return False
        return True


class Store:
    """The database of one run. Safe to use from several threads; each transaction has its own connection."""

    def __init__(self, settings: Settings, *, url: str | None = None) -> None:
        self.settings = settings
        password = settings.database.password
        secret = password.get_secret_value() if password is not None and url is None else None
        self.engine: Engine = dialect.open_engine(url or settings.database.url, secret)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self.statements = all_statements(settings.shop.adapter)
        self._clauses: dict[str, TextClause] = {}
        self.counted: Counter[str] = Counter()
        """What the committed transactions of this run counted."""

    def fit(self, sql: str) -> str:
        """Fill in where the shop's tables are, and take out what this database has no word for."""
        schema = self.settings.database.shop_schema
        here = sql.replace("{shop}", "" if self.is_sqlite or not schema else f"`{schema}`.")
        return dialect.sqlite_statement(here) if self.is_sqlite else here

    def clause(self, name: str) -> TextClause:
        """Return a named statement ready to run."""
        made = self._clauses.get(name)
        if made is None:
            sql = self.fit(self.statements[name].sql)
            made = text(sql)
            for listed in set(_LIST.findall(sql)):
                made = made.bindparams(bindparam(listed, expanding=True))
            self._clauses[name] = made
        return made

    def transaction(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in one transaction; after a lock or a lost connection roll back and run it again.

        `work` must be safe to run again also when the COMMIT that got lost had arrived: its
        compare-and-sets and unique keys see to that.

        Raises DuplicateError for a unique key, DatabaseAwayError when the tries are over.
        """
        tries = Retrying(
            stop=stop_after_attempt(TRIES),
            wait=wait_random_exponential(multiplier=0.1, max=3),
            retry=retry_if_exception(is_passing),
            reraise=True,
        )
        lost: Counter[str] = Counter()
        try:
            done: T = tries(self._once, work, lost)
            return done  # noqa: TRY300 the except clauses end in raise
        except IntegrityError as error:
            if is_duplicate(error):
                raise DuplicateError("a unique key says that this is already done") from None
            raise
        except OperationalError as error:
            if is_passing(error):
                raise DatabaseAwayError(away_text(error)) from None
            raise

    def _once(self, work: Callable[[Transaction], T], lost: Counter[str]) -> T:
        """Run `work` once. `lost` keeps what earlier tries counted whose COMMIT may have got through.

        Such a try was either rolled back, then this one counts the same again, or it leaves nothing to count.
        """
        is_committing = False
        try:
            with self.engine.connect() as connection:
                tx = Transaction(self, connection)
                with connection.begin():
                    result = work(tx)
                    is_committing = True
        except DBAPIError:
            if is_committing:
                lost |= tx.counted
            raise
        self.counted.update(tx.counted | lost)
        return result

    def rows(self, name: str, **parameters: object) -> Sequence[Row]:
        """Return all rows of a named query in a transaction of its own."""
        return self.transaction(lambda tx: tx.rows(name, **parameters))

    def row(self, name: str, **parameters: object) -> Row | None:
        """Return the first row of a named query in a transaction of its own."""
        return self.transaction(lambda tx: tx.row(name, **parameters))

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _naive(parameters: Mapping[str, object]) -> dict[str, Any]:
    """Write aware moments as the naive UTC that our columns hold."""
    return {
        key: value.astimezone(UTC).replace(tzinfo=None)
        if isinstance(value, datetime) and value.tzinfo
        else value
        for key, value in parameters.items()
    }


def error_code(error: DBAPIError) -> int | None:
    """Return the server's or driver's error number, if there is one."""
    arguments = getattr(error.orig, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else None


def is_passing(error: BaseException) -> bool:
    """Tell whether a transaction failed for a reason that may be over at the next try."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, ContendedError)
    if error.connection_invalidated or error_code(error) in LOCKED_OR_LOST:
        return True
    return "database is locked" in str(error.orig)


def is_duplicate(error: IntegrityError) -> bool:
    """Tell a unique key apart from other broken constraints."""
    return error_code(error) == DUPLICATE_KEY or "UNIQUE constraint failed" in str(error.orig)


def away_text(error: DBAPIError) -> str:
    """Say what is away, without the statement and its values."""
    said = f"데이터베이스가 응답하지 않습니다(오류 {error_code(error) or '없음'})"
    return f"{said}. 서버를 확인한 뒤 다시 실행하세요"


def host_name() -> str:
    """Return this host's name, for run records."""
    return socket.gethostname()


def utc(value: datetime | str) -> datetime:
    """Read one of our timestamps as an aware UTC moment."""
    return dialect.as_datetime(value).replace(tzinfo=UTC)
