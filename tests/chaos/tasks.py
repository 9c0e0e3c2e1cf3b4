"""The plays of a chaos run by name, so that another process can play them, and a person one of them again."""

from __future__ import annotations

import os
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path
from typing import get_args

from lib.failpoints import Step
from tests.chaos import matrix, proxy, strikes
from tests.chaos.armed import Kind
from tests.chaos.days import ALL_DAYS
from tests.chaos.figures import STORM, Fault, Figures
from tests.chaos.server import MortalServer
from tests.chaos.storm import storms
from tests.chaos.theatre import Theatre, theatre
from tests.homes import drop_pair, make_pair
from tests.mariadb import VARIABLE

SEPARATOR = "/"
LONGEST = 4_000
"""Characters of a violation that are told."""


@dataclass(frozen=True)
class Task:
    """One play: what to do, and with what."""

    do: str
    given: tuple[str, ...] = ()

    def __str__(self) -> str:
        return SEPARATOR.join((self.do, *self.given))

    @classmethod
    def read(cls, said: str) -> Task:
        """Read what `str` wrote."""
        do, *given = said.split(SEPARATOR)
        return cls(do, tuple(given))


def play(task: Task) -> Figures:
    """Play it on this process's own stage; what did not hold is a violation, and the way to play it again."""
    try:
        return PLAYS[task.do](*task.given)
    except Exception as error:  # noqa: BLE001 whatever it is, it is a finding
        where = traceback.extract_tb(error.__traceback__)[-1]
        said = f"{type(error).__name__} at {Path(where.filename).name}:{where.lineno}: {error}"
        return Figures(plays=1, violations=[f"--again '{task}'\n{said[:LONGEST]}"])


def met() -> Mapping[str, Mapping[Step, int]]:
    """Return by day how often each step is met by a run that nothing strikes."""
    return {name: _stage().met(day) for name, day in ALL_DAYS.items()}


def _strike(day: str, step: str, kind: Kind, nth: str) -> Figures:
    return matrix.strike(_quiet_stage(), ALL_DAYS[day], Step(step), kind, int(nth))


def _walk(day: str) -> Figures:
    return matrix.walk(_quiet_stage(), ALL_DAYS[day])


def _ride(day: str, part: str, parts: str) -> Figures:
    return matrix.ride(_quiet_stage(), ALL_DAYS[day], int(part), int(parts))


def _wire(job: str, kind: proxy.Kind, place: str) -> Figures:
    return strikes.all_around(_quiet_stage(), job, kind, int(place))


def _commits(job: str, kind: strikes.Lost, nth: str) -> Figures:
    return strikes.lost_commits(_quiet_stage(), job, kind, int(nth))


def _server(job: str, nth: str) -> Figures:
    """Kill a server of our own, and let it come back or not."""
    figures = Figures()
    with _mortal() as (stage, mortal):
        for kind in get_args(strikes.Lost):
            figures.add(strikes.server_back(stage, mortal, job, kind, int(nth)))
        figures.add(strikes.server_gone(stage, mortal, job, int(nth)))
    return figures


def _storm(seed: str) -> Figures:
    figures = Figures()
    for found in storms([int(seed)]):
        figures.plays += 1
        several = " with ".join(found.weather.jobs)
        for (job, step, kind), number in found.blows.items():
            figures.fired[Fault(STORM, job, step, kind)] += number
        blows = {kind for _, _, kind in found.blows}
        for name, number in found.faults.items():
            if name not in blows:
                figures.fired[Fault(STORM, several, "", name)] += number
        figures.rounds += found.rounds.total()
        figures.won += found.won
        figures.storm_left = max(figures.storm_left, found.left_open)
        figures.for_a_person["in_doubt"] += found.doubts
        figures.violations += [f"--again 'storm/{seed}' {each}" for each in found.violations]
    return figures


PLAYS: Mapping[str, Callable[..., Figures]] = {
    "strike": _strike,
    "walk": _walk,
    "ride": _ride,
    "wire": _wire,
    "commits": _commits,
    "server": _server,
    "storm": _storm,
}


@cache
def _stage() -> Theatre:
    """Open this process's stage between two schemas of its own; it closes as the process ends."""
    opened = ExitStack()
    Finalize(None, opened.close, exitpriority=1)
    server = os.environ[VARIABLE]
    home = make_pair(server, f"chaos_{os.getpid()}")
    opened.callback(drop_pair, server, home)
    home.install()
    folder = opened.enter_context(tempfile.TemporaryDirectory(prefix="jeonggi-chaos-"))
    return opened.enter_context(theatre(home, Path(folder), guarded=False))


def _quiet_stage() -> Theatre:
    """Return the stage with nothing left of a play that was broken off."""
    stage = _stage()
    stage.lay(**dict.fromkeys(stage.proxies))
    return stage


@contextmanager
def _mortal() -> Iterator[tuple[Theatre, MortalServer]]:
    with tempfile.TemporaryDirectory(prefix="jeonggi-mortal-", ignore_cleanup_errors=True) as folder:
        mortal = MortalServer(Path(folder))
        try:
            mortal.make()
            home = make_pair(mortal.url, "chaos")
            home.install()
            with theatre(home, Path(folder), guarded=False) as stage:
                yield stage, mortal
            home.close()
        finally:
            mortal.kill()
