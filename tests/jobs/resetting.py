"""What the tests of reset_pg share: a shop whose PG was changed at noon on 2 December."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

from lib.clock import Clock
from lib.matters import Matters
from lib.run import Run as JobRun
from lib.sandbox import Fault
from tests.rig import Rig, Run
from tests.shopkeeper import card, contract, open_shop, service, subscription, terminate_contract

DELIVERY = date(2026, 12, 3)
NOTICE_AT, CHARGE_AT, RESET_AT = "2026-12-01T09:00", "2026-12-02T10:00", "2026-12-02T13:00"
EVENT = datetime(2026, 12, 2, 12)
SHOP_NAME = "달빛커피"
PG, OTHER_PG = "tosspayments", "nicepay"
BY_HAND = ("--pg", PG, "--confirm", SHOP_NAME)
LONG_AFTER = "2026-12-20T09:00"
A_SECOND = timedelta(seconds=1)
LOST_REPLY = Fault("drop", endpoint="charge", times=1, processed=True)
LOST_REQUEST = Fault("drop", endpoint="charge", times=1)


def subscribed(rig: Rig, number: int = 1, **columns: Any) -> list[str]:  # noqa: ANN401 any column
    """Put in a shop with so many subscriptions, each of its own member with its own card."""
    open_shop(rig)
    return [
        subscription(
            rig, f"S-{index}", delivery_on=DELIVERY, member_id=f"member{index}", **columns
        ).subscription_id
        for index in range(1, number + 1)
    ]


def announced(rig: Rig, number: int = 1) -> list[str]:
    """Put in the same and announce their rounds."""
    ids = subscribed(rig, number)
    rig.run("notify_d2", "--as-of", NOTICE_AT)
    return ids


def pg_changed(rig: Rig, at: datetime = EVENT, termination: str = "changed") -> None:
    terminate_contract(rig, at=at, termination=termination)


def reset(rig: Rig, *options: str, at: str = RESET_AT, check: int | None = 0) -> Run:
    """Run reset_pg as of a moment; `check` is the exit code it must have."""
    return rig.run("reset_pg", "--as-of", at, *options, check=check)


def charge(rig: Rig, *options: str, at: str = CHARGE_AT, check: int | None = 0) -> Run:
    return rig.run("charge_d1", "--as-of", at, *options, check=check)


def second_pg(rig: Rig) -> None:
    """Put in the contract and the service of a second PG."""
    contract(rig, OTHER_PG)
    service(rig, OTHER_PG)


def two_pgs(rig: Rig) -> None:
    """Put in a second PG with a subscription of its own, whose backup card is of the first PG."""
    subscribed(rig)
    second_pg(rig)
    other = card(rig, "member1", pg_code=OTHER_PG)
    backup = card(rig, "member1")
    subscription(
        rig,
        "S-other",
        delivery_on=DELIVERY,
        member_id="member1",
        card_id=other,
        pg_code=OTHER_PG,
        backup_card_id=backup,
    )


def unknown_attempt(rig: Rig, fault: Fault, *, pg_code: str = PG) -> None:
    """Announce a round and lose the reply to its charge, or the request; `pg_code` renames its PG."""
    announced(rig)
    rig.sandbox.toss.faults.add(fault)
    charge(rig)
    assert attempt_states(rig) == ["unknown"]
    rig.ours("UPDATE payment_attempt SET pg_code = :pg_code", pg_code=pg_code)


def open_reset(rig: Rig, pg_code: str, state: str = "open", *, event_at: str = "2025-11-01 12:00") -> None:
    """Put in a reset that another run has left at a step; `event_at` is the shop's local time."""
    local = datetime.fromisoformat(event_at)
    rig.ours(
        "INSERT INTO pg_reset"
        " (pg_contract_no, pg_code, event_at, event_local, state, reason, opened_by, opened_at)"
        " VALUES (0, :pg_code, :event_at, :local, :state, 'changed', 'reset_pg', :event_at)",
        pg_code=pg_code,
        state=state,
        event_at=local - timedelta(hours=9),
        local=local,
    )


def leased(rig: Rig, seconds: float, state: str = "sending") -> None:
    """Make the open attempt one that a worker holds for so long, from now on."""
    rig.ours(
        "UPDATE payment_attempt SET state = :state,"
        " lease_until = UTC_TIMESTAMP(6) + INTERVAL :us MICROSECOND",
        state=state,
        us=int(seconds * 1e6),
    )


def run_of(rig: Rig, at: str = RESET_AT) -> JobRun:
    """Return what the steps of one run are given, for a test that calls a step itself."""
    settings = rig.settings()
    as_of = datetime.fromisoformat(at).replace(tzinfo=settings.shop.timezone)
    return JobRun(settings, rig.store(), Clock(as_of, settings.shop.timezone), Matters(0))


def states(rig: Rig) -> dict[str, str]:
    """Return the state of every subscription."""
    rows = rig.shop("SELECT subscription_id, subscription_state FROM subscription")
    return {row["subscription_id"]: row["subscription_state"] for row in rows}


def round_states(rig: Rig) -> list[str]:
    return [row["state"] for row in rig.ours("SELECT state FROM billing_round ORDER BY round_id")]


def attempt_states(rig: Rig) -> list[str]:
    return [row["state"] for row in rig.ours("SELECT state FROM payment_attempt ORDER BY attempt_id")]


def card_ids(rig: Rig) -> list[int]:
    return [row["card_id"] for row in rig.shop("SELECT card_id FROM card ORDER BY card_id")]


def reset_states(rig: Rig) -> list[str]:
    return [row["state"] for row in rig.ours("SELECT state FROM pg_reset ORDER BY reset_id")]


def matters(rig: Rig) -> list[tuple[str, str]]:
    rows = rig.ours("SELECT kind, subject FROM matter WHERE closed_at IS NULL ORDER BY matter_id")
    return [(row["kind"], row["subject"]) for row in rows]


def cancel_mails(rig: Rig) -> list[tuple[str, str, str]]:
    """Return subscription, recipient and state of every auto-cancel mail."""
    rows = rig.ours(
        "SELECT ref, recipient, state FROM message WHERE kind = 'auto_cancel' ORDER BY ref, recipient"
    )
    return [(row["ref"], row["recipient"], row["state"]) for row in rows]


def message_ids(rig: Rig) -> list[str]:
    """Return the Message-ID of every mail that the mail server took."""
    return [
        str(message_from_bytes(mail.raw, policy=policy.default)["Message-ID"])
        for mail in rig.sandbox.smtp.book
    ]


def charges(rig: Rig) -> list[str]:
    """Return the order number of every charge request that reached the PG."""
    return [call.order_no for call in rig.sandbox.toss.calls() if call.endpoint == "charge"]


def eventually(holds: Callable[[], object], seconds: float = 20) -> None:
    """Wait until something holds."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it never held"
        time.sleep(0.01)
