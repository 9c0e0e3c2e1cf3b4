"""Plays whose strike falls on the wire, on COMMITs, or on the database server itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, get_args

from tests.chaos.days import DAYS, Day
from tests.chaos.figures import COMMIT, SERVER, WIRE, Fault, Figures
from tests.chaos.framing import is_commit, is_query
from tests.chaos.proxy import Kind, Strike
from tests.chaos.server import MortalServer
from tests.chaos.theatre import DONE, TRY_AGAIN, Theatre

KINDS: tuple[Kind, ...] = get_args(Kind)
OFTEN = 10**9
HASTE = 0.5
"""Seconds: too few for a slow answer."""
COMMITS_APART = 3
OF_A_PAGE = {"due", "sealed"}
"""What notify_d2 counts by the page: one whose COMMIT had no answer may be another run's for all it knows."""
FURTHER = {"database": 17, "gateway": 1, "smtp": 3, "sms": 1}
"""How far the strikes of one play are from those of the play before."""

Lost = Literal["before", "after"]


def day_of(job: str, kind: Kind) -> Day:
    """Let a slow answer come too late, but for a reset: what a PG does not say in time is for a person."""
    is_late = kind == "slow" and job != "reset_pg"
    return replace(DAYS[job], patience=HASTE) if is_late else DAYS[job]


def all_around(stage: Theatre, job: str, kind: Kind, place: int) -> Figures:
    """Strike once at every neighbour, at another request for each place; past the last one nothing falls."""
    day = day_of(job, kind)
    strikes = {
        name: Strike(kind, on=is_query if name == "database" else bool, nth=1 + FURTHER[name] * place)
        for name in day.neighbours
    }
    stage.play(day, **strikes)
    return _counted(stage, WIRE, day, strikes)


def lose(stage: Theatre, job: str, strike: Strike) -> Figures:
    """Play a day with COMMITs lost: the run does it all and counts it all, without a word to anybody."""
    day = DAYS[job]
    counts, _ = stage.undisturbed(day)
    ended = stage.play(day, database=strike)
    assert ended.exit_code == DONE, f"exit {ended.exit_code}: {ended.stderr}"
    differing = {
        name: (number, ended.counts[name])
        for name, number in counts.items()
        if ended.counts[name] != number and name not in OF_A_PAGE
    }
    assert differing == {}, f"counted otherwise: {differing}"
    return _counted(stage, COMMIT, day, {"database": strike})


def lost_commits(stage: Theatre, job: str, kind: Lost, nth: int) -> Figures:
    """Lose every third COMMIT, before or after the server had it."""
    return lose(stage, job, Strike(kind, on=is_commit, nth=nth, apart=COMMITS_APART, times=OFTEN))


def server_back(stage: Theatre, mortal: MortalServer, job: str, kind: Kind, nth: int) -> Figures:
    """Kill the server at a COMMIT and start it again: a run waits for it."""
    strike = Strike(kind, on=is_commit, nth=nth, then=mortal.die_and_come_back)
    return _without_server(stage, job, strike, DONE, lambda: None)


def server_gone(stage: Theatre, mortal: MortalServer, job: str, nth: int) -> Figures:
    """Kill the server at a COMMIT for good: the run ends, and the next one goes on."""
    strike = Strike("after", on=is_commit, nth=nth, then=mortal.kill)
    return _without_server(stage, job, strike, TRY_AGAIN, mortal.start)


def _without_server(
    stage: Theatre, job: str, strike: Strike, exit_code: int, heal: Callable[[], None]
) -> Figures:
    """Play a day whose first run is a process of its own and loses its server; `heal` brings that back."""
    day = DAYS[job]
    _, end = stage.undisturbed(day)
    stage.begin(day)
    stage.lay(database=strike)
    ended = stage.rig.run_process(job, "--as-of", day.at, check=None)
    if strike.fired:
        assert ended.exit_code == exit_code, f"exit {ended.exit_code}: {ended.stderr}"
        heal()
    stage.rig.home.close()
    stage.configure(day)
    stage.assert_sound(ended)
    stage.finish(day, end)
    return _counted(stage, SERVER, day, {"database": strike})


def _counted(stage: Theatre, source: str, day: Day, strikes: dict[str, Strike]) -> Figures:
    figures = Figures(plays=1, for_a_person=stage.left_for_a_person())
    for name, strike in strikes.items():
        if strike.fired:
            figures.fired[Fault(source, day.job, name, strike.kind)] += strike.fired
    return figures
