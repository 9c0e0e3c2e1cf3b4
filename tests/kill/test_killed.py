"""kill -9 of charge_d1 at any moment, again and again: nothing is charged twice and nothing is lost."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field

import pytest

from tests.jobs.charging import CHARGE_AT
from tests.jobs.crowd import book_equals_ledger, crowd, states
from tests.rig import Rig

SEED = 20261202
KILLS = 10
WITH_AN_OPEN_ATTEMPT = 5
LEASE = 3
LATENCY = 0.06
SIZE = 400
LEFT = 60
"""So many rounds are due at least after every kill."""


@dataclass
class Seen:
    """What the kills left behind, for the test's last sentences."""

    open_attempts: list[int] = field(default_factory=list)
    due: list[int] = field(default_factory=list)


@pytest.mark.timeout(600)  # leases alone take a minute of it
def test_ten_kills_at_seeded_moments_charge_every_round_once(rig: Rig) -> None:
    rig.config(gateway={"tosspayments": {"lease": LEASE}})
    crowd(rig, SIZE)
    rig.sandbox.toss.faults.latency_s = LATENCY
    moments = random.Random(SEED)  # noqa: S311 seeded, so that a failure can be looked at again
    seen = Seen()
    for number in range(KILLS):
        # Every fourth one strikes while a run starts, settles or claims for the first time.
        _kill(rig, seen, moments.uniform(0.02, 0.3), is_early=number % 4 == 0)
        _wait_for_leases(rig)
        rig.run("charge_d1", "--as-of", CHARGE_AT, "--limit", "4")
        assert rig.invariants() == []
        assert _open(rig) == 0
    rig.run("charge_d1", "--as-of", CHARGE_AT)
    assert states(rig) == {"paid": SIZE}
    assert book_equals_ledger(rig)
    assert len(rig.shop("SELECT order_id FROM orders")) == SIZE
    assert sum(number > 0 for number in seen.open_attempts) >= WITH_AN_OPEN_ATTEMPT
    assert max(seen.open_attempts) <= 8
    assert min(seen.due) >= LEFT


def _kill(rig: Rig, seen: Seen, moment: float, *, is_early: bool) -> None:
    """Kill a run a moment after its start or, if that is not early, after its first charge arrived."""
    before = len(rig.sandbox.toss.calls())
    process = rig.start("charge_d1", "--as-of", CHARGE_AT, "--workers", "8")
    while not is_early and len(rig.sandbox.toss.calls()) == before:
        time.sleep(0.005)
    time.sleep(moment)
    process.kill()
    rig.finish(process)
    time.sleep(2 * LATENCY)  # what was under way reaches the gateway's book
    seen.open_attempts.append(_open(rig))
    seen.due.append(states(rig)["due"])


def _open(rig: Rig) -> int:
    rows = rig.ours("SELECT COUNT(*) AS number FROM payment_attempt WHERE state IN ('sending', 'unknown')")
    number: int = rows[0]["number"]
    return number


def _wait_for_leases(rig: Rig) -> None:
    rows = rig.ours(
        "SELECT GREATEST(0, TIMESTAMPDIFF(MICROSECOND, UTC_TIMESTAMP(6), MAX(lease_until))) AS left_us "
        "FROM payment_attempt WHERE state IN ('sending', 'unknown')"
    )
    time.sleep((rows[0]["left_us"] or 0) / 1e6 + 0.01)
