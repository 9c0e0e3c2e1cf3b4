"""The days of a life: when the storefront is busy, when cron runs the jobs, and when the host is down."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import partial
from random import Random

from tests.rig import Rig
from tests.town import Policy
from tests.year import customers, events, founding, shopkeeping
from tests.year.faults import Job
from tests.year.front import Event, Front
from tests.year.life import Life
from tests.year.struck import before_server
from tests.year.weather import Neighbour

FIRST_DAY = date(2026, 12, 1)
DAY = timedelta(days=1)
CRON: tuple[tuple[time, Job], ...] = (
    (time(9), "notify_d2"),
    (time(10), "charge_d1"),
    (time(17), "charge_d1"),
)
BY_HAND: tuple[Job, ...] = ("notify_d2", "charge_d1", "charge_d1", "reset_pg")
COMPARED_WHOLE = 25
"""Days from one comparison of everything to the next."""

Step = tuple[datetime, Callable[[], None]]


@dataclass(frozen=True)
class Fate:
    """What a life has in store: great events by day, and the days on which the host is down."""

    great: list[tuple[int, Event]]
    down: frozenset[int]
    away: Mapping[int, frozenset[Neighbour]] = field(default_factory=dict)
    """Who does not listen, by day."""


def draw_fate(rng: Random, days: int) -> Fate:
    """Draw at least one PG change, one outage and one shortage, and more in a longer life."""
    wanted: list[Event] = [
        *[shopkeeping.change_pg] * (1 + days // 200),
        *[shopkeeping.run_short] * (1 + days // 60),
        *[shopkeeping.leave_manager] * (1 + days // 300),
        shopkeeping.renew_pg,
    ]
    great = [(rng.randint(days // 8, days - 1), event) for event in wanted]
    down: set[int] = set()
    for _ in range(1 + days // 130):
        begin = rng.randint(0, days - 1)
        down |= set(range(begin, begin + rng.choice((1, 2, 3, 6, 12, 25))))
    return Fate(great, frozenset(down))


def draw_outages(rng: Random, days: int) -> dict[int, frozenset[Neighbour]]:
    """Draw days on which one neighbour or two are away."""
    away: dict[int, frozenset[Neighbour]] = {}
    neighbours: tuple[Neighbour, ...] = ("PG", "mail", "sms")
    for number in range(max(3, days // 10)):
        begin, gone = rng.randint(0, days - 1), neighbours[number % len(neighbours)]
        for day in range(begin, begin + 1 + (rng.random() < 0.4) * rng.randint(1, 3)):
            away[day] = away.get(day, frozenset()) | {gone}
    return away


def live_from_seed(
    rig: Rig, seed: int, subscriptions: int, number: int, *, struck: float = 0
) -> tuple[Life, list[str]]:
    """Found a town and live so many days; seed 1 has the policy as it comes and begins before a new year.

    `struck`: the share of the runs that faults fall on; with it, neighbours are away on some days.
    """
    rng = Random(seed)  # noqa: S311 a simulated shop is seeded, not secret
    first_day = FIRST_DAY + timedelta(days=0 if seed == 1 else rng.randint(0, 400))
    policy = Policy(first_day) if seed == 1 else founding.draw_policy(rng, first_day)
    front = founding.found(rng, subscriptions, first_day - DAY)
    life = Life(rig, front, policy)
    fate = draw_fate(rng, number)
    if not struck:
        return life, live(life, first_day, number, fate)
    chance = Random(seed)  # noqa: S311 the faults are seeded too, and leave the storefront as it is
    fate = replace(fate, away=draw_outages(chance, number))
    with under_fire(life, chance, struck):
        return life, live(life, first_day, number, fate)


@contextmanager
def under_fire(life: Life, chance: Random, often: float) -> Iterator[None]:
    """Let faults fall on such a share of a life's runs."""
    with before_server(life.rig) as proxy, nobody_listens() as port:
        life.nowhere = port
        life.strike(chance, proxy, often=often)
        yield


@contextmanager
def nobody_listens() -> Iterator[int]:
    """Keep a port at which connections are refused."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def live(life: Life, first_day: date, days: int, fate: Fate) -> list[str]:
    """Live so many days; returns the differences of the first day on which there are any, else none."""
    for number in range(days):
        today = first_day + number * DAY
        _live_day(life, today, fate, number)
        is_whole = number % COMPARED_WHOLE == COMPARED_WHOLE - 1 or number == days - 1
        if found := life.compare_all() if is_whole else life.compare_lately(today):
            return [f"day {number}, {today}:", *found]
    return []


def _live_day(life: Life, today: date, fate: Fate, number: int) -> None:
    life.send_away(fate.away.get(number, frozenset()))
    pages = [(at, partial(event, life.front, at)) for at, event in _events(life.front, today, fate, number)]
    jobs = [] if number in fate.down else list(_jobs(life, today))
    for at, run in sorted(jobs, key=lambda job: job[0]):
        before = [each for each in pages if each[0] < at]
        pages = pages[len(before) :]
        _visit(life, before)
        run()
    _visit(life, pages)


def _visit(life: Life, pages: Sequence[tuple[datetime, Callable[[], str]]]) -> None:
    if pages:
        life.storefront(pages)


def _events(front: Front, today: date, fate: Fate, number: int) -> list[tuple[datetime, Event]]:
    """Draw the storefront's events of a day, in their order; never in a minute in which a job may start."""
    chosen: list[Event] = [partial(events.happen, table=events.CUSTOMERS) for _ in range(_often(front, 0.04))]
    chosen += [partial(events.happen, table=events.SHOP) for _ in range(_often(front, 0.004, at_least=0.3))]
    vacant = front.size - len(front.subscriptions())
    chosen += [customers.apply] * (min(vacant, _often(front, 0.04)) if vacant > 0 else 0)
    if front.chance(0.35):
        chosen.append(shopkeeping.mend)
    chosen += [event for day, event in fate.great if day == number]
    return sorted(((_moment(front, today, 3), event) for event in chosen), key=lambda each: each[0])


def _often(front: Front, share: float, at_least: float = 0.0) -> int:
    """Draw how often something happens that happens for a share of the subscriptions each day."""
    rate = max(at_least, share * front.size)
    return int(rate) + front.chance(rate % 1)


def _moment(front: Front, today: date, offset: int) -> datetime:
    return datetime.combine(today, time(front.rng.randint(0, 23), 5 * front.rng.randint(0, 11) + offset))


def _jobs(life: Life, today: date) -> Iterator[Step]:
    front = life.front
    for clock, name in CRON:
        at = datetime.combine(today, clock)
        if not front.chance(0.03):
            yield at, partial(life.job, name, at)
        if front.chance(0.04):
            again = at + timedelta(minutes=5)
            yield again, partial(life.job, name, again)
    if front.chance(0.06):
        at = _moment(front, today, 0)
        yield at, partial(life.job, front.one_of(BY_HAND), at)
    if front.chance(0.7 if life.is_reset_waiting() else 0.04):
        at = _moment(front, today, 0)
        confirmed = life.is_reset_waiting() and front.chance(0.2)
        yield at, partial(life.job, "reset_pg", at, confirmed=confirmed)
