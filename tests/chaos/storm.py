"""Storms: one to eight runs at once, of different jobs, struck at random, while the storefront goes on.

`python -m tests.chaos.storm --seed 1 --runners 8` plays one; a violation is told with the seed to play again.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import get_args

from sqlalchemy.engine import make_url

from lib.sandbox.smtp import Smtp
from lib.sandbox.solapi import Solapi
from lib.sandbox.tosspayments import TossPayments
from tests import mariadb
from tests.chaos import framing, front, judge
from tests.chaos.armed import Armed, Chance, start
from tests.chaos.front import PG, Front
from tests.chaos.proxy import Kind, Proxy, Strike
from tests.chaos.weather import (
    AT_THE_MAIL_SERVER,
    AT_THE_PG,
    AT_THE_PROVIDER,
    DELIVERY,
    LATE,
    LOST_AT_THE_EVENT,
    Figures,
    Weather,
)
from tests.homes import Home, drop_pair, make_pair
from tests.rig import Rig, bench
from tests.shopkeeper import contract, terminate_contract

WORKERS = 4
LATENCY, LAG = 0.04, 0.5
"""Seconds: that an answer of the PG takes, and that an inquiry does not find an approval for."""
LEASE, LEASE_OF_POST, TIMEOUT = 2.0, 4.0, 0.8
"""Seconds: of a claim, of messages taken to be sent, and of the patience with an answer."""
PATIENCE = 8
"""Seconds that a change of the PG waits for charges, of which there may be none."""
STANDSTILLS = (0.2, 0.2, 2.4, 4.4)
"""Seconds that a stopped run stands still: within its leases, and past them."""
PROXY_KINDS: tuple[Kind, ...] = get_args(Kind)
CALM = (timedelta(hours=1), timedelta(hours=2), timedelta(hours=25), timedelta(hours=31), timedelta(hours=32))
"""After the last wave: by then whatever can be found out by asking is known, and doubts are a person's."""
QUIET = timedelta(minutes=15)
TRY_AGAIN = 75
ENDINGS = {0, 1, TRY_AGAIN}
"""How a run may end that no signal ended."""


class Storm:
    """One storm over one pair of schemas."""

    def __init__(self, rig: Rig, database: Proxy, weather: Weather) -> None:
        self.rig, self.database, self.weather = rig, database, weather
        self.figures = Figures(weather)
        self._rng = Random(weather.seed)  # noqa: S311 seeded, so that a failure can be looked at again
        self._held: dict[int, float] = {}
        """Until when a run that stands still is left so."""
        self._front = Front(rig, weather.seed)
        self._struck = {name: each.faults.struck for name, each in self._simulators().items()}

    def play(self) -> Figures:
        """Let it break loose and pass over."""
        began = time.monotonic()
        self._begin()
        for number, at in enumerate(map(datetime.fromisoformat, self.weather.waves)):
            self._wave(at, is_event=number == self.weather.event)
        self._calm(at)
        self._sum_up(time.monotonic() - began)
        return self.figures

    def _begin(self) -> None:
        rig = self.rig
        rig.home.empty()
        for simulator in (rig.sandbox.toss, rig.sandbox.smtp, rig.sandbox.solapi):
            simulator.reset()
        shutil.rmtree(rig.folder / "spool", ignore_errors=True)
        rig.config()
        front.found(rig, self.weather.size, DELIVERY, self._rng)
        if "notify_d2" not in self.weather.jobs:
            rig.run("notify_d2", "--as-of", f"{DELIVERY - timedelta(days=2)}T09:00")
        rig.config(
            database=through(rig, self.database),
            gateway={PG: {"read_timeout": TIMEOUT, "lease": LEASE, "workers": WORKERS}},
            mail={"timeout": TIMEOUT, "final_dot_timeout": TIMEOUT, "lease": LEASE_OF_POST},
            sms={"connect_timeout": TIMEOUT, "read_timeout": TIMEOUT, "lease": LEASE_OF_POST},
        )

    def _pg_changes(self, at: datetime) -> None:
        """End the contract; the shop signs a new one with the same PG at once."""
        terminate_contract(self.rig, at - timedelta(minutes=1))
        contract(self.rig, in_use_at=at, applied_at=at)

    def _wave(self, at: datetime, *, is_event: bool) -> None:
        """Let several runs go at once; hold the shop to the rules when all have ended."""
        jobs = self._jobs()
        (newest,) = self.rig.ours("SELECT COALESCE(MAX(attempt_id), 0) AS id FROM payment_attempt")
        if is_event:  # something is open then, which the reset must not leave behind
            self.rig.sandbox.toss.faults.add(LOST_AT_THE_EVENT)
        strike = self._break_things()
        with self._front.open(at):
            runs = [(job, self._start(job, at)) for job in jobs if job != "reset_pg"]
            if is_event:
                self._watch([armed for _, armed in runs], self._enough_charges())
                self._pg_changes(at)
            # A minute on: what was sent before a reset began is earlier in business time too.
            later = at + timedelta(minutes=1)
            runs += [(job, self._start(job, later)) for job in jobs if job == "reset_pg"]
            all_of_them = [armed for _, armed in runs]
            self._watch(all_of_them, lambda: not any(armed.process.is_alive() for armed in all_of_them))
        self._mend_things(strike)
        broken_off = sum(self._ended(job, armed) for job, armed in runs)
        left = self._left_by(newest["id"])
        if left > WORKERS * broken_off:
            self._tell(at, [f"too_many_left_open: {left} by {broken_off} runs"])
        self.figures.left_open = max(self.figures.left_open, left / max(1, broken_off))
        self._tell(at, judge.at_rest(self.rig))

    def _enough_charges(self) -> Callable[[], bool]:
        """Return what tells when charges are well under way, or have been waited for in vain."""
        calls = self.rig.sandbox.toss.calls
        until, enough = time.monotonic() + PATIENCE, len(calls()) + self.weather.size // 4
        return lambda: len(calls()) >= enough or time.monotonic() > until

    def _jobs(self) -> list[str]:
        """Choose who runs: every job of the mix, where there is a place for it."""
        jobs, runners = list(self.weather.jobs), self.weather.runners
        self._rng.shuffle(jobs)
        return [*jobs, *self._rng.choices(jobs, k=max(0, runners - len(jobs)))][:runners]

    def _start(self, job: str, at: datetime) -> Armed:
        arguments = ("--as-of", f"{at:%Y-%m-%dT%H:%M}", "--workers", str(WORKERS))
        return start(self.rig, job, *arguments, plan=Chance(self._rng.getrandbits(32), self.weather.odds))

    def _watch(self, runs: list[Armed], is_over: Callable[[], bool]) -> None:
        """Wait; a run that stands still goes on after a while, often after its lease."""
        while not is_over():
            for armed in runs:
                if not armed.is_stopped():
                    self._held.pop(armed.pid, None)
                elif time.monotonic() > self._held.setdefault(armed.pid, self._hold()):
                    armed.go_on()
            time.sleep(0.02)

    def _hold(self) -> float:
        return time.monotonic() + self._rng.choice(STANDSTILLS)

    def _break_things(self) -> Strike | None:
        """Let the neighbours fail now and then, and perhaps the connection to the database."""
        sandbox, seed = self.rig.sandbox, self._rng.getrandbits(32)
        sandbox.toss.faults.latency_s = LATENCY
        sandbox.toss.switches = replace(sandbox.toss.switches, inquiry_lag_s=LAG)
        sandbox.toss.faults.add(*(replace(each, seed=seed) for each in AT_THE_PG))
        sandbox.smtp.faults.add(*(replace(each, seed=seed) for each in AT_THE_MAIL_SERVER))
        sandbox.solapi.faults.add(*(replace(each, seed=seed) for each in AT_THE_PROVIDER))
        if self._rng.random() < 0.5:
            return None
        kind, nth = self._rng.choice(PROXY_KINDS), self._rng.randrange(20, 200)
        strike = Strike(kind, on=framing.is_query, nth=nth, apart=self._rng.randrange(40, 120), times=4)
        self.database.lay(strike)
        return strike

    def _mend_things(self, strike: Strike | None) -> None:
        self.database.lay(None)
        if strike and strike.fired:
            self.figures.faults[f"database {strike.kind}"] += strike.fired
        for simulator in self._simulators().values():
            simulator.faults.clear()

    def _ended(self, job: str, armed: Armed) -> bool:
        """Note how a run ended; True: it was one of charge_d1 that could not end what it had begun."""
        ended, fired = armed.wait(), armed.fired
        self.figures.runs[job] += 1
        for step, kind in fired:
            self.figures.faults[kind] += 1
            self.figures.by_job[job] += 1
            self.figures.blows[job, step, kind] += 1
        is_killed = ended.exit_code == -signal.SIGKILL
        if not is_killed and ended.exit_code not in ENDINGS:
            self.figures.violations.append(f"bug: {job} ended with {ended.exit_code}: {ended.stderr[-2000:]}")
        self.figures.kills += is_killed and job == "charge_d1"
        return job == "charge_d1" and (is_killed or ended.exit_code == TRY_AGAIN)

    def _calm(self, last: datetime) -> None:
        """Nothing breaks any more: the jobs run until nothing is left to do, and all of it must be right."""
        time.sleep(LEASE_OF_POST + LATE)
        self.rig.config()
        for after in CALM:
            self._run_all(last + after)
        before = self.rig.checksums()
        self._run_all(last + CALM[-1] + QUIET)
        if self.rig.checksums() != before:
            self._tell(last, ["never_quiet: the last runs still had something to do"])
        self._tell(last, judge.at_the_end(self.rig, last + CALM[-1]))

    def _run_all(self, at: datetime) -> None:
        for job in ("reset_pg", "charge_d1", "notify_d2", "charge_d1"):
            ended = self.rig.run(job, "--as-of", f"{at:%Y-%m-%dT%H:%M}", check=None)
            if ended.exit_code not in ENDINGS - {TRY_AGAIN}:
                self._tell(at, [f"bug: {job} ended with {ended.exit_code}: {ended.stderr[-2000:]}"])

    def _left_by(self, newest: int) -> int:
        """Return how many attempts since that one nobody works on any more, all runs being over."""
        sql = "SELECT COUNT(*) AS n FROM payment_attempt WHERE state = 'sending' AND attempt_id > :newest"
        return int(self.rig.ours(sql, newest=newest)[0]["n"])

    def _tell(self, at: datetime, found: Iterable[str]) -> None:
        self.figures.violations += [f"{at:%m-%d %H:%M} {each}" for each in found]

    def _sum_up(self, seconds: float) -> None:
        figures, rig = self.figures, self.rig
        for name, simulator in self._simulators().items():
            if struck := simulator.faults.struck - self._struck[name]:
                figures.faults[name] = struck
        for row in rig.ours("SELECT state, COUNT(*) AS n FROM billing_round GROUP BY state"):
            figures.rounds[row["state"]] = row["n"]
        figures.won = int(rig.ours("SELECT COALESCE(SUM(amount_krw), 0) AS won FROM payment")[0]["won"])
        figures.doubts, figures.acts, figures.seconds = judge.doubts(rig), self._front.acts, seconds

    def _simulators(self) -> dict[str, TossPayments | Smtp | Solapi]:
        sandbox = self.rig.sandbox
        return {"PG": sandbox.toss, "mail server": sandbox.smtp, "SMS provider": sandbox.solapi}


def through(rig: Rig, database: Proxy) -> dict[str, object]:
    """Return how a configuration reaches its database by way of a proxy."""
    return {"url": make_url(rig.home.url).set(port=database.port).render_as_string(hide_password=False)}


@contextmanager
def sky(home: Home, folder: Path) -> Iterator[tuple[Rig, Proxy]]:
    """Open what storms need: a bench over a pair of schemas, and a proxy before its database."""
    port = make_url(home.url).port
    assert port is not None
    with bench(home, folder, guarded=False) as rig, Proxy(port, framing.mysql) as database:
        yield rig, database


def storms(seeds: Iterable[int], runners: int = 0) -> Iterator[Figures]:
    """Play one storm per seed; `runners`: 0 is as the seed has it."""
    with ExitStack() as opened:
        server = opened.enter_context(mariadb.server())
        home = make_pair(server, f"storm_{os.getpid()}")
        opened.callback(drop_pair, server, home)
        home.install()
        folder = opened.enter_context(tempfile.TemporaryDirectory(prefix="jeonggi-storm-"))
        rig, database = opened.enter_context(sky(home, Path(folder)))
        for seed in seeds:
            yield Storm(rig, database, Weather.of(seed, runners)).play()


def main() -> None:
    """Play storms from the command line; exit code 1: something was violated."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.storm", description=__doc__)
    parser.add_argument("--seed", type=int, action="append", help="may stand several times")
    parser.add_argument("--runners", type=int, default=0, choices=range(9), help="0: as the seed has it")
    options = parser.parse_args()
    violated = False
    for figures in storms(options.seed or [1], options.runners):
        print(figures, flush=True)  # noqa: T201 this is the command's answer
        violated |= bool(figures.violations)
    sys.exit(int(violated))


if __name__ == "__main__":
    main()
