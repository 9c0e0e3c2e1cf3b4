"""Hypothesis draws what happens to a shop, and looks for the shortest story that breaks a promise.

After every act the invariants hold and the gateway's book has nothing that its customers were not told; in
the end, with the faults gone and a person's word for each doubt, nothing is left under way. The long form is
`JEONGGI_CHAOS=1`; `--hypothesis-seed=N` tells other stories.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.homes import Home
from tests.rig import Rig, bench
from tests.stateful.machine import Shop

pytestmark = pytest.mark.rule(2, 3, 6, 7, 8, 9, 10, 11, 12, 14)

IS_LONG = "JEONGGI_CHAOS" in os.environ
SETTINGS = settings(
    max_examples=100 if IS_LONG else 7,
    stateful_step_count=40 if IS_LONG else 22,
    derandomize=not IS_LONG,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def rig(shared_pair: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Give one bench for all stories: each begins by emptying everything."""
    with bench(shared_pair, tmp_path_factory.mktemp("stateful"), guarded=False) as made:
        yield made


@pytest.mark.timeout(14_400 if IS_LONG else 900)
def test_no_order_of_acts_breaks_a_promise_or_leaves_anything_under_way(rig: Rig) -> None:
    figures: Counter[str] = Counter()
    try:
        run_state_machine_as_test(lambda: Shop(rig, figures), settings=SETTINGS)  # type: ignore[arg-type]
    finally:
        sys.stdout.write(f"{dict(sorted(figures.items()))}\n")
    assert figures["fired kill"] + figures["fired cut"]
