"""kill -9 of reset_pg at every step: the next run, also months later, goes on; all is done once (rule 12)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lib.sandbox import Fault
from tests.jobs import crowd
from tests.jobs.resetting import (
    cancel_mails,
    card_ids,
    charge,
    charges,
    matters,
    message_ids,
    pg_changed,
    reset,
    reset_states,
    states,
)
from tests.kill.wire import COMMIT, SECONDS, Wire, wired
from tests.rig import Rig
from tests.shopkeeper import credits_left

pytestmark = pytest.mark.rule(12)

SIZE, UNKNOWN = 200, 5
MONTHS_LATER = "2027-03-01T09:00"

MOMENTS: tuple[tuple[str, bytes, bytes], ...] = (
    ("the event is not taken up yet", b"", b"INSERT INTO pg_reset "),
    ("an approval was found and not recorded", b"", b"INSERT INTO payment "),
    ("the first are cancelled and their mails queued", b"INSERT INTO message ", COMMIT),
    ("half of them are cancelled", b"", b"'pg_reset'\nWHERE subscription_id = 'S-0133'"),
    ("their keys are gone at the PG and the rows are not", b"", b"UPDATE pg_reset_card"),
    ("the first rows go", b"DELETE FROM", COMMIT),
    ("the reset is done and nobody knows it", b"state = 'done'", COMMIT),
    ("mails are claimed", b"UPDATE message SET state = 'sending'", COMMIT),
    ("mails have left and are not recorded", b"", b"UPDATE message SET state = 'accepted'"),
)
"""What was going on, and the statement, after which other of the same connection, that is never sent."""


@pytest.fixture
def changed(rig: Rig) -> Rig:
    """Give a shop of a few hundred whose PG was changed, with approvals whose replies got lost."""
    crowd.crowd(rig, SIZE)
    rig.sandbox.toss.faults.add(Fault("drop", endpoint="charge", processed=True, times=UNKNOWN))
    charge(rig, "--limit", str(UNKNOWN))
    pg_changed(rig)
    return rig


def killed(rig: Rig, wire: Wire, at: str, after: bytes, then: bytes) -> None:
    """Kill a run in front of a statement; whatever it had under way is up for the next run at once."""
    trap = wire.set("hold", after=after, then=then)
    process = rig.start("reset_pg", "--as-of", at)
    assert trap.sprung.wait(SECONDS), "it never came there"
    process.kill()
    rig.finish(process)
    rig.ours("UPDATE payment_attempt SET lease_until = UTC_TIMESTAMP(6)")
    rig.ours("UPDATE message SET lease_until = '2000-01-01' WHERE state = 'sending'")


@contextmanager
def done_once(rig: Rig) -> Iterator[None]:
    """Hold whatever happens to what a reset that nobody disturbed comes to."""
    yield
    assert (set(states(rig).values()), card_ids(rig), reset_states(rig)) == ({"C"}, [], ["done"])
    assert crowd.states(rig) == {"paid": UNKNOWN, "void": SIZE - UNKNOWN}
    assert len(charges(rig)) == len(rig.shop("SELECT order_id FROM orders")) == UNKNOWN
    assert [state for *_, state in cancel_mails(rig)] == ["accepted"] * 2 * SIZE
    assert len(set(message_ids(rig))) == 2 * SIZE
    assert credits_left(rig)["bulk_mail"] == 1_000 - 2 * SIZE
    proof = rig.ours("SELECT COUNT(*) AS cards, COUNT(row_deleted_at) AS deleted FROM pg_reset_card")
    assert (proof, matters(rig)) == ([{"cards": SIZE, "deleted": SIZE}], [])
    assert rig.shop("SELECT state FROM subscription_service") == [{"state": "reset"}]


def test_killed_at_every_step_one_after_the_other_and_ended_months_later_it_is_done_once(
    changed: Rig,
) -> None:
    with done_once(changed):
        with wired(changed) as wire:
            for minute, (name, after, then) in enumerate(MOMENTS, start=10):
                killed(changed, wire, f"2026-12-02T13:{minute}", after, then)
                assert changed.invariants() == [], name
        for at in (MONTHS_LATER, MONTHS_LATER):
            reset(changed, at=at)


@pytest.mark.parametrize("step", ["open", "drained", "cancelled", "purged"])
def test_left_at_any_step_it_is_ended_months_later_without_a_word_of_confirmation(
    sqlite_rig: Rig, step: str
) -> None:
    crowd.crowd(sqlite_rig, 3)
    charge(sqlite_rig, "--limit", "1")
    pg_changed(sqlite_rig)
    reset(sqlite_rig)
    before = sqlite_rig.checksums(exclude=("job_run", "pg_reset"))
    sqlite_rig.ours("UPDATE pg_reset SET state = :state, finished_at = NULL", state=step)
    assert reset(sqlite_rig, at=MONTHS_LATER).counts["resets"] == 0
    assert reset_states(sqlite_rig) == ["done"]
    assert sqlite_rig.checksums(exclude=("job_run", "pg_reset")) == before
