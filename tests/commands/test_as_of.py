"""`--as-of`: one moment, read strictly, and other than now only where nothing real can be changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from freezegun import freeze_time

from lib.command import Options, UsageError, read_as_of
from lib.command.options import as_of
from lib.settings import Settings
from tests.rig import Rig
from tests.shopkeeper import shop_row

pytestmark = pytest.mark.rule(13)

SEOUL = ZoneInfo("Asia/Seoul")


@freeze_time("2026-12-01 15:30:12")
@pytest.mark.parametrize("given", [None, "2026-12-02", "2026-12-02T00:30"])
def test_nothing_today_and_this_minute_are_now(given: str | None) -> None:
    assert read_as_of(given, SEOUL) == datetime(2026, 12, 2, 0, 30, 12, tzinfo=SEOUL)


@freeze_time("2026-12-01 15:30:12")
@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("2026-12-01", datetime(2026, 12, 1, 20, tzinfo=SEOUL)),
        ("2026-12-03", datetime(2026, 12, 3, 20, tzinfo=SEOUL)),
        ("2028-02-29", datetime(2028, 2, 29, 20, tzinfo=SEOUL)),
    ],
)
def test_another_date_without_a_time_is_eight_in_the_evening(given: str, read: datetime) -> None:
    assert read_as_of(given, SEOUL) == read


@freeze_time("2026-12-01 15:30:12")
@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("2026-12-02T00:29", datetime(2026, 12, 2, 0, 29, tzinfo=SEOUL)),
        ("2026-12-02T00:31", datetime(2026, 12, 2, 0, 31, tzinfo=SEOUL)),
        ("2026-12-02T09:05", datetime(2026, 12, 2, 9, 5, tzinfo=SEOUL)),
        ("2027-01-01T00:00", datetime(2027, 1, 1, tzinfo=SEOUL)),
    ],
)
def test_a_time_is_the_shops_time(given: str, read: datetime) -> None:
    assert read_as_of(given, SEOUL) == read


@pytest.mark.parametrize(
    ("real", "date_now"),
    [("2026-12-31 14:59:59", "2026-12-31"), ("2026-12-31 15:00:00", "2027-01-01")],
    ids=["a second before midnight in Seoul", "midnight in Seoul"],
)
def test_today_is_the_shops_day_and_not_the_servers(real: str, date_now: str) -> None:
    with freeze_time(real):
        assert read_as_of(date_now, SEOUL) == read_as_of(None, SEOUL)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "today",
        "2026-12",
        "20261201",
        "2026-12-01 10:00",
        "2026-12-01T10",
        "2026-12-01T10:00:00",
        "2026-12-01T10:00Z",
        "2026-02-30",
        "2026-12-01T24:00",
        "2026-13-01",
        "１２３４-12-01",
        "2026-12-1",
        "-2026-12-01",
        "1999-12-31",
        "0001-01-01",
        "9999-12-31",
        " 2026-12-01",
        "2026-12-01\n",
    ],
)
def test_anything_else_is_wrong_usage(given: str) -> None:
    with pytest.raises(UsageError, match="--as-of"):
        read_as_of(given, SEOUL)


JOBS = ("notify_d2", "charge_d1", "reset_pg")


def without_time_travel(rig: Rig) -> Settings:
    """Put in a shop whose configuration does not allow to travel."""
    rig.config(policy={"time_travel": False})
    shop_row(rig)
    return rig.settings()


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("given", ["2020-01-01", "2026-12-01T09:00", "2031-12-01"])
def test_another_moment_needs_simulators_or_a_dry_run(sqlite_rig: Rig, job: str, given: str) -> None:
    without_time_travel(sqlite_rig)
    before = sqlite_rig.checksums(exclude=())
    told = sqlite_rig.run(job, "--as-of", given, check=2)
    assert "--dry-run" in told.stderr
    assert sqlite_rig.checksums(exclude=()) == before


@pytest.mark.parametrize("job", JOBS)
def test_a_dry_run_may_stand_on_any_day(sqlite_rig: Rig, job: str) -> None:
    without_time_travel(sqlite_rig)
    told = sqlite_rig.run(job, "--as-of", "2031-12-01", "--dry-run")
    assert told.summary["as_of"] == "2031-12-01T20:00+09:00"
    assert sqlite_rig.ours("SELECT run_id FROM job_run") == []


@pytest.mark.parametrize("job", JOBS)
def test_on_loopback_a_run_may_stand_on_any_day_where_the_shop_says_so(sqlite_rig: Rig, job: str) -> None:
    sqlite_rig.config(policy={"time_travel": True})
    shop_row(sqlite_rig)
    told = sqlite_rig.run(job, "--as-of", "2026-12-01T00:30")
    assert told.summary["as_of"] == "2026-12-01T00:30+09:00"
    (found,) = sqlite_rig.ours("SELECT as_of FROM job_run")
    assert str(found["as_of"]).startswith("2026-11-30 15:30:00")


@pytest.mark.parametrize(
    ("section", "far"),
    [
        ("gateway", {"tosspayments": {"base_url": "https://api.tosspayments.com"}}),
        ("mail", {"smtp_url": "smtps://mail.example.com:465"}),
        ("sms", {"base_url": "https://api.solapi.com"}),
    ],
)
def test_nobody_travels_with_a_real_address_in_the_configuration(
    sqlite_rig: Rig, section: str, far: Mapping[str, object]
) -> None:
    sqlite_rig.config(None, register=False, **{"policy": {"time_travel": True}, section: far})
    told = sqlite_rig.run("notify_d2", "--as-of", "2026-12-01T09:00", check=78)
    assert "time_travel" in told.stderr
    sqlite_rig.config()


@freeze_time("2026-12-01 15:30:12")
@pytest.mark.parametrize("given", [None, "2026-12-02", "2026-12-02T00:30"])
def test_now_by_whatever_name_needs_neither(sqlite_rig: Rig, given: str | None) -> None:
    given_settings = without_time_travel(sqlite_rig)
    moment = as_of(Options(as_of=given), given_settings)
    assert moment == datetime(2026, 12, 2, 0, 30, 12, tzinfo=SEOUL)


@freeze_time("2026-12-01 15:30:12")
@pytest.mark.parametrize("given", ["2026-12-01", "2026-12-03", "2026-12-02T00:29", "2026-12-02T00:31"])
def test_the_minute_before_and_the_one_after_are_another_moment(sqlite_rig: Rig, given: str) -> None:
    with pytest.raises(UsageError, match="--dry-run"):
        as_of(Options(as_of=given), without_time_travel(sqlite_rig))


def test_a_date_that_is_today_is_a_run_like_any_other(sqlite_rig: Rig) -> None:
    without_time_travel(sqlite_rig)
    sqlite_rig.run("notify_d2", "--as-of", f"{datetime.now(SEOUL):%Y-%m-%d}")
    assert len(sqlite_rig.ours("SELECT run_id FROM job_run")) == 1
