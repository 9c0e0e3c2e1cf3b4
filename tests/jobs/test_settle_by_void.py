"""charge_d1 with a PG that has no inquiry: a doubt ends by a void, after its quarantine, or with a person."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from lib.charging.claim import read_attempt
from lib.charging.record import Result, record
from lib.gateways import Approval, NotCharged
from lib.sandbox import AllatCard, Fault
from lib.sandbox.allat_rules import LIMIT
from tests.jobs.charging import DELIVERY, NOTICE_AT, attempts, charge, due_at, matters, state
from tests.jobs.resetting import run_of
from tests.rig import Rig
from tests.shopkeeper import card, contract, open_shop, service, subscription

pytestmark = pytest.mark.rule(10)

KEY = "FIXKEYMAIN"
CHARGED_AT, QUARANTINE_END, AFTER_IT = "2026-12-02T10:00", "2026-12-02T10:15", "2026-12-02T10:16"
LOST_REPLY = Fault("drop", "charge", processed=True, times=1)
LOST_REQUEST = Fault("drop", "charge", times=1)


def announced(rig: Rig, *script: str, **section: Any) -> None:  # noqa: ANN401 any key of the section
    """Put in a shop with one announced round on a card of Allat; `script` is how that answers."""
    rig.config(gateway={"allat": section})
    open_shop(rig)
    contract(rig, "allat")
    service(rig, "allat")
    main = card(rig, billing_key=KEY, pg_code="allat")
    rig.sandbox.allat.register(AllatCard(KEY, script=script or ("approve",)))
    subscription(rig, "S-1", delivery_on=DELIVERY, card_id=main, pg_code="allat")
    rig.run("notify_d2", "--as-of", NOTICE_AT)


def unknown(rig: Rig, fault: Fault) -> None:
    """Leave one attempt of 10:00 whose answer was lost, or that never arrived."""
    announced(rig)
    rig.sandbox.allat.faults.add(fault)
    charge(rig, CHARGED_AT)
    assert attempts(rig) == ["unknown"]


def at(rig: Rig, moment: str, *, check: int | None = 0) -> None:
    """Run charge_d1 at a moment, which it is at the PG too."""
    rig.sandbox.clock.set(datetime.fromisoformat(f"{moment}+09:00"))
    charge(rig, moment, check=check)


def next_check(rig: Rig) -> str:
    """Return when the newest attempt is asked after next, in the shop's time, to the minute."""
    (row,) = rig.ours("SELECT next_check_at FROM payment_attempt ORDER BY attempt_no DESC LIMIT 1")
    moment: datetime = row["next_check_at"].replace(tzinfo=UTC)
    return moment.astimezone(rig.settings().shop.timezone).isoformat()[:16]


def asked(rig: Rig) -> list[str]:
    """Return what was asked of Allat, in its order."""
    return [call.endpoint for call in rig.sandbox.allat.calls()]


def held_by_the_pg(rig: Rig) -> list[int]:
    """Return what Allat holds for every order number it ever approved."""
    return [one.amount - one.cancelled_amount for one in rig.sandbox.allat.approvals()]


def ledger(rig: Rig) -> list[tuple[str, str]]:
    """Return kind and source of all money that moved, in the order it was recorded."""
    rows = rig.ours("SELECT kind, source FROM payment ORDER BY recorded_at, order_no, kind")
    return [(row["kind"], row["source"]) for row in rows]


def paid_order(rig: Rig) -> str:
    (row,) = rig.ours("SELECT order_id FROM billing_round WHERE state = 'paid'")
    found: str = row["order_id"]
    return found


def amount(rig: Rig) -> int:
    (row,) = rig.ours("SELECT amount_krw FROM billing_round")
    found: int = row["amount_krw"]
    return found


def test_a_round_is_charged_and_paid(rig: Rig) -> None:
    announced(rig)
    charge(rig, CHARGED_AT)
    assert (state(rig), attempts(rig), ledger(rig)) == ("paid", ["approved"], [("approve", "response")])
    assert held_by_the_pg(rig) == [amount(rig)]


def test_a_decline_whose_code_is_configured_waits_for_the_next_slot(rig: Rig) -> None:
    announced(rig, LIMIT, "approve")
    charge(rig, CHARGED_AT)
    assert (attempts(rig), due_at(rig)) == (["declined"], "2026-12-02T17:00")
    charge(rig, "2026-12-02T17:00")
    assert (state(rig), attempts(rig)) == ("paid", ["declined", "approved"])


def test_a_code_that_nobody_named_is_a_doubt_and_no_decline(rig: Rig) -> None:
    announced(rig, "9123")
    charge(rig, CHARGED_AT)
    assert (state(rig), attempts(rig), next_check(rig)) == ("charging", ["unknown"], QUARANTINE_END)


def test_a_lost_reply_is_asked_after_when_its_quarantine_ends_and_no_sooner(rig: Rig) -> None:
    unknown(rig, LOST_REPLY)
    assert next_check(rig) == QUARANTINE_END
    for moment in ("2026-12-02T10:01", "2026-12-02T10:14"):
        at(rig, moment)
    assert (asked(rig), attempts(rig), next_check(rig)) == (["charge"], ["unknown"], QUARANTINE_END)


def test_it_is_voided_then_and_charged_anew_an_hour_later(rig: Rig) -> None:
    unknown(rig, LOST_REPLY)
    at(rig, AFTER_IT)
    assert (asked(rig), attempts(rig)) == (["charge", "cancel"], ["not_charged"])
    assert (state(rig), due_at(rig), held_by_the_pg(rig)) == ("due", "2026-12-02T11:16", [0])
    at(rig, "2026-12-02T11:16")
    assert (state(rig), attempts(rig)) == ("paid", ["not_charged", "approved"])
    assert held_by_the_pg(rig) == [0, amount(rig)]
    assert ledger(rig) == [("approve", "inquiry"), ("cancel", "inquiry"), ("approve", "response")]


def test_a_worker_that_never_came_back_is_left_in_peace_as_long(rig: Rig) -> None:
    unknown(rig, LOST_REPLY)
    rig.ours("UPDATE payment_attempt SET state = 'sending', next_check_at = NULL, lease_until = '2026-01-01'")
    at(rig, "2026-12-02T10:05")
    assert (asked(rig), attempts(rig), next_check(rig)) == (["charge"], ["unknown"], QUARANTINE_END)
    at(rig, AFTER_IT)
    assert (asked(rig), attempts(rig)) == (["charge", "cancel"], ["not_charged"])


def test_a_quarantine_lasts_as_long_as_configuration_says(rig: Rig) -> None:
    announced(rig, quarantine=3600)
    rig.sandbox.allat.faults.add(LOST_REPLY)
    charge(rig, CHARGED_AT)
    assert next_check(rig) == "2026-12-02T11:00"


def test_a_void_that_finds_no_order_is_repeated_for_a_day_and_never_charges_again(rig: Rig) -> None:
    unknown(rig, LOST_REQUEST)
    at(rig, AFTER_IT)
    assert (state(rig), attempts(rig), next_check(rig)) == ("charging", ["unknown"], AFTER_IT)
    for moment in ("2026-12-02T11:30", "2026-12-02T17:00", "2026-12-03T09:59"):
        at(rig, moment)
        assert (state(rig), attempts(rig)) == ("charging", ["unknown"])
    at(rig, "2026-12-03T11:00", check=1)
    assert (state(rig), attempts(rig), matters(rig)) == ("in_doubt", ["in_doubt"], ["in_doubt"])
    assert (asked(rig)[:2], set(asked(rig)[1:]), held_by_the_pg(rig)) == (
        ["charge", "cancel"],
        {"cancel"},
        [],
    )


def test_an_approval_that_lands_after_a_void_is_taken_back_before_anything_new(rig: Rig) -> None:
    announced(rig, "late", "approve")
    rig.sandbox.allat.switches = replace(rig.sandbox.allat.switches, late_s=3600)
    at(rig, CHARGED_AT)
    at(rig, AFTER_IT)
    assert (attempts(rig), held_by_the_pg(rig)) == (["unknown"], [])
    at(rig, "2026-12-02T11:30")
    assert (attempts(rig), held_by_the_pg(rig), state(rig)) == (["not_charged"], [0], "due")
    at(rig, "2026-12-02T12:30")
    assert (state(rig), held_by_the_pg(rig)) == ("paid", [0, amount(rig)])


def late_evidence(rig: Rig) -> None:
    """Leave the approval of the first attempt in the spool of a host that was away meanwhile."""
    (row,) = rig.ours("SELECT order_no, amount_krw FROM payment_attempt WHERE attempt_no = 1")
    line = {
        "pg_code": "allat",
        "tid": row["order_no"],
        "order_no": row["order_no"],
        "amount_krw": row["amount_krw"],
        "approval_no": "10203040",
        "kind": "approve",
        "seq": 0,
    }
    folder = rig.settings().paths.spool
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"approvals-{'a' * 32}.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")


@pytest.mark.parametrize("paid", [False, True], ids=["before", "after"])
def test_a_late_approval_of_a_voided_attempt_moves_nothing(rig: Rig, *, paid: bool) -> None:
    unknown(rig, LOST_REPLY)
    at(rig, AFTER_IT)
    if paid:
        at(rig, "2026-12-02T11:16")
    before = (state(rig), attempts(rig), ledger(rig))
    late_evidence(rig)
    at(rig, "2026-12-02T11:17" if paid else "2026-12-02T10:20")
    assert (state(rig), attempts(rig), ledger(rig)) == before
    assert matters(rig) == []


def test_approval_evidence_that_arrives_before_any_void_pays(rig: Rig) -> None:
    unknown(rig, LOST_REPLY)
    late_evidence(rig)
    at(rig, "2026-12-02T10:05")
    assert (state(rig), attempts(rig), ledger(rig)) == ("paid", ["approved"], [("approve", "spool")])
    assert (asked(rig), held_by_the_pg(rig)) == (["charge"], [amount(rig)])


def test_a_round_that_was_paid_while_its_void_was_under_way_is_held(rig: Rig) -> None:
    unknown(rig, LOST_REPLY)
    late_evidence(rig)
    at(rig, "2026-12-02T10:05")
    run = run_of(rig, AFTER_IT)
    (row,) = run.store.rows("attempts_by_order_no", order_nos=[paid_order(rig)])
    approval = Approval(row["order_no"], row["order_no"], row["amount_krw"], "")
    voided = NotCharged("0000", "정상", (approval, replace(approval, kind="cancel")))
    answer = Result(read_attempt(row), voided, "unknown")
    run.store.transaction(lambda tx: record(run, {}, [answer], tx))
    assert (state(rig), attempts(rig), matters(rig)) == ("held", ["approved"], ["held"])


def test_a_void_is_made_when_the_last_day_is_over_too(rig: Rig) -> None:
    announced(rig)
    rig.ours("UPDATE billing_round SET charge_until = :on", on=date(2026, 12, 2))
    rig.sandbox.allat.faults.add(LOST_REPLY)
    at(rig, "2026-12-02T20:50")
    at(rig, "2026-12-03T08:00", check=1)
    assert (state(rig), attempts(rig), held_by_the_pg(rig)) == ("missed", ["not_charged"], [0])


def test_a_reset_of_the_pg_waits_for_the_quarantine_and_voids(rig: Rig) -> None:
    unknown(rig, LOST_REPLY)
    rig.sandbox.clock.set(datetime(2026, 12, 2, 1, 5, tzinfo=UTC))
    by_hand = ("--pg", "allat", "--confirm", "달빛커피", "--reason", "PG 변경")
    rig.run("reset_pg", "--as-of", "2026-12-02T10:05", *by_hand, check=75)
    assert (asked(rig), attempts(rig)) == (["charge"], ["unknown"])
    rig.run("reset_pg", "--as-of", "2026-12-02T10:16", check=0)
    assert (asked(rig), attempts(rig), state(rig)) == (
        ["charge", "cancel", "forget"],
        ["not_charged"],
        "void",
    )
    assert held_by_the_pg(rig) == [0]
