"""Plain clients of the simulators: what a job would say, without the jobs' adapters."""

import base64
import hashlib
import hmac
import itertools
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Self

import requests

from lib.sandbox.solapi_rules import API_KEY, API_SECRET
from lib.sandbox.tosspayments_rules import SECRET_KEY

GOOD_CHARGE = {
    "customerKey": "member-7",
    "orderName": "정기배송 1회차",
    "amount": 19_800,
    "orderId": "J1AAA01",
}


def eventually(holds: Callable[[], bool]) -> bool:
    """Wait for what another thread is about to do."""
    deadline = time.monotonic() + 5
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.01)
    return holds()


class Merchant:
    """Speaks to TossPayments over one kept connection; every charge has its order number as key."""

    def __init__(self, url: str, authorization: str | None = None) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        token = base64.b64encode(f"{SECRET_KEY}:".encode()).decode()
        self.session.headers["Authorization"] = authorization or f"Basic {token}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def call(self, method: str, path: str, body: object = None, **headers: str) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.session.request(method, self.url + path, json=body, headers=named, timeout=5)

    def charge(
        self, *, billing_key: str = "bk1", key: str | None = None, **changes: object
    ) -> requests.Response:
        body = {name: value for name, value in (GOOD_CHARGE | changes).items() if value is not None}
        key = str(body.get("orderId")) if key is None else key
        headers = {"Idempotency_Key": key} if key else {}
        return self.call("POST", f"/v1/billing/{billing_key}", body, **headers)

    def inquire(self, order_no: str = "J1AAA01") -> requests.Response:
        return self.call("GET", f"/v1/payments/orders/{order_no}")

    def cancel(self, payment_key: str, **body: object) -> requests.Response:
        return self.call("POST", f"/v1/payments/{payment_key}/cancel", {"cancelReason": "고객 요청"} | body)


def code(response: requests.Response) -> tuple[int, str]:
    """Return HTTP status and the vendor's error code."""
    body = response.json()
    return response.status_code, body.get("code") or body.get("errorCode")


class Texter:
    """Speaks to SOLAPI, signing every request anew."""

    def __init__(self, url: str) -> None:
        self.url = url

    def header(self, *, secret: str = API_SECRET, moment: datetime | None = None, **changes: str) -> str:
        date = changes.get("date", (moment or datetime.now(UTC)).isoformat())
        salt = changes.get("salt", secrets.token_hex(16))
        signature = hmac.new(secret.encode(), (date + salt).encode(), hashlib.sha256).hexdigest()
        key = changes.get("api_key", API_KEY)
        return f"HMAC-SHA256 apiKey={key}, date={date}, salt={salt}, signature={signature}"

    def call(
        self, method: str, path: str, body: object = None, authorization: str | None = None
    ) -> requests.Response:
        headers = {"Authorization": authorization or self.header(), "Connection": "close"}
        return requests.request(method, self.url + path, json=body, headers=headers, timeout=5)

    def create(self, **body: object) -> str:
        return str(self.call("POST", "/messages/v4/groups", body).json()["groupId"])

    def add(self, group_id: str, *messages: dict[str, Any]) -> requests.Response:
        return self.call("PUT", f"/messages/v4/groups/{group_id}/messages", {"messages": messages})

    def send(self, group_id: str) -> requests.Response:
        return self.call("POST", f"/messages/v4/groups/{group_id}/send", {})

    def status(self, group_id: str) -> str:
        return str(self.call("GET", f"/messages/v4/groups/{group_id}").json()["status"])


_NUMBERS = itertools.count(1)


def sms(**changes: object) -> dict[str, Any]:
    """Return a good message to a number of its own."""
    number = f"010{next(_NUMBERS):08d}"
    good = {"to": number, "from": "0215880000", "text": "내일 12,900원이 결제됩니다.", "type": "SMS"}
    return {name: value for name, value in (good | changes).items() if value is not None}


class Postman:
    """Speaks SMTP line by line."""

    def __init__(self, conn: socket.socket) -> None:
        self.conn = conn
        self.stream = conn.makefile("rb")

    def reply(self) -> str:
        lines = [self.stream.readline().decode()]
        while lines[-1][3:4] == "-":
            lines.append(self.stream.readline().decode())
        return "".join(lines).strip()

    def say(self, line: str | bytes) -> str:
        raw = line if isinstance(line, bytes) else line.encode() + b"\r\n"
        self.conn.sendall(raw)
        return self.reply()

    def hello(self) -> Self:
        self.say("EHLO shop")
        return self

    def envelope(self, *recipients: str, sender: str = "shop@example.com", options: str = "") -> list[str]:
        replies = [self.say(f"MAIL FROM:<{sender}>{options}")]
        return replies + [self.say(f"RCPT TO:<{recipient}>") for recipient in recipients]

    def text(self, raw: bytes) -> str:
        """Send DATA and a text that ends with CRLF; return the reply to the final dot."""
        assert self.say("DATA").startswith("354")
        return self.say(raw + b".\r\n")


@contextmanager
def postman(port: int) -> Iterator[Postman]:
    """Connect and read the greeting."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as conn:
        client = Postman(conn)
        with client.stream:
            client.reply()
            yield client
