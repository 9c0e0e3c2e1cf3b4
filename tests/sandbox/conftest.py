"""A sandbox for every test, and clients that speak to it."""

from collections.abc import Iterator

import pytest

from lib.sandbox import Sandbox
from tests.sandbox.talking import Merchant, Texter


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def merchant(sandbox: Sandbox) -> Iterator[Merchant]:
    with Merchant(sandbox.toss.url) as client:
        yield client


@pytest.fixture
def texter(sandbox: Sandbox) -> Texter:
    return Texter(sandbox.solapi.url)
