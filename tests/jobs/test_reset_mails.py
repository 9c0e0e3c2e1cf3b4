"""reset_pg tells each customer and the operator once, and pays for it with 대량메일 credits."""

from __future__ import annotations

import pytest

from lib.sandbox import Fault
from tests import shopkeeper
from tests.jobs.resetting import (
    cancel_mails,
    matters,
    message_ids,
    pg_changed,
    reset,
    reset_states,
    states,
    subscribed,
)
from tests.rig import Rig
from tests.shopkeeper import credits_left, mail_switch

pytestmark = pytest.mark.rule(7, 12)


def test_one_mail_goes_to_the_customer_and_one_to_the_operator(any_rig: Rig) -> None:
    subscribed(any_rig, 2)
    pg_changed(any_rig)
    assert reset(any_rig).counts["messages_accepted"] == 4
    assert cancel_mails(any_rig) == [
        ("S-1", "customer", "accepted"),
        ("S-1", "operator", "accepted"),
        ("S-2", "customer", "accepted"),
        ("S-2", "operator", "accepted"),
    ]
    assert credits_left(any_rig) == {"bulk_mail": 996, "sms": 1_000}


def test_a_mail_waits_for_credit_however_long(sqlite_rig: Rig) -> None:
    subscribed(sqlite_rig)
    shopkeeper.credits(sqlite_rig, bulk_mail=0)
    pg_changed(sqlite_rig)
    reset(sqlite_rig, check=1)
    shopkeeper.credits(sqlite_rig, bulk_mail=2)
    assert reset(sqlite_rig, at="2027-06-01T09:00").counts["messages_accepted"] == 2


@pytest.mark.parametrize(
    ("customer", "operator", "told"),
    [("T", "F", ["customer"]), ("F", "T", ["operator"]), ("F", "F", [])],
)
def test_each_recipient_has_a_switch(
    sqlite_rig: Rig, customer: shopkeeper.Flag, operator: shopkeeper.Flag, told: list[str]
) -> None:
    subscribed(sqlite_rig)
    mail_switch(sqlite_rig, "auto_cancel", customer, operator)
    pg_changed(sqlite_rig)
    reset(sqlite_rig)
    assert [recipient for _, recipient, _ in cancel_mails(sqlite_rig)] == told
    assert credits_left(sqlite_rig)["bulk_mail"] == 1_000 - len(told)


def test_who_was_switched_off_then_is_told_nothing_later(sqlite_rig: Rig) -> None:
    subscribed(sqlite_rig)
    mail_switch(sqlite_rig, "auto_cancel", "F", "T")
    pg_changed(sqlite_rig)
    reset(sqlite_rig)
    sqlite_rig.shop("UPDATE automail_setting SET use_customer = 'T'")
    sqlite_rig.ours("UPDATE pg_reset SET state = 'open', finished_at = NULL")
    reset(sqlite_rig, at="2026-12-03T09:00")
    assert cancel_mails(sqlite_rig) == [("S-1", "operator", "accepted")]


@pytest.mark.parametrize("at", ["2026-12-03T09:00", "2027-06-01T09:00"])
def test_however_often_and_late_it_is_run_again_nobody_is_told_twice(rig: Rig, at: str) -> None:
    subscribed(rig, 2)
    pg_changed(rig)
    reset(rig)
    sent, left = message_ids(rig), credits_left(rig)
    for state in ("open", "drained", "cancelled", "purged"):
        rig.ours("UPDATE pg_reset SET state = :state, finished_at = NULL", state=state)
        reset(rig, at=at)
    assert (message_ids(rig), credits_left(rig)) == (sent, left)


def test_the_end_is_told_by_mail_alone_and_costs_no_sms(rig: Rig) -> None:
    subscribed(rig)
    pg_changed(rig)
    reset(rig)
    assert rig.ours("SELECT DISTINCT channel FROM message WHERE kind = 'auto_cancel'") == [
        {"channel": "mail"}
    ]
    assert (rig.sandbox.solapi.released(), credits_left(rig)["sms"]) == ([], 1_000)


def test_the_mails_cost_credits_though_notices_by_mail_are_free(rig: Rig) -> None:
    subscribed(rig)
    rig.config(policy={"debit_notice_mail": False})
    pg_changed(rig)
    reset(rig)
    assert credits_left(rig)["bulk_mail"] == 998


def test_the_last_credit_goes_to_the_customer(sqlite_rig: Rig) -> None:
    subscribed(sqlite_rig)
    shopkeeper.credits(sqlite_rig, bulk_mail=1)
    pg_changed(sqlite_rig)
    reset(sqlite_rig, check=1)
    assert cancel_mails(sqlite_rig) == [("S-1", "customer", "accepted"), ("S-1", "operator", "no_credit")]


def test_without_credit_the_mails_wait_and_the_reset_ends(sqlite_rig: Rig) -> None:
    subscribed(sqlite_rig, 2)
    shopkeeper.credits(sqlite_rig, bulk_mail=1)
    pg_changed(sqlite_rig)
    done = reset(sqlite_rig, check=1)
    assert (reset_states(sqlite_rig), states(sqlite_rig)) == (["done"], {"S-1": "C", "S-2": "C"})
    assert done.counts["messages_no_credit"] == 3
    assert matters(sqlite_rig) == [("no_credit", "bulk_mail")]


def test_after_a_top_up_the_next_run_sends_what_waited(sqlite_rig: Rig) -> None:
    subscribed(sqlite_rig, 2)
    shopkeeper.credits(sqlite_rig, bulk_mail=1)
    pg_changed(sqlite_rig)
    reset(sqlite_rig, check=1)
    sqlite_rig.shop("UPDATE message_credit SET balance = 10 WHERE channel = 'bulk_mail'")
    sqlite_rig.remember_credits()
    assert reset(sqlite_rig, at="2026-12-03T09:00").counts["messages_accepted"] == 3
    assert len(set(message_ids(sqlite_rig))) == 4
    assert matters(sqlite_rig) == []


def test_in_quiet_hours_the_reset_ends_and_the_mails_wait_for_the_morning(sqlite_rig: Rig) -> None:
    subscribed(sqlite_rig)
    pg_changed(sqlite_rig)
    assert reset(sqlite_rig, at="2026-12-02T22:00").counts["cancelled"] == 1
    assert (reset_states(sqlite_rig), message_ids(sqlite_rig)) == (["done"], [])
    assert reset(sqlite_rig, at="2026-12-03T08:00").counts["messages_accepted"] == 2


def test_a_customer_without_an_address_is_told_nothing_and_ended(sqlite_rig: Rig) -> None:
    subscribed(sqlite_rig, buyer_email="")
    sqlite_rig.shop("UPDATE member SET email = ''")
    pg_changed(sqlite_rig)
    reset(sqlite_rig)
    assert (states(sqlite_rig), cancel_mails(sqlite_rig)) == ({"S-1": "C"}, [("S-1", "operator", "accepted")])


def test_a_shop_without_an_operators_address_tells_the_customers(sqlite_rig: Rig) -> None:
    subscribed(sqlite_rig)
    sqlite_rig.shop("UPDATE shop SET operator_email = ''")
    pg_changed(sqlite_rig)
    reset(sqlite_rig)
    assert cancel_mails(sqlite_rig) == [("S-1", "customer", "accepted")]


def test_an_address_that_is_refused_gets_its_credit_back_and_no_second_mail(rig: Rig) -> None:
    subscribed(rig)
    rig.sandbox.smtp.faults.add(
        Fault("error", endpoint="rcpt", subject="member1@example.com", status=550, times=1)
    )
    pg_changed(rig)
    reset(rig)
    reset(rig, at="2026-12-03T09:00")
    assert cancel_mails(rig) == [("S-1", "customer", "refused"), ("S-1", "operator", "accepted")]
    assert credits_left(rig)["bulk_mail"] == 999


def test_one_digest_tells_the_operator_where_that_is_wanted(rig: Rig) -> None:
    subscribed(rig, 3)
    rig.config(policy={"operator_mail": "digest"})
    pg_changed(rig)
    assert reset(rig).counts["messages_accepted"] == 4
    assert [state for _, recipient, state in cancel_mails(rig) if recipient == "operator"] == ["merged"] * 3
    assert credits_left(rig)["bulk_mail"] == 996


def test_a_mail_server_that_is_away_does_not_hold_the_reset_up(sqlite_rig: Rig) -> None:
    subscribed(sqlite_rig)
    sqlite_rig.config(mail={"smtp_url": "smtp://127.0.0.1:9"})
    pg_changed(sqlite_rig)
    reset(sqlite_rig, check=None)
    assert (reset_states(sqlite_rig), states(sqlite_rig)) == (["done"], {"S-1": "C"})
    sqlite_rig.config()
    reset(sqlite_rig, at="2026-12-02T14:00")
    assert [state for *_, state in cancel_mails(sqlite_rig)] == ["accepted", "accepted"]
