"""What the TossPayments simulator writes into its book."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Approval:
    """Money the simulator holds for an order number, in won, and what of it was given back."""

    payment_key: str
    order_no: str
    amount: int
    cancelled_amount: int
    billing_key: str = field(repr=False)


@dataclass(frozen=True)
class TossCall:
    """One request; `outcome` is approved, cancelled, deleted, found, replayed, not_processed or a code."""

    at: datetime
    method: str
    path: str
    endpoint: str
    order_no: str
    outcome: str
    status: int
    idempotency_key: str
    fault: str


@dataclass(frozen=True)
class TossApproved:
    """Money taken, written the moment it happens, whatever becomes of the reply."""

    at: datetime
    payment_key: str
    order_no: str
    amount: int
    billing_key: str = field(repr=False)


@dataclass(frozen=True)
class TossCancelled:
    """Money given back."""

    at: datetime
    payment_key: str
    order_no: str
    amount: int


@dataclass(frozen=True)
class TossKeyDeleted:
    """A billing key that can charge no more."""

    at: datetime
    billing_key: str = field(repr=False)


TossEntry = TossCall | TossApproved | TossCancelled | TossKeyDeleted
