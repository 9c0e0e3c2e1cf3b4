"""Which file serves which PG."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from lib import settings as configuration
from lib.gateways import Gateway
from lib.gateways.allat import Allat
from lib.gateways.nicepay import Nicepay
from lib.gateways.tosspayments import TossPayments

Config = configuration.TossPayments | configuration.Nicepay | configuration.Allat


def open_gateways(settings: configuration.Settings, now: Callable[[], datetime]) -> dict[str, Gateway]:
    """Return the configured PGs by code; `now` is the business clock, for the age of keys and quarantines."""
    return {code: _open(config, now) for code, config in settings.gateways().items()}


def _open(config: Config, now: Callable[[], datetime]) -> Gateway:
    match config:
        case configuration.TossPayments():
            return TossPayments(config, now)
        case configuration.Nicepay():
            return Nicepay(config, now)
        case configuration.Allat():
            return Allat(config, now)
