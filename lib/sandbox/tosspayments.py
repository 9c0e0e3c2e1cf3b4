"""TossPayments billing, API v1, simulated: charge, inquiry, cancel and deletion of billing keys.

It refuses what the vendor refuses, with the vendor's codes (docs.tosspayments.com). Where the vendor is
silent the simulator takes the harder reading and says so.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from dataclasses import replace
from datetime import timedelta
from threading import Lock
from urllib.parse import unquote

from lib.sandbox.book import Book
from lib.sandbox.clock import SettableClock
from lib.sandbox.faults import Faults, Strike
from lib.sandbox.idempotency import Key, Replays, Running
from lib.sandbox.server import NOT_PROCESSED, Reply, Request, json_reply, spoil
from lib.sandbox.tosspayments_book import (
    Approval,
    TossApproved,
    TossCall,
    TossCancelled,
    TossEntry,
    TossKeyDeleted,
)
from lib.sandbox.tosspayments_payments import Payment
from lib.sandbox.tosspayments_rules import (
    ERRORS,
    Card,
    TossSwitches,
    cancel_problem,
    charge_problem,
    verdict,
)

_KEY_CHARS = 300
_BILLING_KEY = re.compile(r"/v1/billing/.+")


def _refusal(code: str) -> Reply:
    status, message = ERRORS[code]
    return json_reply(status, {"code": code, "message": message}, code)


class TossPayments:
    """The simulated PG; every method is safe to call from several threads."""

    def __init__(self, clock: SettableClock, book: Book[TossEntry], switches: TossSwitches) -> None:
        self.faults = Faults()
        self.book = book
        self.switches = switches
        self.port = 0
        self._clock = clock
        self._lock = Lock()
        self._run = secrets.token_hex(4)
        """Part of every payment key: a restarted simulator must not give out the keys of an earlier one."""
        self.reset()

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}"

    def reset(self) -> None:
        """Forget every card, payment and idempotency key, switch all faults off and empty the book."""
        self.faults.clear()
        self.book.reset()
        self._replays = Replays()
        self._cards: dict[str, Card] = {}
        self._used: dict[str, int] = {}
        self._deleted: set[str] = set()
        self._payments: dict[str, Payment] = {}
        self._orders: dict[str, Payment] = {}

    def register(self, *cards: Card) -> None:
        """Issue billing keys, or change how their cards answer from now on (scripts start anew)."""
        with self._lock:
            for card in cards:
                self._cards[card.billing_key] = card
                self._used[card.billing_key] = 0
                self._deleted.discard(card.billing_key)

    def approvals(self) -> list[Approval]:
        """Return all money ever approved, with what of it was cancelled, oldest first."""
        return [payment.approval for payment in list(self._payments.values())]

    def calls(self) -> list[TossCall]:
        """Return every request, oldest first."""
        return self.book.of(TossCall)

    def identify(self, request: Request) -> tuple[str, str]:
        """Return endpoint and order number (for `forget` the billing key)."""
        match request.method, *request.path.split("/")[1:]:
            case "POST", "v1", "billing", _:
                body = request.payload
                return "charge", str(body.get("orderId", "")) if isinstance(body, dict) else ""
            case "DELETE", "v1", "billing", key:
                return "forget", unquote(key)
            case "GET", "v1", "payments", "orders", order_no:
                return "inquiry", unquote(order_no)
            case "GET", "v1", "payments", key:
                return "payment", self._order_no(key)
            case "POST", "v1", "payments", key, "cancel":
                return "cancel", self._order_no(key)
        return "unsupported", ""

    def _order_no(self, payment_key: str) -> str:
        payment = self._payments.get(unquote(payment_key))
        return payment.order_no if payment else ""

    def respond(self, request: Request, endpoint: str, subject: str, strike: Strike) -> Reply:
        """Authenticate, replay or process, and note the request in the book."""
        reply = replace(
            self._reply(request, endpoint, strike),
            headers={"X-TossPayments-Trace-Id": secrets.token_hex(16)},
        )
        forget = endpoint == "forget"
        self.book.add(
            TossCall(
                at=self._clock.now(),
                method=request.method,
                path=_BILLING_KEY.sub("/v1/billing/****", request.path),
                endpoint=endpoint,
                order_no="" if forget else subject,
                outcome=reply.outcome,
                status=reply.status,
                idempotency_key=request.headers.get("idempotency-key", ""),
                fault=strike.name,
            )
        )
        return reply

    def error(self, status: int, code: str) -> Reply:
        """Return an error of any code, published or not."""
        code = code or ("INVALID_REQUEST" if status < 500 else "FAILED_INTERNAL_SYSTEM_PROCESSING")  # noqa: PLR2004 - HTTP's own border
        _, message = ERRORS.get(code, (status, "알 수 없는 에러입니다."))
        return json_reply(status, {"code": code, "message": message}, code)

    def _reply(self, request: Request, endpoint: str, strike: Strike) -> Reply:
        refused = None if strike.prevents else self._credentials_problem(request)
        if refused is not None:
            return _refusal(refused)
        if request.method == "POST":
            return self._once(request, endpoint, strike)
        return self._act(request, endpoint, strike)

    def _credentials_problem(self, request: Request) -> str | None:
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return "UNAUTHORIZED_KEY"
        try:
            user, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "INCORRECT_BASIC_AUTH_FORMAT"
        if not colon:
            return "INCORRECT_BASIC_AUTH_FORMAT"
        return None if (user, password) == (self.switches.secret_key, "") else "UNAUTHORIZED_KEY"

    def _once(self, request: Request, endpoint: str, strike: Strike) -> Reply:
        if "idempotency-key" not in request.headers:
            return self._act(request, endpoint, strike)
        if not 0 < len(request.headers["idempotency-key"]) <= _KEY_CHARS:
            return _refusal("INVALID_IDEMPOTENCY_KEY")
        key: Key = (
            request.headers["idempotency-key"],
            request.headers.get("authorization", ""),
            request.path,
            request.method,
        )
        if strike.prevents and not (strike.fault and strike.fault.stored):
            return self._act(request, endpoint, strike)
        earlier = self._replays.begin(key, self._clock.now())
        if isinstance(earlier, Running):
            return _refusal("IDEMPOTENT_REQUEST_PROCESSING")
        if earlier is not None:
            return replace(earlier, outcome="replayed")
        reply = self._act(request, endpoint, strike)
        stored = strike.fault is not None and strike.fault.stored
        self._replays.finish(key, spoil(reply, strike.fault, self.error) if stored else reply)
        return reply

    def _act(self, request: Request, endpoint: str, strike: Strike) -> Reply:
        self.faults.pause(strike.before_s)
        if strike.prevents:
            return NOT_PROCESSED
        asked_for = request.headers.get("tosspayments-test-code", "")
        if asked_for in ERRORS and self.switches.secret_key.startswith("test_"):
            return _refusal(asked_for)
        with self._lock:
            return self._process(request, endpoint)

    def _process(self, request: Request, endpoint: str) -> Reply:
        parts = [unquote(part) for part in request.path.split("/")]
        match endpoint:
            case "charge":
                return self._charge(request, parts[3])
            case "forget":
                return self._forget(parts[3])
            case "inquiry" | "payment":
                by = self._orders if endpoint == "inquiry" else self._payments
                return self._inquire(by.get(parts[-1]))
            case "cancel":
                return self._cancel(request, self._payments.get(parts[3]))
        return _refusal("NOT_FOUND")

    def _card(self, billing_key: str, customer_key: str) -> Card | str:
        if billing_key in self._deleted:
            return self.switches.removed_key_code
        card = self._cards.get(billing_key)
        if card is None:
            if not self.switches.accept_unknown_keys:
                return "NOT_FOUND_BILLING"
            card = Card(billing_key)
        if card.customer_key not in {"", customer_key}:
            return "NOT_MATCHES_CUSTOMER_KEY"
        self._cards[billing_key] = card if card.customer_key else replace(card, customer_key=customer_key)
        return card

    def _admit(self, request: Request, billing_key: str) -> Card | str:
        body = request.payload
        if not request.headers.get("content-type", "").startswith("application/json"):
            return "INVALID_REQUEST"
        if (problem := charge_problem(body)) is not None:
            return problem
        card = self._card(billing_key, body["customerKey"])
        # The vendor's message says "already approved or cancelled": a declined order number is free again.
        return "DUPLICATED_ORDER_ID" if isinstance(card, Card) and body["orderId"] in self._orders else card

    def _charge(self, request: Request, billing_key: str) -> Reply:
        card = self._admit(request, billing_key)
        if isinstance(card, str):
            return _refusal(card)
        used = self._used.get(billing_key, 0)
        self._used[billing_key] = used + 1
        word = verdict(card, used, request.payload["orderId"])
        return self._approve(request.payload, billing_key) if word == "approve" else _refusal(word)

    def _approve(self, body: dict[str, object], billing_key: str) -> Reply:
        now = self._clock.now()
        payment = Payment(
            payment_key=f"sim_{self._run}_{len(self._payments) + 1:07d}",
            order_no=str(body["orderId"]),
            order_name=str(body["orderName"]),
            amount_krw=int(str(body["amount"])),
            billing_key=billing_key,
            approved_at=now,
        )
        self._payments[payment.payment_key] = self._orders[payment.order_no] = payment
        self.book.add(
            TossApproved(now, payment.payment_key, payment.order_no, payment.amount_krw, billing_key)
        )
        return json_reply(200, payment.as_json(), "approved")

    def _inquire(self, payment: Payment | None) -> Reply:
        lag = timedelta(seconds=self.switches.inquiry_lag_s)
        if payment is None or self._clock.now() < payment.approved_at + lag:
            return _refusal("NOT_FOUND_PAYMENT")
        return json_reply(200, payment.as_json(), "found")

    def _cancel(self, request: Request, payment: Payment | None) -> Reply:
        body = request.payload
        if (problem := cancel_problem(body)) is not None:
            return _refusal(problem)
        if payment is None:
            return _refusal("NOT_FOUND_PAYMENT")
        balance_krw = payment.balance_krw
        amount_krw = body.get("cancelAmount") or balance_krw
        if not balance_krw:
            return _refusal(
                "ALREADY_CANCELED_PAYMENT" if payment.status == "CANCELED" else "NOT_CANCELABLE_AMOUNT"
            )
        if (body.get("refundableAmount") or balance_krw) != balance_krw:
            return _refusal("NOT_MATCHES_REFUNDABLE_AMOUNT")
        if amount_krw > balance_krw:
            return _refusal("NOT_CANCELABLE_AMOUNT")
        now = self._clock.now()
        payment.cancel(amount_krw, body["cancelReason"], now)
        self.book.add(TossCancelled(now, payment.payment_key, payment.order_no, amount_krw))
        return json_reply(200, payment.as_json(), "cancelled")

    def _forget(self, billing_key: str) -> Reply:
        if billing_key in self._deleted:
            return _refusal(self.switches.removed_key_code)
        if billing_key not in self._cards and not self.switches.accept_unknown_keys:
            return _refusal("NOT_FOUND_BILLING")
        self._deleted.add(billing_key)
        self.book.add(TossKeyDeleted(self._clock.now(), billing_key))
        return Reply(200, b"", "deleted")
