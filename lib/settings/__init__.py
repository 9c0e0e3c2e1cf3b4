"""The configuration: one TOML file, validated as a whole before anything else is done."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from lib.settings.faults import lines
from lib.settings.sections import (
    Allat,
    Database,
    Gateway,
    Gateways,
    Mail,
    Nicepay,
    Paths,
    Policy,
    Settings,
    Shop,
    Sms,
    TossPayments,
)
from lib.settings.values import database_address, is_loopback

__all__ = [
    "DEFAULT_PATH",
    "Allat",
    "ConfigurationError",
    "Database",
    "Gateway",
    "Gateways",
    "Mail",
    "Nicepay",
    "Paths",
    "Policy",
    "Settings",
    "Shop",
    "Sms",
    "TossPayments",
    "database_address",
    "is_loopback",
    "load",
]

DEFAULT_PATH = Path("/etc/jeonggi.toml")
READABLE_BY_OTHERS = stat.S_IRGRP | stat.S_IROTH
SECRET_KEYS = frozenset({"password", "secret_key", "cross_key", "api_secret"})


class ConfigurationError(Exception):
    """The configuration cannot be used; the text names the key and the remedy, and never a secret."""


def load(path: Path | None) -> Settings:
    """Read and validate the file; raise ConfigurationError with one line a finding."""
    chosen = path or Path(os.environ.get("JEONGGI_CONFIG") or DEFAULT_PATH)
    content = _read(chosen)
    if _holds_secrets(content) and chosen.stat().st_mode & READABLE_BY_OTHERS:
        raise ConfigurationError(
            f"{chosen}: 비밀 값이 있는데 다른 사용자가 읽을 수 있습니다. 실행하세요: chmod 600 {chosen}"
        )
    try:
        return Settings.model_validate(content)
    except ValidationError as error:
        raise ConfigurationError("\n".join(lines(chosen, error))) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(
            f"{path}: 설정 파일이 없습니다. --config 또는 $JEONGGI_CONFIG 로 알려 주세요"
            " (docs/operations.ko.md)"
        ) from None
    except OSError as error:
        raise ConfigurationError(
            f"{path}: 설정 파일을 읽을 수 없습니다 ({error.strerror})."
            " 작업을 실행하는 사용자가 읽을 수 있게 하세요"
        ) from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: UTF-8 파일이 아닙니다. UTF-8 로 저장하세요") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: TOML 형식이 아닙니다: {error}. 그 줄을 고치세요") from None


def _holds_secrets(table: dict[str, Any]) -> bool:
    """Tell whether a secret is written out in the file, also as the password inside a URL."""
    for key, value in table.items():
        if isinstance(value, dict):
            if _holds_secrets(value):
                return True
        elif isinstance(value, str) and not value.startswith("env:"):
            if key in SECRET_KEYS and value:
                return True
            if key in {"url", "smtp_url"} and _password_in(value):
                return True
    return False


def _password_in(url: str) -> bool:
    try:
        return bool(urlsplit(url).password)
    except ValueError:
        return False  # no address at all: validation says so
