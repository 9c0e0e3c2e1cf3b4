"""What the tests of NICEPAY share: one attempt, one card and what the PG may say of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from lib import settings
from lib.gateways import Approval, Attempt, Card
from lib.gateways.nicepay import Nicepay
from tests.adapters.servers import reply

NOW = datetime(2026, 12, 1, 3, tzinfo=UTC)
DAY = "20261201"
KEY, SECRET = "BIKYnictest00m/1", "secret-1"
CARD = Card(7, "member", "nicepay", KEY, "", "123412******1234", NOW)
ATTEMPT = Attempt(1, 2, 1, "nicepay", "J1G2WCYRPGL22GXTJIVV5C01", "정기배송 원두", 12_900, 7, NOW)
AT = "2026-12-01T12:00:00.000+0900"


def signed(secret: str = SECRET, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 any field
    """Return an approval with its signature, some fields of it changed before it was signed."""
    record = PAID_UNSIGNED | fields
    text = f"{record['tid']}{record['amount']}{record['ediDate']}{secret}"
    return record | {"signature": hashlib.sha256(text.encode()).hexdigest()}


PAID_UNSIGNED: dict[str, Any] = {
    "resultCode": "0000",
    "resultMsg": "정상 처리되었습니다.",
    "tid": "nictest00m01012612011200000001",
    "orderId": ATTEMPT.order_no,
    "ediDate": AT,
    "status": "paid",
    "amount": 12_900,
    "balanceAmt": 12_900,
    "approveNo": "00001234",
    "cancels": None,
}
PAID = signed()
APPROVAL = Approval(PAID["tid"], ATTEMPT.order_no, 12_900, "00001234")
CANCEL = replace(APPROVAL, kind="cancel")


def cancel_of(amount: int, second: int = 0) -> dict[str, Any]:
    """Return one entry of the list of cancels."""
    return {
        "tid": f"nictest00m0101261201130000c{second:02}",
        "amount": amount,
        "cancelledAt": f"2026-12-01T13:00:{second:02}.000+0900",
    }


CANCELLED = signed(status="cancelled", balanceAmt=0, cancels=[cancel_of(12_900)])
FAILED = PAID_UNSIGNED | {
    "resultCode": "3095",
    "resultMsg": "카드사 실패 응답",
    "status": "failed",
    "balanceAmt": 0,
}
NOT_FOUND = reply(200, {"resultCode": "U107", "resultMsg": "거래내역이 존재 하지 않습니다."})
TAKEN = reply(200, {"resultCode": "U112", "resultMsg": "이미 사용된 OrderId 입니다."})
UNKNOWN_CALLER = reply(401, {"resultCode": "U104", "resultMsg": "사용자 인증에 실패하였습니다."})


@contextmanager
def gateway(
    url: str, codes: dict[str, str] | None = None, *, age: timedelta = timedelta(hours=1)
) -> Iterator[Nicepay]:
    """Open the adapter, `age` after the attempt was sent."""
    config = settings.Nicepay.model_validate(
        {
            "client_key": "client-1",
            "secret_key": SECRET,
            "base_url": url,
            "read_timeout": 0.3,
            "codes": codes or {},
        }
    )
    made = Nicepay(config, lambda: NOW + age)
    try:
        yield made
    finally:
        made.close()
