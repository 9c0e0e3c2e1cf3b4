"""How single values of the configuration are read: secrets, addresses, times of day."""

from __future__ import annotations

import ipaddress
import os
import re
from datetime import time
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, SecretStr
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

ADAPTERS = Path(__file__).resolve().parents[2] / "sql" / "shops"
ENVIRONMENT = re.compile(r"[A-Z_][A-Z0-9_]*")
DATABASES = ("mysql+pymysql", "mariadb+pymysql", "sqlite")

CodeClass = Literal["declined-hard", "declined-soft", "refused", "misconfigured", "unknown"]
"""What a code of a PG means for a charge."""


def _secret(value: object) -> object:
    """Resolve `env:NAME`; anything else stands for itself."""
    if not isinstance(value, str) or not value.startswith("env:"):
        return value
    name = value.removeprefix("env:")
    if not ENVIRONMENT.fullmatch(name) and name not in os.environ:
        # Not repeated: it may be the secret itself.
        raise ValueError("env: 뒤에는 환경 변수의 이름을 대문자로 적으세요 (예: env:DB_PASSWORD)")
    if not os.environ.get(name):
        raise ValueError(f"환경 변수 {name} 이(가) 없거나 비어 있습니다. 설정한 뒤 다시 실행하세요")
    return os.environ[name]


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _safe_url(url: str, plain: str, safe: tuple[str, ...]) -> str:
    wanted = " 또는 ".join(f"{scheme}://" for scheme in (*safe, plain))
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in (plain, *safe) and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise ValueError(f"주소가 아닙니다. {wanted} 로 시작하는 주소를 적으세요")
    if parts.scheme == plain and not is_loopback(parts.hostname or ""):
        raise ValueError(f"{plain}:// 는 이 컴퓨터(127.0.0.1)로만 허용됩니다. {safe[0]}:// 로 바꾸세요")
    return url


def _web_url(url: str) -> str:
    return _safe_url(url.rstrip("/"), "http", ("https",))


def _smtp_url(url: str) -> str:
    return _safe_url(url, "smtp", ("smtps", "smtp+starttls"))


def database_address(given: str) -> str:
    """Read an address given outside of the file, `env:NAME` too; ValueError never repeats it."""
    return _database_url(str(_secret(given)))


def _database_url(url: str) -> str:
    try:
        made = make_url(url)
    except (ArgumentError, ValueError):
        made = None
    if made is None or made.drivername not in DATABASES or not made.database:
        raise ValueError(
            "데이터베이스 주소가 아닙니다. mysql+pymysql://사용자@호스트:3306/스키마 처럼 적으세요"
            " (비밀번호는 password 항목에)"
        )
    return url


def _adapter(name: str) -> str:
    known = sorted(folder.name for folder in ADAPTERS.iterdir() if folder.is_dir())
    if name not in known:
        raise ValueError(f"{name!r} 이라는 어댑터가 없습니다. {', '.join(known)} 중 하나를 적으세요")
    return name


def _zone(name: object) -> object:
    try:
        return ZoneInfo(name) if isinstance(name, str) else name
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name!r} 은(는) 시간대 이름이 아닙니다. Asia/Seoul 처럼 적으세요") from None


def _clock_times(value: object) -> object:
    if not isinstance(value, list | tuple):
        raise ValueError('["10:00", "17:00"] 처럼 시각의 목록을 적으세요')  # noqa: TRY004 pydantic wants it
    return tuple(sorted(_clock_time(item) for item in value))


def _clock_time(value: object) -> time:
    try:
        return time.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f'{value!r} 은(는) 시각이 아닙니다. "10:00" 처럼 적으세요') from None


def _quiet_hours(value: object) -> object:
    """Read "21:00-08:00"; an empty string means none."""
    if value == "" or value is None:
        return None
    start, dash, end = str(value).partition("-")
    if not dash:
        raise ValueError('"21:00-08:00" 처럼 적거나, 쓰지 않으려면 "" 로 두세요')
    return (_clock_time(start.strip()), _clock_time(end.strip()))


Secret = Annotated[SecretStr, BeforeValidator(_secret)]
WebUrl = Annotated[str, AfterValidator(_web_url)]
SmtpUrl = Annotated[str, AfterValidator(_smtp_url)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
Adapter = Annotated[str, AfterValidator(_adapter)]
Zone = Annotated[ZoneInfo, BeforeValidator(_zone)]
ClockTimes = Annotated[tuple[time, ...], BeforeValidator(_clock_times)]
QuietHours = Annotated[tuple[time, time] | None, BeforeValidator(_quiet_hours)]
