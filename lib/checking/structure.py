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


def our_tables(store: Store) -> list[Finding]:
    """Look for our tables, their columns and engine."""
    faults = installing.schema_faults(store)
    remedy = "run ops setup with a user that may create tables"
    return [bad(fault, remedy) for fault in faults] or [good("our tables are there, with all columns")]


def shop_engines(store: Store) -> list[Finding]:
    """Look for shop tables that the jobs write and that cannot roll back."""
    if store.is_sqlite:
        return []
    schema = store.settings.database.shop_schema
    engines = installing.engines_of(store, schema)
    found = [_engine(str(schema), table, engines.get(table)) for table in sorted(_written_tables(store))]
    return [one for one in found if not one.ok] or [good("every shop table that is written is InnoDB")]


def _written_tables(store: Store) -> set[str]:
    return {
        table
        for statement in store.statements.values()
        for table in _SHOP_WRITE.findall(re.sub(r"\s+", " ", statement.sql))
    }


def _engine(schema: str, table: str, engine: str | None) -> Finding:
    if engine is None:
        return bad(f"the shop's table {table} is not to be seen in {schema}", "check database.shop_schema")
    if engine != "InnoDB":
        return bad(
            f"the shop's table {table} is {engine}: half a payment could be written",
            f"ALTER TABLE `{schema}`.`{table}` ENGINE=InnoDB",
        )
    return good(f"the shop's table {table} is InnoDB")


def views(store: Store) -> list[Finding]:
    """Look for every contract view, with exactly the columns of the contract."""
    found = [_view(store, view, columns) for view, columns in CONTRACT.items()]
    return [one for one in found if not one.ok] or [good(f"the {len(found)} views of the shop are there")]


def _view(store: Store, view: str, columns: tuple[str, ...]) -> Finding:
    found = installing.columns_of(store, view)
    if found is None:
        return bad(
            f"the view {view} is missing, or a table it reads is missing or not allowed to this user",
            "run ops setup, and the GRANTs of the shop's adapter",
        )
    differing = [f"no {name}" for name in columns if name not in found]
    differing += [f"an unknown {name}" for name in found if name not in columns]
    if differing:
        return bad(f"the view {view} has {', '.join(differing)}", "run ops setup, or correct the adapter")
    return good(f"the view {view} is as agreed")


def statements(store: Store) -> list[Finding]:
    """Let the server explain every named statement: its tables, columns and this user's rights are there."""
    with store.engine.connect() as connection:
        found = [
            _explain(store, connection, name)
            for name, statement in store.statements.items()
            if not (store.is_sqlite and _SERVER_ONLY.search(statement.sql))
        ]
    return [one for one in found if not one.ok] or [good(f"the {len(found)} statements can be run")]


def _explain(store: Store, connection: Connection, name: str) -> Finding:
    clause, parameters = _explained(store.fit(store.statements[name].sql))
    try:
        connection.execute(clause, parameters)
    except DBAPIError as error:
        if is_passing(error):
            raise
        if name in installing.SETUP_STATEMENTS and error_code(error) in NOT_ALLOWED:
            return good(f"the statement {name} is left to ops setup")
        return _refusal(store, name, error)
    return good(f"the statement {name} can be run")


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
        return bad(f"the statement {name} cannot be run: {said}", "run ops setup, or correct the adapter")
    table = _REFUSED_TABLE.search(said) or _REFUSED_COLUMN.search(said)
    return bad(f"the statement {name} is not allowed: {said}", _grant_for(store, table[1] if table else ""))


def _grant_for(store: Store, table: str) -> str:
    needed = [grant for grant in grants(store, _user(store)) if re.search(rf"`\.`?{table}`? TO", grant)]
    return "; ".join(needed) or "run the GRANTs of sql/grants.sql and of the shop's adapter"


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
