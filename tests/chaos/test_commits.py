"""A COMMIT lost on the wire, before or after the server had it: the job cannot tell, and nothing is lost."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from typing import Literal

import pytest

from tests.chaos.days import DAYS
from tests.chaos.framing import is_commit
from tests.chaos.proxy import Strike
from tests.chaos.theatre import DONE, MATTERS, Theatre
from tests.jobs.street import neighbour
from tests.rig import Rig
from tests.shopkeeper import open_shop

pytestmark = pytest.mark.rule(7, 9, 11, 12)

EVERY = bool(os.environ.get("JEONGGI_CHAOS"))
"""Set it to lose every COMMIT of a run alone too, which takes minutes."""
APART = 3
OFTEN = 10**9
OF_A_PAGE = {"due", "sealed"}
"""What notify_d2 counts by the page: one whose COMMIT had no answer may be another run's for all it knows."""

Lost = Literal["before", "after"]


def lost(stage: Theatre, job: str, strike: Strike) -> None:
    """Play a day with COMMITs lost: the run does it all and counts it all, without a word to anybody."""
    day = DAYS[job]
    counts, _ = stage.undisturbed(day)
    ended = stage.play(day, database=strike)
    assert ended.exit_code == DONE
    assert {
        name: (number, ended.counts[name])
        for name, number in counts.items()
        if ended.counts[name] != number and name not in OF_A_PAGE
    } == {}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["before", "after"])
@pytest.mark.parametrize("job", DAYS)
def test_every_third_commit_lost_costs_a_day_nothing(stage: Theatre, job: str, kind: Lost) -> None:
    for nth in range(1, APART + 1) if EVERY else [2]:
        strike = Strike(kind, on=is_commit, nth=nth, apart=APART, times=OFTEN)
        lost(stage, job, strike)
        assert strike.fired * APART >= strike.met - APART > APART


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["before", "after"])
@pytest.mark.parametrize("job", DAYS if EVERY else ["charge_d1"])
def test_any_one_commit_lost_costs_a_day_nothing(stage: Theatre, job: str, kind: Lost) -> None:
    for nth in itertools.count(1) if EVERY else [12]:
        strike = Strike(kind, on=is_commit, nth=nth)
        lost(stage, job, strike)
        if not strike.fired:
            break
    assert nth >= 12


def _blocked(rig: Rig) -> None:
    open_shop(rig)
    neighbour(rig, "cardless")
    rig.shop("UPDATE subscription SET card_id = NULL")


@pytest.mark.parametrize("nth", [1, 2])
def test_a_run_whose_every_second_answer_got_lost_still_calls_for_a_person(stage: Theatre, nth: int) -> None:
    day = replace(DAYS["notify_d2"], begin=_blocked)
    strike = Strike("after", on=is_commit, nth=nth, apart=2, times=OFTEN)
    stage.begin(day)
    stage.lay(database=strike)
    ended = stage.rig.run(day.job, "--as-of", day.at, check=MATTERS)
    assert (strike.fired > 1, ended.counts["blocked"]) == (True, 1)
    assert "cardless" in ended.stderr
    stage.lay(database=None)
