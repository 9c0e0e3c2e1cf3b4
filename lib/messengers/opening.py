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
                f"sms.provider: {settings.sms.provider} 은(는) 이 버전에서 쓸 수 없습니다. solapi 로 바꾸세요"
            )
        opened["sms"] = Solapi(settings.sms)
    return opened
