"""Rule 13: days are the shop's, whatever the zone of the server, and what happens has its own moment."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from freezegun import freeze_time

from jobs import charge_d1, notify_d2
from lib.clock import Clock
from lib.matters import Matters
from lib.run import Run
from tests.billing.brute_force import DAY
from tests.jobs.when import charge, days_of_charge, deliveries, notify, ordered, stored
from tests.rig import Rig
from tests.shopkeeper import Item, open_shop, subscription

pytestmark = pytest.mark.rule(13)

SEOUL = ZoneInfo("Asia/Seoul")
D = date(2026, 12, 3)
AWAKE = {"quiet_hours": ""}


@pytest.fixture
def server_zone(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[str]:
    """Let this process stand in another time zone."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def weekly(rig: Rig, delivery_on: date = D) -> None:
    rig.config(policy=AWAKE)
    open_shop(rig)
    subscription(rig, "S-1", delivery_on=delivery_on, items=(Item(cycle="1W"),))


def run_begun(rig: Rig, at: datetime, ago: timedelta) -> Run:
    """Return a run whose business clock began `ago` at the moment `at` of the shop's zone."""
    clock = Clock(at.replace(tzinfo=SEOUL), SEOUL, time.monotonic() - ago.total_seconds())
    return Run(rig.settings(), rig.store(), clock, Matters(0))


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_the_zone_of_the_server_changes_nothing(rig: Rig, monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    monkeypatch.setenv("TZ", zone)
    weekly(rig)
    rig.run_process("notify_d2", "--as-of", "2026-12-01T00:30")
    rig.run_process("charge_d1", "--as-of", "2026-12-02T00:30")
    assert days_of_charge(rig) == [(D - 2 * DAY, D - DAY, D + DAY)]
    (round_,) = rig.ours("SELECT sealed_at, next_attempt_at, paid_at, written_at FROM billing_round")
    assert round_["sealed_at"].replace(microsecond=0, second=0) == datetime(2026, 11, 30, 15, 30)
    assert round_["paid_at"].replace(microsecond=0, second=0) == datetime(2026, 12, 1, 15, 30)
    (attempt,) = rig.ours("SELECT sent_at, sent_on FROM payment_attempt")
    assert (f"{attempt['sent_at']:%m-%d %H:%M}", attempt["sent_on"]) == ("12-01 15:30", D - DAY)
    (order,) = rig.shop("SELECT delivery_date, paid_at FROM orders")
    assert (order["delivery_date"], f"{order['paid_at']:%m-%d %H:%M}") == (D, "12-02 00:30")
    logged = rig.shop("SELECT logged_at FROM subscription_log ORDER BY log_no")
    assert [f"{row['logged_at']:%m-%d %H:%M}" for row in logged] == ["12-01 00:30", "12-02 00:30"]
    assert stored(rig) == [D + 7 * DAY]


@pytest.mark.parametrize("server_zone", ["UTC", "America/New_York", "Pacific/Kiritimati"], indirect=True)
@pytest.mark.parametrize(
    ("real", "due"),
    [("2026-11-30 14:59:59", 0), ("2026-11-30 15:00:00", 1), ("2026-11-30 15:30:00", 1)],
    ids=["a second before midnight in Seoul", "midnight in Seoul", "half past midnight in Seoul"],
)
@pytest.mark.usefixtures("server_zone")
def test_without_as_of_a_run_stands_on_the_shops_day(sqlite_rig: Rig, real: str, due: int) -> None:
    weekly(sqlite_rig)
    with freeze_time(real):
        found = sqlite_rig.run("notify_d2", "--dry-run")
    assert found.counts["due"] == due


@pytest.mark.parametrize(
    ("as_of", "delivery_on", "days"),
    [
        ("2026-11-30T00:00", date(2026, 12, 1), ("11-30", "12-01", "12-03")),
        ("2026-12-30T23:59", date(2027, 1, 1), ("12-30", "12-31", "01-02")),
        ("2026-12-31T00:00", date(2027, 1, 1), ("12-31", "01-01", "01-03")),
        ("2026-12-31T23:59", date(2027, 1, 2), ("12-31", "01-01", "01-03")),
        ("2027-02-27T00:00", date(2027, 3, 1), ("02-27", "02-28", "03-02")),
        ("2028-02-27T00:00", date(2028, 2, 29), ("02-27", "02-28", "03-01")),
        ("2028-02-28T23:59", date(2028, 2, 29), ("02-28", "02-29", "03-02")),
    ],
)
def test_months_and_years_end_at_midnight_in_seoul(
    sqlite_rig: Rig, as_of: str, delivery_on: date, days: tuple[str, str, str]
) -> None:
    weekly(sqlite_rig, delivery_on)
    sqlite_rig.run("notify_d2", "--as-of", as_of)
    (found,) = sqlite_rig.ours("SELECT announced_on, charge_on, charge_until FROM billing_round")
    assert tuple(f"{day:%m-%d}" for day in found.values()) == days
    (due,) = sqlite_rig.ours("SELECT next_attempt_at AS at FROM billing_round")
    midnight = datetime.combine(found["charge_on"], datetime.min.time(), SEOUL)
    assert datetime.fromisoformat(str(due["at"])).replace(tzinfo=UTC) == midnight


@pytest.mark.parametrize(
    ("at", "state"),
    [("2026-12-01T23:59", "due"), ("2026-12-02T00:00", "paid")],
    ids=["the last minute of the day of the notice", "midnight"],
)
def test_the_day_of_the_charge_begins_at_midnight_in_seoul(rig: Rig, at: str, state: str) -> None:
    weekly(rig)
    notify(rig, D - 2 * DAY)
    rig.run("charge_d1", "--as-of", at)
    assert deliveries(rig) == [(D, state)]


def test_what_is_due_is_decided_by_the_start_of_a_run_that_goes_past_midnight(rig: Rig) -> None:
    weekly(rig)
    run = run_begun(rig, datetime(2026, 11, 30, 23, 59), timedelta(minutes=5))
    notify_d2.announce(run)
    assert (run.clock.today, deliveries(rig)) == (D - 3 * DAY, [])


def test_a_notice_that_leaves_past_midnight_counts_from_the_day_it_left(rig: Rig) -> None:
    weekly(rig)
    notify_d2.announce(run_begun(rig, datetime(2026, 12, 1, 23, 59), timedelta(minutes=5)))
    assert days_of_charge(rig) == [(D - DAY, D, D + 2 * DAY)]


@pytest.mark.parametrize("require_notice", ["any", "none"])
def test_a_round_that_midnight_overtook_before_its_seal_is_left_to_the_next_run(
    rig: Rig, require_notice: str
) -> None:
    weekly(rig)
    rig.config(policy=AWAKE | {"require_notice": require_notice})
    run = run_begun(rig, datetime(2026, 12, 2, 23, 59), timedelta(minutes=5))
    notify_d2.announce(run)
    assert (deliveries(rig), run.counts["matters_opened"]) == ([], 0)
    notify(rig, D)
    assert deliveries(rig) == [(D + 2 * DAY, "due")]


def test_a_charge_that_midnight_overtook_is_made_no_later_than_its_last_day(rig: Rig) -> None:
    weekly(rig)
    notify(rig, D - 2 * DAY)
    charge_d1.charge(run_begun(rig, datetime(2026, 12, 4, 23, 59), timedelta(minutes=5)))
    assert (deliveries(rig), rig.sandbox.toss.approvals()) == ([(D, "missed")], [])


def test_a_charge_past_midnight_is_sent_on_the_day_it_is_sent(rig: Rig) -> None:
    weekly(rig)
    notify(rig, D - 2 * DAY)
    charge_d1.charge(run_begun(rig, datetime(2026, 12, 2, 23, 59), timedelta(minutes=5)))
    assert rig.ours("SELECT sent_on FROM payment_attempt") == [{"sent_on": D}]
    assert ordered(rig) == [D]


def test_the_time_that_a_run_takes_passes_for_its_business_clock_too() -> None:
    began = datetime(2026, 12, 1, 20, tzinfo=SEOUL)
    clock = Clock(began, SEOUL, time.monotonic() - 90)
    assert timedelta(seconds=90) <= clock.now() - began < timedelta(seconds=100)
    assert (clock.today, clock.local().replace(second=0)) == (date(2026, 12, 1), datetime(2026, 12, 1, 20, 1))


@pytest.mark.parametrize(
    ("began", "expected"),
    [
        (datetime(2026, 11, 1, 0, 30), datetime(2026, 11, 1, 6, 30, tzinfo=UTC)),
        (datetime(2026, 3, 8, 0, 30), datetime(2026, 3, 8, 7, 30, tzinfo=UTC)),
    ],
    ids=["the clocks go back", "the clocks go forward"],
)
def test_in_a_shop_with_summer_time_two_hours_are_two_hours(began: datetime, expected: datetime) -> None:
    zone = ZoneInfo("America/New_York")
    clock = Clock(began.replace(tzinfo=zone), zone, time.monotonic() - 7_200)
    assert timedelta(0) <= clock.now() - expected < timedelta(seconds=10)


def test_a_charge_the_day_after_the_notice_needs_no_24_hours_between_them(rig: Rig) -> None:
    weekly(rig)
    notify(rig, D - 2 * DAY, "23:59")
    charge(rig, D - DAY, "00:00")
    assert deliveries(rig) == [(D, "paid")]
