"""TossPayments billing, API v1 (docs.tosspayments.com, core reference, error list and idempotency guide)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal, TypeGuard
from urllib.parse import quote

from lib import settings
from lib.gateways import (
    Abilities,
    Approval,
    Approved,
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
from lib.gateways.tosspayments_codes import CODES
from lib.http import Client, Lost, NothingSent, Reply
from lib.redaction import redact
from lib.settings.values import CodeClass

Source = Literal["response", "replay", "inquiry"]

OK, NOT_FOUND = 200, 404
NOT_A_VERDICT = frozenset({408, 409, 425, 429})
LONGEST_ORDER_NAME = 100
LARGEST_AMOUNT = 10**15
"""Won; anything above fits no ledger."""
REMOVED = "ALREADY_REMOVED_BILLING_KEY"
"""Not in the published table, but what several public clients saw for a key that was deleted before."""


class TossPayments:
    """Charges by billing key; the order number is the idempotency key. `now` is the business clock, UTC."""

    # A key lives 15 days at the PG; a day is left for clocks that differ.
    abilities = Abilities(timedelta(days=14), inquiry=True, void_by_order=False, min_amount_krw=100)

    def __init__(self, config: settings.TossPayments, now: Callable[[], datetime]) -> None:
        self._secret = config.secret_key.get_secret_value()
        authorization = "Basic " + base64.b64encode(f"{self._secret}:".encode()).decode()
        self._headers = {"Authorization": authorization, "Content-Type": "application/json"}
        self._base_url = config.base_url
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
        """Return a sha256 hex digest over all of the request: the PG replays by URL, API key and order."""
        head = [self._base_url + _billing_path(card), self._headers["Authorization"], attempt.order_no]
        return hashlib.sha256("\n".join(head).encode() + b"\n" + _charge_body(attempt, card)).hexdigest()

    def charge(self, attempt: Attempt, card: Card) -> Outcome:
        """Send exactly one charge request."""
        return self._charge(attempt, card, "response")

    def settle(self, attempt: Attempt, card: Card | None, *, replay: Replay) -> Settled:
        """Replay while that is allowed, then inquire; a replay that never arrived before is the charge.

        A refusal of the account says nothing about the first request (the key is checked before the replay),
        so it does not end a doubt; an inquiry that finds nothing does not either.
        """
        if card and self._same_request(attempt, card) and (until := replay()):
            outcome = self._charge(replace(attempt, send_until=until), card, "replay")
            if isinstance(outcome, Approved):
                found = self._inquire(attempt, card)
                return found if _is_news(found, outcome) else outcome
            if isinstance(outcome, Declined | Refused):
                return outcome
        return self._inquire(attempt, card)

    def forget(self, card: Card) -> Forgotten:
        """Delete the billing key; 404 means that it is gone already."""
        if not _has_key(card):
            return Forgotten("already_gone", "the row holds no billing key")
        answer = self._http.ask("DELETE", _billing_path(card))
        if not isinstance(answer, Reply):
            return Forgotten("unknown", answer.why)
        if answer.status == OK:
            return Forgotten("done")
        code, message = _said(answer, self._secret, *card.secrets)
        # A 404 that is not the PG's own (a wrong address, a proxy) proves nothing about the key.
        is_gone = answer.status == NOT_FOUND and self._codes.get(code) != "misconfigured"
        if _is_verdict(answer) and (is_gone or code == REMOVED):
            return Forgotten("already_gone", code)
        return Forgotten("failed", f"{code} {message}".strip())

    def cancel(self, approval: Approval, reason: str) -> Settled:
        """Give an approved payment back in full; repeating it is safe, the key is the order number and C."""
        path = f"/v1/payments/{quote(approval.tid, safe='')}/cancel"
        key = {"Idempotency-Key": approval.order_no + "C"}
        answer = self._http.send("POST", path, body=_json(cancelReason=redact(reason)), headers=key)
        if isinstance(answer, NothingSent):
            return NotSent(answer.why)
        if isinstance(answer, Lost):
            return Unknown("LOST", answer.why)
        code, message = _said(answer, self._secret)
        if answer.status == OK:
            return _cancelled(answer.object() or {}, approval) or Unknown(code, message)
        if not _is_verdict(answer) or self._codes.get(code) == "unknown":
            return Unknown(code, message)
        if self._codes.get(code) == "misconfigured":
            return Misconfigured(code, message)
        return Refused(code, message)

    def close(self) -> None:
        """Close kept connections."""
        self._http.close()

    def _same_request(self, attempt: Attempt, card: Card) -> bool:
        window = self.abilities.replay_window
        young = window is not None and self._now() - attempt.sent_at < window
        return young and self.digest(attempt, card) == attempt.request_digest

    def _charge(self, attempt: Attempt, card: Card, source: Source) -> Outcome:
        if not _has_key(card):
            return Refused("NO_BILLING_KEY", "the card's row holds no billing key")
        key = {"Idempotency-Key": attempt.order_no}
        body = _charge_body(attempt, card)
        until = attempt.send_until
        answer = self._http.send("POST", _billing_path(card), body=body, headers=key, send_until=until)
        if isinstance(answer, NothingSent):
            return NotSent(answer.why)
        if isinstance(answer, Lost):
            return Unknown("LOST", answer.why)
        code, message = _said(answer, self._secret, *card.secrets)
        if answer.status == OK:
            payment = answer.object() or {}
            if approved := _approved(payment, source):
                return approved
            return self._verdict(code, message) if _is_dead(payment, attempt) else Unknown(code, message)
        return self._verdict(code, message) if _is_verdict(answer) else Unknown(code, message)

    def _verdict(self, code: str, message: str) -> Outcome:
        return classed(self._codes.get(code, "unknown"), code, message)

    def _inquire(self, attempt: Attempt, card: Card | None) -> Settled:
        answer = self._http.ask("GET", f"/v1/payments/orders/{quote(attempt.order_no, safe='')}")
        if not isinstance(answer, Reply):
            return Unknown("LOST", answer.why)
        code, message = _said(answer, self._secret, *(card.secrets if card else ()))
        payment = answer.object() if answer.status == OK else None
        if payment is None:
            return Unknown(code, message)
        if approved := _approved(payment, "inquiry"):
            whole = payment["status"] == "CANCELED" and payment["orderId"] == attempt.order_no
            return NotCharged("CANCELED", "", approved.evidence) if whole else approved
        if _is_dead(payment, attempt):
            # The PG's own record says that it failed, so a code nobody published is a decline here.
            hard = self._codes.get(code) == "declined-hard"
            return Declined("hard" if hard else "soft", code, message)
        return Unknown(code, message)


def _billing_path(card: Card) -> str:
    return f"/v1/billing/{quote(card.billing_key, safe='')}"


def _is_news(found: Settled, replayed: Approved) -> bool:
    """Tell whether an inquiry knows of cancels too: a replay repeats the approval as it was at first."""
    known = replayed.evidence
    return (
        isinstance(found, Approved | NotCharged) and found.evidence != known and found.evidence[:1] == known
    )


def _has_key(card: Card) -> bool:
    """Tell whether there is something to name in the path; dots alone would name its parent."""
    return bool(card.billing_key.strip(" ."))


def _json(**fields: object) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _charge_body(attempt: Attempt, card: Card) -> bytes:
    return _json(
        amount=attempt.amount_krw,
        customerKey=card.customer_key,
        orderId=attempt.order_no,
        orderName=attempt.order_name[:LONGEST_ORDER_NAME],
    )


def _is_verdict(reply: Reply) -> bool:
    """Tell whether a code in this answer counts: the published ones come with a 4xx that is no 'not now'."""
    refusal = 400 <= reply.status < 500 and reply.status not in NOT_A_VERDICT  # noqa: PLR2004 the 4xx
    return refusal and reply.object() is not None


def _said(reply: Reply, *secrets: str) -> tuple[str, str]:
    """Return code and message: the error's, those of a payment's failure, or the status."""
    content = reply.object()
    if content is None:
        return f"HTTP_{reply.status}", "unreadable answer"
    failure = content.get("failure")
    told: dict[str, Any] = failure if isinstance(failure, dict) else content
    code = told.get("code") or content.get("status") or f"HTTP_{reply.status}"
    return redact(str(code), *secrets)[:64], redact(str(told.get("message") or ""), *secrets)


def _is_dead(payment: Mapping[str, Any], attempt: Attempt) -> bool:
    """Tell whether the PG's record of this very order ended without an approval."""
    return payment.get("status") in {"ABORTED", "EXPIRED"} and payment.get("orderId") == attempt.order_no


def _approved(payment: Mapping[str, Any], source: Source) -> Approved | None:
    """Return the money that moved in a payment, or None where it does not say so beyond doubt."""
    tid, order_no, amount = payment.get("paymentKey"), payment.get("orderId"), payment.get("totalAmount")
    cancels = _cancels(payment)
    if not (_is_token(tid, 200) and _is_token(order_no, 64) and _is_amount(amount)) or cancels is None:
        return None
    if not _fits(payment.get("status"), amount - sum(cancels.values()), amount):
        return None
    card = payment.get("card")
    told = card.get("approveNo") if isinstance(card, dict) else None
    number = told if _is_token(told, 40) else ""
    undone = (Approval(tid, order_no, part, number, "cancel", seq) for seq, part in cancels.items())
    return Approved((Approval(tid, order_no, amount, number), *undone), source)


def _fits(status: object, left: int, amount: int) -> bool:
    """Tell whether the state agrees with what the cancels left."""
    match status:
        case "DONE":
            return left == amount
        case "PARTIAL_CANCELED":
            return 0 < left < amount
        case "CANCELED":
            return left == 0
    return False


def _cancels(payment: Mapping[str, Any]) -> dict[int, int] | None:
    """Return place → amount of the finished cancels; None where the list cannot be read."""
    listed = payment.get("cancels") or []
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        return None
    finished = {
        seq: one.get("cancelAmount")
        for seq, one in enumerate(listed)
        if one.get("cancelStatus", "DONE") == "DONE"
    }
    return finished if all(_is_amount(part) for part in finished.values()) else None


def _cancelled(payment: Mapping[str, Any], approval: Approval) -> NotCharged | None:
    """Return the cancel of this very approval, where the answer is one."""
    found = _approved(payment, "response")
    if not found or payment["status"] != "CANCELED":
        return None
    if (found.evidence[0].tid, found.evidence[0].order_no) != (approval.tid, approval.order_no):
        return None
    return NotCharged("CANCELED", "", found.evidence[1:])


def _is_token(value: object, longest: int) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= longest and value.isascii() and value.isprintable()


def _is_amount(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < LARGEST_AMOUNT
