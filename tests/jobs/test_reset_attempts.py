"""reset_pg and payments under way: nothing is charged after it began, no approval is lost."""

from __future__ import annotations

import signal
import subprocess
import time

from lib.sandbox import Fault
from tests.jobs.resetting import (
    announced,
    attempt_states,
    charge,
    charges,
    eventually,
    matters,
    pg_changed,
    reset,
    reset_states,
    round_states,
    states,
)
from tests.rig import Rig

LEASE_SECONDS = 3
LOST_REPLY = Fault("drop", endpoint="charge", times=1, processed=True)
LOST_REQUEST = Fault("drop", endpoint="charge", times=1)
SLOW = Fault("delay", endpoint="charge", seconds=1)


def stop_while_sending(rig: Rig, how: signal.Signals) -> subprocess.Popen[bytes]:
    """Start charge_d1 at a slow PG and stop it while its one attempt is under way."""
    rig.config(gateway={"tosspayments": {"lease": LEASE_SECONDS}})
    rig.sandbox.toss.faults.add(SLOW)
    started = rig.start("charge_d1", "--as-of", "2026-12-02T10:00")
    eventually(lambda: rig.sandbox.toss.faults.struck == 1)
    started.send_signal(how)
    return started


def test_an_unknown_attempt_that_was_approved_is_paid_and_delivered(rig: Rig) -> None:
    announced(rig)
    rig.sandbox.toss.faults.add(LOST_REPLY)
    charge(rig)
    assert attempt_states(rig) == ["unknown"]
    pg_changed(rig)
    reset(rig)
    assert (attempt_states(rig), round_states(rig), states(rig)) == (["approved"], ["paid"], {"S-1": "C"})
    assert len(rig.shop("SELECT order_id FROM orders")) == 1


def test_an_unknown_attempt_is_asked_after_and_never_sent_again(rig: Rig) -> None:
    announced(rig)
    rig.sandbox.toss.faults.add(LOST_REQUEST)
    charge(rig)
    sent = charges(rig)
    pg_changed(rig)
    reset(rig, check=1)
    assert charges(rig) == sent
    assert any(call.endpoint == "inquiry" for call in rig.sandbox.toss.calls())
    assert rig.sandbox.toss.approvals() == []


def test_one_that_is_not_found_is_in_doubt_at_once_and_holds_nothing_up(rig: Rig) -> None:
    announced(rig)
    rig.sandbox.toss.faults.add(LOST_REQUEST)
    charge(rig)
    pg_changed(rig)
    done = reset(rig, check=1)
    assert (attempt_states(rig), round_states(rig)) == (["in_doubt"], ["in_doubt"])
    assert (done.counts["cancelled"], reset_states(rig)) == (1, ["done"])
    assert [kind for kind, _ in matters(rig)] == ["in_doubt"]


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
    rig.config(gateway={"tosspayments": {"lease": 4 * LEASE_SECONDS, "workers": 1}})
    rig.sandbox.toss.faults.add(SLOW)
    killed = rig.start("charge_d1", "--as-of", "2026-12-02T10:00", "--limit", "1")
    eventually(lambda: rig.sandbox.toss.faults.struck == 1)
    killed.kill()
    pg_changed(rig)
    waiting = rig.start("reset_pg", "--as-of", "2026-12-02T13:00")
    eventually(lambda: reset_states(rig) == ["open"])
    refused = charge(rig, at="2026-12-02T13:00", check=75)
    assert "PG 초기화가 진행 중" in refused.stderr
    assert (refused.counts["paid"], reset_states(rig)) == (0, ["open"])
    assert rig.finish(waiting).exit_code == 0
    assert sorted(round_states(rig)) == ["paid", "void"]
    assert len(charges(rig)) == 1


def test_a_soft_decline_found_by_the_inquiry_ends_in_a_void_round(rig: Rig) -> None:
    announced(rig)
    rig.ours("UPDATE billing_round SET state_reason = 'declined: X', next_attempt_at = '2026-12-02 08:00:00'")
    pg_changed(rig)
    reset(rig)
    assert round_states(rig) == ["void"]
