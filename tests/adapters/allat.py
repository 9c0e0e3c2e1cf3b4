"""What the tests of Allat share: one attempt, one card, what the PG may say, and a simulator to say it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from pydantic import SecretStr

from lib import settings
from lib.gateways import Approval, Attempt, Card
from lib.gateways.allat import Allat
from lib.sandbox.allat import Allat as AllatSimulator
from lib.sandbox.allat_rules import CLASSES, CROSS_KEY, SHOP_ID, AllatSwitches
from lib.sandbox.book import Book
from lib.sandbox.clock import SettableClock
from lib.sandbox.server import HttpServer, Listener
from tests.adapters.servers import reply

NOW = datetime(2026, 12, 1, 3, tzinfo=UTC)
LATER = NOW + timedelta(minutes=15)
"""The first moment at which an attempt of NOW may be voided."""
KEY = "FIXKEY0123456789ABCDEF+="
CARD = Card(7, "member", "allat", KEY, "", "4330-****-****-1234", NOW)
ATTEMPT = Attempt(1, 2, 1, "allat", "J1G2WCYRPGL22GXTJIVV5C01", "정기배송 원두 1회차", 12_900, 7, NOW)
APPROVED = {
    "reply_cd": "0000",
    "reply_msg": "정상",
    "order_no": ATTEMPT.order_no,
    "amt": "12900",
    "pay_type": "FIX",
    "approval_ymdhms": "20261201120000",
    "seq_no": "2000000001",
    "approval_no": "10203040",
    "save_amt": "",
}
CANCELLED = {
    "reply_cd": "0000",
    "reply_msg": "정상",
    "cancel_ymdhms": "20261201121500",
    "part_cancel_flag": "0",
    "remain_amt": "0",
    "pay_type": "CARD",
}
APPROVAL = Approval(ATTEMPT.order_no, ATTEMPT.order_no, 12_900, "10203040")


def lines(fields: dict[str, str], *, status: int = 200) -> bytes:
    """Return an HTTP reply with lines of `key=value` in EUC-KR."""
    body = "".join(f"{key}={value}\n" for key, value in fields.items())
    return reply(status, body.encode("cp949"))


def refusal(code: str, message: str = "m") -> bytes:
    return lines({"reply_cd": code, "reply_msg": message})


@contextmanager
def gateway(
    url: str,
    codes: dict[str, str] | None = None,
    *,
    test: bool = False,
    clock: SettableClock | None = None,
    at: datetime = NOW,
) -> Iterator[Allat]:
    """Open Allat at `url`; its business time is `at`, or what a clock says."""
    config = settings.Allat.model_validate(
        {
            "shop_id": SHOP_ID,
            "cross_key": SecretStr(CROSS_KEY),
            "base_url": url,
            "test": test,
            "read_timeout": 0.3,
            "codes": CLASSES if codes is None else codes,
        }
    )
    made = Allat(config, clock.now if clock else lambda: at)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def simulator(
    switches: AllatSwitches | None = None, clock: SettableClock | None = None
) -> Iterator[AllatSimulator]:
    """Run a simulated Allat for a block."""
    made = AllatSimulator(clock or SettableClock(), Book("allat"), switches or AllatSwitches())
    listener = Listener(0, HttpServer(made).serve)
    made.port = listener.port
    try:
        yield made
    finally:
        made.faults.stop()
        listener.close()
