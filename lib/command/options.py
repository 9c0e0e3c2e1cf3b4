"""The options that every job has, and the moment that `--as-of` names."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click

from lib.settings import Settings, database_address

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Options:
    """The shared options as given."""

    config: Path | None = None
    as_of: str | None = None
    dry_run: bool = False
    limit: int | None = None
    subscription: tuple[str, ...] = ()
    workers: int | None = None
    as_json: bool = False
    quiet: bool = False
    verbose: bool = False


SHARED = (
    click.option(
        "--config",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="설정 파일 (기본: $JEONGGI_CONFIG, /etc/jeonggi.toml)",
    ),
    click.option(
        "--as-of",
        metavar="YYYY-MM-DD[THH:MM]",
        help="이 시각을 기준으로 실행 (예: 2026-12-01T10:00). 지금이 아니면 --dry-run 과 함께만",
    ),
    click.option(
        "--dry-run", is_flag=True, help="무엇을 할지 보여 주기만 하고 아무것도 바꾸거나 보내지 않음"
    ),
    click.option("--limit", type=click.IntRange(min=1), metavar="N", help="회차를 N건까지만 처리"),
    click.option(
        "--subscription", multiple=True, metavar="ID", help="이 신청번호만 처리 (여러 번 쓸 수 있음)"
    ),
    click.option("--workers", type=click.IntRange(1, 256), metavar="N", help="동시에 열어 둘 결제 시도 수"),
    click.option("--json", "as_json", is_flag=True, help="마지막 줄에 JSON 한 줄로 요약"),
    click.option("--quiet", is_flag=True, help="모두 정상이면 아무것도 출력하지 않음"),
    click.option("-v", "--verbose", is_flag=True, help="확인할 일을 모두 보여 줌"),
)


def shared_options(command: F) -> F:
    """Add the options that every job has."""
    for option in reversed(SHARED):
        command = option(command)
    return command


class UsageError(click.UsageError):
    """Wrong usage: exit 2."""


def read_address(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Read the address of a database; as `env:NAME` its password stands in no list of processes."""
    try:
        return value and database_address(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def now() -> datetime:
    """Return the real time, the default of `--as-of`."""
    return datetime.now(UTC)


def read_as_of(given: str | None, zone: ZoneInfo) -> datetime:
    """Read `--as-of`; without one, for today without a time, and for this very minute it is now.

    Another date without a time is 20:00 of that day. UsageError where it is no moment from the year 2000 on.
    """
    real = now().astimezone(zone)
    if given is None:
        return real
    if not re.fullmatch(r"2\d{3}-\d\d-\d\d(T\d\d:\d\d)?", given, re.ASCII):
        raise UsageError(f"--as-of {given}: 2000년 이후의 YYYY-MM-DD 또는 YYYY-MM-DDTHH:MM 으로 적으세요")
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise UsageError(f"--as-of {given}: 없는 날짜나 시각입니다") from None
    if "T" not in given:
        if moment.date() == real.date():
            return real
        moment = datetime.combine(moment.date(), time(20))
    elif moment == real.replace(tzinfo=None, second=0, microsecond=0):
        return real
    return moment.replace(tzinfo=zone)


def as_of(options: Options, settings: Settings) -> datetime:
    """Return the moment a run stands on; refuse another than now unless nothing real can be changed by it."""
    real = now()
    moment = read_as_of(options.as_of, settings.shop.timezone)
    travels = options.as_of is not None and not real <= moment <= now()
    if travels and not options.dry_run and not settings.policy.time_travel:
        raise UsageError(
            "--as-of: 지금이 아닌 시각은 --dry-run 과 함께,"
            " 또는 [policy] time_travel = true (시뮬레이터 전용)일 때만 쓸 수 있습니다"
        )
    return moment
