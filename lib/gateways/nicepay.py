"""NICEPAY billing, Start API (nicepayments/nicepay-manual: billing, inquiry, cancel, codes).

NICEPAY repeats no answer. Its way out of doubt is to look the order up by its number and, where nothing is
found, to send the same order again: the number of an order that is running or approved is refused, so this
cannot charge twice. It is never sent under a new number. Nothing is sent again before the quarantine is over:
a decline frees the number, and a first request that is still on its way would then be charged after it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

from lib import settings
from lib.gateways import (
    Abilities,
    Approval,
    Attempt,
    Card,
    Declined,
    Forgotten,
    Misconfigured,
    NotCharged,
    NotSent,
    Outcome,
    Refused,
    Replay,
    Settled,
    Unknown,
    classed,
)
from lib.gateways.nicepay_codes import (
    CANCEL_REFUSED,
    CANCELLED_BEFORE,
    CODES,
    KEY_DELETED,
    KEY_GONE,
    NOT_FOUND,
    NUMBER_TAKEN,
    SUCCESS,
)
from lib.gateways.nicepay_records import DEAD, Source, is_dead, is_whole_cancel, money
from lib.http import SERVER_ERROR, Client, Lost, NothingSent, Reply
from lib.redaction import redact
from lib.settings.values import CodeClass

OK, UNAUTHORIZED, FORBIDDEN, MISSING = 200, 401, 403, 404
SEOUL = timezone(timedelta(hours=9))
GOODS_NAME_BYTES, REASON_BYTES = 40, 100
UNPROVEN = "성공이라고 답했으나 상태, 서명, 금액으로 확인되지 않음"
DAYS_SEARCHED = 15
"""The inquiry wants the day of the order, and one that was sent again may be of a later day."""


class Nicepay:
    """Charges by billing key (bid). `now` is the business clock, UTC."""

    # Below 1,000 won no credit card is charged (code 3041).
    abilities = Abilities(None, inquiry=True, void_by_order=False, min_amount_krw=1_000)

    def __init__(self, config: settings.Nicepay, now: Callable[[], datetime]) -> None:
        self._secret = config.secret_key.get_secret_value()
        self._pair = f"{config.client_key}:{self._secret}"
        authorization = "Basic " + base64.b64encode(self._pair.encode()).decode()
        self._headers = {"Authorization": authorization, "Content-Type": "application/json;charset=utf-8"}
        self._base_url = config.base_url
        self._quarantine = timedelta(seconds=config.quarantine)
        self._codes: Mapping[str, CodeClass] = {**CODES, **config.codes}
        self._now = now
        self._http = Client(
            config.base_url,
            connect_timeout=config.connect_timeout,
            read_timeout=config.read_timeout,
            kept=config.workers,
            headers=lambda: self._headers,
        )

    def digest(self, attempt: Attempt, card: Card) -> str:
        """Return a sha256 hex digest over the whole request, the account included: it owns the numbers."""
        head = f"{self._base_url}{_key_path(card)}/payments\n{self._headers['Authorization']}\n"
        return hashlib.sha256(head.encode() + _charge_body(attempt)).hexdigest()

    def charge(self, attempt: Attempt, card: Card) -> Outcome:
        """Send exactly one charge request."""
        return self._charge(attempt, card, "response")

    def settle(self, attempt: Attempt, card: Card | None, *, replay: Replay) -> Settled:
        """Look the order up; where nothing is found, send the same order again if that is allowed."""
        found = self._find(attempt, card)
        if not isinstance(found, Unknown) or found.code != NOT_FOUND:
            return found
        if card is None or self.digest(attempt, card) != attempt.request_digest:
            return found
        free_from = attempt.sent_at + self._quarantine
        if self._now() < free_from:
            return replace(found, not_before=free_from)
        until = replay()
        return found if until is None else self._send_again(replace(attempt, send_until=until), card)

    def forget(self, card: Card) -> Forgotten:
        """Delete the billing key. Every such request has a number of its own, a repeated one is refused."""
        if not _has_key(card):
            return Forgotten("already_gone", "the row holds no billing key")
        first = self._forget(card)
        return self._forget(card) if first.message.split(" ")[0] in NUMBER_TAKEN else first

    def cancel(self, approval: Approval, reason: str) -> Settled:
        """Give an approved payment back in full; one that was given back before is looked up."""
        path = f"/v1/payments/{quote(approval.tid, safe='')}"
        body = _json(reason=_cut(redact(reason), REASON_BYTES), orderId=approval.order_no)
        answer = self._http.send("POST", f"{path}/cancel", body=body)
        if isinstance(answer, NothingSent):
            return NotSent(answer.why)
        if isinstance(answer, Reply) and self._said(answer)[0] in CANCELLED_BEFORE:
            answer = self._http.ask("GET", path)
        if not isinstance(answer, Reply):
            return Unknown("LOST", answer.why)
        code, message = self._said(answer)
        if code == SUCCESS:
            return self._cancelled(answer, approval) or Unknown(code, UNPROVEN)
        if self._is_account(answer, code):
            return Misconfigured(code, message)
        refused = answer.status == OK and code in CANCEL_REFUSED
        return Refused(code, message) if refused else Unknown(code, message)

    def close(self) -> None:
        """Close kept connections."""
        self._http.close()

    def _charge(self, attempt: Attempt, card: Card, source: Source) -> Outcome:
        if not _has_key(card):
            return Refused("NO_BILLING_KEY", "the card's row holds no billing key")
        path, until = f"{_key_path(card)}/payments", attempt.send_until
        answer = self._http.send("POST", path, body=_charge_body(attempt), send_until=until)
        if isinstance(answer, NothingSent):
            return NotSent(answer.why)
        if isinstance(answer, Lost):
            return Unknown("LOST", answer.why)
        return self._read_charge(answer, attempt, card, source)

    def _read_charge(self, reply: Reply, attempt: Attempt, card: Card, source: Source) -> Outcome:
        code, message = self._said(reply, *card.secrets)
        record = reply.object() or {}
        if self._is_account(reply, code):
            return Misconfigured(code, message)
        if reply.status == OK and code == SUCCESS:
            return money(record, source, self._secret) or Unknown(code, UNPROVEN)
        is_final = source == "response" or is_dead(record, attempt, self._secret)
        if reply.status != OK or not is_final:
            return Unknown(code, message)
        return self._verdict(record, attempt, code, message)

    def _send_again(self, attempt: Attempt, card: Card) -> Settled:
        """Send the same order again; what refuses it before it went to a card says nothing of the first.

        A doubt about this sending has a quarantine of its own, from now on.
        """
        outcome = self._charge(attempt, card, "replay")
        if isinstance(outcome, Unknown | Refused):
            return Unknown(outcome.code, outcome.message, self._now() + self._quarantine)
        return outcome

    def _verdict(self, record: Mapping[str, Any], attempt: Attempt, code: str, message: str) -> Outcome:
        """Class a refusal; one that speaks of another order, or of money, is none."""
        about_us = record.get("orderId") in (None, "", attempt.order_no)
        failed = record.get("status") in (None, "", *DEAD)
        # With the PG's own record that it failed, a code nobody classed is a decline.
        default: CodeClass = "declined-soft" if is_dead(record, attempt, self._secret) else "unknown"
        return classed(self._codes.get(code, default) if about_us and failed else "unknown", code, message)

    def _find(self, attempt: Attempt, card: Card | None) -> Settled:
        """Look the order up under every day it may be of; only a clear answer for all of them is `U107`."""
        found: Settled = Unknown(NOT_FOUND, "")
        for day in self._days(attempt):
            found = self._inquire(attempt, card, day)
            if not isinstance(found, Unknown) or found.code != NOT_FOUND:
                return found
        return found

    def _days(self, attempt: Attempt) -> Iterator[str]:
        day, today = attempt.sent_at.astimezone(SEOUL).date(), self._now().astimezone(SEOUL).date()
        for number in range(max(0, min((today - day).days, DAYS_SEARCHED)) + 1):
            yield f"{day + timedelta(days=number):%Y%m%d}"

    def _inquire(self, attempt: Attempt, card: Card | None, day: str) -> Settled:
        path = f"/v1/payments/find/{quote(attempt.order_no, safe='')}?orderDate={day}"
        answer = self._http.ask("GET", path)
        if not isinstance(answer, Reply):
            return Unknown("LOST", answer.why)
        code, message = self._said(answer, *(card.secrets if card else ()))
        if answer.status not in {OK, MISSING}:
            return Unknown(f"HTTP_{answer.status}", message)
        record = answer.object() or {}
        if answer.status == OK and (approved := money(record, "inquiry", self._secret)):
            whole = is_whole_cancel(record) and record["orderId"] == attempt.order_no
            return NotCharged("cancelled", "", approved.evidence) if whole else approved
        if is_dead(record, attempt, self._secret):
            hard = self._codes.get(code) == "declined-hard"
            return Declined("hard" if hard else "soft", "failed" if code == SUCCESS else code, message)
        return Unknown(code, UNPROVEN if code == SUCCESS else message)

    def _forget(self, card: Card) -> Forgotten:
        number = f"JX{secrets.token_hex(12).upper()}"
        answer = self._http.ask("POST", f"{_key_path(card)}/expire", body=_json(orderId=number))
        if not isinstance(answer, Reply):
            return Forgotten("unknown", answer.why)
        code, message = self._said(answer, *card.secrets)
        record = answer.object() or {}
        if record.get("bid") not in (None, "", card.billing_key) or answer.status >= SERVER_ERROR:
            return Forgotten("unknown", f"{code} {message}".strip())
        if answer.status == OK and code in KEY_DELETED:
            return Forgotten("done")
        gone = answer.status == OK and code in KEY_GONE
        return Forgotten("already_gone" if gone else "failed", f"{code} {message}".strip())

    def _cancelled(self, reply: Reply, approval: Approval) -> NotCharged | None:
        """Return the cancels of this very approval, where the answer says that all of it went back."""
        record = reply.object() or {}
        found = money(record, "response", self._secret) if reply.status == OK else None
        if not found or not is_whole_cancel(record):
            return None
        if (found.evidence[0].tid, found.evidence[0].order_no) != (approval.tid, approval.order_no):
            return None
        return NotCharged("cancelled", "", found.evidence[1:])

    def _is_account(self, reply: Reply, code: str) -> bool:
        """Tell whether the PG does not know who asks; a page of somebody on the way is not the PG."""
        told = reply.status in {UNAUTHORIZED, FORBIDDEN} and reply.object() is not None
        return told and self._codes.get(code, "misconfigured") == "misconfigured"

    def _said(self, reply: Reply, *hidden: str) -> tuple[str, str]:
        """Return code and message, or the status."""
        content = reply.object()
        if content is None:
            return f"HTTP_{reply.status}", "unreadable answer"
        known = (self._pair, self._secret, *hidden)
        code, message = content.get("resultCode"), content.get("resultMsg")
        code = code if isinstance(code, str) and code else f"HTTP_{reply.status}"
        return redact(code, *known)[:64], redact(message if isinstance(message, str) else "", *known)


def _key_path(card: Card) -> str:
    return f"/v1/subscribe/{quote(card.billing_key, safe='')}"


def _has_key(card: Card) -> bool:
    """Tell whether there is something to name in the path; dots alone would name its parent."""
    return bool(card.billing_key.strip(" ."))


def _charge_body(attempt: Attempt) -> bytes:
    """Return the fields that must be there. `signData` would need a time that a second send cannot repeat."""
    return _json(
        orderId=attempt.order_no,
        amount=attempt.amount_krw,
        goodsName=_cut(attempt.order_name, GOODS_NAME_BYTES),
        cardQuota=0,
        useShopInterest=False,
    )


def _json(**fields: object) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _cut(text: str, most: int) -> str:
    """Shorten to a number of bytes, on the border of a character."""
    return text.encode("utf-8", "replace")[:most].decode("utf-8", "ignore")
