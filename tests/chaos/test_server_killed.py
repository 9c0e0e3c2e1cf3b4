"""kill -9 of the database server while a job runs: it recovers what was committed, and so do the jobs."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.chaos.days import DAYS
from tests.chaos.server import MortalServer
from tests.chaos.strikes import Lost, server_back, server_gone
from tests.chaos.theatre import Theatre, theatre
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
    stage: Theatre, mortal: MortalServer, job: str, kind: Lost
) -> None:
    for nth in range(1, 40, 4) if EVERY else (12,):
        assert server_back(stage, mortal, job, kind, nth).faults == 1


@pytest.mark.timeout(900)
@pytest.mark.parametrize("job", DAYS)
def test_a_server_that_stays_dead_ends_the_run_and_the_next_one_goes_on(
    stage: Theatre, mortal: MortalServer, job: str
) -> None:
    for nth in range(3, 40, 4) if EVERY else (15,):
        assert server_gone(stage, mortal, job, nth).faults == 1
