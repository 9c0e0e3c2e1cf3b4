"""A payment as the TossPayments simulator keeps it, and the object it answers with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from lib.sandbox.tosspayments_book import Approval

_SEOUL = ZoneInfo("Asia/Seoul")


@dataclass
class Payment:
    """One approved charge with its cancels."""

    payment_key: str
    order_no: str
    order_name: str
    amount_krw: int
    billing_key: str = field(repr=False)
    approved_at: datetime
    cancels: list[dict[str, Any]] = field(default_factory=list)

    @property
    def cancelled_krw(self) -> int:
        """What was given back so far."""
        return sum(cancel["cancelAmount"] for cancel in self.cancels)

    @property
    def balance_krw(self) -> int:
        """What can still be cancelled."""
        return self.amount_krw - self.cancelled_krw

    @property
    def status(self) -> str:
        """DONE, CANCELED, or PARTIAL_CANCELED.

        Cancelling the rest after a partial cancel leaves PARTIAL_CANCELED with balance 0, and cancelling once
        more gives NOT_CANCELABLE_AMOUNT and not ALREADY_CANCELED_PAYMENT: measured by a public client library
        against the vendor's test environment. Only the balance tells that all is given back.
        """
        if not self.cancels:
            return "DONE"
        return "CANCELED" if self.cancels[0]["cancelAmount"] == self.amount_krw else "PARTIAL_CANCELED"

    @property
    def approval(self) -> Approval:
        """This payment as evidence."""
        return Approval(
            self.payment_key, self.order_no, self.amount_krw, self.cancelled_krw, self.billing_key
        )

    def cancel(self, amount_krw: int, reason: str, now: datetime) -> None:
        """Give `amount_krw` back; the caller has checked the balance."""
        self.cancels.append(
            {
                "transactionKey": f"{self.payment_key}-c{len(self.cancels) + 1}",
                "cancelReason": reason,
                "cancelAmount": amount_krw,
                "taxFreeAmount": 0,
                "refundableAmount": self.balance_krw - amount_krw,
                "canceledAt": _seoul_time(now),
                "cancelStatus": "DONE",
            }
        )

    def as_json(self) -> dict[str, Any]:
        """Return the vendor's Payment object."""
        balance_krw, moment = self.balance_krw, _seoul_time(self.approved_at)
        vat = round(balance_krw / 11)
        last = self.cancels[-1]["transactionKey"] if self.cancels else f"{self.payment_key}-a"
        return {
            "version": "2022-11-16",
            "mId": "simbill01",
            "paymentKey": self.payment_key,
            "type": "BILLING",
            "orderId": self.order_no,
            "orderName": self.order_name,
            "currency": "KRW",
            "method": "카드",
            "status": self.status,
            "requestedAt": moment,
            "approvedAt": moment,
            "totalAmount": self.amount_krw,
            "balanceAmount": balance_krw,
            "suppliedAmount": balance_krw - vat,
            "vat": vat,
            "isPartialCancelable": True,
            "lastTransactionKey": last,
            "cancels": self.cancels or None,
            "card": self._card(),
            "failure": None,
        }

    def _card(self) -> dict[str, Any]:
        return {
            "amount": self.amount_krw,
            "issuerCode": "61",
            "acquirerCode": "31",
            "number": "43301234****123*",
            "installmentPlanMonths": 0,
            "approveNo": "00000000",
            "cardType": "신용",
            "ownerType": "개인",
        }


def _seoul_time(moment: datetime) -> str:
    return moment.astimezone(_SEOUL).isoformat(timespec="seconds")
