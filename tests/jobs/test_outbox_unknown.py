"""What may have left is never paid twice, and found out by look-up or by the very same mail again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lib.sandbox import Fault
from tests.jobs.notices import (
    D_MINUS_1,
    D,
    body,
    ledger,
    mails_to,
    message_states,
    notify,
    states,
    texts_sent,
    the_round,
)
from tests.rig import Rig
from tests.shopkeeper import credits_left, mail_switch, open_shop, sms_switch, subscription

pytestmark = pytest.mark.rule(7)

AGAIN = "2026-12-01T09:30"
KIM = "haneul@example.com"


def only_mail(rig: Rig) -> None:
    open_shop(rig)
    sms_switch(rig, customer="F")
    mail_switch(rig, "payment_notice", operator="F")
    subscription(rig, delivery_on=D)


def only_text(rig: Rig) -> None:
    open_shop(rig)
    mail_switch(rig, "payment_notice", customer="F", operator="F")
    subscription(rig, delivery_on=D)


@pytest.mark.parametrize("arrived", [True, False])
def test_a_mail_lost_after_its_end_is_sent_again_as_the_same_mail(any_rig: Rig, arrived: bool) -> None:
    only_mail(any_rig)
    any_rig.sandbox.smtp.faults.add(Fault("drop", "dot", processed=arrived, times=1))
    assert notify(any_rig).counts["messages_unknown"] == 1
    assert (message_states(any_rig), the_round(any_rig)["state"]) == (["unknown"], "sealed")
    notify(any_rig, AGAIN)
    assert (message_states(any_rig), the_round(any_rig)["state"]) == (["accepted"], "due")
    mails = mails_to(any_rig, KIM)
    assert len({mail["Message-ID"] for mail in mails}) == len({body(mail) for mail in mails}) == 1
    assert len(mails) == 1 + arrived
    assert ledger(any_rig) == [("debit", "bulk_mail", 1)]


def test_a_mail_sent_again_keeps_its_text_though_the_card_has_changed(any_rig: Rig) -> None:
    only_mail(any_rig)
    any_rig.sandbox.smtp.faults.add(Fault("drop", "dot", processed=True, times=1))
    notify(any_rig)
    any_rig.shop("UPDATE card SET masked_number = '9999-****'")
    notify(any_rig, AGAIN)
    first, second = mails_to(any_rig, KIM)
    assert body(first) == body(second)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault("error", "rcpt", status=451, times=1), id="put_off"),
        pytest.param(Fault("drop", "rcpt", times=1), id="lost_before_its_end"),
    ],
)
def test_a_mail_that_may_have_left_stays_unknown_when_a_second_try_fails(any_rig: Rig, fault: Fault) -> None:
    only_mail(any_rig)
    any_rig.sandbox.smtp.faults.add(Fault("drop", "dot", processed=True, times=1))
    notify(any_rig)
    any_rig.sandbox.smtp.faults.add(fault)
    notify(any_rig, AGAIN, check=None)
    assert message_states(any_rig) == ["unknown"]
    notify(any_rig, "2026-12-01T10:00")
    assert message_states(any_rig) == ["accepted"]


def test_an_account_that_is_refused_leaves_a_mail_unknown_and_stops_the_provider(any_rig: Rig) -> None:
    only_mail(any_rig)
    any_rig.sandbox.smtp.faults.add(Fault("drop", "dot", processed=True, times=1))
    notify(any_rig)
    any_rig.sandbox.smtp.faults.add(Fault("error", "mail", status=550, times=1))
    notify(any_rig, AGAIN, check=78)
    assert message_states(any_rig) == ["unknown"]


def test_a_shop_may_leave_unknown_mails_to_a_person(any_rig: Rig) -> None:
    any_rig.config(policy={"resend_unknown_mail": False})
    only_mail(any_rig)
    any_rig.sandbox.smtp.faults.add(Fault("drop", "dot", times=1))
    notify(any_rig)
    notify(any_rig, AGAIN)
    assert (message_states(any_rig), mails_to(any_rig, KIM)) == (["unknown"], [])


def test_a_mail_sent_again_a_day_later_puts_the_charge_off_to_the_day_after_it(any_rig: Rig) -> None:
    only_mail(any_rig)
    any_rig.sandbox.smtp.faults.add(Fault("drop", "dot", times=1))
    notify(any_rig)
    notify(any_rig, D_MINUS_1)
    (round_,) = any_rig.ours("SELECT state, announced_on, charge_on FROM billing_round")
    assert (message_states(any_rig), len(mails_to(any_rig, KIM))) == (["accepted"], 1)
    assert (round_["state"], round_["charge_on"] - round_["announced_on"]) == ("due", timedelta(days=1))


@pytest.mark.parametrize("endpoint", ["create", "add"])
@pytest.mark.parametrize("processed", [True, False])
def test_a_text_message_lost_before_the_release_was_not_sent(
    any_rig: Rig, endpoint: str, processed: bool
) -> None:
    only_text(any_rig)
    any_rig.sandbox.solapi.faults.add(Fault("drop", endpoint, processed=processed, times=1))
    notify(any_rig, check=75)
    assert (message_states(any_rig), texts_sent(any_rig)) == (["queued"], [])
    notify(any_rig, AGAIN)
    assert (message_states(any_rig), len(texts_sent(any_rig))) == (["accepted"], 1)
    assert ledger(any_rig) == [("debit", "sms", 1)]


@pytest.mark.parametrize("processed", [True, False])
def test_a_lost_release_is_read_back_at_once(any_rig: Rig, processed: bool) -> None:
    only_text(any_rig)
    any_rig.sandbox.solapi.faults.add(Fault("drop", "send", processed=processed, times=1))
    notify(any_rig, check=0 if processed else 75)
    assert message_states(any_rig) == (["accepted"] if processed else ["queued"])
    notify(any_rig, AGAIN)
    assert (message_states(any_rig), len(texts_sent(any_rig))) == (["accepted"], 1)
    assert credits_left(any_rig)["sms"] == 999


@pytest.mark.parametrize("processed", [True, False])
def test_a_lost_release_that_cannot_be_read_back_is_looked_up_by_the_next_run(
    any_rig: Rig, processed: bool
) -> None:
    only_text(any_rig)
    faults = any_rig.sandbox.solapi.faults
    faults.add(Fault("drop", "send", processed=processed), Fault("drop", "group"), Fault("drop", "delete"))
    notify(any_rig)
    assert (message_states(any_rig), the_round(any_rig)["state"]) == (["unknown"], "sealed")
    faults.clear()
    notify(any_rig, AGAIN)
    notify(any_rig, "2026-12-01T10:00")
    assert (states(any_rig), the_round(any_rig)["state"]) == ({"customer sms": "accepted"}, "due")
    assert (len(texts_sent(any_rig)), ledger(any_rig)) == (1, [("debit", "sms", 1)])
