"""Small storms: runs of several jobs at once, struck at random, over a shop whose storefront goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.storm import Storm, sky
from tests.chaos.weather import Weather
from tests.homes import Home

pytestmark = [pytest.mark.rule(7, 8, 9, 10, 11, 12), pytest.mark.timeout(600)]

NOTICED = ("2026-12-03T10:05", "2026-12-03T17:05", "2026-12-04T10:05")
"""For a mix whose rounds are announced before the storm."""
FROM_THE_START = ("2026-12-02T09:00", "2026-12-03T10:05", "2026-12-04T10:05")
STORMS = (
    Weather(1, 2, ("charge_d1", "reset_pg"), size=50, waves=NOTICED, event=0, odds=0.01),
    Weather(2, 8, ("notify_d2", "charge_d1"), size=50, waves=FROM_THE_START, odds=0.01),
)


@pytest.mark.parametrize("weather", STORMS, ids=lambda weather: f"{weather.runners} {'+'.join(weather.jobs)}")
def test_after_a_storm_nobody_is_charged_twice_and_nothing_is_lost(
    shared_pair: Home, tmp_path: Path, weather: Weather
) -> None:
    with sky(shared_pair, tmp_path) as (rig, database):
        figures = Storm(rig, database, weather).play()
    assert figures.violations == []
    assert figures.faults.total() >= 5
    assert figures.rounds["paid"] + figures.doubts >= 5
