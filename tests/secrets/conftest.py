"""The life of a shop of nasty texts, played once for all that look at it."""

from __future__ import annotations

import pytest

from tests.homes import Home
from tests.rig import bench
from tests.secrets import nasty
from tests.secrets.nasty import Life


@pytest.fixture(scope="session")
def life(shared_pair: Home, tmp_path_factory: pytest.TempPathFactory) -> Life:
    """Play it; the invariants hold at its end."""
    shared_pair.empty()
    with bench(shared_pair, tmp_path_factory.mktemp("nasty")) as rig:
        nasty.put_in(rig)
        return nasty.live(rig)
