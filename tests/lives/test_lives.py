"""Each of the five lives goes as it is told."""

from __future__ import annotations

import pytest

from tests.lives.stories import LIVES
from tests.lives.telling import Life, in_short
from tests.rig import Rig

pytestmark = pytest.mark.rule(1, 2, 8, 10, 12)


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.title)
def test_a_life_goes_as_it_is_told(rig: Rig, life: Life) -> None:
    life.begin(rig)
    for step in life.steps:
        step.act(rig, step.at)
        assert in_short(rig) == step.shows, f"{step.at} {step.what}"
