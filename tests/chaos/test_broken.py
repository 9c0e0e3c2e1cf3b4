"""The control: the suite tells a broken build from the sound one, each by a violation of the right name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.broken import BUILDS, PIECES, Build, Edit, apply, found_in
from tests.chaos.storm import sky
from tests.homes import Home

pytestmark = [pytest.mark.rule(7, 9, 10, 12), pytest.mark.timeout(400)]


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.name)
def test_a_broken_build_is_caught(server: str, build: Build) -> None:
    found = found_in(build, server)
    assert build.shows in {line.partition(":")[0] for line in found}, found


@pytest.mark.parametrize("piece", PIECES)
def test_the_sound_build_passes_what_catches_a_broken_one(
    shared_pair: Home, tmp_path: Path, piece: str
) -> None:
    shared_pair.empty()
    with sky(shared_pair, tmp_path) as (rig, database):
        assert PIECES[piece](rig, database) == []


def test_a_line_that_is_no_longer_there_is_told_and_not_passed_over(tmp_path: Path) -> None:
    gone = Build("gone", (Edit("spool.py", "a line that nobody wrote", ""),), piece="", shows="")
    with pytest.raises(ValueError, match="does not have this line once"):
        apply(gone, tmp_path)
