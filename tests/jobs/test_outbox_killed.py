"""A run killed while it sends: the next one neither pays nor tells twice."""

from __future__ import annotations

import pytest

from lib.sandbox import Fault
from tests.jobs.notices import (
    D,
    body,
    lease_runs_out,
    ledger,
    mails_to,
    message_states,
    notify,
    texts_sent,
    the_round,
)
from tests.jobs.outbox import kill_when
from tests.rig import Rig
from tests.shopkeeper import mail_switch, open_shop, sms_switch, subscription

pytestmark = pytest.mark.rule(7)

AGAIN = "2026-12-01T09:30"
SECONDS = 20


@pytest.mark.parametrize("processed", [True, False])
def test_a_mail_in_flight_is_the_same_mail_again_and_paid_once(any_rig: Rig, processed: bool) -> None:
    open_shop(any_rig)
    sms_switch(any_rig, customer="F")
    mail_switch(any_rig, "payment_notice", operator="F")
    subscription(any_rig, delivery_on=D)
    smtp = any_rig.sandbox.smtp
    smtp.faults.add(Fault("delay", "dot", seconds=SECONDS, processed=processed, times=1))
    kill_when(any_rig, lambda: smtp.faults.struck > 0 and (len(smtp.book) > 0 or not processed))
    notify(any_rig, "2026-12-01T09:05")
    assert message_states(any_rig) == ["sending"]
    lease_runs_out(any_rig)
    notify(any_rig, AGAIN)
    assert (message_states(any_rig), the_round(any_rig)["state"]) == (["accepted"], "due")
    mails = mails_to(any_rig, "haneul@example.com")
    assert len({mail["Message-ID"] for mail in mails}) == len({body(mail) for mail in mails}) == 1
    assert ledger(any_rig) == [("debit", "bulk_mail", 1)]


@pytest.mark.parametrize("endpoint", ["create", "add", "send"])
@pytest.mark.parametrize("processed", [True, False])
def test_a_text_message_in_flight_is_sent_and_paid_once(any_rig: Rig, endpoint: str, processed: bool) -> None:
    open_shop(any_rig)
    mail_switch(any_rig, "payment_notice", customer="F", operator="F")
    subscription(any_rig, delivery_on=D)
    solapi = any_rig.sandbox.solapi
    solapi.faults.add(Fault("delay", endpoint, seconds=SECONDS, processed=processed, times=1))
    before = {"create": 0, "add": 1, "send": 2}[endpoint]
    kill_when(
        any_rig,
        lambda: (
            "sending" in message_states(any_rig)
            and len(solapi.calls()) >= before
            and (endpoint != "send" or not processed or bool(solapi.released()))
        ),
    )
    solapi.faults.clear()
    lease_runs_out(any_rig)
    notify(any_rig, AGAIN)
    notify(any_rig, "2026-12-01T10:00")
    assert (message_states(any_rig), the_round(any_rig)["state"]) == (["accepted"], "due")
    assert (len(texts_sent(any_rig)), ledger(any_rig)) == (1, [("debit", "sms", 1)])


def test_a_killed_seal_is_whole_or_not_there(rig: Rig) -> None:
    open_shop(rig)
    for number in range(120):
        subscription(rig, f"S-{number:03}", delivery_on=D)
    kill_when(rig, lambda: bool(rig.ours("SELECT 1 FROM job_run")))
    lease_runs_out(rig)
    notify(rig, AGAIN, check=None)
    lease_runs_out(rig)
    notify(rig, "2026-12-01T10:00")
    assert rig.ours("SELECT state, COUNT(*) AS n FROM billing_round GROUP BY state") == [
        {"state": "due", "n": 120}
    ]
    assert ledger(rig).count(("debit", "bulk_mail", 1)) == 240
