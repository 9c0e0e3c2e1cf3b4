"""`make chaos`: every fail point with every kind of blow, strikes on every wire, dead servers, and storms.

A fault counts only if it fired. Exit code 1: something was violated, or a step was struck too seldom; a
violation is told with the `--again` that plays it alone.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from typing import get_args

from lib.failpoints import Step
from tests import mariadb
from tests.chaos import strikes
from tests.chaos.armed import KINDS, Kind
from tests.chaos.broken import controls
from tests.chaos.days import AFTER_LOST_RUNS, ALL_DAYS, DAYS
from tests.chaos.figures import Figures, tell, thin
from tests.chaos.tasks import Task, met, play
from tests.chaos.theatre import WORKERS

FAULTS, LEAST = 2_000, 5
"""As many in all, and of each step and kind."""
KILLS = 100
ROUNDS = 8
"""How often what fired too seldom is tried again."""
PLACES, STORMS = 4, 4
PROGRESS_SECONDS = 20
SERVER_NTHS = ("3", "12", "20")

Met = Mapping[str, Mapping[Step, int]]


class Chaos:
    """One run: tasks go to the processes that play them, what they count comes back."""

    def __init__(self, pool: ProcessPoolExecutor, minutes: float) -> None:
        self.figures = Figures()
        self._pool = pool
        self._began = self._told = time.monotonic()
        self._until = self._began + 60 * minutes

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def met(self) -> Met:
        """Return what the days meet when nothing strikes."""
        return self._pool.submit(met).result()

    def play(self, tasks: Iterable[Task]) -> None:
        """Play them all and add what they count; those that time is too short for are left out."""
        left: set[Future[Figures]] = {self._pool.submit(play, task) for task in tasks}
        while left:
            if time.monotonic() > self._until:
                left = {each for each in left if not each.cancel()}
            done, left = wait(left, timeout=PROGRESS_SECONDS, return_when=FIRST_COMPLETED)
            for each in done:
                self._take(each.result())
            if time.monotonic() - self._told > PROGRESS_SECONDS:
                self._told = time.monotonic()
                self._say(
                    f"{self.seconds:,.0f} s: {self.figures.faults:,} faults in {self.figures.plays:,} plays, "
                    f"{len(left):,} tasks to go, {len(self.figures.violations):,} violations"
                )

    def _take(self, found: Figures) -> None:
        self.figures.add(found)
        for violation in found.violations:
            self._say(f"VIOLATION {violation}")

    @staticmethod
    def _say(text: str) -> None:
        print(text, flush=True)  # noqa: T201 this is the command's answer


def ways(days: Iterable[str]) -> Iterator[Task]:
    """A kill at each step on the way of a day, and a cut at each step, all in one run and in parts."""
    for day in days:
        yield Task("walk", (day,))
        yield from (
            Task("ride", (day, str(part), parts)) for parts in ("1", "2") for part in range(int(parts))
        )


def wires(places: Iterable[int]) -> Iterator[Task]:
    """A strike of each kind at every neighbour of each job, at these places."""
    return (
        Task("wire", (job, kind, str(place))) for place in places for kind in strikes.KINDS for job in DAYS
    )


def commits() -> Iterator[Task]:
    """Each third COMMIT of each job lost, so that each is lost once."""
    nths = range(1, strikes.COMMITS_APART + 1)
    kinds = get_args(strikes.Lost)
    return (Task("commits", (job, kind, str(nth))) for job in DAYS for kind in kinds for nth in nths)


def unmet(reached: Met, figures: Figures) -> Iterator[Task]:
    """A strike for each job, step and kind that has not fired yet."""
    fired = {(fault.job, fault.place, fault.kind) for fault in figures.fired}
    for job in DAYS:
        days = [name for name, day in ALL_DAYS.items() if day.job == job]
        for step in Step:
            meeting = [name for name in days if reached[name].get(step)]
            for kind in KINDS if meeting else ():
                if (job, step, kind) not in fired:
                    yield Task("strike", (meeting[0], step, kind, "1"))


def short(reached: Met, figures: Figures, number: int) -> Iterator[Task]:
    """Strikes for each step and kind that fired too seldom, in one day after the other, early and late."""
    counted = figures.steps()
    for step in Step:
        meeting = [name for name in ALL_DAYS if reached[name].get(step)]
        for kind in KINDS:
            yield from _further(step, kind, meeting, reached, _plays(LEAST - counted[step, kind]), number)


def _plays(missing: int) -> int:
    """Return how many plays to begin with: in most the blow falls more than once."""
    return max(0, -(-missing // 2))


def _further(
    step: Step, kind: Kind, meeting: list[str], reached: Met, plays: int, number: int
) -> Iterator[Task]:
    for place in range(number, number + plays):
        day = meeting[place % len(meeting)]
        nth = 1 + place // len(meeting) % reached[day][step]
        yield Task("strike", (day, step, kind, str(nth)))


def whole(chaos: Chaos) -> list[str]:
    """Play everything, and until enough has fired; returns what was struck too seldom."""
    reached = chaos.met()
    chaos.play([*ways(ALL_DAYS), *commits(), *wires(range(PLACES))])
    chaos.play(unmet(reached, chaos.figures))
    for number in range(ROUNDS):
        tasks = list(short(reached, chaos.figures, number))
        chaos.play(tasks)
        if not tasks:
            break
    servers = [Task("server", (job, nth)) for job in DAYS for nth in SERVER_NTHS]
    storms = [Task("storm", (str(seed),)) for seed in range(1, STORMS + 1)]
    chaos.play([*storms, *servers])
    for place in range(PLACES, PLACES + ROUNDS):
        if chaos.figures.faults < FAULTS:
            chaos.play([*ways(ALL_DAYS), *wires([place])])
        if len(chaos.figures.left_by_kills) < KILLS:
            chaos.play(Task("walk", (name,)) for name, day in ALL_DAYS.items() if day.job == "charge_d1")
    return thin(chaos.figures, LEAST)


def quick(chaos: Chaos) -> list[str]:
    """Play a tenth of it."""
    chaos.met()
    stops = [Task("strike", (day, step, "stop", "1")) for day, step in STOPS]
    tasks = [
        Task("server", ("charge_d1", "12")),
        Task("storm", ("1",)),
        *(Task("walk", (day,)) for day in AFTER_LOST_RUNS),
        *(Task("ride", (day, "0", "1")) for day in AFTER_LOST_RUNS),
        *stops,
        *wires([0]),
    ]
    chaos.play(tasks)
    return []


STOPS = (
    ("notify_d2", Step.NOTICES_QUEUED),
    ("notify_d2", Step.MESSAGES_CLAIMED),
    ("charge_d1", Step.CHARGE_BEGUN),
    ("charge_d1", Step.CHARGE_ANSWERED),
    ("charge_d1", Step.STOCK_TAKEN),
    ("reset_pg", Step.LEASES_OVER),
    ("reset_pg", Step.CARD_DELETED),
)


def main() -> None:
    """Read the options, play, tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of it")
    parser.add_argument("--again", action="append", help="play this one alone, as a violation names it")
    parser.add_argument("--control", action="store_true", help="show that broken builds are caught")
    parser.add_argument("--minutes", type=float, default=60, help="after so many nothing more is begun")
    parser.add_argument("--processes", type=int, default=2, help="how many play at once")
    options = parser.parse_args()
    if options.control:
        sys.exit(control())
    with mariadb.server() as server:
        os.environ[mariadb.VARIABLE] = server
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(options.processes, context) as pool:
            sys.exit(_run(Chaos(pool, options.minutes), options))


def _run(chaos: Chaos, options: argparse.Namespace) -> int:
    seldom: list[str] = []
    if options.again:
        chaos.play(map(Task.read, options.again))
    elif options.quick:
        quick(chaos)
    else:
        seldom = whole(chaos)
    is_whole = not (options.again or options.quick)
    lines = [*tell(chaos.figures, WORKERS, chaos.seconds, steps=is_whole)]
    lines += [f"struck too seldom: {each}" for each in seldom]
    print("\n".join(["", *lines]))  # noqa: T201 this is the command's answer
    return int(bool(chaos.figures.violations or seldom))


def control() -> int:
    """Let each broken build be caught; returns the exit code."""
    try:
        for name, piece, line in controls():
            print(f"{name}: caught by '{piece}': {line}")  # noqa: T201 this is the command's answer
    except AssertionError as error:
        print(error)  # noqa: T201 this is the command's answer
        return 1
    return 0


if __name__ == "__main__":
    main()
