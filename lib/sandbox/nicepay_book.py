"""What the NICEPAY simulator writes into its book."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class NicepayCall:
    """One request; `outcome` is approved, cancelled, deleted, found, late, not_processed or a result code."""

    at: datetime
    method: str
    path: str
    endpoint: str
    order_no: str
    outcome: str
    status: int
    fault: str


@dataclass(frozen=True)
class NicepayApproved:
    """Money taken, at the moment it happens, whatever becomes of the reply."""

    at: datetime
    tid: str
    order_no: str
    amount: int
    billing_key: str = field(repr=False)


@dataclass(frozen=True)
class NicepayCancelled:
    """Money given back."""

    at: datetime
    tid: str
    order_no: str
    amount: int


@dataclass(frozen=True)
class NicepayKeyDeleted:
    """A billing key that can charge no more."""

    at: datetime
    billing_key: str = field(repr=False)


NicepayEntry = NicepayCall | NicepayApproved | NicepayCancelled | NicepayKeyDeleted
