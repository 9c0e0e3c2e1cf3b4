"""NICEPAY billing, Start API, simulated: charge, inquiry, cancel and deletion of billing keys.

It refuses what the vendor refuses, with the vendor's codes (nicepay-manual). Where the vendor is silent the
simulator takes the harder reading: the billing key is looked at before the order number, and a charge that
is under way cannot be found.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from itertools import count
from threading import Lock
from typing import Any
from urllib.parse import unquote

from lib.sandbox.book import Book
from lib.sandbox.clock import SettableClock
from lib.sandbox.faults import Faults, Strike
from lib.sandbox.nicepay_book import (
    NicepayApproved,
    NicepayCall,
    NicepayCancelled,
    NicepayEntry,
    NicepayKeyDeleted,
)
from lib.sandbox.nicepay_payments import Payment
from lib.sandbox.nicepay_rules import (
    AT_THE_CARD,
    MESSAGES,
    MIN_AMOUNT_KRW,
    NicepayCard,
    NicepaySwitches,
    cancel_problem,
    charge_problem,
    find_problem,
    forget_problem,
    verdict,
)
from lib.sandbox.server import NOT_PROCESSED, Reply, Request, json_reply
from lib.sandbox.tosspayments_book import Approval

_BILLING_KEY = re.compile(r"/v1/subscribe/[^/]+")
_GATEWAY_TIMEOUT = Reply(504, b"<html><body>504 Gateway Time-out</body></html>", "late", "text/html")


def _refusal(code: str, status: int = 200) -> Reply:
    """Business failures come with HTTP 200, only those of transport with a status of their own."""
    message = MESSAGES.get(code, "기타오류가 발생하였습니다.")
    return json_reply(status, {"resultCode": code, "resultMsg": message}, code)


class Nicepay:
    """The simulated PG; every method is safe to call from several threads."""

    def __init__(self, clock: SettableClock, book: Book[NicepayEntry], switches: NicepaySwitches) -> None:
        self.faults = Faults()
        self.book = book
        self.switches = switches
        self.port = 0
        self._clock = clock
        self._lock = Lock()
        self._tids = count(1)
        self._run = secrets.token_hex(4)  # a restarted simulator must not give out the tids of an earlier one
        self.reset()

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}"

    def reset(self) -> None:
        """Forget every card, payment and order number, switch all faults off and empty the book."""
        self.faults.clear()
        self.book.reset()
        self._cards: dict[str, NicepayCard] = {}
        self._used: dict[str, int] = {}
        self._deleted: set[str] = set()
        self._payments: dict[str, Payment] = {}
        self._late: list[Payment] = []
        self._numbers: set[str] = set()

    def register(self, *cards: NicepayCard) -> None:
        """Issue billing keys, or change how their cards answer from now on (scripts start anew)."""
        with self._lock:
            for card in cards:
                self._cards[card.billing_key] = card
                self._used[card.billing_key] = 0
                self._deleted.discard(card.billing_key)

    def approvals(self) -> list[Approval]:
        """Return all money ever approved, with what of it was cancelled; a late approval once it landed."""
        with self._lock:
            self._land()
            return [one.approval for one in self._payments.values() if one.status != "failed"]

    def calls(self) -> list[NicepayCall]:
        """Return every request, oldest first."""
        return self.book.of(NicepayCall)

    def identify(self, request: Request) -> tuple[str, str]:
        """Return endpoint and order number (for `forget` the billing key)."""
        match request.method, *request.path.split("/")[1:]:
            case "POST", "v1", "subscribe", _, "payments":
                body = request.payload
                return "charge", str(body.get("orderId", "")) if isinstance(body, dict) else ""
            case "POST", "v1", "subscribe", key, "expire":
                return "forget", unquote(key)
            case "GET", "v1", "payments", "find", order_no:
                return "inquiry", unquote(order_no)
            case "GET", "v1", "payments", tid:
                return "payment", self._order_no(tid)
            case "POST", "v1", "payments", tid, "cancel":
                return "cancel", self._order_no(tid)
        return "unsupported", ""

    def _order_no(self, tid: str) -> str:
        payment = self._payments.get(unquote(tid))
        return payment.order_no if payment else ""

    def respond(self, request: Request, endpoint: str, subject: str, strike: Strike) -> Reply:
        """Authenticate, process, and note the request in the book."""
        self.faults.pause(strike.before_s)
        reply = NOT_PROCESSED if strike.prevents else self._reply(request, endpoint)
        self.book.add(
            NicepayCall(
                at=self._clock.now(),
                method=request.method,
                path=_BILLING_KEY.sub("/v1/subscribe/****", request.path),
                endpoint=endpoint,
                order_no="" if endpoint == "forget" else subject,
                outcome=reply.outcome,
                status=reply.status,
                fault=strike.name,
            )
        )
        return reply

    def error(self, status: int, code: str) -> Reply:
        """Return an error of any code, published or not."""
        return _refusal(code or ("U125" if status < 500 else "U508"), status)  # noqa: PLR2004 - HTTP's own border

    def _reply(self, request: Request, endpoint: str) -> Reply:
        if endpoint == "unsupported":
            return _refusal("U320", 404)
        if not self._is_known(request):
            return _refusal("U304", 401)
        parts = [unquote(part) for part in request.path.split("/")]
        with self._lock:
            self._land()
            return self._process(request, endpoint, parts)

    def _process(self, request: Request, endpoint: str, parts: list[str]) -> Reply:
        match endpoint:
            case "charge":
                return self._charge(request, parts[3])
            case "forget":
                return self._forget(request.payload, parts[3])
            case "inquiry":
                return self._find(parts[-1], request.first("orderDate"))
            case "cancel":
                return self._cancel(request.payload, self._payments.get(parts[3]))
        return self._show(self._payments.get(parts[-1]))

    def _is_known(self, request: Request) -> bool:
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        try:
            said = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return False
        return scheme.lower() == "basic" and said == f"{self.switches.client_key}:{self.switches.secret_key}"

    def _card(self, billing_key: str) -> NicepayCard | str:
        if billing_key in self._deleted:
            return "U115"
        card = self._cards.get(billing_key)
        if card is None and not self.switches.accept_unknown_keys:
            return "U309"
        return card or NicepayCard(billing_key)

    def _admit(self, request: Request, billing_key: str) -> NicepayCard | str:
        body = request.payload
        if not request.headers.get("content-type", "").startswith("application/json"):
            return "U125"
        if (problem := charge_problem(body, billing_key, self.switches.secret_key)) is not None:
            return problem
        card = self._card(billing_key)
        return "U112" if isinstance(card, NicepayCard) and self._is_taken(body["orderId"]) else card

    def _is_taken(self, order_no: str) -> bool:
        """A declined order number is free again; one of a charge under way is taken."""
        under_way = {one.order_no for one in self._late} if self.switches.late_takes_number else set()
        return order_no in self._numbers or order_no in under_way

    def _charge(self, request: Request, billing_key: str) -> Reply:
        card = self._admit(request, billing_key)
        if isinstance(card, str):
            return _refusal(card)
        body = request.payload
        used = self._used.get(billing_key, 0)
        self._used[billing_key] = used + 1
        word = verdict(card, used, body["orderId"]) if body["amount"] >= MIN_AMOUNT_KRW else "3041"
        if word not in {"approve", "late"} and not AT_THE_CARD.fullmatch(word):
            return _refusal(word)
        payment = self._payment(body, billing_key)
        if word == "late":
            payment.moment += timedelta(seconds=self.switches.late_s)
            self._late.append(payment)
            return _GATEWAY_TIMEOUT
        payment.code = "0000" if word == "approve" else word
        self._settle(payment)
        return self._show(payment, "approved" if word == "approve" else word)

    def _payment(self, body: Mapping[str, Any], billing_key: str) -> Payment:
        return Payment(
            tid=f"sim{self._run}{next(self._tids):019d}",
            order_no=body["orderId"],
            goods_name=body["goodsName"],
            amount_krw=body["amount"],
            billing_key=billing_key,
            moment=self._clock.now(),
        )

    def _settle(self, payment: Payment) -> None:
        """Keep what a card answered; an approval uses the order number up."""
        self._payments[payment.tid] = payment
        if payment.status == "failed":
            return
        self._numbers.add(payment.order_no)
        tid, order_no, amount = payment.tid, payment.order_no, payment.amount_krw
        self.book.add(NicepayApproved(payment.moment, tid, order_no, amount, payment.billing_key))

    def _land(self) -> None:
        """Approve the late charges whose time has come, but none whose order number is used up by then."""
        now = self._clock.now()
        landed = [one for one in self._late if one.moment <= now]
        self._late = [one for one in self._late if one.moment > now]
        for payment in landed:
            if payment.order_no not in self._numbers:
                self._settle(payment)

    def _show(self, payment: Payment | None, outcome: str = "found") -> Reply:
        if payment is None:
            return _refusal("U107")
        return json_reply(200, payment.as_json(self._clock.now(), self.switches.secret_key), outcome)

    def _find(self, order_no: str, order_date: str) -> Reply:
        """By order number a declined charge cannot be found."""
        if (problem := find_problem(order_date)) is not None:
            return _refusal(problem)
        seen = self._clock.now() - timedelta(seconds=self.switches.inquiry_lag_s)
        found = [
            one
            for one in self._payments.values()
            if one.order_no == order_no and one.status != "failed" and one.moment <= seen
        ]
        if self.switches.order_date_counts:
            found = [one for one in found if one.day == order_date]
        return self._show(found[0] if found else None)

    def _cancel(self, body: Any, payment: Payment | None) -> Reply:  # noqa: ANN401 - whatever a client sent as JSON
        if (problem := cancel_problem(body)) is not None:
            return _refusal(problem)
        if payment is None or payment.status == "failed":
            return _refusal("U107")
        amount_krw = body.get("cancelAmt", payment.balance_krw)
        if "cancelAmt" in body:
            # The number of a partial cancel is used up even where the cancel fails.
            if body["orderId"] in self._numbers:
                return _refusal("U112")
            self._numbers.add(body["orderId"])
        if not payment.balance_krw:
            return _refusal("2013")
        if amount_krw > payment.balance_krw:
            return _refusal("U123")
        now = self._clock.now()
        payment.cancel(amount_krw, body["reason"], now)
        self.book.add(NicepayCancelled(now, payment.tid, payment.order_no, amount_krw))
        return self._show(payment, "cancelled")

    def _forget(self, body: Any, billing_key: str) -> Reply:  # noqa: ANN401 - whatever a client sent as JSON
        if (problem := forget_problem(body)) is not None:
            return _refusal(problem)
        if body["orderId"] in self._numbers:
            return _refusal("U112")
        self._numbers.add(body["orderId"])
        card = self._card(billing_key)
        if isinstance(card, str):
            return _refusal(card)
        self._deleted.add(billing_key)
        self.book.add(NicepayKeyDeleted(self._clock.now(), billing_key))
        said = {"resultCode": "0000", "resultMsg": "빌링 정보가 정상적으로 삭제되었습니다."}
        tid = f"sim{self._run}{next(self._tids):019d}"
        return json_reply(200, said | {"tid": tid, "orderId": body["orderId"], "bid": billing_key}, "deleted")
