"""A dump of a schema, taken and restored with the database's own programs, as an operator does."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy.engine import make_url

from tests import mariadb
from tests.homes import Home

Schema = Literal["ours", "shop"]
BOTH: tuple[Schema, Schema] = ("ours", "shop")


@dataclass(frozen=True)
class Backup:
    """Dumps of schemas as they stood at one moment; `restore` puts any of them back."""

    home: Home
    folder: Path

    def restore(self, *schemas: Schema) -> None:
        """Put schemas back as they were, tables, views and counters."""
        for schema in schemas:
            with self._path(schema).open("rb") as dump:
                _run(self.home, schema, ("mariadb", "mysql"), stdin=dump.fileno())

    def take(self, schemas: Iterable[Schema] = BOTH) -> Backup:
        """Dump schemas, each in one snapshot."""
        for schema in schemas:
            with self._path(schema).open("wb") as dump:
                programs = ("mariadb-dump", "mysqldump")
                _run(self.home, schema, programs, "--single-transaction", stdout=dump.fileno())
        return self

    def _path(self, schema: Schema) -> Path:
        return self.folder / f"{schema}.sql"


def backup(home: Home, folder: Path) -> Backup:
    """Take a backup of both schemas into a folder."""
    return Backup(home, folder).take()


def _run(
    home: Home,
    schema: Schema,
    programs: tuple[str, str],
    *options: str,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
) -> None:
    url = make_url(home.url if schema == "ours" else home.shop_url)
    program = next(filter(None, map(mariadb.find, programs)))
    assert url.database
    subprocess.run(
        [
            program,
            "--no-defaults",
            "--protocol=tcp",
            f"--host={url.host}",
            f"--port={url.port}",
            f"--user={url.username}",
            *options,
            url.database,
        ],
        env={**os.environ, "MYSQL_PWD": str(url.password or "")},
        stdin=stdin,
        stdout=stdout,
        check=True,
    )
