"""What `ops check` makes of what a database server says about itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from lib.checking import server
from lib.checking.server import ServerState

NOON = datetime(2026, 12, 1, 12)
HEALTHY = ServerState(version="10.11.19-MariaDB", flush_log=1, is_read_only=False, at=NOON)


def test_a_healthy_server_has_no_finding() -> None:
    assert [one for one in server.judge(HEALTHY, NOON) if one.remedy] == []


@pytest.mark.parametrize(
    ("version", "ok"),
    [
        ("8.0.15", False),
        ("8.0.16", True),
        ("8.4.3-log", True),
        ("5.7.44-log", False),
        ("10.5.29-MariaDB", False),
        ("10.6.0-MariaDB", True),
        ("10.11.19-MariaDB-0+deb12u1", True),
        ("11.8.2-MariaDB", True),
        ("unheard of", False),
    ],
)
def test_a_server_must_be_new_enough(version: str, ok: bool) -> None:
    assert server.judge_version(version).ok is ok


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (replace(HEALTHY, flush_log=2), "innodb_flush_log_at_trx_commit = 2"),
        (replace(HEALTHY, is_read_only=True), "읽기 전용"),
        (replace(HEALTHY, version="10.5.1-MariaDB"), "너무 오래됨"),
        (replace(HEALTHY, at=NOON - timedelta(seconds=31)), "31.0초 다름"),
    ],
)
def test_a_server_that_may_lose_money_is_found(state: ServerState, said: str) -> None:
    (fault,) = [one for one in server.judge(state, NOON) if not one.ok]
    assert said in fault.what
    assert fault.remedy


@pytest.mark.parametrize(
    ("seconds", "ok", "warned"),
    [(0, True, False), (2, True, False), (2.1, True, True), (30, True, True), (30.1, False, True)],
)
def test_clocks_may_differ_by_two_seconds_and_never_by_thirty(seconds: float, ok: bool, warned: bool) -> None:
    finding = server.judge_skew(timedelta(seconds=seconds))
    assert (finding.ok, bool(finding.remedy)) == (ok, warned)
