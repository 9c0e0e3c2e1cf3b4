"""`ops service` (이용현황): how the PGs, the credits and the jobs stand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from lib.clock import Clock
from lib.matters import Matters
from lib.report.service import service
from lib.run import Run
from tests.jobs.charging import announced, charge
from tests.rig import Rig
from tests.shopkeeper import Item, mail_switch, open_shop, sms_switch, subscription
from tests.shopkeeper import credits as give_credits


def _service(rig: Rig, at: datetime = datetime(2026, 12, 1, tzinfo=UTC)) -> dict[str, list[dict[str, Any]]]:
    settings = rig.settings()
    run = Run(settings, rig.store(), Clock(at, settings.shop.timezone), Matters(0))
    return {one.key: [dict(row) for row in one.rows] for one in service(run)}


def test_subscriptions_and_cards_are_counted_for_each_pg(any_rig: Rig) -> None:
    open_shop(any_rig)
    subscription(any_rig, "S-1", delivery_on=date(2026, 12, 3))
    subscription(any_rig, "S-2", delivery_on=date(2026, 12, 3), subscription_state="P")
    subscription(any_rig, "S-3", delivery_on=date(2026, 12, 3), pg_code="allat", card_id=None)
    found = {row["pg_code"]: row for row in _service(any_rig)["services"]}
    toss, allat = found["tosspayments"], found["allat"]
    assert (toss["state"], toss["cards"], toss["in_use"], toss["paused"]) == ("in_use", 2, 1, 1)
    assert (allat["state"], allat["cards"], allat["in_use"]) == (None, 0, 1)


def test_contracts_are_shown_with_how_they_ended(any_rig: Rig) -> None:
    open_shop(any_rig)
    any_rig.shop("UPDATE pg_contract SET state = 'terminated', termination = 'changed'")
    (row,) = _service(any_rig)["contracts"]
    assert (row["pg_code"], row["state"], row["termination"]) == ("tosspayments", "terminated", "changed")


def test_credits_are_held_against_the_notices_of_a_week(any_rig: Rig) -> None:
    open_shop(any_rig)
    give_credits(any_rig, bulk_mail=3, sms=100)
    for number, day in enumerate((3, 9, 10), start=1):
        subscription(any_rig, f"S-{number}", delivery_on=date(2026, 12, day))
    found = {row["channel"]: row for row in _service(any_rig)["credits"]}
    # Deliveries up to D-2 of the seventh day: the 3rd and the 9th, each told by mail to two and by one LMS.
    assert (found["bulk_mail"]["coming"], found["bulk_mail"]["short"]) == (4, 1)
    assert (found["sms"]["coming"], found["sms"]["short"]) == (6, 0)


@pytest.mark.parametrize(
    ("policy", "mails", "sms"),
    [({}, 1, 0), ({"operator_mail": "digest"}, 1, 0), ({"debit_notice_mail": False}, 0, 0)],
)
def test_only_what_is_switched_on_and_costs_is_counted(
    sqlite_rig: Rig, policy: dict[str, object], mails: int, sms: int
) -> None:
    open_shop(sqlite_rig)
    mail_switch(sqlite_rig, "payment_notice", customer="T", operator="F")
    sms_switch(sqlite_rig, customer="F")
    subscription(sqlite_rig, delivery_on=date(2026, 12, 3))
    sqlite_rig.config(policy=policy)
    found = {row["channel"]: row["coming"] for row in _service(sqlite_rig)["credits"]}
    assert found == {"bulk_mail": mails, "sms": sms}


def test_messages_that_wait_for_credit_are_needed_now(sqlite_rig: Rig) -> None:
    open_shop(sqlite_rig)
    give_credits(sqlite_rig, bulk_mail=0, sms=0)
    subscription(sqlite_rig, delivery_on=date(2026, 12, 3))
    sqlite_rig.run("notify_d2", "--as-of", "2026-12-01T09:00", check=1)
    found = {row["channel"]: row for row in _service(sqlite_rig)["credits"]}
    assert (found["bulk_mail"]["waiting"], found["bulk_mail"]["short"]) == (2, 2)
    assert found["sms"]["waiting"] > 0


def test_paused_and_sealed_items_need_no_notice(any_rig: Rig) -> None:
    announced(any_rig)
    subscription(any_rig, "S-2", delivery_on=date(2026, 12, 4), items=(Item(state="B"),))
    assert _service(any_rig)["coming"] == []


def test_the_last_run_of_each_job_is_shown(sqlite_rig: Rig) -> None:
    announced(sqlite_rig)
    charge(sqlite_rig)
    found = {row["job"]: row for row in _service(sqlite_rig)["runs"]}
    assert (found["charge_d1"]["exit_code"], found["charge_d1"]["counts"]) == (0, "due=1 paid=1 written=1")
    assert (found["reset_pg"]["started_at"], found["reset_pg"]["good_at"]) == (None, None)


def test_a_run_that_was_killed_is_not_taken_for_one_that_ended(sqlite_rig: Rig) -> None:
    announced(sqlite_rig)
    sqlite_rig.ours("UPDATE job_run SET ended_at = NULL, exit_code = NULL, summary = NULL")
    found = {row["job"]: row for row in _service(sqlite_rig)["runs"]}
    assert found["notify_d2"]["started_at"] is not None
    assert (found["notify_d2"]["ended_at"], found["notify_d2"]["good_at"]) == (None, None)
