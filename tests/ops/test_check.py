"""`ops setup` and `ops check`: what they say, and how they end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lib.command import now
from tests.ops.desk import ops, rows, text
from tests.rig import Rig
from tests.shopkeeper import open_shop

JOBS = ("notify_d2", "charge_d1", "reset_pg")


def _ready(rig: Rig) -> None:
    open_shop(rig)
    rig.config(sms=None)


def _ran(rig: Rig, job: str, ended: timedelta | None, exit_code: int | None = 0) -> None:
    at = (now() - (ended or timedelta(0))).replace(tzinfo=None)
    rig.ours(
        "INSERT INTO job_run (job, as_of, host, pid, started_at, ended_at, exit_code)"
        " VALUES (:job, :at, 'h', 1, :at, :ended_at, :exit_code)",
        job=job,
        at=at,
        ended_at=at if ended else None,
        exit_code=exit_code,
    )


def test_setup_makes_tables_and_views_and_says_so(any_bare_rig: Rig) -> None:
    any_bare_rig.config(register=False)
    said = [row["said"] for row in rows(any_bare_rig, "setup")]
    assert any("billing_round" in line for line in said)
    assert any("뷰 16개" in line for line in said)


def test_setup_can_be_run_again_and_changes_nothing(any_bare_rig: Rig) -> None:
    any_bare_rig.config(register=False)
    ops(any_bare_rig, "setup")
    before = any_bare_rig.checksums()
    ops(any_bare_rig, "setup")
    assert any_bare_rig.checksums() == before


def test_setup_refuses_a_copy_until_it_is_adopted(sqlite_rig: Rig) -> None:
    sqlite_rig.config()
    sqlite_rig.ours("UPDATE installation SET hostname = 'production'")
    assert "production" in ops(sqlite_rig, "setup", check=78).stderr
    ops(sqlite_rig, "setup", "--adopt")
    ops(sqlite_rig, "setup")


def test_setup_takes_the_address_of_a_user_that_may_make_tables(bare_sqlite_rig: Rig) -> None:
    bare_sqlite_rig.config(register=False, database={"url": "sqlite:////nowhere/at/all.db"})
    ops(bare_sqlite_rig, "setup", check=78)
    ops(bare_sqlite_rig, "setup", "--database-url", bare_sqlite_rig.home.url)


def test_tables_that_are_not_ours_are_a_matter_of_installation(bare_sqlite_rig: Rig) -> None:
    bare_sqlite_rig.config(register=False)
    bare_sqlite_rig.ours("CREATE TABLE credit_entry (message_id INT)")
    assert "credit_entry" in ops(bare_sqlite_rig, "setup", check=78).stderr


def test_a_check_that_finds_nothing_ends_well(sqlite_rig: Rig) -> None:
    _ready(sqlite_rig)
    found = rows(sqlite_rig, "check", "--invariants")
    assert {row["state"] for row in found} <= {"ok", "warning"}
    assert any(row["what"].startswith("charged_once") for row in found)


def test_a_check_that_fails_says_what_to_do_and_ends_with_78(sqlite_rig: Rig) -> None:
    _ready(sqlite_rig)
    sqlite_rig.ours("UPDATE installation SET hostname = 'production'")
    found = ops(sqlite_rig, "check", check=78).summary["rows"]
    (row,) = [row for row in found if row["state"] == "problem"]
    assert "adopt" in row["remedy"]


def test_a_broken_invariant_is_a_problem(sqlite_rig: Rig) -> None:
    _ready(sqlite_rig)
    sqlite_rig.ours("INSERT INTO credit_entry VALUES (7, 'refund', 'sms', 1, '2026-12-01 00:00:00')")
    found = ops(sqlite_rig, "check", "--invariants", check=78).summary["rows"]
    assert [row["what"].partition(":")[0] for row in found if row["state"] == "problem"] == [
        "refunded_rightly"
    ]
    sqlite_rig.ours("DELETE FROM credit_entry")


def test_a_database_that_is_away_is_one_clear_problem(sqlite_rig: Rig) -> None:
    url = "mysql+pymysql://nobody@127.0.0.1:1/nothing"
    sqlite_rig.config(register=False, database={"url": url, "shop_schema": "shop"})
    found = ops(sqlite_rig, "check", "--invariants", check=78).summary["rows"]
    assert any("연결할 수 없음" in row["what"] for row in found)
    assert ops(sqlite_rig, "list", check=75).summary["exit_code"] == 75
    sqlite_rig.config()


def test_jobs_that_ended_in_time_are_fresh(sqlite_rig: Rig) -> None:
    _ready(sqlite_rig)
    for job, exit_code in zip(JOBS, (0, 1, 0), strict=True):
        _ran(sqlite_rig, job, timedelta(hours=25), exit_code)
    ops(sqlite_rig, "check", "--fresh", "26h")


@pytest.mark.parametrize(
    ("ended", "exit_code"),
    [(timedelta(hours=27), 0), (timedelta(hours=1), 75), (None, None)],
    ids=["long ago", "badly", "not at all"],
)
def test_a_job_that_did_not_end_well_in_time_fails_the_check(
    sqlite_rig: Rig, ended: timedelta | None, exit_code: int | None
) -> None:
    _ready(sqlite_rig)
    for job in JOBS[:2]:
        _ran(sqlite_rig, job, timedelta(hours=1))
    _ran(sqlite_rig, "reset_pg", ended, exit_code)
    found = ops(sqlite_rig, "check", "--fresh", "26h", check=78).summary["rows"]
    assert ["reset_pg" in row["what"] for row in found if row["state"] == "problem"] == [True]


@pytest.mark.parametrize("given", ["26", "h", "-1h", "26x", "２6h"])
def test_an_age_that_is_none_is_wrong_usage(sqlite_rig: Rig, given: str) -> None:
    sqlite_rig.config()
    ops(sqlite_rig, "check", f"--fresh={given}", check=2)


def test_a_person_reads_one_line_a_finding(sqlite_rig: Rig) -> None:
    _ready(sqlite_rig)
    lines = text(sqlite_rig, "check").splitlines()[1:]
    assert len(lines) == len(rows(sqlite_rig, "check"))
    assert all(line.startswith(("정상", "주의")) for line in lines)
