"""The model is worth its keep: an error put into the rules shows as a difference within a short life."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.year.mutations import MUTATIONS, Mutation, apply, differences

pytestmark = pytest.mark.rule(1, 2, 4, 5, 9, 10)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_short_life_tells_that(mutation: Mutation, tmp_path: Path) -> None:
    apply(mutation, tmp_path)
    assert differences(mutation, tmp_path)


def test_a_line_that_is_gone_is_no_mutation(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not have this line once"):
        apply(Mutation("", "calendar.py", "no such line", ""), tmp_path)
