"""What the tests of the outbox share: who is told at all, how long a text is, and what became of messages."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import replace

from lib.billing.texts import sms_bytes
from lib.sandbox import Fault
from tests.jobs.notices import D_MINUS_2, texts_sent
from tests.rig import Rig
from tests.shopkeeper import mail_switch, sms_switch

KIM, PHONE = "haneul@example.com", "01020001234"
REFUSED, LATER = "kim+refuse@example.com", "kim+later@example.com"
OPERATOR = "operator@example.com"
CUSTOMER_MAIL, CUSTOMER_SMS, OPERATOR_MAIL = "customer mail", "customer sms", "operator mail"
SEEN_WITHIN = 20
"""Seconds."""
LOST_MAIL = (Fault("drop", "dot"),)
LOST_SMS = (Fault("drop", "send"), Fault("drop", "group"), Fault("drop", "delete"))
"""What makes a message unknown: the answer to its release is lost, and nothing more can be read back."""


def only(rig: Rig, *ways: str) -> None:
    """Switch off every way of the payment notice but these."""
    customer, operator = CUSTOMER_MAIL in ways, OPERATOR_MAIL in ways
    mail_switch(rig, "payment_notice", "T" if customer else "F", "T" if operator else "F")
    sms_switch(rig, customer="T" if CUSTOMER_SMS in ways else "F")


def states_of(rig: Rig, kind: str) -> dict[str, str]:
    """Return the state of every message of a kind, by recipient and channel."""
    rows = rig.ours("SELECT recipient, channel, state FROM message WHERE kind = :kind", kind=kind)
    return {f"{row['recipient']} {row['channel']}": row["state"] for row in rows}


def waiting(rig: Rig) -> list[str]:
    """Return who still waits for a message, in the order of the queue."""
    rows = rig.ours(
        "SELECT recipient, subscription_id FROM message WHERE state IN ('queued', 'no_credit') "
        "ORDER BY message_id"
    )
    return [f"{row['recipient']} {row['subscription_id']}" for row in rows]


def counted(rig: Rig, **columns: object) -> int:
    """Return how many messages have these values."""
    said = " AND ".join(f"{name} = :{name}" for name in columns)
    return int(rig.ours(f"SELECT COUNT(*) AS n FROM message WHERE {said}", **columns)[0]["n"])


def balance_moved(rig: Rig, channel: str) -> int:
    """Return by how much the ledger says a balance fell: debits less refunds."""
    rows = rig.ours("SELECT kind, units FROM credit_entry WHERE channel = :channel", channel=channel)
    return sum(row["units"] if row["kind"] == "debit" else -row["units"] for row in rows)


def name_for_bytes(total: int, amount: str = "12,900") -> str:
    """Return a shop's name with which the text message of a notice has so many bytes."""
    rest = sms_bytes(f"[] 12/3 배송분 {amount}원이 12/2 결제됩니다. 변경·해지: 마이쇼핑")
    hangul, odd = divmod(total - rest, 2)
    return "가" * hangul + "a" * odd


def rename_shop(rig: Rig, name: str) -> None:
    rig.shop("UPDATE shop SET shop_name = :name", name=name)


def lengths_sent(rig: Rig) -> list[int]:
    """Return how many bytes each text message had that left."""
    return [sms_bytes(text) for text in texts_sent(rig)]


def kill_when(rig: Rig, is_there: Callable[[], bool]) -> None:
    """Start notify_d2 and kill it as soon as something is seen from outside."""
    process = rig.start("notify_d2", "--as-of", D_MINUS_2)
    until = time.monotonic() + SEEN_WITHIN
    while not is_there() and time.monotonic() < until:
        time.sleep(0.01)
    process.kill()
    assert rig.finish(process).exit_code == -signal.SIGKILL


def text_is_refused_with(rig: Rig, code: str) -> None:
    """Let the provider refuse every text to the customer with this code; an empty one: take them."""
    solapi = rig.sandbox.solapi
    solapi.switches = replace(solapi.switches, refused={PHONE: code} if code else {})
