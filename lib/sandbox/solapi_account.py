"""The account behind the SOLAPI simulator: its groups, its money and what left for the handsets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, dropwhile, islice
from typing import Any

from lib.sandbox.book import Book
from lib.sandbox.clock import SettableClock
from lib.sandbox.solapi_groups import Group, Message, Released, SolapiEntry, new_id
from lib.sandbox.solapi_rules import ACCEPTED, PRICES_KRW, SolapiSwitches, message_kind, message_problem

MAX_RECIPIENTS = 10_000
MAX_GROUP_MESSAGES = 1_000_000
_PAGE = 20
_MAX_PAGE = 500
"""Invented: the largest `limit` is not documented."""
_OVER_QUOTA = "일일 발송량을 초과하여 발송에 실패하였습니다."
_FILTERS: Mapping[str, Callable[[Message], str]] = {
    "messageId": lambda message: message.message_id,
    "groupId": lambda message: message.group_id,
    "to": lambda message: message.to,
    "from": lambda message: message.sender,
    "type": lambda message: message.kind,
    "statusCode": lambda message: message.status,
}


@dataclass(frozen=True)
class Trouble:
    """A request refused as a whole, with the vendor's code."""

    status: int
    code: str


Answer = dict[str, Any] | Trouble
Query = Mapping[str, Sequence[str]]
_NOT_PENDING = Trouble(400, "ValidationError")
"""Invented: what adding to, releasing or deleting a released group says is not documented."""


def _expanded(messages: Iterable[object]) -> list[dict[str, Any]]:
    """Return one message per recipient: `to` may be a list."""
    expanded = []
    for message in messages:
        fields = message if isinstance(message, dict) else {}
        numbers = fields.get("to")
        expanded += [fields | {"to": to} for to in (numbers if isinstance(numbers, list) else [numbers])]
    return expanded


class Account:
    """One account; the caller holds a lock around every call."""

    def __init__(
        self, clock: SettableClock, book: Book[SolapiEntry], switches: Callable[[], SolapiSwitches]
    ) -> None:
        self._clock = clock
        self._book = book
        self._switches = switches
        self._groups: dict[str, Group] = {}
        self._spent_krw = 0
        self._released = 0

    @property
    def balance_krw(self) -> int:
        """What is left to spend."""
        return self._switches().balance_krw - self._spent_krw

    def group(self, group_id: str) -> Group | None:
        """Return a group as it stands now: what was released reaches its handsets in time."""
        group = self._groups.get(group_id)
        lag = timedelta(seconds=self._switches().complete_after_s)
        if group and group.status == "SENDING" and group.released_at:
            if group.over_quota:
                group.status = "FAILED"
            elif group.released_at + lag <= self._clock.now():
                group.complete()
        return group

    def create(self, body: Mapping[str, Any]) -> Answer:
        """Open an empty group; nothing is sent."""
        return self._new_group(body).as_json()

    def _new_group(self, body: Mapping[str, Any]) -> Group:
        now = self._clock.now()
        group = Group(new_id("G", now), bool(body.get("allowDuplicates", False)), now)
        group.note(now, "메시지 그룹이 생성되었습니다.")
        self._groups[group.group_id] = group
        return group

    def add(self, group: Group, body: object) -> Answer:
        """Register messages in a pending group; nothing is sent."""
        messages = body.get("messages") if isinstance(body, dict) else None
        if group.status != "PENDING":
            return _NOT_PENDING
        registered = self._register(group, messages)
        if isinstance(registered, Trouble):
            return registered
        refused = sum(not message.accepted for message in registered)
        return {"errorCount": refused, "resultList": [message.result() for message in registered]}

    def _register(self, group: Group, messages: object) -> list[Message] | Trouble:
        if not isinstance(messages, list) or not messages:
            return Trouble(400, "ValidationError")
        expanded = _expanded(messages)
        if len(expanded) > MAX_RECIPIENTS:
            return Trouble(413, "RecipientsTooMany")
        if len(group.messages) + len(expanded) > MAX_GROUP_MESSAGES:
            return Trouble(400, "ValidationError")  # invented: only the limit is documented
        taken = {message.to for message in group.accepted}
        left_krw = self.balance_krw - group.price_krw
        registered = []
        for fields in expanded:
            message = self._message(group, fields, taken, left_krw)
            group.messages[message.message_id] = message
            registered.append(message)
            if message.accepted:
                taken.add(message.to)
                left_krw -= PRICES_KRW[message.kind]
        return registered

    def _message(self, group: Group, fields: dict[str, Any], taken: set[str], left_krw: int) -> Message:
        now = self._clock.now()
        custom_fields = fields.get("customFields", {})
        return Message(
            message_id=new_id("M", now),
            group_id=group.group_id,
            to=str(fields.get("to") or ""),
            sender=str(fields.get("from") or ""),
            text=str(fields.get("text") or ""),
            subject=str(fields.get("subject") or ""),
            kind=message_kind(fields),
            custom_fields=custom_fields if isinstance(custom_fields, dict) else {},
            status=message_problem(fields)
            or self._account_problem(fields)
            or ("1026" if fields["to"] in taken and not group.allow_duplicates else None)
            or ("1030" if PRICES_KRW[message_kind(fields)] > left_krw else ACCEPTED),
            created_at=now,
        )

    def _account_problem(self, fields: Mapping[str, Any]) -> str | None:
        switches = self._switches()
        if switches.senders is not None and fields["from"] not in switches.senders:
            return "1062"
        return switches.refused.get(fields["to"])

    def send(self, group: Group) -> Answer:
        """Release a pending group, once."""
        if group.status != "PENDING":
            return _NOT_PENDING
        if not group.messages:
            return Trouble(404, "ResourceNotFound")
        if group.price_krw > self.balance_krw:
            return Trouble(402, "NotEnoughBalance")
        self._release(group)
        return group.as_json()

    def _release(self, group: Group) -> None:
        now, switches = self._clock.now(), self._switches()
        accepted = group.accepted
        group.status, group.released_at = "SENDING", now
        if switches.daily_quota is not None and self._released + len(accepted) > switches.daily_quota:
            group.over_quota = True
            group.status = "FAILED" if switches.quota_is_told else "SENDING"
            group.note(now, _OVER_QUOTA)
            return
        before_krw = self.balance_krw
        self._spent_krw += group.price_krw
        self._released += len(accepted)
        group.note(now, "메시지를 발송했습니다.", oldBalance=before_krw, newBalance=self.balance_krw)
        for message in accepted:
            self._book.add(_release_entry(message, now))

    def delete(self, group: Group) -> Answer:
        """Delete a group that was not released."""
        if group.status != "PENDING":
            return _NOT_PENDING
        group.status = "DELETED"
        group.note(self._clock.now(), "메시지 그룹이 삭제되었습니다.")
        return group.as_json()

    def send_many(self, body: Mapping[str, Any]) -> Answer:
        """Register and release in one call; 200 even where every message was refused."""
        group = self._new_group(body)
        registered = self._register(group, body.get("messages"))
        if isinstance(registered, Trouble):
            del self._groups[group.group_id]
            return registered
        if group.accepted:
            self._release(group)
        answer: dict[str, Any] = {
            "groupInfo": group.as_json(),
            "failedMessageList": [message.result() for message in registered if not message.accepted],
        }
        if body.get("showMessageList"):
            answer["messageList"] = [_brief(message) for message in registered if message.accepted]
        return answer

    def look_up(self, query: Query) -> Answer:
        """Return the messages of all groups, unreleased ones too, that pass the filters; by creation time."""
        try:
            start, end = _moment(query, "startDate"), _moment(query, "endDate")
        except ValueError:
            return Trouble(400, "ValidationError")
        groups = filter(None, map(self.group, list(self._groups)))
        wanted = {name: set(",".join(query[name]).split(",")) for name in _FILTERS if name in query}
        found = (
            message
            for message in chain.from_iterable(group.messages.values() for group in groups)
            if (start or message.created_at) <= message.created_at <= (end or message.created_at)
            and all(_FILTERS[name](message) in values for name, values in wanted.items())
        )
        return self.page(found, query)

    def page(self, messages: Iterable[Message], query: Query) -> Answer:
        """Return one page; `nextKey` is the `startKey` of the next, None after the last."""
        start, limit = query.get("startKey", [""])[0], query.get("limit", [str(_PAGE)])[0]
        if not limit.isdecimal() or not 0 < int(limit) <= _MAX_PAGE:
            return Trouble(400, "ValidationError")
        rest = dropwhile(lambda message: message.message_id != start, messages) if start else messages
        shown = list(islice(rest, int(limit) + 1))
        return {
            "startKey": start or None,
            "nextKey": shown[int(limit)].message_id if len(shown) > int(limit) else None,
            "limit": int(limit),
            "messageList": {message.message_id: message.as_json() for message in shown[: int(limit)]},
        }


def _moment(query: Query, name: str) -> datetime | None:
    text = query.get(name, [""])[0]
    moment = datetime.fromisoformat(text) if text else None
    if moment is not None and moment.tzinfo is None:
        raise ValueError("a moment needs its offset")
    return moment


def _brief(message: Message) -> dict[str, Any]:
    """Return a line of `messageList`: it names no recipient, so only customFields lead back to a row."""
    names = ("messageId", "statusCode", "statusMessage", "customFields")
    return {name: value for name, value in message.result().items() if name in names}


def _release_entry(message: Message, now: datetime) -> Released:
    return Released(
        at=now,
        message_id=message.message_id,
        group_id=message.group_id,
        to=message.to,
        sender=message.sender,
        kind=message.kind,
        text=message.text,
        subject=message.subject,
        custom_fields=message.custom_fields,
    )
