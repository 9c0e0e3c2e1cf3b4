"""What the tests of TossPayments share: one attempt, one card and what the PG may say of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from pydantic import SecretStr

from lib import settings
from lib.gateways import (
    Approval,
    Attempt,
    Card,
)
from lib.gateways.tosspayments import TossPayments
from tests.adapters.servers import reply

NOW = datetime(2026, 12, 1, 3, tzinfo=UTC)
KEY = "bKey+/one="
CARD = Card(7, "member", "tosspayments", KEY, "cust-1", "43301234****123*", NOW)
ATTEMPT = Attempt(1, 2, 1, "tosspayments", "J1G2WCYRPGL22GXTJIVV5C01", "정기배송 원두", 12_900, 7, NOW)
DONE = {
    "status": "DONE",
    "paymentKey": "pk1",
    "orderId": ATTEMPT.order_no,
    "totalAmount": 12_900,
    "cancels": None,
    "card": {"approveNo": "00001234"},
    "failure": None,
}
APPROVAL = Approval("pk1", ATTEMPT.order_no, 12_900, "00001234")
CANCEL = replace(APPROVAL, kind="cancel")
CANCELED = DONE | {"status": "CANCELED", "cancels": [{"cancelAmount": 12_900, "cancelStatus": "DONE"}]}
ABORTED = DONE | {"status": "ABORTED", "failure": {"code": "REJECT_CARD_PAYMENT", "message": "한도초과"}}
REFUSED = {"code": "REJECT_CARD_PAYMENT", "message": "한도초과 혹은 잔액부족"}
NOT_FOUND = reply(404, {"code": "NOT_FOUND_PAYMENT", "message": "존재하지 않는 결제 정보"})


@contextmanager
def gateway(url: str, codes: dict[str, str] | None = None) -> Iterator[TossPayments]:
    config = settings.TossPayments.model_validate(
        {"secret_key": SecretStr("test_sk_1"), "base_url": url, "read_timeout": 0.3, "codes": codes or {}}
    )
    made = TossPayments(config, lambda: NOW)
    try:
        yield made
    finally:
        made.close()
