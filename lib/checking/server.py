"""The database server: reachable, new enough, durable, writable, and with the right time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import DBAPIError

from lib import dialect
from lib.checking.finding import Finding, bad, good, warning
from lib.store import Store, error_code

OLDEST = {"MariaDB": (10, 6, 0), "MySQL": (8, 0, 16)}
"""CHECK constraints are enforced from here on, and SKIP LOCKED is there."""
SKEW_WARNS = timedelta(seconds=2)
SKEW_FAILS = timedelta(seconds=30)
"""A lease is 180 seconds; a clock this far off would eat up a good part of it."""
REMEDIES = {
    1044: "sql/grants.sql 의 권한을 주세요",
    1045: "database.url 의 사용자나 database.password 를 고치세요",
    1049: "database.url 의 스키마를 만들고 `jeonggi setup` 을 실행하세요",
}


@dataclass(frozen=True)
class ServerState:
    """What a server says about itself; `at` is its clock in UTC, naive."""

    version: str
    flush_log: int
    is_read_only: bool
    at: datetime


def connection_fault(store: Store) -> Finding | None:
    """Return why the database cannot be used at all; None: it answers."""
    try:
        store.engine.connect().close()
    except DBAPIError as error:
        code = error_code(error)
        remedy = REMEDIES.get(code or 0, "서버를 켜거나 database.url 을 고치세요")
        return bad(f"데이터베이스에 연결할 수 없음(오류 {code or '없음'})", remedy)
    return None


def server_findings(store: Store) -> list[Finding]:
    """Look at the server's version, settings and clock."""
    if store.is_sqlite:
        return [warning("SQLite 는 시연용임", "실제 결제에는 MySQL 이나 MariaDB 를 쓰세요")]
    asked = datetime.now(UTC)
    row = store.row("find_server_state")
    here = asked + (datetime.now(UTC) - asked) / 2
    if row is None:
        return []
    state = ServerState(
        version=row["version"],
        flush_log=row["flush_log"],
        is_read_only=str(row["is_read_only"]).upper() not in {"0", "OFF"},
        at=dialect.as_datetime(row["at"]),
    )
    return list(judge(state, here.replace(tzinfo=None)))


def judge(state: ServerState, here: datetime) -> Iterator[Finding]:
    """Judge a server by what it says; `here` is this host's clock in UTC, naive."""
    yield judge_version(state.version)
    if state.flush_log == 1:
        yield good("커밋한 기록은 서버 디스크에 남음")
    else:
        yield bad(
            f"innodb_flush_log_at_trx_commit = {state.flush_log}: 정전되면 결제 기록을 잃을 수 있음",
            "서버 설정에 innodb_flush_log_at_trx_commit = 1 을 적으세요",
        )
    if state.is_read_only:
        yield bad("읽기 전용 서버임(복제본?)", "database.url 에 주 서버를 적으세요")
    yield judge_skew(abs(state.at - here))


def judge_version(version: str) -> Finding:
    """Judge what VERSION() says, such as 8.0.36 or 10.11.19-MariaDB-0+deb12u1."""
    kind = "MariaDB" if "MariaDB" in version else "MySQL"
    numbers = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    if numbers and tuple(map(int, numbers.groups())) >= OLDEST[kind]:
        return good(f"{kind} {numbers[0]}")
    oldest = ".".join(map(str, OLDEST[kind]))
    return bad(f"{kind} {version} 은(는) 너무 오래됨", f"{kind} {oldest} 이상을 쓰세요")


def judge_skew(skew: timedelta) -> Finding:
    """Judge how far the clocks of this host and of the server are apart."""
    seconds = f"{skew.total_seconds():.1f}초"
    remedy = "두 서버의 시계를 NTP 로 맞추세요"
    if skew > SKEW_FAILS:
        return bad(f"이 서버와 데이터베이스의 시계가 {seconds} 다름", remedy)
    if skew > SKEW_WARNS:
        return warning(f"이 서버와 데이터베이스의 시계가 {seconds} 다름", remedy)
    return good("이 서버와 데이터베이스의 시계가 맞음")
