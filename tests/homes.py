"""Where a test's two schemas live: a pair on MariaDB that is emptied between tests, or one SQLite file."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sqlalchemy import Engine, create_engine, inspect, text

from lib import dialect, installing
from lib.settings import Settings
from lib.store import SQL, Store

SHOP_TABLES = SQL / "shops" / "standard" / "tables.sql"


@dataclass(frozen=True)
class Home:
    """The addresses of our schema and of the shop's; one file without `shop_schema` for SQLite."""

    url: str
    shop_url: str
    shop_schema: str | None

    @property
    def is_sqlite(self) -> bool:
        return self.shop_schema is None

    @cached_property
    def ours(self) -> Engine:
        return dialect.open_engine(self.url, None)

    @cached_property
    def shop(self) -> Engine:
        return self.ours if self.is_sqlite else dialect.open_engine(self.shop_url, None)

    def make_shop(self) -> None:
        """Make the shop's own tables, which the project never makes in earnest."""
        script = SHOP_TABLES.read_text(encoding="utf-8")
        statements = dialect.sqlite_ddl(script) if self.is_sqlite else dialect.statements(script)
        installing.run_ddl(self.shop, statements)

    def install(self) -> None:
        """Make our tables and views, for a configuration without any gateway."""
        database = {"url": self.url, "shop_schema": self.shop_schema}
        settings = Settings.model_validate({"shop": {"first_delivery": "2026-01-01"}, "database": database})
        store = Store(settings)
        installing.install(store, settings)
        store.close()

    @cached_property
    def _tables(self) -> list[tuple[Engine, list[str]]]:
        return [(engine, inspect(engine).get_table_names()) for engine in (self.ours, self.shop)]

    def empty(self) -> None:
        """Delete every row; much faster than TRUNCATE, and far faster than making the tables anew."""
        for engine, tables in self._tables:
            with engine.begin() as connection:
                for table in tables:
                    connection.execute(text(f"DELETE FROM `{table}`"))

    def close(self) -> None:
        self.ours.dispose()
        self.shop.dispose()


def make_pair(server: str, name: str) -> Home:
    """Make two empty schemas on a server and the shop's tables in the second."""
    ours, shop = f"jeonggi_{name}", f"shop_{name}"
    engine = create_engine(server)
    with engine.begin() as connection:
        for schema in (ours, shop):
            connection.execute(text(f"DROP DATABASE IF EXISTS {schema}"))
            connection.execute(text(f"CREATE DATABASE {schema} CHARACTER SET utf8mb4"))
    engine.dispose()
    home = Home(url=f"{server}{ours}", shop_url=f"{server}{shop}", shop_schema=shop)
    home.make_shop()
    return home


def drop_pair(server: str, home: Home) -> None:
    """Remove the two schemas."""
    home.close()
    engine = create_engine(server)
    with engine.begin() as connection:
        for url in (home.url, home.shop_url):
            connection.execute(text(f"DROP DATABASE {url.rpartition('/')[2]}"))
    engine.dispose()


def make_file(path: Path, template: Path | None = None) -> Home:
    """Return a home in a SQLite file: a copy of a template, or with the shop's tables only."""
    home = Home(url=f"sqlite:///{path}", shop_url=f"sqlite:///{path}", shop_schema=None)
    if template:
        shutil.copyfile(template, path)
    else:
        home.make_shop()
    return home
