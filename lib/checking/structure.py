"""Tables, views and statements: there, of the right kind, and allowed to this user."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy import Connection, TextClause, bindparam, text
from sqlalchemy.exc import DBAPIError

from lib import dialect, installing
from lib.checking.contract import CONTRACT
from lib.checking.finding import Finding, bad, good
from lib.store import SQL, Store, error_code, is_passing

_SHOP_WRITE = re.compile(r"(?:UPDATE|INSERT INTO|DELETE FROM) \{shop\}(\w+)")
_LIST = re.compile(r"\bIN :(\w+)")
_COUNT = re.compile(r"\bLIMIT :(\w+)")
_SERVER_ONLY = re.compile(r"@@|\binformation_schema\b", re.IGNORECASE)
_REFUSED_TABLE = re.compile(r"for table [`'](?:\w+`\.`)?(\w+)[`']")
_REFUSED_COLUMN = re.compile(r"in table [`'](?:\w+`\.`)?(\w+)[`']")
NOT_ALLOWED = frozenset({1142, 1143, 1227, 1345, 1370})

MEND = "`jeonggi setup` 을 실행하거나 쇼핑몰 어댑터를 고치세요"


def our_tables(store: Store) -> list[Finding]:
    """Look for our tables, their columns and engine."""
    faults = installing.schema_faults(store)
    remedy = "테이블을 만들 수 있는 사용자로 `jeonggi setup` 을 실행하세요"
    return [bad(fault, remedy) for fault in faults] or [good("정기배송 테이블과 열이 모두 있음")]


def shop_engines(store: Store) -> list[Finding]:
    """Look for shop tables that the jobs write and that cannot roll back."""
    if store.is_sqlite:
        return []
    schema = store.settings.database.shop_schema
    engines = installing.engines_of(store, schema)
    found = [_engine(str(schema), table, engines.get(table)) for table in sorted(_written_tables(store))]
    return [one for one in found if not one.ok] or [good("작업이 쓰는 쇼핑몰 테이블이 모두 InnoDB 임")]


def _written_tables(store: Store) -> set[str]:
    return {
        table
        for statement in store.statements.values()
        for table in _SHOP_WRITE.findall(re.sub(r"\s+", " ", statement.sql))
    }


def _engine(schema: str, table: str, engine: str | None) -> Finding:
    if engine is None:
        return bad(
            f"쇼핑몰 테이블 {table} 이(가) {schema} 에 보이지 않음", "database.shop_schema 를 확인하세요"
        )
    if engine != "InnoDB":
        return bad(
            f"쇼핑몰 테이블 {table} 이(가) {engine} 임: 결제가 반만 기록될 수 있음",
            f"ALTER TABLE `{schema}`.`{table}` ENGINE=InnoDB",
        )
    return good(f"쇼핑몰 테이블 {table} 은(는) InnoDB 임")


def views(store: Store) -> list[Finding]:
    """Look for every contract view, with exactly the columns of the contract."""
    found = [_view(store, view, columns) for view, columns in CONTRACT.items()]
    return [one for one in found if not one.ok] or [good(f"쇼핑몰 뷰 {len(found)}개가 있음")]


def _view(store: Store, view: str, columns: tuple[str, ...]) -> Finding:
    found = installing.columns_of(store, view)
    if found is None:
        return bad(
            f"뷰 {view} 이(가) 없거나, 읽는 테이블이 없거나, 읽을 권한이 없음",
            "`jeonggi setup` 과 쇼핑몰 어댑터의 GRANT 를 실행하세요",
        )
    differing = [f"{name} 없음" for name in columns if name not in found]
    differing += [f"모르는 열 {name}" for name in found if name not in columns]
    if differing:
        return bad(f"뷰 {view}: {', '.join(differing)}", MEND)
    return good(f"뷰 {view} 이(가) 계약과 같음")


def statements(store: Store) -> list[Finding]:
    """Let the server explain every named statement: its tables, columns and this user's rights are there."""
    with store.engine.connect() as connection:
        found = [
            _explain(store, connection, name)
            for name, statement in store.statements.items()
            if not (store.is_sqlite and _SERVER_ONLY.search(statement.sql))
        ]
    return [one for one in found if not one.ok] or [good(f"SQL 문 {len(found)}개를 실행할 수 있음")]


def _explain(store: Store, connection: Connection, name: str) -> Finding:
    clause, parameters = _explained(store.fit(store.statements[name].sql))
    try:
        connection.execute(clause, parameters)
    except DBAPIError as error:
        if is_passing(error):
            raise
        if name in installing.SETUP_STATEMENTS and error_code(error) in NOT_ALLOWED:
            return good(f"SQL 문 {name} 은(는) `jeonggi setup` 만 씀")
        return _refusal(store, name, error)
    return good(f"SQL 문 {name} 을(를) 실행할 수 있음")


def _explained(sql: str) -> tuple[TextClause, dict[str, object]]:
    """Return a statement's EXPLAIN, and values that fit anywhere: NULL, but 1 for a LIMIT."""
    clause = text(f"EXPLAIN {sql}")
    lists, counts = set(_LIST.findall(sql)), set(_COUNT.findall(sql))
    clause = clause.bindparams(*(bindparam(name, expanding=True) for name in lists))
    names = clause.compile().params
    return clause, {name: [None] if name in lists else 1 if name in counts else None for name in names}


def _refusal(store: Store, name: str, error: DBAPIError) -> Finding:
    code, *words = error.orig.args if error.orig else ("",)
    said = str(words[0] if words else code)
    if error_code(error) not in NOT_ALLOWED:
        return bad(f"SQL 문 {name} 을(를) 실행할 수 없음: {said}", MEND)
    table = _REFUSED_TABLE.search(said) or _REFUSED_COLUMN.search(said)
    return bad(
        f"SQL 문 {name} 을(를) 실행할 권한이 없음: {said}", _grant_for(store, table[1] if table else "")
    )


def _grant_for(store: Store, table: str) -> str:
    needed = [grant for grant in grants(store, _user(store)) if re.search(rf"`\.`?{table}`? TO", grant)]
    return "; ".join(needed) or "sql/grants.sql 과 쇼핑몰 어댑터의 GRANT 를 실행하세요"


def _user(store: Store) -> str:
    row = store.row("find_server_state")
    name, _, host = str(row["user_name"]).rpartition("@") if row else ("jeonggi", "", "%")
    return f"'{name}'@'{host}'"


def grants(store: Store, user: str) -> list[str]:
    """Return the GRANT statements of least privilege for a user such as 'jeonggi'@'127.0.0.1'."""
    return [*_grants(store, user)]


def _grants(store: Store, user: str) -> Iterator[str]:
    ours = f"`{store.engine.url.database}`."
    for path in (SQL / "grants.sql", SQL / "shops" / store.settings.shop.adapter / "grants.sql"):
        for statement in dialect.statements(path.read_text(encoding="utf-8")):
            yield " ".join(store.fit(statement.replace("{ours}", ours).replace("{user}", user)).split())
