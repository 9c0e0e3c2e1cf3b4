"""Random shops live for weeks against the jobs and against the model of the rules: both come to the same."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from random import Random
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tests.rig import Rig
from tests.town import Policy
from tests.year import days, events, founding, shopkeeping
from tests.year.faults import Job
from tests.year.front import Event
from tests.year.life import Life

pytestmark = [
    pytest.mark.rule(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12),
    pytest.mark.timeout(600),  # making a failing life short may take minutes
]

Act = Literal["cron", "notify", "charge", "reset", "customer", "shop", "rare", "mend"]
JOBS: dict[Act, Job] = {
    "notify": "notify_d2",
    "charge": "charge_d1",
    "reset": "reset_pg",
}
TABLES: dict[Act, Event] = {
    "customer": partial(events.happen, table=events.CUSTOMERS),
    "shop": partial(events.happen, table=events.SHOP),
    "rare": partial(events.happen, table=events.RARE),
    "mend": shopkeeping.mend,
}
FAULTS = 15
"""At least so many fall; which, the seed says, and at which request, the order of the threads too."""
FATE = days.Fate(
    great=[(7, shopkeeping.change_pg)],
    down=frozenset({5}),
    away={2: frozenset({"PG"}), 4: frozenset({"mail"}), 6: frozenset({"sms", "PG"})},
)
SEEDS = st.integers(0, 10_000)
OFTEN: tuple[Act, ...] = (
    *("cron",) * 16,
    *("customer",) * 8,
    *("shop",) * 4,
    *("notify", "charge", "charge", "reset", "rare", "mend", "mend"),
)


@dataclass(frozen=True)
class Step:
    """Some days later at an hour, something is done; cron's day is all three jobs at their times.

    Each step draws from a seed of its own: a step left out changes nothing in those after it.
    """

    days: int
    hour: int
    act: Act
    seed: int


STEPS = st.lists(
    st.builds(
        Step,
        days=st.sampled_from((1, 0, 1, 1, 1, 1, 1, 2, 2, 3, 8)),
        hour=st.integers(0, 23),
        act=st.sampled_from(OFTEN),
        seed=SEEDS,
    ),
    min_size=14,
    max_size=26,
)
FOUNDED = st.dates(date(2026, 11, 20), date(2028, 3, 1))
LIVES = settings(
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
    ],
)


@settings(LIVES, max_examples=25)
@given(seed=SEEDS, founded=FOUNDED, size=st.integers(1, 4), steps=STEPS)
def test_a_small_shop_lives_for_weeks_by_the_rules(
    sqlite_rig: Rig, seed: int, founded: date, size: int, steps: list[Step]
) -> None:
    live_weeks(sqlite_rig, seed, founded, size, steps)


@settings(LIVES, max_examples=5)
@given(seed=SEEDS, founded=FOUNDED, size=st.integers(1, 4), steps=STEPS)
def test_a_small_shop_lives_for_weeks_on_a_real_server(
    rig: Rig, seed: int, founded: date, size: int, steps: list[Step]
) -> None:
    live_weeks(rig, seed, founded, size, steps)


def test_twenty_subscriptions_live_for_sixty_days(sqlite_rig: Rig) -> None:
    life, found = days.live_from_seed(sqlite_rig, seed=1, subscriptions=20, number=60)
    assert found == [], life.told()


@pytest.mark.parametrize("seed", [1])
def test_ten_days_on_which_everything_breaks_end_as_if_nothing_had(any_rig: Rig, seed: int) -> None:
    rng = Random(seed)  # noqa: S311 a simulated shop is seeded, not secret
    front = founding.found(rng, 24, days.FIRST_DAY - days.DAY, within=6)
    life = Life(any_rig, front, Policy(days.FIRST_DAY))
    with days.under_fire(life, rng, often=1):
        found = days.live(life, days.FIRST_DAY, 10, FATE)
    assert [*life.tally.violations, *found] == [], life.told()
    assert life.tally.fired.total() >= FAULTS, life.told()


def live_weeks(rig: Rig, seed: int, founded: date, size: int, steps: Sequence[Step]) -> None:
    """Live one small shop in an emptied database; after every step the jobs and the model agree."""
    start_anew(rig)
    rng = Random(seed)  # noqa: S311 a simulated shop is seeded, not secret
    policy = founding.draw_policy(rng, founded)
    life = Life(rig, founding.found(rng, size, founded, within=6), policy)
    note(str(policy))
    today = founded
    try:
        for step in steps:
            today += timedelta(days=step.days)
            take(life, today, step)
            assert life.compare_all() == []
    finally:
        note(life.told())
    rig.assert_invariants()


def start_anew(rig: Rig) -> None:
    """Forget what the life before left in the database, in the spool and in the simulators."""
    rig.home.empty()
    shutil.rmtree(rig.settings().paths.spool, ignore_errors=True)
    rig.sandbox.toss.reset()
    rig.sandbox.smtp.reset()
    rig.sandbox.solapi.reset()


def take(life: Life, today: date, step: Step) -> None:
    """Do one step of a life; an operator confirms one reset in three."""
    life.front.rng = Random(step.seed)  # noqa: S311 a simulated shop is seeded, not secret
    at = datetime.combine(today, time(step.hour))
    if step.act == "cron":
        for clock, job in days.CRON:
            life.job(job, datetime.combine(today, clock))
    elif step.act in JOBS:
        life.job(JOBS[step.act], at, confirmed=step.act == "reset" and step.seed % 3 == 0)
    else:
        at += timedelta(minutes=33)
        life.storefront([(at, partial(TABLES[step.act], life.front, at))])
