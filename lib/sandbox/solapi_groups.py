"""A message group as the SOLAPI simulator keeps it, and the objects it answers with."""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lib.sandbox.solapi_rules import ACCEPTED, DELIVERED, PRICES_KRW, STATUS

ACCOUNT = "12925149"
_PRICE = {"82": {kind.lower(): price for kind, price in PRICES_KRW.items()}}


def new_id(letter: str, now: datetime) -> str:
    """Return a group id (`G`) or message id (`M`) in the vendor's form: 17 characters of time, 15 random."""
    return f"{letter}4V{now:%Y%m%d%H%M%S}{secrets.token_hex(8).upper()[:15]}"


def iso(moment: datetime) -> str:
    """Return a moment as the vendor writes it: UTC, milliseconds, Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


@dataclass
class Message:
    """One message of a group, refused ones included."""

    message_id: str
    group_id: str
    to: str
    sender: str
    text: str
    subject: str
    kind: str
    custom_fields: dict[str, str]
    status: str
    created_at: datetime

    @property
    def accepted(self) -> bool:
        """Whether it will go out when the group is released."""
        return self.status in {ACCEPTED, DELIVERED}

    def result(self) -> dict[str, Any]:
        """Return it as one line of `resultList` or `failedMessageList`."""
        line: dict[str, Any] = {
            "to": self.to,
            "from": self.sender,
            "type": self.kind,
            "country": "82",
            "messageId": self.message_id,
            "statusCode": self.status,
            "statusMessage": STATUS.get(self.status, ""),
            "accountId": ACCOUNT,
        }
        return line | ({"customFields": self.custom_fields} if self.custom_fields else {})

    def as_json(self) -> dict[str, Any]:
        """Return it as a stored message."""
        return self.result() | {
            "_id": self.message_id,
            "groupId": self.group_id,
            "text": self.text,
            "subject": self.subject or None,
            "customFields": self.custom_fields,
            "autoTypeDetect": True,
            "replacement": False,
            "log": [],
            "dateCreated": iso(self.created_at),
            "dateUpdated": iso(self.created_at),
        }


@dataclass
class Group:
    """A group: PENDING until released, then SENDING and COMPLETE, or FAILED; or DELETED."""

    group_id: str
    allow_duplicates: bool
    created_at: datetime
    status: str = "PENDING"
    released_at: datetime | None = None
    over_quota: bool = False
    messages: dict[str, Message] = field(default_factory=dict)
    log: list[dict[str, Any]] = field(default_factory=list)

    @property
    def accepted(self) -> list[Message]:
        """The messages that are registered and not refused."""
        return [message for message in self.messages.values() if message.accepted]

    @property
    def price_krw(self) -> int:
        """What releasing it costs."""
        return sum(PRICES_KRW[message.kind] for message in self.accepted)

    def note(self, now: datetime, message: str, **amounts: int) -> None:
        """Add a line to the group's log."""
        self.log.append({"createAt": iso(now), "message": message} | amounts)

    def complete(self) -> None:
        """Every accepted message has reached its handset."""
        self.status = "COMPLETE"
        for message in self.accepted:
            message.status = DELIVERED

    def as_json(self) -> dict[str, Any]:
        """Return the vendor's group object."""
        accepted = self.accepted
        kinds = Counter(message.kind for message in accepted)
        sent = len(accepted) if self.status == "COMPLETE" else 0
        requested = sum(PRICES_KRW[kind] * count for kind, count in kinds.items())
        return {
            "_id": self.group_id,
            "groupId": self.group_id,
            "status": self.status,
            "count": self._count(len(accepted), sent),
            "countForCharge": {
                kind.lower(): ({"82": kinds[kind]} if kinds[kind] else {})
                for kind in ("SMS", "LMS", "MMS", "ATA", "CTA", "CTI")
            },
            "balance": {"requested": requested, "replacement": 0, "refund": 0, "sum": requested},
            "point": {"requested": 0, "replacement": 0, "refund": 0, "sum": 0},
            "price": _PRICE,
            "log": list(self.log),
            "allowDuplicates": self.allow_duplicates,
            "isRefunded": False,
            "accountId": ACCOUNT,
            "masterAccountId": None,
            "apiVersion": "4",
            "scheduledDate": None,
            "dateSent": iso(self.released_at) if self.released_at else None,
            "dateCompleted": None,
            "dateCreated": iso(self.created_at),
            "dateUpdated": iso(self.released_at or self.created_at),
        }

    def _count(self, accepted: int, sent: int) -> dict[str, int]:
        return {
            "total": len(self.messages),
            "sentTotal": sent,
            "sentFailed": 0,
            "sentSuccess": sent,
            "sentPending": 0,
            "sentReplacement": 0,
            "refund": 0,
            "registeredFailed": len(self.messages) - accepted,
            "registeredSuccess": accepted,
        }


@dataclass(frozen=True)
class SolapiCall:
    """One request; `outcome` is done, not_processed or an error code."""

    at: datetime
    method: str
    path: str
    endpoint: str
    group_id: str
    outcome: str
    status: int
    fault: str


@dataclass(frozen=True)
class Released:
    """A message that left for its handset, written the moment its group is released."""

    at: datetime
    message_id: str
    group_id: str
    to: str
    sender: str
    kind: str
    text: str
    subject: str
    custom_fields: dict[str, str]

    def __repr__(self) -> str:
        return f"Released({self.message_id})"


SolapiEntry = SolapiCall | Released
