"""What the tests of SOLAPI share: two letters, one group and what the provider may say of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from lib import settings
from lib.messengers import Letter, Outcome, Outcomes, Unknown
from lib.messengers.solapi import Solapi
from tests.adapters.servers import reply

NOW = datetime(2026, 11, 29, 1, 2, 3, tzinfo=UTC)
GROUP = "G4V20261129"
PATH = f"/messages/v4/groups/{GROUP}"
OPENED = reply(200, {"groupId": GROUP, "status": "PENDING"})
SENDING = reply(200, {"groupId": GROUP, "status": "SENDING"})
PENDING = OPENED
DELETED = reply(200, {"groupId": GROUP, "status": "DELETED", "dateSent": None})
DELETED_TOO_LATE = reply(200, {"groupId": GROUP, "status": "DELETED", "dateSent": "2026-11-29T01:02:03.000Z"})
LETTER = Letter(
    message_id=1,
    channel="sms",
    address="010-1234-5678",
    subject="",
    body="내일 12,900원이 결제됩니다.",
    html="",
    sms_kind="SMS",
    sender="0212345678",
    sender_name="원두상점",
    claimed_at=NOW,
    lease_until=datetime.max.replace(tzinfo=UTC),
)
TWO = (LETTER, replace(LETTER, message_id=2))


def result(message_id: int, code: str = "2000", message: str = "") -> dict[str, object]:
    fields = {"message_id": str(message_id)}
    return {"to": "01012345678", "statusCode": code, "statusMessage": message, "customFields": fields}


def filled(*results: object) -> bytes:
    return reply(200, {"errorCount": 0, "resultList": list(results)})


FILLED = filled(result(1), result(2))


@contextmanager
def provider(url: str, **changes: object) -> Iterator[Solapi]:
    given = {"base_url": url, "api_key": "NCSKEY", "api_secret": "hidden", "read_timeout": 0.3}
    made = Solapi(settings.Sms.model_validate(given | changes), now=lambda: NOW)
    try:
        yield made
    finally:
        made.close()


def keep(_group: str) -> None:
    """Store nothing."""


def both(outcome: Outcome) -> Outcomes:
    return {1: outcome, 2: outcome}


UNTOLD = Unknown("the provider does not tell what became of the group")
