"""reset_pg and payments under way: nothing is charged after it began, no approval is lost (rule 12)."""

from __future__ import annotations

import signal
import subprocess
import time

import pytest

from lib.charging.claim import read_attempt
from lib.charging.record import set_in_doubt
from lib.sandbox import Card, Fault
from tests.jobs.resetting import (
    DELIVERY,
    EVENT,
    LOST_REPLY,
    LOST_REQUEST,
    OTHER_PG,
    PG,
    RESET_AT,
    announced,
    attempt_states,
    card_ids,
    charge,
    charges,
    eventually,
    leased,
    matters,
    open_reset,
    pg_changed,
    reset,
    reset_states,
    round_states,
    run_of,
    second_pg,
    states,
    unknown_attempt,
)
from tests.rig import Rig
from tests.shopkeeper import card, subscription, terminate_contract

pytestmark = pytest.mark.rule(12)

LEASE_SECONDS = 1.5
SLOW = Fault("delay", endpoint="charge", seconds=0.8)


def stop_while_sending(rig: Rig, how: signal.Signals) -> subprocess.Popen[bytes]:
    """Start charge_d1 at a slow PG and stop it while its one attempt is under way."""
    rig.config(gateway={PG: {"lease": LEASE_SECONDS}})
    rig.sandbox.toss.faults.add(SLOW)
    started = rig.start("charge_d1", "--as-of", "2026-12-02T10:00")
    eventually(lambda: rig.sandbox.toss.faults.struck == 1)
    started.send_signal(how)
    return started


def inquiries(rig: Rig) -> int:
    return sum(call.endpoint == "inquiry" for call in rig.sandbox.toss.calls())


def test_an_unknown_attempt_that_was_approved_is_paid_and_delivered(rig: Rig) -> None:
    unknown_attempt(rig, LOST_REPLY)
    pg_changed(rig)
    done = reset(rig)
    assert (attempt_states(rig), round_states(rig), states(rig)) == (["approved"], ["paid"], {"S-1": "C"})
    assert len(rig.shop("SELECT order_id FROM orders")) == 1
    assert (done.counts["voided"], done.summary["amount_krw"]) == (0, 12_900)


def test_an_unknown_attempt_is_asked_after_and_never_sent_again(rig: Rig) -> None:
    unknown_attempt(rig, LOST_REQUEST)
    sent = charges(rig)
    pg_changed(rig)
    reset(rig, check=1)
    assert (charges(rig), inquiries(rig)) == (sent, 1)
    assert rig.sandbox.toss.approvals() == []


def test_one_that_was_asked_after_a_moment_ago_is_asked_after_again(rig: Rig) -> None:
    unknown_attempt(rig, LOST_REPLY)
    rig.ours("UPDATE payment_attempt SET next_check_at = '2026-12-02 23:00:00'")
    pg_changed(rig)
    reset(rig)
    assert (inquiries(rig), round_states(rig)) == (1, ["paid"])


@pytest.mark.parametrize(
    "fault",
    [
        None,
        Fault("drop", endpoint="inquiry"),
        Fault("error", endpoint="inquiry"),
        Fault("html", endpoint="inquiry", status=200),
        Fault("error", endpoint="inquiry", status=401, code="UNAUTHORIZED_KEY"),
    ],
    ids=["not found", "no reply", "error 500", "a web page", "account refused"],
)
def test_what_the_inquiry_cannot_tell_is_in_doubt_at_once_and_holds_nothing_up(
    rig: Rig, fault: Fault | None
) -> None:
    unknown_attempt(rig, LOST_REQUEST)
    rig.sandbox.toss.faults.add(*filter(None, [fault]))
    pg_changed(rig)
    done = reset(rig, check=1)
    assert (attempt_states(rig), round_states(rig)) == (["in_doubt"], ["in_doubt"])
    assert (done.counts["cancelled"], card_ids(rig), reset_states(rig)) == (1, [], ["done"])
    assert [kind for kind, _ in matters(rig)] == ["in_doubt"]


@pytest.mark.parametrize("gateway", [None, {"enabled": False}], ids=["not configured", "switched off"])
def test_an_attempt_at_a_pg_that_cannot_be_asked_is_a_persons_and_the_reset_ends(
    rig: Rig, gateway: dict[str, object] | None
) -> None:
    unknown_attempt(rig, LOST_REPLY)
    leased(rig, 0)
    rig.config(gateway={PG: gateway})
    pg_changed(rig)
    reset(rig, check=1)
    assert (attempt_states(rig), round_states(rig)) == (["in_doubt"], ["in_doubt"])
    assert [kind for kind, _ in matters(rig)] == ["in_doubt", "key_left"]
    assert (inquiries(rig), reset_states(rig)) == (0, ["done"])


def test_a_doubt_of_before_stays_a_doubt_and_is_not_asked_after(rig: Rig) -> None:
    unknown_attempt(rig, LOST_REPLY)
    for table in ("payment_attempt", "billing_round"):
        rig.ours(f"UPDATE {table} SET state = 'in_doubt'")
    pg_changed(rig)
    reset(rig)
    assert (attempt_states(rig), round_states(rig), inquiries(rig)) == (["in_doubt"], ["in_doubt"], 0)


def test_attempts_at_another_pg_are_left_alone(rig: Rig) -> None:
    unknown_attempt(rig, LOST_REPLY, pg_code=OTHER_PG)
    before = rig.ours("SELECT * FROM payment_attempt")
    pg_changed(rig)
    reset(rig)
    assert (rig.ours("SELECT * FROM payment_attempt"), round_states(rig)) == (before, ["charging"])


def test_an_attempt_at_the_other_pg_is_put_in_doubt_by_that_pgs_own_reset(rig: Rig) -> None:
    unknown_attempt(rig, LOST_REPLY, pg_code=OTHER_PG)
    second_pg(rig)
    terminate_contract(rig, at=EVENT, pg_code=OTHER_PG)
    reset(rig, check=1)
    assert (attempt_states(rig), round_states(rig), states(rig)) == (["in_doubt"], ["in_doubt"], {"S-1": "U"})
    assert [kind for kind, _ in matters(rig)] == ["in_doubt"]


def test_while_one_pg_is_reset_the_other_charges_on(rig: Rig) -> None:
    unknown_attempt(rig, LOST_REPLY, pg_code=OTHER_PG)
    leased(rig, 60)
    second_pg(rig)
    other = subscription(rig, "S-2", delivery_on=DELIVERY, member_id="member2").subscription_id
    rig.run("notify_d2", "--as-of", "2026-12-01T10:00")
    terminate_contract(rig, at=EVENT, pg_code=OTHER_PG)
    waiting = rig.start("reset_pg", "--as-of", RESET_AT)
    eventually(lambda: reset_states(rig) == ["open"])
    assert charge(rig, at=RESET_AT).counts["paid"] == 1
    assert reset_states(rig) == ["open"]
    leased(rig, 0, "unknown")
    assert rig.finish(waiting).exit_code == 1
    assert states(rig) == {"S-1": "U", other: "U"}


def test_a_killed_worker_is_waited_for_and_what_it_was_approved_is_paid(rig: Rig) -> None:
    announced(rig)
    stop_while_sending(rig, signal.SIGKILL)
    (attempt,) = rig.ours("SELECT lease_until, UTC_TIMESTAMP(6) AS now FROM payment_attempt")
    left = (attempt["lease_until"] - attempt["now"]).total_seconds()
    pg_changed(rig)
    began = time.monotonic()
    reset(rig)
    assert time.monotonic() - began >= left
    assert (attempt_states(rig), round_states(rig)) == (["approved"], ["paid"])


def test_a_stopped_worker_does_not_charge_when_it_wakes_after_the_reset(rig: Rig) -> None:
    announced(rig)
    stopped = stop_while_sending(rig, signal.SIGSTOP)
    pg_changed(rig)
    reset(rig, check=None)
    sent, left = charges(rig), round_states(rig)
    stopped.send_signal(signal.SIGCONT)
    rig.finish(stopped)
    assert (charges(rig), round_states(rig), states(rig)) == (sent, left, {"S-1": "C"})
    assert left in (["paid"], ["in_doubt"])  # whether its request had left the host when it was stopped


def test_no_charge_starts_while_a_reset_is_open(rig: Rig) -> None:
    announced(rig, 2)
    rig.sandbox.toss.faults.add(LOST_REPLY)
    charge(rig, "--limit", "1")
    leased(rig, 60)
    pg_changed(rig)
    waiting = rig.start("reset_pg", "--as-of", RESET_AT)
    eventually(lambda: reset_states(rig) == ["open"])
    refused = charge(rig, at=RESET_AT, check=75)
    assert "PG 초기화가 진행 중" in refused.stderr
    assert (refused.counts["paid"], reset_states(rig)) == (0, ["open"])
    leased(rig, 0, "unknown")
    assert rig.finish(waiting).exit_code == 0
    assert sorted(round_states(rig)) == ["paid", "void"]
    assert len(charges(rig)) == 1


@pytest.mark.parametrize("step", ["open", "drained", "cancelled", "purged"])
def test_no_charge_starts_at_any_step_until_the_reset_is_done(sqlite_rig: Rig, step: str) -> None:
    announced(sqlite_rig)
    open_reset(sqlite_rig, PG, step)
    charge(sqlite_rig, check=75)
    assert (charges(sqlite_rig), round_states(sqlite_rig)) == ([], ["due"])


def test_a_backup_card_of_a_pg_under_reset_is_not_tried_after_a_decline(rig: Rig) -> None:
    announced(rig)
    backup = card(rig, "member1", pg_code=OTHER_PG)
    rig.shop("UPDATE subscription SET backup_card_id = :card_id", card_id=backup)
    second_pg(rig)
    rig.sandbox.toss.register(Card("bk-member1-1=", script=("REJECT_CARD_PAYMENT",)))
    open_reset(rig, OTHER_PG)
    charge(rig)
    assert (attempt_states(rig), round_states(rig)) == (["declined"], ["due"])


def test_a_doubt_that_was_settled_meanwhile_does_not_touch_the_rounds_next_attempt(rig: Rig) -> None:
    announced(rig)
    backup = card(rig, "member1", billing_key="bk-backup=")
    rig.shop("UPDATE subscription SET backup_card_id = :card_id", card_id=backup)
    rig.sandbox.toss.register(Card("bk-member1-1=", script=("REJECT_CARD_PAYMENT",)))
    rig.sandbox.toss.faults.add(Fault("drop", endpoint="charge", skip=1, processed=True))
    charge(rig)
    (sent,) = rig.ours("SELECT order_no FROM payment_attempt WHERE attempt_no = 1")
    (first,) = rig.store().rows("attempts_by_order_no", order_nos=[sent["order_no"]])
    rig.store().transaction(lambda tx: set_in_doubt(run_of(rig), read_attempt(first), "PG 변경", tx))
    assert (attempt_states(rig), round_states(rig)) == (["declined", "unknown"], ["charging"])


def test_what_another_run_is_asking_about_is_waited_for_and_not_put_in_doubt(rig: Rig) -> None:
    announced(rig, 2)
    rig.sandbox.toss.faults.add(Fault("drop", endpoint="charge", processed=True))
    charge(rig)
    rig.sandbox.toss.faults.clear()
    rig.config(gateway={PG: {"workers": 1}})
    rig.sandbox.toss.faults.add(Fault("delay", endpoint="inquiry", seconds=0.6, times=1))
    struck = rig.sandbox.toss.faults.struck
    pg_changed(rig)
    asking = rig.start("reset_pg", "--as-of", RESET_AT)
    eventually(lambda: rig.sandbox.toss.faults.struck > struck)  # it asks about the first one
    rig.ours(
        "UPDATE payment_attempt SET lease_until = UTC_TIMESTAMP(6) + INTERVAL 1 SECOND "
        "ORDER BY attempt_id DESC LIMIT 1"
    )
    assert rig.finish(asking).exit_code == 0
    assert (attempt_states(rig), round_states(rig)) == (["approved"] * 2, ["paid"] * 2)
