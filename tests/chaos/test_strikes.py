"""Whatever breaks between a job and its neighbours: run again, the day ends as if nothing had been broken."""

from __future__ import annotations

import itertools
import os

import pytest

from tests.chaos.days import DAYS
from tests.chaos.framing import is_anything, is_query
from tests.chaos.proxy import Kind, Strike
from tests.chaos.strikes import KINDS, OFTEN, day_of
from tests.chaos.theatre import TRY_AGAIN, Theatre

pytestmark = pytest.mark.rule(7, 9, 10, 11, 12, 14)

EVERY = bool(os.environ.get("JEONGGI_CHAOS"))
"""Set it to strike all along every run, which takes minutes; else each kind strikes at one place."""
AWAY = [
    (job, name)
    for job in DAYS
    for name in DAYS[job].neighbours
    if name != "database" and (job, name) != ("reset_pg", "gateway")
]
"""The server itself is killed elsewhere. A reset leaves to a person what a PG that is away did not tell."""
STEP = {"database": 23, "gateway": 1, "smtp": 3, "sms": 1}
"""How far apart the requests are that are struck one after the other."""


def _somewhere(name: str, kind: Kind) -> Strike:
    """Strike once, elsewhere with each kind; with a mail server every fourth from the fifth on is a mail."""
    place = KINDS.index(kind)
    match name:
        case "database":
            return Strike(kind, on=is_query, nth=20 + 25 * place)
        case "smtp":
            return Strike(kind, nth=5 + 4 * place)
    return Strike(kind, nth=1 + place % 2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("job", DAYS)
def test_a_run_struck_on_every_side_costs_a_day_nothing(stage: Theatre, job: str, kind: Kind) -> None:
    strikes = {name: _somewhere(name, kind) for name in DAYS[job].neighbours}
    stage.play(day_of(job, kind), **strikes)
    assert {name: strike.fired for name, strike in strikes.items()} == dict.fromkeys(strikes, 1)


@pytest.mark.parametrize(("job", "name"), AWAY)
def test_a_neighbour_away_for_a_whole_run_costs_a_day_only_time(stage: Theatre, job: str, name: str) -> None:
    strike = Strike("before", on=is_anything, times=OFTEN)
    ended = stage.play(DAYS[job], **{name: strike})
    assert strike.fired > 1
    assert ended.exit_code == TRY_AGAIN or name != "smtp"


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", KINDS if EVERY else KINDS[:1])
@pytest.mark.parametrize("job", DAYS if EVERY else ["charge_d1"])
def test_a_strike_at_any_one_request_costs_a_day_nothing(stage: Theatre, job: str, kind: Kind) -> None:
    for name in DAYS[job].neighbours if EVERY else ("smtp",):
        for nth in itertools.count(1, STEP[name]) if EVERY else (2,):
            strike = Strike(kind, on=is_query if name == "database" else bool, nth=nth)
            stage.play(day_of(job, kind), **{name: strike})
            if not strike.fired:
                assert nth > 1
                break
