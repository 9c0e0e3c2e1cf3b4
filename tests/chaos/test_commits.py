"""A COMMIT lost on the wire, before or after the server had it: the job cannot tell, and nothing is lost."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace

import pytest

from tests.chaos.days import DAYS
from tests.chaos.framing import is_commit
from tests.chaos.proxy import Strike
from tests.chaos.strikes import COMMITS_APART, OFTEN, Lost, lose
from tests.chaos.theatre import MATTERS, Theatre
from tests.jobs.street import neighbour
from tests.rig import Rig
from tests.shopkeeper import open_shop

pytestmark = pytest.mark.rule(7, 9, 11, 12)

EVERY = bool(os.environ.get("JEONGGI_CHAOS"))
"""Set it to lose every COMMIT of a run alone too, which takes minutes."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["before", "after"])
@pytest.mark.parametrize("job", DAYS)
def test_every_third_commit_lost_costs_a_day_nothing(stage: Theatre, job: str, kind: Lost) -> None:
    for nth in range(1, COMMITS_APART + 1) if EVERY else [2]:
        strike = Strike(kind, on=is_commit, nth=nth, apart=COMMITS_APART, times=OFTEN)
        lose(stage, job, strike)
        assert strike.fired * COMMITS_APART >= strike.met - COMMITS_APART > COMMITS_APART


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["before", "after"])
@pytest.mark.parametrize("job", DAYS if EVERY else ["charge_d1"])
def test_any_one_commit_lost_costs_a_day_nothing(stage: Theatre, job: str, kind: Lost) -> None:
    for nth in itertools.count(1) if EVERY else [12]:
        strike = Strike(kind, on=is_commit, nth=nth)
        lose(stage, job, strike)
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
