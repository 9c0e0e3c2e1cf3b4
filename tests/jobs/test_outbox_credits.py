"""Rule 7: what a message costs, once in its life, and what happens where the credits are used up."""

from __future__ import annotations

import pytest

from tests.jobs.notices import (
    D_MINUS_1,
    D,
    ledger,
    message_states,
    notify,
    open_matters,
    states,
    the_round,
)
from tests.rig import Rig
from tests.shopkeeper import credits as set_credits
from tests.shopkeeper import credits_left, mail_switch, open_shop, sms_switch, subscription

LONG_NAME = "아주 긴 이름을 가진 달빛 원두 커피 로스터스 서울 강남 본점 직영 온라인 쇼핑몰"


def test_every_message_is_debited_once(any_rig: Rig) -> None:
    open_shop(any_rig)
    subscription(any_rig, delivery_on=D)
    notify(any_rig)
    assert sorted(ledger(any_rig)) == [
        ("debit", "bulk_mail", 1),
        ("debit", "bulk_mail", 1),
        ("debit", "sms", 1),
    ]
    assert credits_left(any_rig) == {"bulk_mail": 998, "sms": 999}


def test_a_text_over_90_bytes_is_an_lms_and_costs_three(any_rig: Rig) -> None:
    open_shop(any_rig)
    any_rig.shop("UPDATE shop SET shop_name = :name", name=LONG_NAME)
    subscription(any_rig, delivery_on=D)
    notify(any_rig)
    assert credits_left(any_rig)["sms"] == 997
    assert [sms.kind for sms in any_rig.sandbox.solapi.released()] == ["LMS"]


def test_the_units_are_what_the_configuration_says(any_rig: Rig) -> None:
    any_rig.config(policy={"sms_units": 2})
    open_shop(any_rig)
    subscription(any_rig, delivery_on=D)
    notify(any_rig)
    assert credits_left(any_rig)["sms"] == 998


def test_the_notice_mail_may_be_free(any_rig: Rig) -> None:
    any_rig.config(policy={"debit_notice_mail": False})
    open_shop(any_rig)
    set_credits(any_rig, bulk_mail=0)
    subscription(any_rig, delivery_on=D)
    assert notify(any_rig).counts["messages_accepted"] == 3
    assert ledger(any_rig) == [("debit", "sms", 1)]


def test_without_credit_a_message_waits_and_a_top_up_sends_it(any_rig: Rig) -> None:
    open_shop(any_rig)
    sms_switch(any_rig, customer="F")
    set_credits(any_rig, bulk_mail=0)
    subscription(any_rig, delivery_on=D)
    counts = notify(any_rig, check=1).counts
    assert (counts["messages_no_credit"], counts["credits_needed"]["bulk_mail"]) == (2, 2)
    assert (the_round(any_rig)["state"], open_matters(any_rig)) == ("sealed", [("no_credit", "bulk_mail")])
    assert notify(any_rig, "2026-12-01T10:00").counts["messages_no_credit"] == 2
    set_credits(any_rig, bulk_mail=5)
    assert notify(any_rig, "2026-12-01T11:00").counts["messages_accepted"] == 2
    assert (the_round(any_rig)["state"], open_matters(any_rig)) == ("due", [])
    assert credits_left(any_rig)["bulk_mail"] == 3


def test_one_channel_without_credit_does_not_hold_up_the_other(any_rig: Rig) -> None:
    open_shop(any_rig)
    set_credits(any_rig, bulk_mail=0)
    subscription(any_rig, delivery_on=D)
    notify(any_rig, check=1)
    assert states(any_rig) == {
        "customer mail": "no_credit",
        "customer sms": "accepted",
        "operator mail": "no_credit",
    }
    assert the_round(any_rig)["state"] == "due"


def test_the_last_credits_go_to_customers(any_rig: Rig) -> None:
    open_shop(any_rig)
    sms_switch(any_rig, customer="F")
    set_credits(any_rig, bulk_mail=2)
    for number in range(2):
        subscription(any_rig, f"S-{number}", delivery_on=D)
    notify(any_rig, check=1)
    sent = any_rig.ours("SELECT recipient, state FROM message ORDER BY recipient, message_id")
    assert [(row["recipient"], row["state"]) for row in sent] == [
        *[("customer", "accepted")] * 2,
        *[("operator", "no_credit")] * 2,
    ]


def test_credits_are_spent_to_the_last_and_never_below_zero(any_rig: Rig) -> None:
    open_shop(any_rig)
    sms_switch(any_rig, customer="F")
    mail_switch(any_rig, "payment_notice", operator="F")
    set_credits(any_rig, bulk_mail=3)
    for number in range(5):
        subscription(any_rig, f"S-{number}", delivery_on=D)
    notify(any_rig, check=1)
    assert message_states(any_rig) == ["accepted"] * 3 + ["no_credit"] * 2
    assert credits_left(any_rig)["bulk_mail"] == 0


def test_two_credits_are_not_enough_for_an_lms(any_rig: Rig) -> None:
    open_shop(any_rig)
    any_rig.shop("UPDATE shop SET shop_name = :name", name=LONG_NAME)
    set_credits(any_rig, sms=2)
    subscription(any_rig, delivery_on=D)
    counts = notify(any_rig, check=1).counts
    assert counts["credits_needed"]["sms"] == 3
    assert credits_left(any_rig)["sms"] == 2


@pytest.mark.parametrize(
    "closed",
    [
        pytest.param("UPDATE billing_round SET state = 'void'", id="voided"),
        pytest.param("UPDATE billing_round SET delivery_on = '2026-12-02'", id="its_day_has_come"),
        pytest.param(
            "UPDATE billing_round SET state = 'due', announced_on = '2026-12-01', charge_on = '2026-12-02', "
            "charge_until = '2026-12-04'",
            id="announced_and_charged_today",
        ),
    ],
)
def test_a_notice_nobody_needs_any_more_expires(any_rig: Rig, closed: str) -> None:
    open_shop(any_rig)
    set_credits(any_rig, bulk_mail=0, sms=0)
    subscription(any_rig, delivery_on=D)
    notify(any_rig, check=1)
    any_rig.ours(closed)
    set_credits(any_rig)
    notify(any_rig, D_MINUS_1, check=None)
    assert set(message_states(any_rig)[:3]) == {"expired"}
    assert credits_left(any_rig)["bulk_mail"] >= 998


def test_what_expires_after_a_try_gets_its_debit_back(any_rig: Rig) -> None:
    open_shop(any_rig)
    sms_switch(any_rig, customer="F")
    mail_switch(any_rig, "payment_notice", operator="F")
    subscription(any_rig, delivery_on=D, buyer_email="kim+later@example.com")
    notify(any_rig)
    assert (message_states(any_rig), ledger(any_rig)) == (["queued"], [("debit", "bulk_mail", 1)])
    any_rig.ours("UPDATE billing_round SET state = 'void'")
    any_rig.shop("UPDATE subscription SET subscription_state = 'C'")
    notify(any_rig, D_MINUS_1)
    assert (message_states(any_rig), credits_left(any_rig)["bulk_mail"]) == (["expired"], 1_000)
