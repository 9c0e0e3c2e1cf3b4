"""A charge as the NICEPAY simulator keeps it, and the record it answers with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from lib.sandbox.nicepay_rules import MESSAGES, signature
from lib.sandbox.tosspayments_book import Approval

_SEOUL = ZoneInfo("Asia/Seoul")


@dataclass
class Payment:
    """One charge that got to a card; `moment` is when it was approved or declined."""

    tid: str
    order_no: str
    goods_name: str
    amount_krw: int
    billing_key: str = field(repr=False)
    moment: datetime
    code: str = "0000"
    cancels: list[dict[str, Any]] = field(default_factory=list)

    @property
    def balance_krw(self) -> int:
        """What can still be cancelled."""
        return self.amount_krw - sum(int(cancel["amount"]) for cancel in self.cancels)

    @property
    def status(self) -> Literal["paid", "failed", "partialCancelled", "cancelled"]:
        """The vendor's word for what it has come to."""
        if self.code != "0000":
            return "failed"
        if not self.cancels:
            return "paid"
        return "partialCancelled" if self.balance_krw else "cancelled"

    @property
    def approval(self) -> Approval:
        """This payment as evidence."""
        cancelled = self.amount_krw - self.balance_krw
        return Approval(self.tid, self.order_no, self.amount_krw, cancelled, self.billing_key)

    @property
    def day(self) -> str:
        """The day of the order, in Seoul, as an inquiry names it."""
        return f"{self.moment.astimezone(_SEOUL):%Y%m%d}"

    def cancel(self, amount_krw: int, reason: str, now: datetime) -> None:
        """Give `amount_krw` back; the caller has checked the balance."""
        place = len(self.cancels) + 1
        self.cancels.append(
            {
                "tid": f"{self.tid[:27]}c{place:02}",
                "amount": amount_krw,
                "cancelledAt": _seoul_time(now),
                "reason": reason,
                "receiptUrl": "https://sandbox.invalid/receipt",
                "couponAmt": 0,
            }
        )

    def as_json(self, now: datetime, secret_key: str) -> dict[str, Any]:
        """Return the vendor's record of the transaction; only one that is valid is signed."""
        moment, edi_date, status = _seoul_time(self.moment), _seoul_time(now), self.status
        signed = signature(self.tid, self.amount_krw, edi_date, secret_key)
        return {
            "resultCode": self.code,
            "resultMsg": MESSAGES.get(self.code, "카드사 실패 응답"),
            "tid": self.tid,
            "cancelledTid": self.cancels[-1]["tid"] if self.cancels else None,
            "orderId": self.order_no,
            "ediDate": edi_date,
            "signature": None if status == "failed" else signed,
            "status": status,
            "paidAt": "0" if status == "failed" else moment,
            "failedAt": moment if status == "failed" else "0",
            "cancelledAt": self.cancels[-1]["cancelledAt"] if self.cancels else "0",
            "payMethod": "card",
            "amount": self.amount_krw,
            "balanceAmt": 0 if status == "failed" else self.balance_krw,
            "goodsName": self.goods_name,
            "mallReserved": None,
            "useEscrow": False,
            "currency": "KRW",
            "channel": "null",
            "approveNo": None if status == "failed" else "00000000",
            "cancels": self.cancels or None,
            "card": _CARD,
        }


_CARD = {
    "cardCode": "06",
    "cardName": "신한",
    "cardNum": "123412******1234",
    "cardQuota": 0,
    "isInterestFree": False,
    "cardType": "credit",
    "canPartCancel": True,
    "acquCardCode": "06",
    "acquCardName": "신한",
}


def _seoul_time(moment: datetime) -> str:
    return f"{moment.astimezone(_SEOUL).isoformat(timespec='milliseconds')[:-6]}+0900"
