"""How much: prices, discounts and shipping of a round, in whole won (rules 4 and 5)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

CONSENT_DAYS_MAX = 30
"""전자상거래법 제13조 제6항: consent is asked for within the 30 days before the higher price is charged."""

# Postal codes have had five digits since August 2015. Six digits are one of the old codes, whose first five
# would be read as some other place.
_POSTAL_CODE = re.compile(r"\D*(\d{5})(?!\d)", re.ASCII)


@dataclass(frozen=True)
class Setting:
    """The discount of a group of products."""

    setting_no: int
    unit: Literal["percent", "won"]
    per_piece: bool
    """For won: per piece, or else once per line."""
    threshold: int | None
    """Won. No discount before the items of this setting reach it."""
    waives_region_fee: bool
    """The region fee falls with the base fee."""
    steps: tuple[tuple[int, int], ...]
    """(round number from which it holds, discount in `unit`); empty where the setting gives none."""


@dataclass(frozen=True)
class Line:
    """An included item of a round."""

    item_id: int
    round_no: int
    unit_price: int
    quantity: int
    setting: Setting | None
    shipping: Literal["prepaid", "free", "collect"]

    @property
    def full_amount(self) -> int:
        """Won before discount."""
        return self.unit_price * self.quantity


@dataclass(frozen=True)
class ShippingPolicy:
    """The shop's base fee, and the sum after discount from which there is none (None: never)."""

    base_fee: int
    free_over: int | None


@dataclass(frozen=True)
class InvoiceLine:
    """What an item costs; `amount` is after discount."""

    item_id: int
    discount_amount: int
    amount: int


@dataclass(frozen=True)
class Invoice:
    """What a round costs: `amount_krw` = items (before discount) - discount + shipping."""

    lines: tuple[InvoiceLine, ...]
    items_amount: int
    discount_amount: int
    shipping_fee: int
    amount_krw: int


@dataclass(frozen=True)
class Consent:
    """A customer's consent to a unit price; `agreed_at` is the shop's local time."""

    unit_price: int
    agreed_at: datetime


@dataclass(frozen=True)
class OrderedPrice:
    """The unit price in an item's newest order line; `paid_at` is the shop's local time."""

    unit_price: int
    paid_at: datetime


@dataclass(frozen=True)
class PriceDecision:
    """The unit price to seal, whether today's is above the agreed one, and whether that drops the item."""

    unit_price: int
    risen: bool
    dropped: bool


def make_invoice(lines: Sequence[Line], shipping: ShippingPolicy, region_fee: int) -> Invoice:
    """Add up a round from its included items, in their order; no items cost nothing."""
    sums = _sums_by_setting(lines)
    invoiced = tuple(_invoice_line(line, sums) for line in lines)
    items_amount = sum(line.full_amount for line in lines)
    discount_amount = sum(line.discount_amount for line in invoiced)
    shipping_fee = _shipping_fee(lines, items_amount - discount_amount, shipping, region_fee)
    return Invoice(
        invoiced,
        items_amount,
        discount_amount,
        shipping_fee,
        amount_krw=items_amount - discount_amount + shipping_fee,
    )


def region_fee(zipcode: str, fees: Iterable[tuple[str, str, int]]) -> int:
    """Return the extra fee of the first range (from, to, won) that holds the postal code, else 0.

    Only a code of five digits has a region, whatever is written around it ("63002-1"); one of the former
    six digits ("690-012") has none.
    """
    found = _POSTAL_CODE.match(zipcode)
    if not found:
        return 0
    return next((fee for first, last, fee in fees if first <= found[1] <= last), 0)


def price_now(product_price: int | None, option_price: int, applied_for: int) -> int:
    """Return today's unit price; None, a product no longer sold, keeps the unit price applied for."""
    return applied_for if product_price is None else product_price + option_price


def agreed_price(
    *,
    applied_for: int,
    applied_at: datetime,
    consents: Iterable[Consent],
    newest_order: OrderedPrice | None,
    now: datetime,
    last_charge_on: date,
) -> int:
    """Return the unit price the customer agreed to last: applied for, consented to, or ordered at.

    A consent must not be older than 30 days on `last_charge_on`, the last day on which the round can be
    charged (전자상거래법 제13조 제6항), and one dated after `now`, the shop's local time, is none yet. Of two
    prices agreed to in the same second the lower counts.
    """
    agreed = [(applied_at, applied_for)]
    agreed += [
        (one.agreed_at, one.unit_price)
        for one in consents
        if one.agreed_at <= now and _is_fresh(one, last_charge_on)
    ]
    if newest_order:
        agreed.append((newest_order.paid_at, newest_order.unit_price))
    _, unit_price = max(agreed, key=lambda price: (price[0], -price[1]))
    return unit_price


def charged_price(
    now: int, agreed: int, on_price_rise: Literal["keep_old_price", "hold", "charge_new"]
) -> PriceDecision:
    """Choose between today's and the agreed unit price: a fall is passed on, a rise only by `charge_new`.

    An item dropped by `hold` keeps the agreed price: it is the one nobody has consented to exceed.
    """
    risen = now > agreed
    unit_price = now if on_price_rise == "charge_new" else min(now, agreed)
    return PriceDecision(unit_price, risen, dropped=risen and on_price_rise == "hold")


def _is_fresh(consent: Consent, last_charge_on: date) -> bool:
    return (last_charge_on - consent.agreed_at.date()).days <= CONSENT_DAYS_MAX


def _sums_by_setting(lines: Iterable[Line]) -> Counter[int]:
    sums: Counter[int] = Counter()
    for line in lines:
        if line.setting:
            sums[line.setting.setting_no] += line.full_amount
    return sums


def _invoice_line(line: Line, sums: Mapping[int, int]) -> InvoiceLine:
    discount = min(_discount(line, sums), line.full_amount)
    return InvoiceLine(line.item_id, discount, line.full_amount - discount)


def _discount(line: Line, sums: Mapping[int, int]) -> int:
    setting = line.setting
    if setting is None or sums[setting.setting_no] < (setting.threshold or 0):
        return 0
    step = discount_step(setting, line.round_no)
    if setting.unit == "percent":
        return line.full_amount * step // 100
    return step * line.quantity if setting.per_piece else step


def discount_step(setting: Setting, round_no: int) -> int:
    """Return the largest step's discount up to a round number, in the setting's unit; 0 below the first."""
    _, discount = max((step for step in setting.steps if step[0] <= round_no), default=(0, 0))
    return discount


def _shipping_fee(
    lines: Sequence[Line], sum_after_discount: int, shipping: ShippingPolicy, region_fee: int
) -> int:
    is_waived = shipping.free_over is not None and sum_after_discount >= shipping.free_over
    waives_region = is_waived and any(line.setting and line.setting.waives_region_fee for line in lines)
    base = 0 if is_waived or all(line.shipping != "prepaid" for line in lines) else shipping.base_fee
    region = 0 if waives_region or all(line.shipping == "collect" for line in lines) else region_fee
    return base + region
