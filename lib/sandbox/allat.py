"""KG Allat (올앳) FIX, simulated: charge by card key, cancel by order number, deletion of card keys.

There is no inquiry. Where the vendor is silent it takes the harder reading: an order number is used
up by any charge that was understood, whatever became of it, and a repeated request is refused.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import timedelta
from itertools import count
from threading import Lock

from lib.sandbox.allat_book import AllatApproved, AllatCall, AllatCancelled, AllatEntry, AllatKeyDeleted
from lib.sandbox.allat_form import data_problem, form_problem, open_data, read_form
from lib.sandbox.allat_payments import Payment, apply_day, lines_reply
from lib.sandbox.allat_rules import (
    BROKEN,
    CANCELLED_BEFORE,
    DELETED_KEY,
    LIVE,
    NO_KEY,
    NO_ORDER,
    TEST,
    TOO_MUCH,
    AllatCard,
    AllatSwitches,
    verdict,
)
from lib.sandbox.book import Book
from lib.sandbox.clock import SettableClock
from lib.sandbox.faults import Faults, Strike
from lib.sandbox.server import NOT_PROCESSED, Reply, Request
from lib.sandbox.tosspayments_book import Approval

ENDPOINTS = {
    "/servlet/AllatPay/pay/approval.jsp": "charge",
    "/servlet/AllatPay/pay/cancel.jsp": "cancel",
    "/servlet/AllatPay/pay/fix_cancel.jsp": "forget",
}
_PAGE = "<html><head><title>Error</title></head><body>잠시 후 다시 시도하십시오.</body></html>".encode(
    "cp949"
)

Fields = Mapping[str, str]


def _page(status: int, outcome: str = "") -> Reply:
    return Reply(status, _PAGE, outcome or str(status), "text/html")


class Allat:
    """The simulated PG; every method is safe to call from several threads."""

    def __init__(self, clock: SettableClock, book: Book[AllatEntry], switches: AllatSwitches) -> None:
        self.faults = Faults()
        self.book = book
        self.switches = switches
        self.port = 0
        self._clock = clock
        self._lock = Lock()
        self._seq_nos = count(random.SystemRandom().randrange(10**9, 9 * 10**9))
        """A restarted simulator must not give out the numbers of an earlier one."""
        self.reset()

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}"

    def reset(self) -> None:
        """Forget every card, payment and order number, switch all faults off and empty the book."""
        self.faults.clear()
        self.book.reset()
        self._cards: dict[str, AllatCard] = {}
        self._used: dict[str, int] = {}
        self._deleted: set[str] = set()
        self._payments: dict[str, Payment] = {}
        self._late: list[Payment] = []
        self._order_nos: set[str] = set()

    def register(self, *cards: AllatCard) -> None:
        """Issue card keys, or change how their cards answer from now on (scripts start anew)."""
        with self._lock:
            for card in cards:
                self._cards[card.billing_key] = card
                self._used[card.billing_key] = 0
                self._deleted.discard(card.billing_key)
                if card.issue_order_no:
                    self._order_nos.add(card.issue_order_no)

    def approvals(self) -> list[Approval]:
        """Return all money ever approved, with what of it was cancelled; a late approval once it landed."""
        with self._lock:
            self._land()
            return [payment.approval for payment in self._payments.values()]

    def calls(self) -> list[AllatCall]:
        """Return every request, oldest first."""
        return self.book.of(AllatCall)

    def identify(self, request: Request) -> tuple[str, str]:
        """Return endpoint and order number (for `forget` the card key)."""
        endpoint = ENDPOINTS.get(request.path, "unsupported")
        fields = open_data(read_form(request.body).get("allat_enc_data", b"")) or {}
        return endpoint, fields.get("allat_fix_key" if endpoint == "forget" else "allat_order_no", "")

    def respond(self, request: Request, endpoint: str, subject: str, strike: Strike) -> Reply:
        """Process, and note the request in the book."""
        self.faults.pause(strike.before_s)
        reply = NOT_PROCESSED if strike.prevents else self._reply(request, endpoint)
        self.book.add(
            AllatCall(
                at=self._clock.now(),
                method=request.method,
                path=request.path,
                endpoint=endpoint,
                order_no="" if endpoint == "forget" else subject,
                outcome=reply.outcome,
                status=reply.status,
                fault=strike.name,
            )
        )
        return reply

    def error(self, status: int, code: str) -> Reply:
        """Return a code, published or not, or a web page where there is none."""
        return Reply(status, lines_reply(code, {}).body, code, "text/html") if code else _page(status)

    def _reply(self, request: Request, endpoint: str) -> Reply:
        if endpoint == "unsupported" or request.method != "POST":
            return _page(404 if endpoint == "unsupported" else 405)
        form = read_form(request.body)
        kind = request.headers.get("content-type", "")
        if (problem := form_problem(form, endpoint, self.switches, kind)) is not None:
            return lines_reply(problem, {})
        fields = open_data(form["allat_enc_data"])
        if fields is None:
            return lines_reply(BROKEN, {})
        if (problem := data_problem(fields, form, endpoint, self.switches)) is not None:
            return lines_reply(problem, {})
        with self._lock:
            self._land()
            return self._act(endpoint, fields)

    def _act(self, endpoint: str, fields: Fields) -> Reply:
        match endpoint:
            case "charge":
                return self._charge(fields)
            case "cancel":
                return self._cancel(fields)
        return self._forget(fields["allat_fix_key"])

    @property
    def _yes(self) -> str:
        return TEST if self.switches.test else LIVE

    def _land(self) -> None:
        """Approve what was late and is due by now."""
        now = self._clock.now()
        for payment in [one for one in self._late if one.approved_at <= now]:
            self._late.remove(payment)
            self._approve(payment)

    def _approve(self, payment: Payment) -> None:
        self._payments[payment.order_no] = payment
        self.book.add(
            AllatApproved(
                payment.approved_at,
                payment.seq_no,
                payment.order_no,
                payment.amount_krw,
                payment.billing_key,
            )
        )

    def _card(self, billing_key: str) -> AllatCard | str:
        if billing_key in self._deleted:
            return DELETED_KEY
        if billing_key not in self._cards and not self.switches.accept_unknown_keys:
            return NO_KEY
        return self._cards.setdefault(billing_key, AllatCard(billing_key))

    def _charge(self, fields: Fields) -> Reply:
        order_no, billing_key = fields["allat_order_no"], fields["allat_card_key"]
        if order_no in self._order_nos:
            return lines_reply(self.switches.duplicate_code, {"order_no": order_no})
        self._order_nos.add(order_no)
        card = self._card(billing_key)
        if isinstance(card, str):
            return lines_reply(card, {"order_no": order_no})
        used = self._used.get(billing_key, 0)
        self._used[billing_key] = used + 1
        word = verdict(card, used, order_no)
        if word not in {"approve", "late"}:
            return lines_reply(word, {"order_no": order_no})
        late = timedelta(seconds=self.switches.late_s if word == "late" else 0)
        payment = Payment(
            seq_no=str(next(self._seq_nos)),
            order_no=order_no,
            amount_krw=int(fields["allat_amt"]),
            billing_key=billing_key,
            approved_at=self._clock.now() + late,
        )
        if word == "late":
            self._late.append(payment)
            return _page(504, "late")
        self._approve(payment)
        return payment.approved(self._yes)

    def _cancel(self, fields: Fields) -> Reply:
        payment, amount_krw = self._payments.get(fields["allat_order_no"]), int(fields["allat_amt"])
        now, lag = self._clock.now(), timedelta(seconds=self.switches.cancel_lag_s)
        if payment is None or now < payment.approved_at + lag:
            return lines_reply(NO_ORDER, {})
        if fields.get("allat_seq_no", "") not in {"", payment.seq_no}:
            return lines_reply(NO_ORDER, {})
        if amount_krw > payment.balance_krw:
            return lines_reply(TOO_MUCH if payment.balance_krw else CANCELLED_BEFORE, {})
        payment.cancels.append(amount_krw)
        self.book.add(AllatCancelled(now, payment.seq_no, payment.order_no, amount_krw))
        return payment.cancelled(self._yes, now)

    def _forget(self, billing_key: str) -> Reply:
        if billing_key in self._deleted:
            return lines_reply(DELETED_KEY, {})
        if billing_key not in self._cards and not self.switches.accept_unknown_keys:
            return lines_reply(NO_KEY, {})
        self._deleted.add(billing_key)
        now = self._clock.now()
        self.book.add(AllatKeyDeleted(now, billing_key))
        said = {"fix_key": billing_key, "apply_ymd": apply_day(now)}
        return lines_reply(self._yes, said, outcome="deleted", seed=billing_key)
