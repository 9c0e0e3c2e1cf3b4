"""A test's bench: two schemas, a configuration, the simulators, and the jobs as real processes."""

from __future__ import annotations

import hashlib
import importlib
import io
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import click
import pytest
from sqlalchemy import Engine, column, insert, inspect, text
from sqlalchemy import table as named_table

from lib import checking, installing
from lib import settings as configuration
from lib.sandbox import Sandbox
from lib.settings import Settings
from lib.store import Store
from tests import pgs
from tests.homes import Home

ROOT = Path(__file__).resolve().parent.parent
JOB_SECONDS = 120
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Run:
    """How a job ended and what it said; `summary` is the last line of `--json`."""

    exit_code: int
    stdout: str
    stderr: str
    summary: dict[str, Any]

    @property
    def counts(self) -> dict[str, Any]:
        found: dict[str, Any] = self.summary["counts"]
        return found


@dataclass
class Rig:
    """Everything one test works with; `folder` is the test's own."""

    home: Home
    folder: Path
    broken_on_purpose: set[str] = field(default_factory=set)
    """Names of invariants that this test breaks; the end of the test expects exactly these."""
    _opening: dict[str, int] = field(default_factory=dict)
    _path: Path | None = None
    _store: Store | None = None
    _started: dict[int, tuple[subprocess.Popen[bytes], Path]] = field(default_factory=dict)
    _open: ExitStack = field(default_factory=ExitStack)

    @cached_property
    def sandbox(self) -> Sandbox:
        """The simulators of the PGs, SOLAPI and SMTP, started when first used."""
        return self._open.enter_context(Sandbox())

    def config(self, path: Path | None = None, *, register: bool = True, **overrides: Any) -> Path:  # noqa: ANN401 any key
        """Write a configuration and use it from now on; `policy={"retry_days": 1}` overrides single keys.

        None takes a key or a section out; `gateway={"nicepay": {}}` adds a simulated PG. The installation
        row is made to match, unless `register` is False.
        """
        chosen = path or self.folder / "jeonggi.toml"
        named = overrides.get("gateway") or {}
        chosen.write_text(_toml(_merged(self._defaults(named), overrides)), encoding="utf-8")
        chosen.chmod(0o600)
        self._path = chosen
        self._forget_store()
        if register and inspect(self.home.ours).has_table("installation"):
            settings, now = self.settings(), datetime.now(UTC)
            self.store().transaction(lambda tx: installing.register(tx, settings, adopt=True, now=now))
        return chosen

    def _defaults(self, pg_codes: Iterable[str]) -> dict[str, Any]:
        database = {"url": self.home.url, "shop_schema": self.home.shop_schema}
        sandbox = self.sandbox
        return {
            "shop": {"adapter": "standard", "first_delivery": date(2026, 1, 1)},
            "database": {key: value for key, value in database.items() if value},
            "gateway": pgs.sections(sandbox, ("tosspayments", *pg_codes)),
            "mail": {"smtp_url": sandbox.smtp.url},
            "sms": {
                "provider": "solapi",
                "base_url": sandbox.solapi.url,
                "api_key": sandbox.solapi.switches.api_key,
                "api_secret": sandbox.solapi.switches.api_secret,
            },
            "policy": {"time_travel": True},
            "paths": {"spool": str(self.folder / "spool")},
        }

    @property
    def path(self) -> Path:
        """The configuration in use."""
        return self._path or self.config()

    def settings(self) -> Settings:
        """Return the configuration in use, read from its file."""
        return configuration.load(self.path)

    def store(self) -> Store:
        """Return the database as the jobs open it; closed at the end of the test."""
        if self._store is None:
            self._store = Store(self.settings())
        return self._store

    def _forget_store(self) -> None:
        if self._store:
            self._store.close()
        self._store = None

    def shop(self, sql: str, **parameters: object) -> Rows:
        """Run any SQL in the shop's schema and return its rows, if it has any."""
        return _execute(self.home.shop, sql, parameters)

    def ours(self, sql: str, **parameters: object) -> Rows:
        """Run any SQL in our schema and return its rows, if it has any."""
        return _execute(self.home.ours, sql, parameters)

    def put(self, table: str, **columns: object) -> int:
        """Insert one row into a table of the shop and return the id that the database gave it."""
        target = named_table(table, *(column(name) for name in columns))
        with self.home.shop.begin() as connection:
            return connection.execute(insert(target).values(columns)).lastrowid or 0

    def start(self, job: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a job as a process of its own; `finish` waits for it."""
        output = self.folder / f"{job}-{len(self._started)}"
        with output.with_suffix(".out").open("wb") as out, output.with_suffix(".err").open("wb") as err:
            process = subprocess.Popen(
                [sys.executable, "-m", f"jobs.{job}", "--config", str(self.path), "--json", *arguments],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
        self._started[process.pid] = (process, output)
        return process

    def finish(self, process: subprocess.Popen[bytes]) -> Run:
        """Wait for a job and return how it ended."""
        exit_code = process.wait(JOB_SECONDS)
        output = self._started[process.pid][1]
        stdout = output.with_suffix(".out").read_text(encoding="utf-8")
        stderr = output.with_suffix(".err").read_text(encoding="utf-8")
        return Run(exit_code, stdout, stderr, last_object(stdout))

    def run(self, job: str, *arguments: str, check: int | None = 0) -> Run:
        """Run a job to its end inside this process, from its command line to its exit code.

        A process of its own would take longer to start than most jobs. `check`: the exit code, None for any.
        """
        out, err = io.StringIO(), io.StringIO()
        command: click.Command = importlib.import_module(f"jobs.{job}").main
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ending:
            command.main(["--config", str(self.path), "--json", *arguments], prog_name=job)
        stdout = out.getvalue()
        return self._checked(
            job, Run(_code(ending.value), stdout, err.getvalue(), last_object(stdout)), check
        )

    def run_process(self, job: str, *arguments: str, check: int | None = 0) -> Run:
        """Run a job to its end as a process of its own."""
        return self._checked(job, self.finish(self.start(job, *arguments)), check)

    def _checked(self, job: str, ended: Run, check: int | None) -> Run:
        assert check is None or ended.exit_code == check, f"{job}: {ended.exit_code}\n{ended.stderr}"
        return ended

    def checksums(self, exclude: tuple[str, ...] = ("job_run",)) -> dict[str, str]:
        """Return a hash of the rows of every table, by name: what a second run must leave as it is."""
        return {
            table: _checksum(engine, table)
            for engine in {self.home.ours, self.home.shop}
            for table in inspect(engine).get_table_names()
            if table not in exclude
        }

    def invariants(self) -> list[str]:
        """Return what does not hold, each line beginning with the name of the invariant."""
        broken = [f"{found.name}: {found.rows}" for found in checking.invariants(self.store()) if found.rows]
        broken += [
            f"credits_add_up: {channel} {opening}"
            for channel, opening in self._credits_at_opening().items()
            if self._opening.get(channel, opening) != opening
        ]
        return broken + (pgs.book_differences(self.sandbox, self.ours) if "sandbox" in vars(self) else [])

    def remember_credits(self) -> None:
        """Take the balances for granted: from now on they change by debits and refunds of ours only."""
        self._opening = self._credits_at_opening()

    def _credits_at_opening(self) -> dict[str, int]:
        """Return the balances with all debits taken back: what the shop began with."""
        balances = {row["channel"]: row["balance"] for row in self.ours("SELECT * FROM v_credit")}
        for entry in self.ours("SELECT channel, kind, units FROM credit_entry"):
            balances[entry["channel"]] += entry["units"] if entry["kind"] == "debit" else -entry["units"]
        return balances

    def assert_invariants(self) -> None:
        """Hold the test to the invariants, all but those that it broke on purpose."""
        self._end_jobs()
        broken = {line.partition(":")[0]: line for line in self.invariants()}
        assert set(broken) == self.broken_on_purpose, "\n".join(broken.values())

    def stop(self) -> None:
        """End what the test left running."""
        self._end_jobs()
        self._forget_store()
        self._open.close()

    def _end_jobs(self) -> None:
        for process, _ in self._started.values():
            process.kill()
            process.wait()


@contextmanager
def bench(home: Home, folder: Path, *, guarded: bool = True) -> Iterator[Rig]:
    """Yield a rig and clear it away; `guarded`: the invariants must hold at the end."""
    rig = Rig(home, folder)
    try:
        yield rig
        if guarded:
            rig.assert_invariants()
    finally:
        rig.stop()


def _code(ending: SystemExit) -> int:
    return ending.code if isinstance(ending.code, int) else 0


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merged(merged[key], value) if both else value
    return {key: value for key, value in merged.items() if value is not None}


def _toml(table: Mapping[str, Any], name: str = "") -> str:
    plain = [f"{key} = {_value(value)}" for key, value in table.items() if not isinstance(value, Mapping)]
    tables = [
        _toml(value, f"{name}.{key}".lstrip("."))
        for key, value in table.items()
        if isinstance(value, Mapping)
    ]
    return "\n".join([f"[{name}]" if name else "", *plain, *tables])


def _value(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False)  # TOML writes strings, numbers and lists as JSON does


def _execute(engine: Engine, sql: str, parameters: Mapping[str, object]) -> Rows:
    with engine.begin() as connection:
        result = connection.execute(text(sql), parameters)
        return [dict(row) for row in result.mappings()] if result.returns_rows else []


def _checksum(engine: Engine, table: str) -> str:
    rows = sorted(repr(sorted(row.items())) for row in _execute(engine, f"SELECT * FROM `{table}`", {}))
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16]


def last_object(stdout: str) -> dict[str, Any]:
    """Return the last line that is an object, which is a job's summary."""
    lines = [line for line in stdout.splitlines() if line.startswith("{")]
    found: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    return found
