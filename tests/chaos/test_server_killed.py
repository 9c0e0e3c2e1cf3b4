"""kill -9 of the database server while a job runs: it recovers what was committed, and so do the jobs."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.chaos.days import DAYS
from tests.chaos.framing import is_commit
from tests.chaos.proxy import Kind, Strike
from tests.chaos.server import MortalServer
from tests.chaos.theatre import DONE, TRY_AGAIN, Theatre, theatre
from tests.homes import make_pair

pytestmark = pytest.mark.rule(7, 9, 11, 12)

EVERY = bool(os.environ.get("JEONGGI_CHAOS"))
"""Set it to kill the server all along every run, which takes minutes."""


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MortalServer]:
    server = MortalServer(tmp_path_factory.mktemp("mariadb"))
    try:
        server.make()
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="module")
def stage(mortal: MortalServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """Give the stage of this package on a server that may die."""
    home = make_pair(mortal.url, "chaos")
    home.install()
    with theatre(home, tmp_path_factory.mktemp("chaos")) as opened:
        yield opened
    home.close()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["before", "after"] if EVERY else ["before"])
@pytest.mark.parametrize("job", DAYS)
def test_a_server_that_dies_and_comes_back_is_waited_for(
    stage: Theatre, mortal: MortalServer, job: str, kind: Kind
) -> None:
    for nth in range(1, 40, 4) if EVERY else (12,):
        _play(stage, job, Strike(kind, on=is_commit, nth=nth, then=mortal.die_and_come_back), DONE)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("job", DAYS)
def test_a_server_that_stays_dead_ends_the_run_and_the_next_one_goes_on(
    stage: Theatre, mortal: MortalServer, job: str
) -> None:
    for nth in range(3, 40, 4) if EVERY else (15,):
        _play(stage, job, Strike("after", on=is_commit, nth=nth, then=mortal.kill), TRY_AGAIN, mortal)


def _play(stage: Theatre, job: str, strike: Strike, exit_code: int, dead: MortalServer | None = None) -> None:
    """Play a day whose first run is a process of its own and loses its server at a COMMIT."""
    day = DAYS[job]
    _, end = stage.undisturbed(day)
    stage.begin(day)
    stage.lay(database=strike)
    ended = stage.rig.run_process(job, "--as-of", day.at, check=exit_code)
    assert strike.fired == 1
    if dead:
        dead.start()
    stage.rig.home.close()
    stage.configure(day)
    stage.assert_sound(ended)
    stage.finish(day, end)
