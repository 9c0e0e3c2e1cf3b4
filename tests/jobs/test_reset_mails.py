"""reset_pg tells each customer and the operator once, and pays for it with 대량메일 credits."""

from __future__ import annotations

import pytest

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


def test_without_credit_the_mails_wait_and_the_reset_ends(rig: Rig) -> None:
    subscribed(rig, 2)
    shopkeeper.credits(rig, bulk_mail=1)
    pg_changed(rig)
    done = reset(rig, check=1)
    assert (reset_states(rig), states(rig)) == (["done"], {"S-1": "C", "S-2": "C"})
    assert done.counts["messages_no_credit"] == 3
    assert matters(rig) == [("no_credit", "bulk_mail")]


def test_after_a_top_up_the_next_run_sends_what_waited(rig: Rig) -> None:
    subscribed(rig, 2)
    shopkeeper.credits(rig, bulk_mail=1)
    pg_changed(rig)
    reset(rig, check=1)
    rig.shop("UPDATE message_credit SET balance = 10 WHERE channel = 'bulk_mail'")
    rig.remember_credits()
    assert reset(rig, at="2026-12-03T09:00").counts["messages_accepted"] == 3
    assert len(set(message_ids(rig))) == 4
    assert matters(rig) == []


def test_in_quiet_hours_the_reset_ends_and_the_mails_wait_for_the_morning(rig: Rig) -> None:
    subscribed(rig)
    pg_changed(rig)
    assert reset(rig, at="2026-12-02T22:00").counts["cancelled"] == 1
    assert (reset_states(rig), message_ids(rig)) == (["done"], [])
    assert reset(rig, at="2026-12-03T08:00").counts["messages_accepted"] == 2


def test_a_customer_without_an_address_is_told_nothing_and_ended(rig: Rig) -> None:
    subscribed(rig, buyer_email="")
    rig.shop("UPDATE member SET email = ''")
    pg_changed(rig)
    reset(rig)
    assert (states(rig), cancel_mails(rig)) == ({"S-1": "C"}, [("S-1", "operator", "accepted")])


def test_one_digest_tells_the_operator_where_that_is_wanted(rig: Rig) -> None:
    subscribed(rig, 3)
    rig.config(policy={"operator_mail": "digest"})
    pg_changed(rig)
    assert reset(rig).counts["messages_accepted"] == 4
    assert [state for _, recipient, state in cancel_mails(rig) if recipient == "operator"] == ["merged"] * 3
    assert credits_left(rig)["bulk_mail"] == 996


def test_a_mail_server_that_is_away_does_not_hold_the_reset_up(rig: Rig) -> None:
    subscribed(rig)
    rig.config(mail={"smtp_url": "smtp://127.0.0.1:9"})
    pg_changed(rig)
    reset(rig, check=None)
    assert (reset_states(rig), states(rig)) == (["done"], {"S-1": "C"})
    rig.config()
    reset(rig, at="2026-12-02T14:00")
    assert [state for *_, state in cancel_mails(rig)] == ["accepted", "accepted"]
