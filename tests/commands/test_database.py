"""A database that is away, refuses us or is not set up here: each has its code and its line."""

from __future__ import annotations

import socket
from datetime import date

import pytest

from tests.rig import Rig
from tests.shopkeeper import open_shop, subscription


def test_nothing_listening_is_75(rig: Rig) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    rig.config(database={"url": f"mysql+pymysql://jeonggi@127.0.0.1:{port}/jeonggi"}, register=False)
    told = rig.run("notify_d2", check=75)
    assert told.summary == {"exit_code": 75, "error": "DatabaseAwayError"}
    rig.config()


def test_a_wrong_password_is_78_and_not_told(rig: Rig) -> None:
    user = rig.home.url.partition("://")[2].partition(":")[0]
    place = rig.home.url.rpartition("@")[2]
    rig.config(
        database={"url": f"mysql+pymysql://{user}@{place}", "password": "guessed-wrong"}, register=False
    )
    told = rig.run("notify_d2", check=78)
    assert "데이터베이스가 거부합니다: Access denied" in told.stderr
    assert "guessed-wrong" not in told.stdout + told.stderr
    rig.config()


def test_a_schema_that_is_not_there_is_78(rig: Rig) -> None:
    rig.config(database={"url": rig.home.url + "_none"}, register=False)
    assert "데이터베이스가 거부합니다" in rig.run("notify_d2", check=78).stderr
    rig.config()


def test_a_database_that_was_never_set_up_is_78(any_bare_rig: Rig) -> None:
    any_bare_rig.config(register=False)
    assert "setup" in any_bare_rig.run("charge_d1", check=78).stderr


@pytest.mark.parametrize("wrong", ["DROP VIEW v_credit", "ALTER TABLE billing_round DROP COLUMN order_id"])
def test_a_missing_view_or_column_is_78(bare_rig: Rig, wrong: str) -> None:
    bare_rig.home.install()
    open_shop(bare_rig)
    bare_rig.config()
    subscription(bare_rig, delivery_on=date(2026, 12, 3))
    bare_rig.run("notify_d2", "--as-of", "2026-12-01T09:00")
    bare_rig.ours(wrong)
    told = bare_rig.run("charge_d1", "--as-of", "2026-12-02T10:00", check=78)
    assert "테이블, 뷰 또는 열이 없습니다" in told.stderr
    assert "jeonggi setup" in told.stderr


def test_an_installation_of_another_host_is_78_until_it_is_adopted(rig: Rig) -> None:
    open_shop(rig)
    rig.config()
    rig.ours("UPDATE installation SET hostname = 'production'")
    assert "setup --adopt" in rig.run("charge_d1", check=78).stderr
    assert rig.ours("SELECT run_id FROM job_run") == []
    rig.config()
    rig.run("charge_d1")


def test_a_database_file_that_cannot_be_opened_is_78(sqlite_rig: Rig) -> None:
    sqlite_rig.config(database={"url": "sqlite:////nowhere/shop.db"}, register=False)
    assert "데이터베이스가 거부합니다" in sqlite_rig.run("notify_d2", check=78).stderr
    sqlite_rig.config()
