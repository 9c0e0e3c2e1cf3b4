"""Our tables, the adapter's views and the installation row: put them there, tell a copy from the original."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Engine, Select, false, inspect, literal_column, select, text
from sqlalchemy import table as named_table
from sqlalchemy.exc import DBAPIError

from lib import dialect
from lib.settings import Allat, Nicepay, Settings, TossPayments
from lib.store import SQL, Store, Transaction, error_code, is_passing

_TABLE = re.compile(r"^CREATE TABLE IF NOT EXISTS (\w+) \((.*?)^\)", re.MULTILINE | re.DOTALL)
_COLUMN = re.compile(r"^  ([a-z]\w*) [A-Z]", re.MULTILINE)
NO_SUCH_TABLE = 1146
SETUP_STATEMENTS = frozenset({"insert_installation", "update_installation"})
"""What only the user that runs `jeonggi setup` needs to be allowed."""


class InstalledElsewhereError(Exception):
    """The database was set up for another server, shop or merchant; the text names what differs."""


class SchemaError(Exception):
    """Our tables are not as this version made them; the text names the table and what is wrong."""


@dataclass(frozen=True)
class Installation:
    """Which server, shop and merchants a database was set up for."""

    hostname: str
    port: int
    shop_schema: str
    merchant_ids: dict[str, str]
    first_delivery: date


def expected_columns() -> dict[str, tuple[str, ...]]:
    """Return our tables with their columns, as sql/schema.sql has them."""
    script = (SQL / "schema.sql").read_text(encoding="utf-8")
    return {name: tuple(_COLUMN.findall(body)) for name, body in _TABLE.findall(script)}


def install(store: Store, settings: Settings, *, adopt: bool = False) -> list[str]:
    """Set the database up and say what was done; repeatable, and changes nothing that fits already.

    Raises InstalledElsewhereError, before anything but missing tables is touched, unless `adopt`; SchemaError
    for tables that are not as this version makes them.
    """
    done = _make_tables(store)
    faults = schema_faults(store)
    if faults:
        raise SchemaError(f"{', '.join(faults)}. 테이블을 고친 뒤 다시 실행하세요")
    now = datetime.now(UTC)
    done += store.transaction(lambda tx: register(tx, settings, adopt=adopt, now=now))
    return done + _make_views(store)


def _make_tables(store: Store) -> list[str]:
    script = (SQL / "schema.sql").read_text(encoding="utf-8")
    before = set(inspect(store.engine).get_table_names())
    run_ddl(store.engine, dialect.sqlite_ddl(script) if store.is_sqlite else dialect.statements(script))
    return [f"테이블 {name} 만듦" for name in expected_columns() if name not in before]


def _make_views(store: Store) -> list[str]:
    script = SQL / "shops" / store.settings.shop.adapter / "views.sql"
    views = [store.fit(one) for one in dialect.statements(script.read_text(encoding="utf-8"))]
    run_ddl(
        store.engine,
        [part for one in views for part in dialect.sqlite_view(one)] if store.is_sqlite else views,
    )
    return [f"쇼핑몰 어댑터 {store.settings.shop.adapter} 의 뷰 {len(views)}개 설정"]


def run_ddl(engine: Engine, statements: list[str]) -> None:
    """Run statements that define tables and views; they take no parameters."""
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def schema_faults(store: Store) -> list[str]:
    """Say what is wrong with our tables: missing, without a column, not InnoDB."""
    engines = engines_of(store, None)
    return [
        fault
        for table, columns in expected_columns().items()
        for fault in _table_faults(store, table, columns, engines)
    ]


def _table_faults(
    store: Store, table: str, columns: tuple[str, ...], engines: dict[str, str]
) -> Iterator[str]:
    found = columns_of(store, table)
    if found is None:
        yield f"테이블 {table} 이(가) 없거나 읽을 수 없음"
        return
    missing = [column for column in columns if column not in found]
    if missing:
        yield f"테이블 {table} 에 열이 없음: {', '.join(missing)}"
    if not store.is_sqlite and engines.get(table) != "InnoDB":
        yield f"테이블 {table} 이(가) InnoDB 가 아님(`ALTER TABLE {table} ENGINE=InnoDB`)"


def engines_of(store: Store, schema: str | None) -> dict[str, str]:
    """Return the storage engine of every table in a schema (None: ours); SQLite has none."""
    if store.is_sqlite:
        return {}
    return {row["table_name"]: row["engine"] for row in store.rows("find_engines", schema_name=schema)}


def columns_of(store: Store, relation: str) -> tuple[str, ...] | None:
    """Return the columns of a table or view that can be read; None: it is not there or refused."""
    nothing: Select[Any] = select(literal_column("*")).select_from(named_table(relation)).where(false())
    try:
        with store.engine.connect() as connection:
            return tuple(connection.execute(nothing).keys())
    except DBAPIError as error:
        if is_passing(error):
            raise
        return None


def merchant_ids(settings: Settings) -> dict[str, str]:
    """Return what names the merchant at each configured PG; a secret key only as a part of its hash."""
    return {code: _merchant_id(one) for code, one in settings.gateways().items()}


def _merchant_id(gateway: TossPayments | Allat | Nicepay) -> str:
    if isinstance(gateway, Allat):
        return gateway.shop_id
    if isinstance(gateway, Nicepay):
        return gateway.client_key
    secret = gateway.secret_key.get_secret_value()
    return f"sk:{hashlib.sha256(secret.encode()).hexdigest()[:12]}"


def read(tx: Transaction) -> Installation | None:
    """Return what the database was set up for; None: not yet."""
    row = tx.row("find_installation")
    if row is None:
        return None
    return Installation(
        hostname=row["hostname"],
        port=row["port"],
        shop_schema=row["shop_schema"],
        merchant_ids=json.loads(row["merchant_ids"]),
        first_delivery=dialect.as_date(row["first_delivery"]),
    )


def wanted(tx: Transaction, settings: Settings) -> Installation:
    """Return what the database would be set up for now, by its server and the configuration."""
    embedded = settings.database.is_sqlite
    server = None if embedded else tx.row("find_server")
    return Installation(
        hostname=server["hostname"] if server else "sqlite",
        port=server["port"] if server else 0,
        shop_schema="" if embedded else settings.database.shop_schema or "",
        merchant_ids=merchant_ids(settings),
        first_delivery=settings.shop.first_delivery,
    )


def register(tx: Transaction, settings: Settings, *, adopt: bool, now: datetime) -> list[str]:
    """Write the installation row and say what changed; raise InstalledElsewhereError unless `adopt`."""
    found, new = read(tx), wanted(tx, settings)
    if found is None:
        tx.change("insert_installation", **_as_parameters(new, now))
        return [f"{new.hostname}:{new.port} 의 쇼핑몰({new.shop_schema or '같은 파일'})로 등록"]
    _refuse_copy(found, new, adopt=adopt)
    # A PG that is no longer configured stays known: it cannot come back as another merchant unnoticed.
    merged = replace(new, merchant_ids=found.merchant_ids | new.merchant_ids)
    if merged == found:
        return []
    tx.change("update_installation", **_as_parameters(merged, now))
    return [f"등록을 바꿈: {', '.join(_changes(found, new))}"]


def _as_parameters(installation: Installation, now: datetime) -> dict[str, object]:
    ids = json.dumps(installation.merchant_ids, sort_keys=True)
    return {**vars(installation), "merchant_ids": ids, "set_up_at": now}


def verify(tx: Transaction, settings: Settings) -> str | None:
    """Return why no job may run on this database, in one line; None: it is the one that was set up."""
    try:
        found = read(tx)
    except DBAPIError as error:
        if not _is_missing_table(error):
            raise
        found = None
    if found is None:
        return "데이터베이스가 준비되지 않았습니다. `jeonggi setup` 을 실행하세요"
    new = wanted(tx, settings)
    if _copied(found, new):
        return _copy_text(found, new)
    if new.first_delivery < found.first_delivery:
        # The rounds between the two days belonged to the system before us: it may have charged them.
        return (
            f"shop.first_delivery {new.first_delivery} 이(가) 등록한 {found.first_delivery} 보다 이릅니다. "
            "이전 방식이 맡던 회차가 다시 결제될 수 있습니다. 고치거나, 맞으면 `jeonggi setup` 을 실행하세요"
        )
    return None


def _is_missing_table(error: DBAPIError) -> bool:
    return error_code(error) == NO_SUCH_TABLE or "no such table" in str(error.orig)


def _refuse_copy(found: Installation, new: Installation, *, adopt: bool) -> None:
    if not adopt and _copied(found, new):
        raise InstalledElsewhereError(_copy_text(found, new))


def _copy_text(found: Installation, new: Installation) -> str:
    return (
        f"이 데이터베이스는 다른 곳에서 등록되었습니다: {', '.join(_copied(found, new))}. "
        "이곳의 것이 맞으면 `jeonggi setup --adopt` 를 실행하세요"
    )


def _copied(found: Installation, new: Installation) -> list[str]:
    """Say what tells a copy, or another shop's configuration, from the original."""
    pairs = (
        ("서버", found.hostname, new.hostname),
        ("포트", found.port, new.port),
        ("쇼핑몰 스키마", found.shop_schema, new.shop_schema),
    )
    said = [f"{what} {before or '없음'} → {now or '없음'}" for what, before, now in pairs if before != now]
    both = found.merchant_ids.keys() & new.merchant_ids.keys()
    changed = sorted(code for code in both if found.merchant_ids[code] != new.merchant_ids[code])
    return said + [f"{code} 상점이 다름" for code in changed]


def _changes(found: Installation, new: Installation) -> list[str]:
    """Say everything in which a configuration differs from what was set up."""
    added = sorted(new.merchant_ids.keys() - found.merchant_ids.keys())
    said = _copied(found, new) + [f"{code} 추가" for code in added]
    if found.first_delivery != new.first_delivery:
        said.append(f"shop.first_delivery {found.first_delivery} → {new.first_delivery}")
    return said
