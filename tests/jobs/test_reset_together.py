"""reset_pg at the same time as itself or as charge_d1, and killed on the way."""

from __future__ import annotations

import random
import time

import pytest

from lib.sandbox import Fault
from tests.jobs.resetting import (
    announced,
    attempt_states,
    cancel_mails,
    card_ids,
    charge,
    charges,
    eventually,
    message_ids,
    pg_changed,
    reset,
    reset_states,
    round_states,
    states,
)
from tests.rig import Rig

ROUNDS = 200
KILLS = 12


@pytest.fixture
def crowd(rig: Rig) -> Rig:
    """Give a shop with many announced rounds at a PG that takes its time."""
    announced(rig, ROUNDS)
    rig.config(gateway={"tosspayments": {"lease": 2}})
    return rig


def test_charging_and_resetting_at_once_pays_what_was_charged_before_and_no_more(crowd: Rig) -> None:
    crowd.sandbox.toss.faults.latency_s = 0.02
    charging = crowd.start("charge_d1", "--as-of", "2026-12-02T10:00")
    eventually(lambda: len(charges(crowd)) >= ROUNDS // 10)
    order = ("--pg", "tosspayments", "--confirm", "달빛커피")
    resetting = crowd.start("reset_pg", "--as-of", "2026-12-02T10:00", *order)
    eventually(lambda: reset_states(crowd))
    begun = len(attempt_states(crowd))
    assert crowd.finish(resetting).exit_code == 0
    crowd.finish(charging)
    assert len(attempt_states(crowd)) == begun
    paid = round_states(crowd).count("paid")
    assert 0 < paid < ROUNDS
    assert len(charges(crowd)) == len(crowd.sandbox.toss.approvals()) == paid
    assert set(round_states(crowd)) == {"paid", "void"}
    assert len(crowd.shop("SELECT order_id FROM orders")) == paid
    assert (set(states(crowd).values()), card_ids(crowd)) == ({"C"}, [])


def test_two_resets_at_once_do_everything_once(crowd: Rig) -> None:
    crowd.sandbox.toss.faults.latency_s = 0.005
    pg_changed(crowd)
    both = [crowd.start("reset_pg", "--as-of", "2026-12-02T13:00") for _ in range(2)]
    ended = [crowd.finish(each) for each in both]
    assert [each.exit_code for each in ended] == [0, 0], [each.stderr for each in ended]
    assert sum(each.counts["resets"] for each in ended) == 1
    assert sum(each.counts["cancelled"] for each in ended) == ROUNDS
    assert sum(each.counts["cards_deleted"] for each in ended) == ROUNDS
    assert len(message_ids(crowd)) == len(set(message_ids(crowd)))
    assert len(cancel_mails(crowd)) == 2 * ROUNDS


def test_killed_at_any_moment_and_run_again_it_is_done_once(crowd: Rig) -> None:
    crowd.sandbox.toss.faults.add(Fault("delay", endpoint="forget", seconds=0.05))
    crowd.sandbox.smtp.faults.latency_s = 0.001
    pg_changed(crowd)
    moments = random.Random(12)  # noqa: S311 seeded: the same moments at every run
    seen = []
    for _ in range(KILLS):
        started = crowd.start("reset_pg", "--as-of", "2026-12-02T13:00")
        time.sleep(0.4 + 1.2 * moments.random())
        started.kill()
        started.wait()
        seen += reset_states(crowd)
    crowd.ours("UPDATE message SET lease_until = '2000-01-01' WHERE state = 'sending'")
    for hour in (14, 15):
        reset(crowd, at=f"2026-12-02T{hour}:00")
    assert {state for *_, state in cancel_mails(crowd)} == {"accepted"}
    assert len(set(seen)) > 1, "every kill came at the same step"
    assert (set(states(crowd).values()), card_ids(crowd)) == ({"C"}, [])
    assert len(cancel_mails(crowd)) == 2 * ROUNDS
    assert len(set(message_ids(crowd)) - notices(crowd)) == 2 * ROUNDS


def notices(rig: Rig) -> set[str]:
    """Return the Message-IDs of the payment notices: the mails that were there before."""
    return set(message_ids(rig)[: 2 * ROUNDS])


def test_killed_between_any_two_steps_the_next_run_goes_on_from_there(rig: Rig) -> None:
    announced(rig, 3)
    charge(rig, "--limit", "1")
    pg_changed(rig)
    reset(rig)
    done = rig.checksums(exclude=("job_run", "pg_reset"))
    for state in ("open", "drained", "cancelled", "purged"):
        rig.ours("UPDATE pg_reset SET state = :state, finished_at = NULL", state=state)
        reset(rig)
        assert reset_states(rig) == ["done"]
        assert rig.checksums(exclude=("job_run", "pg_reset")) == done
