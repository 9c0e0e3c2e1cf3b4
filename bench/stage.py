"""What is measured on: a MariaDB with durable defaults, the simulators as a process, a generated shop."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import text

from bench import DELIVERY_ON, PG_LATENCY_S
from lib import installing, settings
from lib.sandbox import shops
from lib.sandbox.client import SandboxClient
from lib.sandbox.recipe import Recipe
from lib.sandbox.solapi_rules import API_KEY, API_SECRET
from lib.sandbox.tosspayments_rules import SECRET_KEY
from lib.store import Store
from tests import mariadb
from tests.homes import Home, make_pair

ROOT = Path(__file__).resolve().parent.parent

CONFIGURATION = """\
[shop]
first_delivery = 2026-01-01
[database]
url = "{database}"
shop_schema = "{shop_schema}"
[gateway.tosspayments]
secret_key = "{secret_key}"
base_url = "{toss}"
workers = {workers}
[mail]
smtp_url = "{smtp}"
[sms]
provider = "solapi"
base_url = "{solapi}"
api_key = "{api_key}"
api_secret = "{api_secret}"
[policy]
time_travel = true
[paths]
spool = "{spool}"
"""


@dataclass(frozen=True)
class Stage:
    """The server, the simulators and the configuration of every job."""

    server: str
    folder: Path
    urls: dict[str, str]
    """Addresses by simulator: toss, solapi, smtp, control."""
    sandbox_pid: int
    workers: int

    @property
    def config(self) -> Path:
        """The configuration file of the jobs."""
        return self.folder / "jeonggi.toml"

    @property
    def simulators(self) -> SandboxClient:
        """Drives the simulators."""
        return SandboxClient(self.urls["control"])

    def open_shop(self, subscriptions: int) -> Home:
        """Make both schemas anew, with a shop whose every subscription is due on the one day."""
        home = make_pair(self.server, "bench")
        recipe = Recipe(first_day=DELIVERY_ON, all_due_on=DELIVERY_ON, subscriptions=subscriptions)
        with home.shop.begin() as connection:
            shops.load(connection, recipe.without_trouble())
        self._configure(home)
        self.simulators.reset()
        self.simulators.add_faults("toss", latency_s=PG_LATENCY_S)
        return home

    def _configure(self, home: Home) -> None:
        written = CONFIGURATION.format(
            **self.urls,
            database=home.url,
            shop_schema=home.shop_schema,
            workers=self.workers,
            spool=self.folder / "spool",
            secret_key=SECRET_KEY,
            api_key=API_KEY,
            api_secret=API_SECRET,
        )
        self.config.touch(0o600)
        self.config.write_text(written, encoding="utf-8")
        given = settings.load(self.config)
        store = Store(given)
        installing.install(store, given)
        store.close()


@contextmanager
def stage(workers: int) -> Iterator[Stage]:
    """Start everything and clear it away."""
    with (
        tempfile.TemporaryDirectory(prefix="jeonggi-bench-") as folder,
        mariadb.server() as server,
        _simulators() as process,
    ):
        assert process.stdout is not None  # noqa: S101 it is a pipe
        urls = json.loads(process.stdout.readline())
        yield Stage(server, Path(folder), urls, process.pid, workers)


@contextmanager
def _simulators() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "lib.sandbox", "--until-eof"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:  # if the bench is killed, stdin closes and they end as well
        try:
            yield process
        finally:
            process.terminate()


def change_pg(home: Home) -> None:
    """Do what the admin page does when the PG is changed, at noon of D-1."""
    with home.shop.begin() as connection:
        connection.execute(
            text(
                "UPDATE pg_contract SET state = 'terminated', termination = 'changed', terminated_at = :at "
                "WHERE state = 'in_use'"
            ),
            {"at": datetime(2026, 12, 2, 12)},  # noqa: DTZ001 the shop's columns hold naive local time
        )


def count(home: Home, sql: str) -> int:
    """Return the one number that a query in our schema gives."""
    with home.ours.connect() as connection:
        return int(connection.execute(text(sql)).scalar_one())
