"""Which file serves which PG."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from lib.gateways import Gateway
from lib.gateways.tosspayments import TossPayments
from lib.settings import ConfigurationError, Settings


def open_gateways(settings: Settings, now: Callable[[], datetime]) -> dict[str, Gateway]:
    """Return the configured PGs by code; `now` is the business clock, for the age of keys.

    Raises ConfigurationError for a PG this version cannot serve.
    """
    opened: dict[str, Gateway] = {}
    for code in settings.gateways():
        if code != "tosspayments" or settings.gateway.tosspayments is None:
            raise ConfigurationError(
                f"gateway.{code}: 이 버전은 tosspayments 만 지원합니다. [gateway.{code}] 를 지우세요"
            )
        opened[code] = TossPayments(settings.gateway.tosspayments, now)
    return opened
