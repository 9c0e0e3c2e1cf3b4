"""A run killed, stopped past its lease or cut off at any step: the day ends as if nothing had been."""

from __future__ import annotations

import os

import pytest

from lib.failpoints import Step
from tests.chaos import matrix
from tests.chaos.armed import KINDS, Kind
from tests.chaos.days import AFTER_LOST_RUNS, ALL_DAYS
from tests.chaos.theatre import Theatre

pytestmark = pytest.mark.rule(7, 9, 10, 11, 12, 14)

EVERY = bool(os.environ.get("JEONGGI_CHAOS"))
"""Set it to strike each step of each day with each kind alone, which takes half an hour."""
STOPS = [
    ("notify_d2", Step.PROVIDER_REMEMBERED),
    ("charge_d1", Step.REQUEST_SENT),
    ("reset_pg", Step.CARD_DELETED),
]
SOMEWHERE: list[tuple[str, Step, Kind]] = [(day, step, "stop") for day, step in STOPS]
EVERYWHERE: list[tuple[str, Step, Kind]] = [
    (day, step, kind) for day in ALL_DAYS for step in Step for kind in KINDS
]


def test_every_step_lies_on_the_way_of_some_day(stage: Theatre) -> None:
    reached = {step for day in ALL_DAYS.values() for step in stage.met(day)}
    assert set(Step) - reached == set()


@pytest.mark.timeout(300)
def test_a_run_that_loses_its_database_at_every_step_costs_a_day_nothing(stage: Theatre) -> None:
    struck = {fault.place for day in ALL_DAYS.values() for fault in matrix.ride(stage, day).fired}
    assert set(Step) - struck == set()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ALL_DAYS if EVERY else AFTER_LOST_RUNS)
def test_runs_killed_at_one_step_after_the_other_cost_a_day_nothing(stage: Theatre, name: str) -> None:
    figures = matrix.walk(stage, ALL_DAYS[name])
    assert len({fault.place for fault in figures.fired}) > len(stage.met(ALL_DAYS[name])) / 4


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("name", "step", "kind"), EVERYWHERE if EVERY else SOMEWHERE)
def test_a_run_struck_at_a_step_costs_a_day_nothing(
    stage: Theatre, name: str, step: Step, kind: Kind
) -> None:
    figures = matrix.strike(stage, ALL_DAYS[name], step, kind, 1)
    assert figures.faults >= (step in stage.met(ALL_DAYS[name]))
