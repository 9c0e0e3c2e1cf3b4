"""`--as-of`: one moment, read strictly, and other than now only where nothing real can be changed."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from freezegun import freeze_time

from lib.command import UsageError, read_as_of
from tests.rig import Rig

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
        ("2026-12-02T09:05", datetime(2026, 12, 2, 9, 5, tzinfo=SEOUL)),
    ],
)
def test_another_date_without_a_time_is_eight_in_the_evening(given: str, read: datetime) -> None:
    assert read_as_of(given, SEOUL) == read


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
    ],
)
def test_anything_else_is_wrong_usage(given: str) -> None:
    with pytest.raises(UsageError, match="--as-of"):
        read_as_of(given, SEOUL)


def test_another_moment_needs_simulators_or_a_dry_run(sqlite_rig: Rig) -> None:
    sqlite_rig.config(policy={"time_travel": False})
    told = sqlite_rig.run("notify_d2", "--as-of", "2026-12-01T09:00", check=2)
    assert "--dry-run" in told.stderr
    assert sqlite_rig.ours("SELECT run_id FROM job_run") == []


def test_a_date_that_is_today_needs_neither(sqlite_rig: Rig) -> None:
    sqlite_rig.put(
        "shop",
        shop_no=1,
        shop_name="달빛커피",
        operator_email="",
        sender_email="a@example.com",
        sender_phone="0",
    )
    sqlite_rig.config(policy={"time_travel": False})
    sqlite_rig.run("notify_d2", "--as-of", f"{datetime.now(SEOUL):%Y-%m-%d}")


def test_a_dry_run_may_stand_on_any_day(sqlite_rig: Rig) -> None:
    sqlite_rig.put(
        "shop",
        shop_no=1,
        shop_name="달빛커피",
        operator_email="",
        sender_email="a@example.com",
        sender_phone="0",
    )
    sqlite_rig.config(policy={"time_travel": False})
    told = sqlite_rig.run("notify_d2", "--as-of", "2031-12-01", "--dry-run")
    assert told.summary["as_of"] == "2031-12-01T20:00+09:00"
