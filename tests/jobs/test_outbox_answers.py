"""What the providers' answers do to messages, rounds, credits and the run."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from lib.sandbox import Fault
from tests.jobs.notices import D_MINUS_1, D, ledger, message_states, notify, open_matters, states, the_round
from tests.rig import Rig
from tests.shopkeeper import credits_left, mail_switch, open_shop, sms_switch, subscription

pytestmark = pytest.mark.rule(6, 7)

REFUSED = "kim+refuse@example.com"


def only_customer_mail(rig: Rig) -> None:
    sms_switch(rig, customer="F")
    mail_switch(rig, "payment_notice", operator="F")


def test_a_refused_mail_is_refunded_and_the_text_message_still_announces(any_rig: Rig) -> None:
    open_shop(any_rig)
    subscription(any_rig, delivery_on=D, buyer_email=REFUSED)
    assert notify(any_rig).counts["messages_refused"] == 1
    assert states(any_rig)["customer mail"] == "refused"
    assert (the_round(any_rig)["state"], credits_left(any_rig)["bulk_mail"]) == ("due", 999)


def test_a_refused_text_message_is_refunded_and_the_mail_still_announces(any_rig: Rig) -> None:
    open_shop(any_rig)
    solapi = any_rig.sandbox.solapi
    solapi.switches = replace(solapi.switches, refused={"01020001234": "1060"})
    subscription(any_rig, delivery_on=D)
    assert notify(any_rig).counts["messages_refused"] == 1
    assert states(any_rig)["customer sms"] == "refused"
    assert (the_round(any_rig)["state"], credits_left(any_rig)["sms"]) == ("due", 1_000)


def test_a_customer_whom_nothing_reaches_is_held_for_a_person(any_rig: Rig) -> None:
    open_shop(any_rig)
    only_customer_mail(any_rig)
    subscription(any_rig, delivery_on=D, buyer_email=REFUSED)
    notify(any_rig, check=1)
    found = the_round(any_rig)
    assert found["state"] == "held"
    assert open_matters(any_rig) == [("held", f"round {found['round_id']}")]
    notify(any_rig, D_MINUS_1)


def test_a_mail_put_off_waits_with_its_debit_and_goes_later(any_rig: Rig) -> None:
    open_shop(any_rig)
    only_customer_mail(any_rig)
    subscription(any_rig, delivery_on=D)
    any_rig.sandbox.smtp.faults.add(Fault("error", "rcpt", status=451, times=1))
    notify(any_rig)
    assert (message_states(any_rig), ledger(any_rig)) == (["queued"], [("debit", "bulk_mail", 1)])
    notify(any_rig, "2026-12-01T09:05")
    assert message_states(any_rig) == ["queued"]
    notify(any_rig, "2026-12-01T09:15")
    assert (message_states(any_rig), ledger(any_rig)) == (["accepted"], [("debit", "bulk_mail", 1)])


def test_a_refusal_of_the_account_keeps_the_debit_and_stops_the_provider(any_rig: Rig) -> None:
    open_shop(any_rig)
    any_rig.sandbox.smtp.faults.add(Fault("error", "mail", status=550))
    for number in range(3):
        subscription(any_rig, f"S-{number}", delivery_on=D)
    ended = notify(any_rig, check=78)
    assert "메일: 발송사가 계정을 거부합니다" in ended.stderr
    assert ended.counts["messages_accepted"] == 3
    assert credits_left(any_rig) == {"bulk_mail": 997, "sms": 997}
    assert {one["state"] for one in any_rig.ours("SELECT state FROM message WHERE channel = 'mail'")} == {
        "queued"
    }
    any_rig.sandbox.smtp.faults.clear()
    notify(any_rig, "2026-12-01T10:00")
    assert set(message_states(any_rig)) == {"accepted"}
    assert credits_left(any_rig)["bulk_mail"] == 994


def test_an_unregistered_sender_number_stops_the_text_messages_only(any_rig: Rig) -> None:
    open_shop(any_rig)
    solapi = any_rig.sandbox.solapi
    solapi.switches = replace(solapi.switches, senders=("0299999999",))
    subscription(any_rig, delivery_on=D)
    notify(any_rig, check=78)
    assert states(any_rig) == {
        "customer mail": "accepted",
        "customer sms": "queued",
        "operator mail": "accepted",
    }
    assert credits_left(any_rig)["sms"] == 999


def _closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_without_a_mail_server_everything_waits_with_its_debit(any_rig: Rig) -> None:
    away = any_rig.folder / "away.toml"
    any_rig.config(away, mail={"smtp_url": f"smtp://127.0.0.1:{_closed_port()}"})
    open_shop(any_rig)
    for number in range(3):
        subscription(any_rig, f"S-{number}", delivery_on=D)
    ended = notify(any_rig, check=75)
    assert "연결되면 다시 실행하세요" in ended.stderr
    mails = any_rig.ours("SELECT state FROM message WHERE channel = 'mail'")
    assert {one["state"] for one in mails} == {"queued"}
    assert credits_left(any_rig) == {"bulk_mail": 994, "sms": 997}
    any_rig.config()
    notify(any_rig, "2026-12-01T10:00")
    assert set(message_states(any_rig)) == {"accepted"}
    assert credits_left(any_rig)["bulk_mail"] == 994


def test_a_mail_server_that_is_away_is_tried_three_times_and_no_more(rig: Rig) -> None:
    open_shop(rig)
    sms_switch(rig, customer="F")
    rig.config(mail={"connections": 1})
    rig.sandbox.smtp.faults.add(Fault("drop", "accept"))
    for number in range(200):
        subscription(rig, f"S-{number:03}", delivery_on=D)
    notify(rig, check=75)
    tried = rig.ours("SELECT COUNT(*) AS n FROM message WHERE tries > 0")[0]["n"]
    assert (tried, set(message_states(rig))) == (150, {"queued"})


def test_one_lost_connection_does_not_stop_the_others(any_rig: Rig) -> None:
    open_shop(any_rig)
    sms_switch(any_rig, customer="F")
    any_rig.sandbox.smtp.faults.add(Fault("drop", "rcpt", times=1))
    for number in range(5):
        subscription(any_rig, f"S-{number}", delivery_on=D)
    assert notify(any_rig, check=75).counts["messages_accepted"] == 9
    notify(any_rig, "2026-12-01T10:00")
    assert set(message_states(any_rig)) == {"accepted"}
