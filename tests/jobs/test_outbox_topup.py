"""Rule 7: what waited for credit is sent after a top-up, once, by the next job of any kind."""

from __future__ import annotations

import pytest

from tests.jobs import resetting
from tests.jobs.notices import D, mails_to, message_states, notify, open_matters, texts_sent, the_round
from tests.jobs.outbox import CUSTOMER_MAIL, CUSTOMER_SMS, KIM, only
from tests.rig import Rig
from tests.shopkeeper import credits as set_credits
from tests.shopkeeper import credits_left, mail_switch, open_shop, subscription

pytestmark = pytest.mark.rule(7)

JOBS = ["notify_d2", "charge_d1", "reset_pg"]
LATER_THAT_DAY, AND_LATER = "2026-12-01T11:00", "2026-12-01T12:00"


@pytest.mark.parametrize("job", JOBS)
def test_the_next_job_of_any_kind_sends_what_waited(rig: Rig, job: str) -> None:
    open_shop(rig)
    set_credits(rig, bulk_mail=0, sms=0)
    subscription(rig, delivery_on=D)
    notify(rig, check=1)
    assert rig.run(job, "--as-of", "2026-12-01T10:00").counts["messages_no_credit"] == 3
    set_credits(rig, bulk_mail=2, sms=1)
    ended = rig.run(job, "--as-of", LATER_THAT_DAY)
    assert (ended.counts["messages_accepted"], ended.counts["messages_no_credit"]) == (3, 0)
    assert (the_round(rig)["state"], open_matters(rig)) == ("due", [])
    assert credits_left(rig) == {"bulk_mail": 0, "sms": 0}


@pytest.mark.parametrize("job", JOBS)
def test_what_was_sent_after_a_top_up_is_not_sent_again(rig: Rig, job: str) -> None:
    open_shop(rig)
    set_credits(rig, bulk_mail=0, sms=0)
    subscription(rig, delivery_on=D)
    notify(rig, check=1)
    set_credits(rig)
    rig.run(job, "--as-of", LATER_THAT_DAY)
    for each in JOBS:
        assert rig.run(each, "--as-of", AND_LATER).counts["messages_accepted"] == 0
    assert (len(mails_to(rig, KIM)), len(texts_sent(rig))) == (1, 1)


@pytest.mark.parametrize("job", JOBS)
def test_an_auto_cancel_mail_waits_for_credit_however_long(rig: Rig, job: str) -> None:
    resetting.subscribed(rig)
    set_credits(rig, bulk_mail=0)
    resetting.pg_changed(rig)
    resetting.reset(rig, check=1)
    set_credits(rig, bulk_mail=2)
    assert rig.run(job, "--as-of", "2028-02-29T09:00").counts["messages_accepted"] == 2
    assert message_states(rig) == ["accepted"] * 2


def test_a_top_up_of_one_channel_sends_nothing_on_the_other(rig: Rig) -> None:
    open_shop(rig)
    only(rig, CUSTOMER_MAIL, CUSTOMER_SMS)
    set_credits(rig, bulk_mail=0, sms=0)
    subscription(rig, delivery_on=D)
    notify(rig, check=1)
    set_credits(rig, bulk_mail=0, sms=1)
    notify(rig, LATER_THAT_DAY)
    assert (message_states(rig), open_matters(rig)) == (
        ["no_credit", "accepted"],
        [("no_credit", "bulk_mail")],
    )


@pytest.mark.parametrize(
    ("way", "policy"),
    [
        (CUSTOMER_MAIL, {"debit_notice_mail": False}),
        (CUSTOMER_SMS, {"sms_units": 0}),
    ],
)
def test_what_waited_for_credit_goes_once_it_costs_nothing(
    any_rig: Rig, way: str, policy: dict[str, object]
) -> None:
    open_shop(any_rig)
    only(any_rig, way)
    set_credits(any_rig, bulk_mail=0, sms=0)
    subscription(any_rig, delivery_on=D)
    notify(any_rig, check=1)
    any_rig.config(policy=policy)
    assert notify(any_rig, LATER_THAT_DAY).counts["messages_accepted"] == 1
    assert open_matters(any_rig) == []


def test_what_still_costs_waits_on_when_other_mails_become_free(rig: Rig) -> None:
    resetting.subscribed(rig)
    mail_switch(rig, "payment_notice", operator="F")
    set_credits(rig, bulk_mail=0)
    notify(rig, check=1)
    resetting.pg_changed(rig)
    rig.config(policy={"debit_notice_mail": False})
    resetting.reset(rig, check=0)
    assert sorted(message_states(rig)) == ["accepted", "expired", "no_credit", "no_credit"]
