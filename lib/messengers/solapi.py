"""SOLAPI messages v4, in three steps: open a group, fill it, release it (docs.solapi.com).

Nothing leaves before the release, so everything lost before it is proven not sent; what is lost at the
release is read back from the group.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, TypeGuard
from urllib.parse import quote

from lib import settings
from lib.billing import texts
from lib.http import Answer, Client, NothingSent, Reply
from lib.messengers import Accepted, Letter, NotNow, Outcome, Outcomes, Refused, Unknown, seconds_left
from lib.redaction import redact

GROUPS = "/messages/v4/groups"
OK, TOO_MANY, SERVER_ERROR = 200, 429, 500
NOT_LET_IN = frozenset({401, 403})
PAGE = 200
MOST_PAGES = 100
RELEASED = frozenset({"SENDING", "COMPLETE"})
NO_TIME = NotNow("LEASE", "no time left to release the group", sent=False)

# Per-message codes by what they ask for (message-status-codes.md); the rest goes by the first digit.
HANDED_OVER = frozenset({"2000", "3000", "4000"})
ACCOUNT = frozenset({"1030", "2230", "1062", "2062", "1064", "2063", "2064"})
LATER = frozenset({"1024", "2024", "1058"})
NOT_DELIVERABLE = frozenset({"3010", "3032", "3047", "3050", "3059"})


def real_time() -> datetime:
    """Return the time of the provider's clock: it allows 15 minutes, whatever as-of a run stands on."""
    return datetime.now(UTC)


class Solapi:
    """Sends SMS and LMS as one group a call; its group id is what an unknown message is looked up by."""

    batch_size = 1000
    can_look_up = True

    def __init__(self, config: settings.Sms, *, now: Callable[[], datetime] = real_time) -> None:
        self._config = config
        self._now = now
        self._secrets = (config.api_key, config.api_secret.get_secret_value())
        self._http = Client(
            config.base_url,
            connect_timeout=config.connect_timeout,
            read_timeout=config.read_timeout,
            headers=self._signed,
        )

    def send(self, letters: Sequence[Letter], remember: Callable[[str], None]) -> Outcomes:
        """Open a group, let its id be stored, fill it, release it: the release is the one moment of doubt."""
        # allowDuplicates: else a second notice to the same phone is refused with 1026.
        opened = self._http.send("POST", GROUPS, body=_json(allowDuplicates=True))
        group = _text(opened, "groupId")
        if not group:
            return _all(letters, self._not_begun(opened))
        remember(group)
        filled = self._http.send(
            "PUT", f"{_path(group)}/messages", body=_json(messages=[*map(_message, letters)])
        )
        outcomes = _registered(filled, letters, self._secrets)
        if outcomes is None:
            self._drop(group)
            # Past the lease another run may have withdrawn the group: then the refusal is not the account's.
            return _all(letters, self._not_begun(filled) if self._has_time(letters) else NO_TIME)
        rest = [letter for letter in letters if letter.message_id not in outcomes]
        if not rest:
            self._drop(group)
            return outcomes
        if self._has_time(letters):
            return outcomes | _all(rest, self._release(group))
        self._drop(group)
        return outcomes | _all(rest, NO_TIME)

    def settle(self, letters: Sequence[Letter]) -> Outcomes:
        """Look up by group id; without one, the letter's group was never filled.

        A waiting group is deleted first, so that a run which is merely slow cannot release it afterwards.
        """
        outcomes: Outcomes = {}
        for group, members in groupby(sorted(letters, key=_group), key=_group):
            outcomes |= self._look_up(group, list(members))
        return outcomes

    def sender_numbers(self) -> set[str] | None:
        """Return the active sender numbers (digits), or None where the provider did not tell."""
        answer = self._http.ask("GET", "/senderid/v1/numbers/active")
        numbers = answer.content() if isinstance(answer, Reply) and answer.status == OK else None
        return {_digits(str(number)) for number in numbers} if isinstance(numbers, list) else None

    def balance(self) -> int | None:
        """Return balance and points in won, or None where the provider did not tell."""
        content = _content(self._http.ask("GET", "/cash/v1/balance"))
        balance, point = content.get("balance"), content.get("point", 0)
        return int(balance) + int(point) if _is_money(balance) and _is_money(point) else None

    def close(self) -> None:
        """Close kept connections."""
        self._http.close()

    def _has_time(self, letters: Sequence[Letter]) -> bool:
        """Tell whether the lease outlives the slowest release."""
        slowest = self._config.connect_timeout + 2 * self._config.read_timeout
        return seconds_left(letters, self._config.lease) > slowest

    def _signed(self) -> Mapping[str, str]:
        date, salt = self._now().strftime("%Y-%m-%dT%H:%M:%SZ"), secrets.token_hex(16)
        key = self._config.api_secret.get_secret_value().encode()
        signature = hmac.new(key, (date + salt).encode(), hashlib.sha256).hexdigest()
        scheme = f"HMAC-SHA256 apiKey={self._config.api_key}, date={date}, salt={salt}, signature={signature}"
        return {"Authorization": scheme, "Content-Type": "application/json"}

    def _not_begun(self, answer: Answer) -> Outcome:
        """Return what a failure before the release means: never a doubt. A 4xx is our account or our bug."""
        if not isinstance(answer, Reply):
            return NotNow("LOST", answer.why, sent=False)
        code, message = self._said(answer)
        if 400 <= answer.status < SERVER_ERROR and answer.status != TOO_MANY:  # noqa: PLR2004 the 4xx
            return Refused("account", code, message)
        return NotNow(code, message, sent=False)

    def _release(self, group: str) -> Outcome:
        answer = self._http.send("POST", f"{_path(group)}/send", body=b"{}")
        refusal = self._not_begun(answer)
        if isinstance(answer, NothingSent) or (isinstance(answer, Reply) and answer.status in NOT_LET_IN):
            self._drop(group)
            return refusal
        if _text(answer, "status") in RELEASED:
            return Accepted(group)
        state = self._http.ask("GET", _path(group))
        return self._by_state(group, _content(state), refusal)

    def _by_state(self, group: str, content: Mapping[str, Any], waiting: Outcome) -> Outcome:
        """Return what the group's own record says; `waiting` is the outcome of one that was not released."""
        match content.get("status"):
            case "SENDING" | "COMPLETE":
                return Accepted(group)
            case "PENDING":
                return self._withdrawn(group, waiting)
            case "FAILED":
                return Refused("account", "GROUP_FAILED", _last_log(content, self._secrets))
            case "DELETED" if not content.get("dateSent"):
                return NotNow("DELETED", "the group was deleted before its release")
        return Unknown("the provider does not tell what became of the group")

    def _withdrawn(self, group: str, proven: Outcome) -> Outcome:
        """Delete a waiting group for good; only then is it proven that nothing of it can leave any more."""
        content = _content(self._drop(group))
        # A group that was released in between can be deleted too; then its dateSent tells.
        if content.get("status") == "DELETED" and not content.get("dateSent"):
            return proven
        return Unknown("the group could not be withdrawn")

    def _drop(self, group: str) -> Answer:
        return self._http.ask("DELETE", _path(group))

    def _look_up(self, group: str, letters: Sequence[Letter]) -> Outcomes:
        if not group:
            return _all(letters, NotNow("NO_GROUP", "its group was never filled", sent=False))
        content = _content(self._http.ask("GET", _path(group)))
        if content.get("status") not in RELEASED:
            outcome = self._by_state(group, content, NotNow("PENDING", "the group was not released"))
            return _all(letters, outcome)
        codes = {_own_id(message): message for message in self._messages(group)}
        return {one.message_id: _judged(codes.get(one.message_id), group, self._secrets) for one in letters}

    def _messages(self, group: str) -> Iterator[Mapping[str, Any]]:
        start = ""
        for _ in range(MOST_PAGES):
            page = _content(self._http.ask("GET", f"{_path(group)}/messages?limit={PAGE}{start}"))
            listed = page.get("messageList")
            yield from _objects(listed.values() if isinstance(listed, dict) else listed)
            following = page.get("nextKey")
            if not isinstance(following, str) or not following:
                return
            start = f"&startKey={quote(following, safe='')}"

    def _said(self, reply: Reply) -> tuple[str, str]:
        content = reply.object() or {}
        code = redact(str(content.get("errorCode") or f"HTTP_{reply.status}"), *self._secrets)
        return code[:64], redact(str(content.get("errorMessage") or ""), *self._secrets)


def _path(group: str) -> str:
    return f"{GROUPS}/{quote(group, safe='')}"


def _group(letter: Letter) -> str:
    return letter.provider_id


def _json(**fields: object) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _message(letter: Letter) -> dict[str, object]:
    """Return one message with its kind said outright: left to guess, the provider bills what it finds."""
    message: dict[str, object] = {
        "to": _digits(letter.address),
        "from": _digits(letter.sender),
        "text": letter.body,
        "type": letter.sms_kind or "SMS",
        "autoTypeDetect": False,
        "customFields": {"message_id": str(letter.message_id)},
    }
    subject = texts.cut_bytes(texts.sms_text(letter.subject), texts.LMS_SUBJECT_BYTES_MAX)
    if letter.sms_kind == "LMS" and subject:
        message["subject"] = subject
    return message


def _registered(answer: Answer, letters: Sequence[Letter], hidden: Sequence[str]) -> Outcomes | None:
    """Return the letters that were refused one by one; None where it is not clear which were."""
    results = list(_objects(_content(answer).get("resultList")))
    sent, ids = [letter.message_id for letter in letters], [_own_id(result) for result in results]
    if len(ids) != len(sent) or (any(ids) and set(ids) != set(sent)):
        return None
    judged = zip(ids if any(ids) else sent, (_judged(result, "", hidden) for result in results), strict=True)
    return {own: outcome for own, outcome in judged if isinstance(outcome, Refused | NotNow)}


def _judged(message: Mapping[str, Any] | None, group: str, hidden: Sequence[str]) -> Outcome:
    """Class a message's code: 1xxx refused at acceptance, 2xxx in the platform, 3xxx by the carrier."""
    if message is None:
        return Unknown("the group does not list this message")
    code = str(message.get("statusCode"))
    told = str(message.get("statusMessage") or message.get("reason") or "")
    said = redact(told, str(message.get("to") or ""), *hidden)
    if code in HANDED_OVER:
        return Accepted(group)
    if code in ACCOUNT:
        return Refused("account", code, said)
    if code in LATER:
        return NotNow(code, said)
    if code[:1] in {"1", "2"} or code in NOT_DELIVERABLE:
        return Refused("permanent", code, said)
    # Handset off, queue full and the like: the provider took it and billed it.
    return Accepted(group) if code[:1] == "3" else Unknown(f"status code {redact(code, *hidden)[:20]}")


def _own_id(message: Mapping[str, Any]) -> int:
    fields = message.get("customFields")
    told = str(fields.get("message_id")) if isinstance(fields, dict) else ""
    return int(told) if re.fullmatch(r"[0-9]{1,19}", told) else 0


def _digits(number: str) -> str:
    return re.sub(r"[^0-9]", "", number)


def _content(answer: Answer) -> Mapping[str, Any]:
    """Return the object of a 200; empty for everything else."""
    return (answer.object() or {}) if isinstance(answer, Reply) and answer.status == OK else {}


def _text(answer: Answer, name: str) -> str:
    value = _content(answer).get(name)
    return value if isinstance(value, str) and value.isascii() and value.isprintable() else ""


def _objects(values: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(values, Iterable):
        yield from (one for one in values if isinstance(one, dict))


def _is_money(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _last_log(content: Mapping[str, Any], hidden: Sequence[str]) -> str:
    entries = list(_objects(content.get("log")))
    return redact(str(entries[-1].get("message") or ""), *hidden) if entries else ""


def _all(letters: Iterable[Letter], outcome: Outcome) -> Outcomes:
    return {letter.message_id: outcome for letter in letters}
