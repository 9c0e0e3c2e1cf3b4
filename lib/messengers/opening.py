"""Which file serves which channel."""

from __future__ import annotations

from typing import Literal

from lib.messengers import Messenger
from lib.messengers.mail import Mail
from lib.messengers.solapi import Solapi
from lib.settings import ConfigurationError, Settings


def open_messengers(settings: Settings) -> dict[Literal["mail", "sms"], Messenger]:
    """Return the configured providers by channel; raises ConfigurationError for one not served."""
    opened: dict[Literal["mail", "sms"], Messenger] = {"mail": Mail(settings.mail)}
    if settings.sms:
        if settings.sms.provider != "solapi":
            raise ConfigurationError(
                f"sms.provider: this version serves solapi only, not {settings.sms.provider}"
            )
        opened["sms"] = Solapi(settings.sms)
    return opened
