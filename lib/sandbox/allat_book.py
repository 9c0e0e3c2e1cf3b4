"""What the Allat simulator writes into its book."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class AllatCall:
    """One request; `outcome` is approved, cancelled, deleted, late, not_processed or a reply code."""

    at: datetime
    method: str
    path: str
    endpoint: str
    order_no: str
    outcome: str
    status: int
    fault: str


@dataclass(frozen=True)
class AllatApproved:
    """Money taken, at the moment it happens, whatever becomes of the reply."""

    at: datetime
    seq_no: str
    order_no: str
    amount: int
    billing_key: str = field(repr=False)


@dataclass(frozen=True)
class AllatCancelled:
    """Money given back."""

    at: datetime
    seq_no: str
    order_no: str
    amount: int


@dataclass(frozen=True)
class AllatKeyDeleted:
    """A card key that can charge no more."""

    at: datetime
    billing_key: str = field(repr=False)


AllatEntry = AllatCall | AllatApproved | AllatCancelled | AllatKeyDeleted
