"""A shop as plain data: what its pages hold, how its cards answer and its addresses refuse.

The model of the rules (`tests.model`) and the mirror into real tables (`tests.year`) share it. Nothing here
comes from the program; every datetime is the shop's local time, every amount is won.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Literal

Answer = Literal["approve", "soft", "hard"]
Channel = Literal["mail", "sms"]
Recipient = Literal["customer", "operator"]
Kind = Literal["payment_notice", "payment_declined", "payment_failed", "auto_cancel", "digest"]
PG = "tosspayments"


@dataclass(frozen=True)
class Policy:
    """The operator's choices: `[policy]` of the configuration, and `first_delivery`."""

    first_delivery: date
    notice_days_before: int = 2
    charge_days_before: int = 1
    retry_days: int = 3
    retry_times: tuple[time, ...] = (time(10), time(17))
    backup_card: bool = True
    on_missed: Literal["deliver_late", "skip"] = "deliver_late"
    max_late_days: int = 14
    on_sold_out: Literal["drop", "charge"] = "drop"
    on_price_rise: Literal["keep_old_price", "hold", "charge_new"] = "keep_old_price"
    require_notice: Literal["any", "none"] = "any"
    debit_notice_mail: bool = True
    sms_units: int = 1
    lms_units: int = 3
    operator_mail: Literal["each", "digest"] = "each"
    quiet_hours: tuple[time, time] | None = (time(21), time(8))
    reset_max_age_days: int = 7


@dataclass
class Product:
    """A product; `is_on_sale` is False while deleted, hidden or no longer sold."""

    product_no: int
    price: int
    is_set: bool = False
    one_plus_n: bool = False
    is_on_sale: bool = True
    sold_out: bool = False
    stock: int | None = None


@dataclass
class Setting:
    """The stepped discount of a group of products; `steps`: from round → percent (P) or won (W)."""

    setting_no: int
    products: tuple[int, ...]
    unit: Literal["P", "W"] = "P"
    per_piece: bool = True
    threshold: int | None = None
    waives_region_fee: bool = False
    steps: dict[int, int] = field(default_factory=dict)


@dataclass
class Member:
    """A customer; an address with `+refuse` in it is refused for good by the mail server."""

    member_id: str
    email: str
    cellphone: str
    withdrawn: bool = False


@dataclass
class Card:
    """A stored card, and how the gateway answers when it is charged now."""

    card_id: int
    member_id: str
    registered_at: datetime
    pg_code: str = PG
    answer: Answer = "approve"


@dataclass
class Consent:
    """A customer's consent to a higher unit price."""

    unit_price: int
    agreed_at: datetime


@dataclass
class Item:
    """A line of an application; prices are those applied for, `delivery_on` is its expected delivery date."""

    item_id: int
    product_no: int
    cycle: str
    start_date: date
    delivery_on: date
    product_price: int
    option_price: int = 0
    quantity: int = 1
    shipping: Literal["P", "F", "C"] = "P"
    round_no: int = 1
    max_rounds: int = 0
    state: str = "U"
    consents: list[Consent] = field(default_factory=list)


@dataclass
class Subscription:
    """An application. An empty address is taken from the member."""

    subscription_id: str
    member_id: str
    created_at: datetime
    card_id: int | None
    backup_card_id: int | None = None
    pg_code: str = PG
    state: str = "U"
    email: str = ""
    cellphone: str = ""
    zipcode: str = "06236"
    receiver_name: str = "박바다"
    terminated_reason: str | None = None
    items: list[Item] = field(default_factory=list)


@dataclass
class Contract:
    """A contract with the PG; `termination`: changed, reset or renewed."""

    contract_no: int
    in_use_at: datetime
    pg_code: str = PG
    state: Literal["in_use", "terminated"] = "in_use"
    terminated_at: datetime | None = None
    termination: str | None = None


@dataclass
class OrderLine:
    """A line of an order: what the item cost a piece and after discount."""

    item_id: int
    round_no: int
    unit_price: int
    quantity: int
    amount: int


@dataclass
class Order:
    """An order of the shop, ours or one from before."""

    subscription_id: str
    delivery_on: date
    receiver_name: str
    amount: int
    paid_at: datetime
    lines: list[OrderLine]


@dataclass
class Town:
    """The whole shop. `is_long_sms`: the payment notice is over 90 bytes, so it is an LMS."""

    is_ready: bool = True
    service_in_use: bool = True
    service_in_use_at: datetime = datetime(2025, 1, 1, 9)
    is_long_sms: bool = False
    base_fee: int = 0
    free_over: int | None = None
    region_fees: list[tuple[str, str, int]] = field(default_factory=list)
    credits: dict[str, int] = field(default_factory=lambda: {"bulk_mail": 0, "sms": 0})
    switched_off: set[tuple[Kind, Recipient, Channel]] = field(default_factory=set)
    refused_numbers: set[str] = field(default_factory=set)
    contracts: list[Contract] = field(default_factory=list)
    products: dict[int, Product] = field(default_factory=dict)
    settings: list[Setting] = field(default_factory=list)
    members: dict[str, Member] = field(default_factory=dict)
    cards: dict[int, Card] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
