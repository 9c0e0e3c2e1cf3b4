"""Every job on a generated shop: a dry run changes nothing, and neither does a second run."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from lib.sandbox import shops
from lib.sandbox.recipe import Recipe
from tests.rig import Rig
from tests.shopkeeper import terminate_contract

FIRST_DAY = date(2026, 12, 4)
SIZE = 120


def test_every_job_changes_nothing_dry_and_nothing_the_second_time(rig: Rig) -> None:
    with rig.home.shop.begin() as connection:
        shops.load(connection, Recipe(first_day=FIRST_DAY, days=3, subscriptions=SIZE))
    rig.config()
    rig.remember_credits()
    _dry_then_twice(rig, "notify_d2", f"{FIRST_DAY - timedelta(days=2)}T09:00")
    _dry_then_twice(rig, "charge_d1", f"{FIRST_DAY - timedelta(days=1)}T10:00")
    terminate_contract(rig, at=datetime.combine(FIRST_DAY, time(9)))
    _dry_then_twice(rig, "reset_pg", f"{FIRST_DAY}T09:30")


def _dry_then_twice(rig: Rig, job: str, at: str) -> None:
    before = (rig.checksums(exclude=()), _books(rig))
    rig.run(job, "--as-of", at, "--dry-run", check=None)
    assert (rig.checksums(exclude=()), _books(rig)) == before
    assert rig.run(job, "--as-of", at, check=None).exit_code <= 1
    after = (rig.checksums(), _books(rig))
    assert after[0] != before[0]
    rig.run(job, "--as-of", at)
    assert (rig.checksums(), _books(rig)) == after


def _books(rig: Rig) -> list[int]:
    return [len(each.book) for each in (rig.sandbox.toss, rig.sandbox.solapi, rig.sandbox.smtp)]
