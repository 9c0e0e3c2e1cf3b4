"""Rule 7: one debit in a message's life, whatever becomes of it; only a definite refusal gives it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from lib.sandbox import Card, Fault
from tests.jobs import charging, resetting
from tests.jobs.notices import D, ledger, message_states, notify, the_round
from tests.jobs.outbox import (
    CUSTOMER_MAIL,
    CUSTOMER_SMS,
    KIM,
    LATER,
    LOST_MAIL,
    OPERATOR_MAIL,
    PHONE,
    REFUSED,
    lengths_sent,
    name_for_bytes,
    only,
    rename_shop,
)
from tests.rig import Rig
from tests.shopkeeper import Item, card, credits_left, mail_switch, open_shop, product, subscription
from tests.shopkeeper import credits as set_credits

pytestmark = pytest.mark.rule(7)

TIMES = ("2026-12-01T09:15", "2026-12-01T09:30", "2026-12-01T10:00", "2026-12-01T11:00")


def due(rig: Rig, *ways: str, buyer_email: str = KIM) -> None:
    open_shop(rig)
    only(rig, *ways)
    subscription(rig, delivery_on=D, buyer_email=buyer_email)


def text_answers(rig: Rig, **switches: object) -> None:
    """Set the text provider up; no argument: it takes everything."""
    solapi = rig.sandbox.solapi
    usual: dict[str, Any] = {"refused": {}, "senders": None, "balance_krw": 1_000_000}
    solapi.switches = replace(solapi.switches, **usual | switches)


def test_every_message_is_debited_once(any_rig: Rig) -> None:
    due(any_rig, CUSTOMER_MAIL, CUSTOMER_SMS, OPERATOR_MAIL)
    notify(any_rig)
    notify(any_rig, TIMES[0])
    assert sorted(ledger(any_rig)) == [*[("debit", "bulk_mail", 1)] * 2, ("debit", "sms", 1)]
    assert credits_left(any_rig) == {"bulk_mail": 998, "sms": 999}


MAIL_FAULTS = {
    "put_off": Fault("error", "rcpt", status=451),
    "put_off_at_its_end": Fault("error", "dot", status=452),
    "connection_refused": Fault("drop", "accept"),
    "connection_lost": Fault("drop", "data"),
    "account_refused": Fault("error", "mail", status=550),
    "answer_lost": LOST_MAIL[0],
}


@pytest.mark.parametrize("fault", MAIL_FAULTS)
def test_a_mail_tried_again_and_again_is_debited_once(rig: Rig, fault: str) -> None:
    due(rig, CUSTOMER_MAIL)
    rig.sandbox.smtp.faults.add(MAIL_FAULTS[fault])
    for at in ("2026-12-01T09:00", *TIMES):
        notify(rig, at, check=None)
        assert ledger(rig) == [("debit", "bulk_mail", 1)]
    rig.sandbox.smtp.faults.clear()
    notify(rig, "2026-12-01T12:00")
    assert (message_states(rig), ledger(rig)) == (["accepted"], [("debit", "bulk_mail", 1)])
    assert credits_left(rig)["bulk_mail"] == 999


@pytest.mark.parametrize(
    "switches",
    [
        pytest.param({"refused": {PHONE: "1024"}}, id="put_off"),
        pytest.param({"senders": ("0299999999",)}, id="sender_not_registered"),
        pytest.param({"balance_krw": 0}, id="provider_s_purse_is_empty"),
    ],
)
def test_a_text_message_tried_again_and_again_is_debited_once(
    rig: Rig, switches: Mapping[str, object]
) -> None:
    due(rig, CUSTOMER_SMS)
    text_answers(rig, **switches)
    for at in ("2026-12-01T09:00", *TIMES):
        notify(rig, at, check=None)
        assert (message_states(rig), ledger(rig)) == (["queued"], [("debit", "sms", 1)])
    text_answers(rig)
    notify(rig, "2026-12-01T12:00")
    assert (message_states(rig), ledger(rig)) == (["accepted"], [("debit", "sms", 1)])


@pytest.mark.parametrize("units", [1, 3])
def test_a_refused_text_message_is_given_back_what_it_cost(rig: Rig, units: int) -> None:
    due(rig, CUSTOMER_SMS)
    rename_shop(rig, name_for_bytes(90 if units == 1 else 91))
    text_answers(rig, refused={PHONE: "1060"})
    notify(rig, check=1)
    assert ledger(rig) == [("debit", "sms", units), ("refund", "sms", units)]
    assert (message_states(rig), credits_left(rig)["sms"]) == (["refused"], 1_000)


def test_a_mail_refused_after_it_was_put_off_gets_its_one_debit_back(rig: Rig) -> None:
    due(rig, CUSTOMER_MAIL)
    rig.sandbox.smtp.faults.add(Fault("error", "rcpt", status=451, times=1))
    rig.sandbox.smtp.faults.add(Fault("error", "rcpt", status=550))
    notify(rig)
    assert (message_states(rig), ledger(rig)) == (["queued"], [("debit", "bulk_mail", 1)])
    notify(rig, "2026-12-01T10:00", check=1)
    assert (message_states(rig), the_round(rig)["state"]) == (["refused"], "held")
    assert ledger(rig) == [("debit", "bulk_mail", 1), ("refund", "bulk_mail", 1)]


def test_a_refused_operators_mail_is_refunded_and_holds_nothing(rig: Rig) -> None:
    due(rig, CUSTOMER_MAIL, OPERATOR_MAIL)
    rig.shop("UPDATE shop SET operator_email = :address", address=REFUSED)
    notify(rig)
    assert (message_states(rig), the_round(rig)["state"]) == (["accepted", "refused"], "due")
    assert credits_left(rig)["bulk_mail"] == 999


def test_a_refused_auto_cancel_mail_is_refunded(rig: Rig) -> None:
    resetting.subscribed(rig, buyer_email=REFUSED)
    resetting.pg_changed(rig)
    resetting.reset(rig)
    assert sorted(message_states(rig)) == ["accepted", "refused"]
    assert credits_left(rig)["bulk_mail"] == 999


def test_a_message_that_cost_nothing_is_refunded_nothing(rig: Rig) -> None:
    rig.config(policy={"debit_notice_mail": False})
    due(rig, CUSTOMER_MAIL, OPERATOR_MAIL, buyer_email=REFUSED)
    notify(rig, check=1)
    assert (message_states(rig)[0], ledger(rig)) == ("refused", [])


@pytest.mark.parametrize(
    ("total", "kind", "units"), [(89, "SMS", 1), (90, "SMS", 1), (91, "LMS", 3), (92, "LMS", 3)]
)
def test_a_text_of_more_than_90_bytes_is_an_lms(rig: Rig, total: int, kind: str, units: int) -> None:
    due(rig, CUSTOMER_SMS)
    rename_shop(rig, name_for_bytes(total))
    notify(rig)
    assert lengths_sent(rig) == [total]
    assert [sms.kind for sms in rig.sandbox.solapi.released()] == [kind]
    assert ledger(rig) == [("debit", "sms", units)]


@pytest.mark.parametrize(
    ("sms_units", "lms_units", "total", "units"), [(2, 5, 90, 2), (2, 5, 91, 5), (1, 0, 91, 0), (0, 3, 90, 0)]
)
def test_what_a_text_message_costs_is_configured(
    rig: Rig, sms_units: int, lms_units: int, total: int, units: int
) -> None:
    rig.config(policy={"sms_units": sms_units, "lms_units": lms_units})
    due(rig, CUSTOMER_SMS)
    rename_shop(rig, name_for_bytes(total))
    set_credits(rig, sms=units)
    notify(rig)
    assert (message_states(rig), credits_left(rig)["sms"]) == (["accepted"], 0)
    assert ledger(rig) == ([("debit", "sms", units)] if units else [])


def test_a_text_that_grew_between_two_tries_is_not_debited_again(rig: Rig) -> None:
    due(rig, CUSTOMER_SMS)
    rename_shop(rig, name_for_bytes(90))
    text_answers(rig, refused={PHONE: "1024"})
    notify(rig)
    rename_shop(rig, name_for_bytes(91))
    text_answers(rig)
    notify(rig, TIMES[0])
    assert [sms.kind for sms in rig.sandbox.solapi.released()] == ["LMS"]
    assert (ledger(rig), credits_left(rig)["sms"]) == ([("debit", "sms", 1)], 999)


def test_a_debit_of_an_earlier_try_is_enough_when_the_credits_are_used_up_since(rig: Rig) -> None:
    due(rig, CUSTOMER_MAIL, buyer_email=LATER)
    set_credits(rig, bulk_mail=1)
    notify(rig)
    assert credits_left(rig)["bulk_mail"] == 0
    ended = notify(rig, TIMES[0])
    assert (message_states(rig), ended.counts["messages_no_credit"]) == (["queued"], 0)


def free_mails(rig: Rig) -> None:
    rig.config(policy={"debit_notice_mail": False, "retry_days": 1, "retry_times": ["10:00", "17:00"]})


def test_with_free_mails_every_mail_about_a_charge_is_free(rig: Rig) -> None:
    free_mails(rig)
    charging.announced(rig, charging.SOFT)
    set_credits(rig, bulk_mail=0)
    charging.charge(rig, "2026-12-02T10:00")
    charging.charge(rig, "2026-12-02T17:00")
    told = rig.ours("SELECT DISTINCT kind, state FROM message WHERE channel = 'mail' ORDER BY kind")
    assert [(row["kind"], row["state"]) for row in told] == [
        ("payment_declined", "accepted"),
        ("payment_failed", "accepted"),
        ("payment_notice", "accepted"),
    ]
    assert ledger(rig) == [("debit", "sms", 1)]


def test_with_free_mails_an_auto_cancel_mail_still_costs_one(rig: Rig) -> None:
    free_mails(rig)
    resetting.subscribed(rig)
    resetting.pg_changed(rig)
    resetting.reset(rig)
    assert (message_states(rig), ledger(rig)) == (["accepted"] * 2, [("debit", "bulk_mail", 1)] * 2)


def test_with_free_mails_an_auto_cancel_mail_without_credit_waits_alone(rig: Rig) -> None:
    free_mails(rig)
    resetting.subscribed(rig)
    set_credits(rig, bulk_mail=0)
    notify(rig)
    resetting.pg_changed(rig)
    resetting.reset(rig, check=1)
    rows = rig.ours("SELECT DISTINCT kind, state FROM message ORDER BY kind")
    assert [(row["kind"], row["state"]) for row in rows] == [
        ("auto_cancel", "no_credit"),
        ("payment_notice", "accepted"),
    ]


def test_with_free_mails_the_digest_is_free(rig: Rig) -> None:
    rig.config(policy={"debit_notice_mail": False, "operator_mail": "digest"})
    due(rig, OPERATOR_MAIL)
    notify(rig)
    assert (sorted(message_states(rig)), ledger(rig)) == (["accepted", "merged"], [])


def test_the_mail_after_the_last_round_is_debited_like_that_of_a_reset(rig: Rig) -> None:
    free_mails(rig)
    open_shop(rig)
    product(rig)
    mail_switch(rig, "payment_notice", operator="F")
    rig.sandbox.toss.register(Card(charging.MAIN))
    subscription(
        rig,
        delivery_on=D,
        items=(Item(max_rounds=1),),
        card_id=card(rig, billing_key=charging.MAIN),
    )
    notify(rig)
    charging.charge(rig)
    assert sorted(ledger(rig)) == [("debit", "bulk_mail", 1), ("debit", "bulk_mail", 1), ("debit", "sms", 1)]
