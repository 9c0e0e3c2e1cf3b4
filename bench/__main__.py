"""Measure the jobs against a plain script and against the bare limits of this machine: `python -m bench`.

Everything is measured side by side in every repeat; the table of medians goes to stdout and, with what the
machine is, to bench/results/. There are no thresholds: the figures are for reading.
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from bench import PG_LATENCY_S
from bench.measure import Cost, Done, measure, server_pid
from bench.stage import ROOT, Stage, change_pg, count, stage
from bench.table import Line, table
from tests.homes import Home

SEAL_AT, NOTIFY_AT = "2026-12-01T07:00", "2026-12-01T09:00"
"""In quiet hours a run seals and delivers nothing: so the two are measured apart."""
CHARGE_AT, RESET_AT = "2026-12-02T10:00", "2026-12-02T13:00"
WARM_UP = 20


@dataclass(frozen=True)
class Limits:
    """Seconds a piece, without anything around it."""

    mail_s: float
    request_s: float
    request_by_two_s: float
    lines: tuple[Line, ...]


class Bench:
    """One bench on its stage; each method measures one thing."""

    def __init__(self, on: Stage, options: argparse.Namespace) -> None:
        self._on = on
        self._options = options
        self._mail = on.folder / "mail"

    def warm_up(self) -> None:
        """Run every job once on a small shop, and keep one of its mails for the limit."""
        home = self._on.open_shop(WARM_UP)
        self._job(home, "notify_d2", NOTIFY_AT, sealed=WARM_UP)
        self._mail.write_bytes(self._on.simulators.mails()[0]["raw"].encode("latin-1"))
        self._job(home, "charge_d1", CHARGE_AT, paid=WARM_UP)
        home.close()

    def repeat(self) -> list[Line]:
        """Measure everything once: the limits, the plain script, the jobs."""
        limits = self.limits()
        plain = self.plain()
        notified, charged, cancelled = (line.seconds / line.units for line in plain)
        return [
            *limits.lines,
            *plain,
            *self.one_by_one(limits, charged, cancelled),
            *self.together(limits, notified, charged),
        ]

    def limits(self) -> Limits:
        """Measure requests and mails with nothing around them."""
        home = self._on.open_shop(0)
        rounds, workers = self._options.rounds, self._options.workers
        handed = ["--mail", str(self._mail), "--count", str(rounds)]
        mail = self._limit(home, ["mail", "--url", self._on.urls["smtp"], *handed])
        session = self._limit(home, *self._requests("session", 1))
        request = self._limit(home, *self._requests("charge", 1))
        by_two = self._limit(home, *self._requests("charge", 2))
        home.close()
        lines = (
            Line("limit: one kept SMTP connection", "mail", rounds, mail),
            Line(f"limit: requests.Session, {workers} threads", "request", rounds, session),
            Line(f"limit: http.client, {workers} threads", "request", rounds, request),
            Line(f"limit: the same, 2 processes of {workers}", "request", rounds, by_two),
        )
        return Limits(mail / rounds, request / rounds, by_two / rounds, lines)

    def _requests(self, what: str, processes: int) -> list[list[str]]:
        threads, share = str(self._options.workers), self._options.rounds // processes
        return [
            [
                *(what, "--url", self._on.urls["toss"], "--threads", threads),
                *("--count", str(share), "--prefix", f"{what}-{processes}-{number}"),
            ]
            for number in range(processes)
        ]

    def plain(self) -> list[Line]:
        """Measure the plain script on a small shop of its own."""
        home, sample = self._on.open_shop(self._options.sample), self._options.sample
        lines = []
        for job, unit in (("notify", "round"), ("charge", "round"), ("reset", "subscription")):
            addresses = [f"--{name}={self._on.urls[name]}" for name in ("toss", "smtp", "solapi")]
            done = self._measure(home, ["bench.plain", job, f"--shop-schema={home.shop_schema}", *addresses])
            self._expect(done, "done", sample)
            cost = replace(done.cost, seconds=done.said[0]["seconds"], cpu_s=done.said[0]["cpu_s"])
            lines.append(_line(f"plain {job}", unit, sample, cost))
        home.close()
        return lines

    def one_by_one(self, limits: Limits, charged: float, cancelled: float) -> list[Line]:
        """Measure sealing, delivering, one charger and the reset."""
        rounds = self._options.rounds
        home = self._on.open_shop(rounds)
        seal = self._job(home, "notify_d2", SEAL_AT, sealed=rounds)
        rows = self._limit(home, ["rows", "--shop-schema", str(home.shop_schema)])
        deliver = self._job(home, "notify_d2", NOTIFY_AT)
        messages, mails = _accepted(home), _accepted(home, "channel = 'mail'")
        charge = self._job(home, "charge_d1", CHARGE_AT, paid=rounds, written=rounds)
        idle = self._job(home, "charge_d1", CHARGE_AT, due=0)
        change_pg(home)
        cards = count(home, "SELECT COUNT(*) FROM v_card")
        reset = self._job(home, "reset_pg", RESET_AT, cancelled=rounds, cards_deleted=cards)
        told = _accepted(home) - messages
        reset_s = told * limits.mail_s + cards * limits.request_s
        home.close()
        return [
            Line("limit: the seal's rows, 1,000 a statement", "round", rounds, rows),
            _line("a job that finds nothing due", "run", 1, idle),
            _line("notify_d2, sealing", "round", rounds, seal, rows),
            _line("notify_d2, delivering", "message", messages, deliver, mails * limits.mail_s),
            _line("charge_d1, 1 process", "round", rounds, charge, rounds * limits.request_s, charged),
            _line("reset_pg", "subscription", rounds, reset, reset_s, cancelled),
        ]

    def together(self, limits: Limits, notified: float, charged: float) -> list[Line]:
        """Measure a whole notify_d2, and two chargers at once."""
        rounds = self._options.rounds
        home = self._on.open_shop(rounds)
        notify = self._job(home, "notify_d2", NOTIFY_AT, sealed=rounds)
        rows = self._limit(home, ["rows", "--shop-schema", str(home.shop_schema)])
        notify_s = rows + _accepted(home, "channel = 'mail'") * limits.mail_s
        two = self._job(home, "charge_d1", CHARGE_AT, processes=2, paid=rounds)
        home.close()
        return [
            _line("notify_d2, both", "round", rounds, notify, notify_s, notified),
            _line("charge_d1, 2 processes", "round", rounds, two, rounds * limits.request_by_two_s, charged),
        ]

    def _job(self, home: Home, job: str, as_of: str, processes: int = 1, **expected: int) -> Cost:
        """Run a job as cron would and hold it to what it must have done; a bench of less is worth nothing."""
        workers = str(self._options.workers)
        words = [f"jobs.{job}", "--config", str(self._on.config), "--json"]
        words += ["--as-of", as_of, "--workers", workers]
        done = self._measure(home, *[words] * processes)
        for name, number in expected.items():
            self._expect(Done(done.cost, [said["counts"] for said in done.said]), name, number)
        return done.cost

    def _expect(self, done: Done, name: str, number: int) -> None:
        found = sum(said[name] for said in done.said)
        if found != number:
            raise SystemExit(f"{name} is {found}, {number} was expected: {done.said}")

    def _limit(self, home: Home, *words: list[str]) -> float:
        done = self._measure(home, *(["bench.limits", *each] for each in words))
        return max(float(said["seconds"]) for said in done.said)

    def _measure(self, home: Home, *modules: Sequence[str]) -> Done:
        others = [self._on.sandbox_pid, *server_pid(home.ours)]
        return measure(modules, home.ours, others, self._on.folder)


def _line(
    name: str, unit: str, units: int, cost: Cost, limit_s: float | None = None, plain_s: float | None = None
) -> Line:
    return Line(name, unit, units, cost.seconds, limit_s, plain_s, cost)


def _accepted(home: Home, which: str = "TRUE") -> int:
    return count(home, f"SELECT COUNT(*) FROM message WHERE state = 'accepted' AND {which}")


def _machine(on: Stage, options: argparse.Namespace) -> str:
    home = on.open_shop(0)
    with home.ours.connect() as connection:
        server = connection.execute(text("SELECT VERSION()")).scalar_one()
    home.close()
    memory_gib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    busy = ", ".join(f"{load:.2f}" for load in os.getloadavg())
    return (
        f"{len(os.sched_getaffinity(0))} cores, {memory_gib:.0f} GiB, load before {busy}; "
        f"Python {platform.python_version()}, {server} with durable defaults; "
        f"{options.rounds:,} rounds, {options.workers} workers, PG {PG_LATENCY_S * 1000:.0f} ms, "
        f"plain script on {options.sample:,}; medians of {options.repeats}."
    )


READING = """\
Jobs are timed as whole processes, interpreter and imports included; plain script and limits only in their
loop, to their advantage. The limit of a job is the same rows, mails and requests at the bare rates, one kind
after the other, an SMS for nothing; a job with two mail connections may be above it. Statements, commits and
CPU are for one unit; CPU of others is that of the simulators and the database, on the same cores. Peak memory
is that of one process.
"""


def main() -> None:
    """Measure, print and write down."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--rounds", type=int, default=2000, help="rounds due in the jobs' shop; an even number"
    )
    parser.add_argument("--sample", type=int, default=100, help="rounds due in the plain script's shop")
    parser.add_argument(
        "--workers", type=int, default=64, help="attempts open at once, and threads of a limit"
    )
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with stage(options.workers) as on:
        machine = _machine(on, options)
        bench = Bench(on, options)
        bench.warm_up()
        repeats = [bench.repeat() for _ in range(options.repeats)]
    now = datetime.now(UTC)
    found = f"# Bench of {now:%Y-%m-%d %H:%M} UTC\n\n{machine}\n\n{table(repeats)}\n\n{READING}"
    path = _write(f"{now:%Y-%m-%d}.md", found)
    print(f"{found}\n{path.relative_to(ROOT)}")


def _write(name: str, found: str) -> Path:
    path = ROOT / "bench" / "results" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(found, encoding="utf-8")
    return path


if __name__ == "__main__":
    main()
