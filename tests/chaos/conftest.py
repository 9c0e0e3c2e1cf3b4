"""The stage for the plays of one module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.theatre import Theatre, theatre
from tests.homes import Home


@pytest.fixture(scope="module")
def stage(shared_pair: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """Give the two schemas of this process, with a proxy before everything that a job talks to."""
    with theatre(shared_pair, tmp_path_factory.mktemp("chaos")) as opened:
        yield opened
