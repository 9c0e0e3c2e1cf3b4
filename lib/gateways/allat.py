"""KG Allat (올앳), 정기과금 (FIX): charges by card key, as the vendor's utility 1.0.7.1 does it.

Allat has no inquiry and repeats no answer. Its way out of doubt is to void by order number and amount, once
the quarantine is over. Only a void that was carried out ends a doubt: it proves an approval and its cancel,
and no other charge can land under an order number that was sent once. "No such order" proves as little as it
would from an inquiry, since a slow approval may still land after it. So the void is repeated at every check,
and takes such an approval back, until `doubt_after` leaves it to a person.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

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
from lib.gateways.allat_wire import (
    CANCEL,
    CHARGE,
    FORGET,
    HEADERS,
    SEOUL,
    Merchant,
    cancel_form,
    charge_form,
    forget_form,
    read_reply,
)
from lib.http import Client, Lost, NothingSent, Reply
from lib.redaction import redact
from lib.settings.values import CodeClass

Fields = Mapping[str, str]

OK = 200
LIVE, TEST = "0000", "0001"
CARD_KEY = re.compile(r"[!-~]{1,24}")

DUPLICATE = frozenset({"0431", "0606", "0865", "1256", "1310", "1355"})
"""An earlier try used the order number, and may have been approved; which of them is FIX's is not stated."""
IN_BETWEEN = frozenset({"0212", "0221", "0251", "0271", "0299"})
"""Said by the vendor's client libraries only; in an answer they come from a relay that uses one, and even
0212 (no connection) may be a lost reply there. Our own failure to connect is `NotSent`."""

# All that is public. Configuration names the classes of the other codes, and cannot change these.
# 0230, data not encrypted on port 80, means that such a relay sent nothing.
KNOWN: Mapping[str, CodeClass] = {
    **dict.fromkeys(DUPLICATE | IN_BETWEEN | {LIVE}, "unknown"),
    "0230": "misconfigured",
}


class Allat:
    """Charges by card key. `now` is the business clock, UTC.

    The order number stands for the transaction in all evidence, not Allat's `seq_no`: the reply to a void
    does not tell that one, and an approval must be the same row of the ledger whoever tells of it, and when.
    """

    # The smallest amount is not published; it is what card networks take elsewhere.
    abilities = Abilities(replay_window=None, inquiry=False, void_by_order=True, min_amount_krw=100)

    def __init__(self, config: settings.Allat, now: Callable[[], datetime]) -> None:
        self._secret = config.cross_key.get_secret_value()
        self._merchant = Merchant(config.shop_id, self._secret, config.test)
        self._base_url = config.base_url
        self._codes: Mapping[str, CodeClass] = {**config.codes, **KNOWN}
        self._quarantine = timedelta(seconds=config.quarantine)
        self._now = now
        self._http = Client(
            config.base_url,
            connect_timeout=config.connect_timeout,
            read_timeout=config.read_timeout,
            kept=config.workers,
            headers=lambda: HEADERS,
        )

    def digest(self, attempt: Attempt, card: Card) -> str:
        """Return a sha256 hex digest over the address and the whole request."""
        request = charge_form(self._merchant, attempt, card)
        return hashlib.sha256(f"{self._base_url}{CHARGE}\n".encode() + request).hexdigest()

    def charge(self, attempt: Attempt, card: Card) -> Outcome:
        """Send exactly one charge request; a doubt is not asked after before its quarantine is over."""
        if not CARD_KEY.fullmatch(card.billing_key):
            return Refused("NO_CARD_KEY", "카드에 올앳 카드키가 없음")
        form = charge_form(self._merchant, attempt, card)
        answer = self._http.send("POST", CHARGE, body=form, send_until=attempt.send_until)
        if isinstance(answer, NothingSent):
            return NotSent(answer.why)
        outcome = self._read_charge(answer, attempt, card)
        return replace(outcome, not_before=self._until(attempt)) if isinstance(outcome, Unknown) else outcome

    def settle(self, attempt: Attempt, card: Card | None, *, replay: Replay) -> Settled:
        """Void by order number once the quarantine is over; nothing is ever sent again.

        Sooner, a void could overtake the charge, or the worker that still waits for its answer.
        """
        del replay  # a duplicate would be refused, and tell nothing of the first
        until = self._until(attempt)
        if self._now() < until:
            said = f"{until.astimezone(SEOUL):%m-%d %H:%M:%S} 이후에 주문번호로 취소함"
            return Unknown("QUARANTINE", said, until)
        secrets = card.secrets if card else ()
        outcome = self._cancel(attempt.order_no, attempt.amount_krw, *secrets)
        if isinstance(outcome, NotCharged):
            approval = Approval(attempt.order_no, attempt.order_no, attempt.amount_krw, "")
            return replace(outcome, evidence=(approval, replace(approval, kind="cancel")))
        return Unknown(outcome.code, outcome.message) if isinstance(outcome, Refused) else outcome

    def forget(self, card: Card) -> Forgotten:
        """Delete the card key. A code that configuration calls a hard decline says here that it is gone."""
        if not card.billing_key.strip():
            return Forgotten("already_gone", "카드에 올앳 카드키가 없음")
        if not CARD_KEY.fullmatch(card.billing_key):
            return Forgotten("failed", "올앳 카드키가 아님")
        answer = self._http.ask("POST", FORGET, body=forget_form(self._merchant, card, self._now()))
        if not isinstance(answer, Reply):
            return Forgotten("unknown", answer.why)
        told, code, message = self._said(answer, *card.secrets)
        if told is None or told.get("fix_key") not in {None, "", card.billing_key}:
            return Forgotten("unknown", f"{code} {message}".strip())
        if code == self._yes:
            return Forgotten("done")
        gone = self._codes.get(code) == "declined-hard"
        return Forgotten("already_gone" if gone else "failed", f"{code} {message}".strip())

    def cancel(self, approval: Approval, reason: str) -> Settled:
        """Give an approved payment back in full; Allat takes no reason."""
        del reason
        outcome = self._cancel(approval.order_no, approval.amount_krw)
        if isinstance(outcome, NotCharged):
            return replace(outcome, evidence=(replace(approval, kind="cancel"),))
        return outcome

    def close(self) -> None:
        """Close kept connections."""
        self._http.close()

    @property
    def _yes(self) -> str:
        """The code that says yes: a test approval is no money, and money is no test approval."""
        return TEST if self._merchant.test else LIVE

    def _until(self, attempt: Attempt) -> datetime:
        return attempt.sent_at + self._quarantine

    def _said(self, reply: Reply, *secrets: str) -> tuple[Fields | None, str, str]:
        """Return the fields of an answer, its code and its message; no fields where it is not Allat's."""
        told = read_reply(reply.body) if reply.status == OK else None
        if told is None:
            return None, f"HTTP_{reply.status}", "읽을 수 없는 답"
        known = (self._secret, *secrets)
        return told, redact(told["reply_cd"], *known)[:64], redact(told.get("reply_msg", ""), *known)

    def _read_charge(self, answer: Reply | Lost, attempt: Attempt, card: Card) -> Outcome:
        if isinstance(answer, Lost):
            return Unknown("LOST", answer.why)
        told, code, message = self._said(answer, *card.secrets)
        if told is None:
            return Unknown(code, message)
        if code == self._yes:
            return _approved(told, attempt) or Unknown(code, "승인의 주문번호나 금액이 요청과 다름")
        return self._verdict(code, message)

    def _verdict(self, code: str, message: str) -> Outcome:
        if code == TEST:
            return Misconfigured(code, "test = false 인데 시험 승인으로 답함")
        return classed(self._codes.get(code, "unknown"), code, message)

    def _cancel(
        self, order_no: str, amount_krw: int, *secrets: str
    ) -> NotCharged | NotSent | Refused | Misconfigured | Unknown:
        """Cancel an order in full, once; `NotCharged` comes without its evidence."""
        form = cancel_form(self._merchant, order_no, amount_krw, self._now())
        answer = self._http.send("POST", CANCEL, body=form)
        if isinstance(answer, NothingSent):
            return NotSent(answer.why)
        if isinstance(answer, Lost):
            return Unknown("LOST", answer.why)
        told, code, message = self._said(answer, *secrets)
        if told is None:
            return Unknown(code, message)
        if code == self._yes:
            whole = _is_whole(told, order_no)
            return NotCharged(code, message) if whole else Unknown(code, "전액 취소가 아님")
        outcome = self._verdict(code, message)
        if isinstance(outcome, Refused | Misconfigured):
            return outcome
        return Refused(code, message) if isinstance(outcome, Declined) else Unknown(code, message)


def _approved(told: Fields, attempt: Attempt) -> Approved | None:
    """Return the approval of this very attempt, where the answer is one."""
    if (told.get("order_no"), told.get("amt")) != (attempt.order_no, str(attempt.amount_krw)):
        return None
    number = told.get("approval_no", "")
    approval_no = number if number.isascii() and number.isalnum() and len(number) <= 40 else ""  # noqa: PLR2004 its column
    return Approved(
        (Approval(attempt.order_no, attempt.order_no, attempt.amount_krw, approval_no),), "response"
    )


def _is_whole(told: Fields, order_no: str) -> bool:
    """Tell whether nothing in the answer to a cancel speaks against its being whole and of this order."""
    whole = told.get("part_cancel_flag", "") in {"", "0"} and told.get("remain_amt", "") in {"", "0"}
    return whole and told.get("order_no", "") in {"", order_no}
