"""SOLAPI v4, simulated: groups in three steps, bulk sending, look-ups, balance and sender numbers.

It refuses what the vendor refuses, with the vendor's codes (solapi/documents). What the documents leave open
is marked as invented.
"""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Lock

from lib.sandbox.book import Book
from lib.sandbox.clock import SettableClock
from lib.sandbox.faults import Faults, Strike
from lib.sandbox.server import NOT_PROCESSED, Reply, Request, json_reply
from lib.sandbox.solapi_account import Account, Trouble
from lib.sandbox.solapi_groups import ACCOUNT, Group, Released, SolapiCall, SolapiEntry
from lib.sandbox.solapi_rules import CLOCK_SKEW, SolapiSwitches, read_authorization

MAX_BODY_BYTES = 15 * 1024 * 1024
_ENDPOINTS = {
    ("POST", "/messages/v4/groups"): "create",
    ("POST", "/messages/v4/send-many/detail"): "send_many",
    ("GET", "/messages/v4/list"): "list",
    ("GET", "/cash/v1/balance"): "balance",
    ("GET", "/senderid/v1/numbers"): "senders",
    ("GET", "/senderid/v1/numbers/active"): "active_senders",
}
_ON_A_GROUP = {
    ("GET", ""): "group",
    ("DELETE", ""): "delete",
    ("PUT", "messages"): "add",
    ("GET", "messages"): "group_messages",
    ("POST", "send"): "send",
}


def _error(status: int, code: str, message: str = "") -> Reply:
    return json_reply(status, {"errorCode": code, "errorMessage": message or code}, code)


class Solapi:
    """The simulated provider; every method is safe to call from several threads."""

    def __init__(self, clock: SettableClock, book: Book[SolapiEntry], switches: SolapiSwitches) -> None:
        self.faults = Faults()
        self.book = book
        self.switches = switches
        self.port = 0
        self._clock = clock
        self._lock = Lock()
        self.reset()

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}"

    def reset(self) -> None:
        """Forget every group, what was spent and all signatures, switch all faults off and empty the book."""
        self.faults.clear()
        self.book.reset()
        self._signatures: dict[str, datetime] = {}
        self._account = Account(self._clock, self.book, lambda: self.switches)

    def released(self) -> list[Released]:
        """Return every message that really left, oldest first."""
        return self.book.of(Released)

    def calls(self) -> list[SolapiCall]:
        """Return every request, oldest first."""
        return self.book.of(SolapiCall)

    def identify(self, request: Request) -> tuple[str, str]:
        """Return endpoint and group id."""
        root, _, rest = request.path.partition("/messages/v4/groups/")
        if rest and not root:
            group_id, _, action = rest.partition("/")
            return _ON_A_GROUP.get((request.method, action), "unsupported"), group_id
        return _ENDPOINTS.get((request.method, request.path), "unsupported"), ""

    def respond(self, request: Request, endpoint: str, subject: str, strike: Strike) -> Reply:
        """Authenticate and process, and note the request in the book."""
        self.faults.pause(strike.before_s)
        reply = NOT_PROCESSED if strike.prevents else self._process(request, endpoint, subject)
        self.book.add(
            SolapiCall(
                at=self._clock.now(),
                method=request.method,
                path=request.path,
                endpoint=endpoint,
                group_id=subject,
                outcome=reply.outcome or "done",
                status=reply.status,
                fault=strike.name,
            )
        )
        return reply

    def error(self, status: int, code: str) -> Reply:
        """Return an error of any code, published or not."""
        return _error(status, code or ("ValidationError" if status < 500 else "InternalError"))  # noqa: PLR2004 - HTTP's own border

    def _process(self, request: Request, endpoint: str, group_id: str) -> Reply:
        if len(request.body) > MAX_BODY_BYTES:
            return _error(413, "RequestEntityTooLarge")  # the code is invented, the limit is not
        with self._lock:
            if (problem := self._credentials_problem(request)) is not None:
                return _error(403, problem)
            return self._act(request, endpoint, group_id)

    def _credentials_problem(self, request: Request) -> str | None:
        credentials = read_authorization(request.headers.get("authorization", ""), self.switches.api_secret)
        if isinstance(credentials, str):
            return credentials
        if credentials.api_key != self.switches.api_key:
            return "InvalidAPIKey"
        now = datetime.now(UTC)  # a provider's clock is the real one, whatever business day is simulated
        if abs(now - credentials.moment) > CLOCK_SKEW:
            return "RequestTimeTooSkewed"
        while self._signatures and now - next(iter(self._signatures.values())) > CLOCK_SKEW:
            del self._signatures[next(iter(self._signatures))]
        if credentials.signature in self._signatures:
            return "DuplicatedSignature"
        self._signatures[credentials.signature] = now
        return None

    def _act(self, request: Request, endpoint: str, group_id: str) -> Reply:
        account, body = self._account, request.payload if request.body else {}
        if not isinstance(body, dict):
            return _error(400, "ValidationError")
        answer: object
        match endpoint:
            case "create":
                answer = account.create(body)
            case "send_many":
                answer = account.send_many(body)
            case "list":
                answer = account.look_up(request.query)
            case "balance" | "senders" | "active_senders":
                answer = self._account_facts(endpoint)
            case "unsupported":
                answer = Trouble(404, "ResourceNotFound")
            case _:
                answer = self._on_group(request, endpoint, account.group(group_id))
        return _error(answer.status, answer.code) if isinstance(answer, Trouble) else json_reply(200, answer)

    def _on_group(self, request: Request, endpoint: str, group: Group | None) -> object:
        if group is None:
            return Trouble(404, "ResourceNotFound")
        match endpoint:
            case "add":
                return self._account.add(group, request.payload)
            case "send":
                return self._account.send(group)
            case "delete":
                return self._account.delete(group)
            case "group_messages":
                return self._account.page(group.messages.values(), request.query)
        return group.as_json()

    def _account_facts(self, endpoint: str) -> object:
        senders = list(self.switches.senders or ())
        if endpoint == "active_senders":
            return senders
        if endpoint == "senders":  # the fields around the number are from the vendor's other samples
            return {
                "limit": len(senders),
                "accountId": ACCOUNT,
                "senderIds": [{"phoneNumber": number, "status": "ACTIVE"} for number in senders],
            }
        return {
            "accountId": ACCOUNT,
            "balance": self._account.balance_krw,
            "point": 0,
            "lowBalanceAlert": {"notificationBalance": "0", "currentBalance": "0", "enabled": False},
            "autoRecharge": 0,
            "minimumCash": 3000,
        }
