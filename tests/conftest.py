"""The fixtures that every test may ask for."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests import mariadb
from tests.homes import Home, drop_pair, make_file, make_pair
from tests.rig import Rig, bench

_numbers = itertools.count()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--rules`: with `--collect-only`, the table rule, cases, where tested."""
    parser.addoption("--rules", action="store_true", help="tell how many cases hold each rule, and where")


def pytest_report_collectionfinish(config: pytest.Config, items: Sequence[pytest.Item]) -> list[str]:
    """Count the cases of each rule by their `rule` markers."""
    if not config.getoption("--rules"):
        return []
    cases = Counter(
        (number, item.location[0])
        for item in items
        for number in {number for mark in item.iter_markers("rule") for number in mark.args}
    )
    return [line for number in sorted({number for number, _ in cases}) for line in _rule(number, cases)]


def _rule(number: int, cases: Counter[tuple[int, str]]) -> list[str]:
    places = {place: count for (rule, place), count in sorted(cases.items()) if rule == number}
    return [f"rule {number}: {sum(places.values())} cases", *(f"  {n:>4}  {at}" for at, n in places.items())]


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Give the address of a MariaDB, of a user that may do everything there."""
    with mariadb.server() as url:
        yield url


@pytest.fixture(scope="session")
def shared_pair(server: str) -> Iterator[Home]:
    """Make two installed schemas for all tests of this process."""
    home = make_pair(server, str(os.getpid()))
    home.install()
    yield home
    drop_pair(server, home)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an installed SQLite file to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    home = make_file(path)
    home.install()
    home.close()
    return path


@pytest.fixture
def rig(shared_pair: Home, tmp_path: Path) -> Iterator[Rig]:
    """Give empty schemas on MariaDB; the invariants hold at the end."""
    shared_pair.empty()
    with bench(shared_pair, tmp_path) as made:
        yield made


@pytest.fixture
def sqlite_rig(sqlite_template: Path, tmp_path: Path) -> Iterator[Rig]:
    """Give empty tables in a SQLite file; the invariants hold at the end."""
    home = make_file(tmp_path / "shop.db", sqlite_template)
    with bench(home, tmp_path) as made:
        yield made
    home.close()


@pytest.fixture(params=["sqlite", "mariadb"])
def any_rig(request: pytest.FixtureRequest) -> Rig:
    """Give either of the two, for what must be the same on both."""
    found: Rig = request.getfixturevalue("rig" if request.param == "mariadb" else "sqlite_rig")
    return found


@pytest.fixture
def bare_pair(server: str) -> Iterator[Home]:
    """Make two schemas on MariaDB for one test, with the shop's tables and nothing of ours."""
    home = make_pair(server, f"{os.getpid()}_{next(_numbers)}")
    yield home
    drop_pair(server, home)


@pytest.fixture
def bare_rig(bare_pair: Home, tmp_path: Path) -> Iterator[Rig]:
    """Give a rig that is not installed, for tests that change tables and views."""
    with bench(bare_pair, tmp_path, guarded=False) as made:
        yield made


@pytest.fixture
def bare_sqlite_rig(tmp_path: Path) -> Iterator[Rig]:
    """Give the same in a SQLite file."""
    home = make_file(tmp_path / "shop.db")
    with bench(home, tmp_path, guarded=False) as made:
        yield made
    home.close()


@pytest.fixture(params=["sqlite", "mariadb"])
def any_bare_rig(request: pytest.FixtureRequest) -> Rig:
    """Give either of the two that are not installed."""
    found: Rig = request.getfixturevalue("bare_rig" if request.param == "mariadb" else "bare_sqlite_rig")
    return found
