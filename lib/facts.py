"""What each message tells: typed facts for the templates."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import ClassVar, Literal

Kind = Literal["payment_notice", "payment_declined", "payment_failed", "auto_cancel", "digest"]
Recipient = Literal["customer", "operator"]
Channel = Literal["mail", "sms"]

MESSAGES: tuple[tuple[Kind, Recipient, Channel], ...] = (
    ("payment_notice", "customer", "mail"),
    ("payment_notice", "customer", "sms"),
    ("payment_notice", "operator", "mail"),
    ("payment_declined", "customer", "mail"),
    ("payment_failed", "customer", "mail"),
    ("payment_failed", "operator", "mail"),
    ("auto_cancel", "customer", "mail"),
    ("auto_cancel", "operator", "mail"),
    ("digest", "operator", "mail"),
)
"""Every message there is."""


@dataclass(frozen=True, kw_only=True)
class ShopFacts:
    """Who writes. Amounts here and below are whole won, dates and times the shop's local ones."""

    shop_name: str
    homepage_url: str
    sender_phone: str = field(repr=False)
    operator_email: str = field(repr=False)


@dataclass(frozen=True)
class Goods:
    """A product of a subscription, as applied for."""

    product_name: str
    option_value: str
    quantity: int


@dataclass(frozen=True)
class Line(Goods):
    """An included item of a sealed round; `amount` is after discount."""

    unit_price: int
    discount_amount: int
    amount: int
    round_no: int


@dataclass(frozen=True)
class Dropped:
    """An item that is due but not in the round."""

    product_name: str
    option_value: str
    reason: Literal["set_product", "one_plus_n", "sold_out", "short_of_stock", "price_risen"]


@dataclass(frozen=True)
class PriceRise:
    """An included item whose price now is above the agreed one (전자상거래법 제13조 제6항)."""

    product_name: str
    option_value: str
    agreed_price: int
    price_now: int
    charged_price: int


@dataclass(frozen=True, kw_only=True)
class RoundFacts(ShopFacts):
    """The sealed round a message is about; `card_mask` is empty where no card is stored."""

    buyer_name: str
    member_id: str
    subscription_id: str
    round_no: int
    delivery_on: date
    charge_until: date
    amount_krw: int
    card_mask: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, kw_only=True)
class PaymentNotice(RoundFacts):
    """A charge is coming."""

    kind: ClassVar[Kind] = "payment_notice"
    charge_on: date
    items_amount: int
    """Before discount."""
    discount_amount: int
    shipping_fee: int
    dropped: tuple[Dropped, ...] = ()
    price_risen: tuple[PriceRise, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PaymentDeclined(RoundFacts):
    """A charge was declined and the round is due again."""

    kind: ClassVar[Kind] = "payment_declined"
    decline: Literal["hard", "soft"]
    """Hard: no stored card is left that is tried again, only a new one."""
    next_attempt_at: datetime | None
    last_attempt_at: datetime
    """The last slot; a card changed before it is still charged."""


@dataclass(frozen=True, kw_only=True)
class PaymentFailed(RoundFacts):
    """No retry is left; the round is neither charged nor delivered."""

    kind: ClassVar[Kind] = "payment_failed"
    next_delivery_on: date | None
    decline_message: str = ""
    """What the card company said last, for the operator."""


@dataclass(frozen=True, kw_only=True)
class AutoCancel(ShopFacts):
    """A subscription was ended by the system."""

    kind: ClassVar[Kind] = "auto_cancel"
    buyer_name: str
    member_id: str
    subscription_id: str
    cancelled_on: date
    reason: Literal["pg_reset", "count_finished"]
    lines: tuple[Goods, ...]


@dataclass(frozen=True)
class DigestEntry:
    """One operator's mail that the digest carries; what its kind does not have is left out."""

    subscription_id: str
    buyer_name: str
    delivery_on: date | None = None
    amount_krw: int | None = None
    dropped_items: int = 0
    risen_items: int = 0
    reason: Literal["pg_reset", "count_finished"] | None = None


@dataclass(frozen=True)
class DigestPart:
    """The operator's mails of one kind: how many, and the first of them; a hundred read well."""

    kind: Literal["payment_notice", "payment_failed", "auto_cancel"]
    count: int
    entries: tuple[DigestEntry, ...]


@dataclass(frozen=True, kw_only=True)
class Digest(ShopFacts):
    """What one run did, for the operator."""

    kind: ClassVar[Kind] = "digest"
    run_on: date
    parts: tuple[DigestPart, ...]


Facts = PaymentNotice | PaymentDeclined | PaymentFailed | AutoCancel | Digest
