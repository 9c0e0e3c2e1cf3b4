"""Prices and consent to a higher one (rule 5)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal

import pytest

from lib.billing.invoice import Consent, OrderedPrice, PriceDecision, agreed_price, charged_price, price_now

OnPriceRise = Literal["keep_old_price", "hold", "charge_new"]

APPLIED_AT = datetime.fromisoformat("2026-10-01T09:00")
LAST_CHARGE_ON = date(2026, 12, 3)


def agreed(*consents: Consent, order: OrderedPrice | None = None) -> int:
    """Return the agreed price of an item applied for at 10,000 won on 1 October."""
    return agreed_price(
        applied_for=10000,
        applied_at=APPLIED_AT,
        consents=consents,
        newest_order=order,
        last_charge_on=LAST_CHARGE_ON,
    )


@pytest.mark.parametrize(
    ("product_price", "option_price", "expected"),
    [(12000, 0, 12000), (12000, 500, 12500), (12000, -500, 11500), (0, 0, 0)],
)
def test_the_price_now_is_product_plus_option(product_price: int, option_price: int, expected: int) -> None:
    assert price_now(product_price, option_price, 10000) == expected


def test_a_product_no_longer_sold_keeps_the_price_applied_for() -> None:
    assert price_now(None, 500, 10000) == 10000


def test_the_price_applied_for_is_agreed() -> None:
    assert agreed() == 10000


@pytest.mark.parametrize(
    ("agreed_at", "expected"),
    [
        ("2026-11-02T23:59:59", 10000),
        ("2026-11-03T00:00:00", 12000),
        ("2026-11-04T00:00:00", 12000),
        ("2026-12-03T09:00:00", 12000),
    ],
)
def test_a_consent_counts_up_to_thirty_days_before_the_last_charge_day(agreed_at: str, expected: int) -> None:
    assert agreed(Consent(12000, datetime.fromisoformat(agreed_at))) == expected


def test_of_several_consents_the_newest_counts() -> None:
    first, second = datetime.fromisoformat("2026-11-10T09:00"), datetime.fromisoformat("2026-11-11T09:00")
    assert agreed(Consent(11000, second), Consent(12000, first)) == 11000


@pytest.mark.parametrize(("minutes", "expected"), [(-1, 12000), (1, 13000)])
def test_of_a_consent_and_an_order_the_newer_counts(minutes: int, expected: int) -> None:
    consent = Consent(12000, datetime.fromisoformat("2026-11-20T09:00"))
    order = OrderedPrice(13000, consent.agreed_at + timedelta(minutes=minutes))
    assert agreed(consent, order=order) == expected


def test_an_old_order_counts_however_long_ago() -> None:
    assert agreed(order=OrderedPrice(9000, APPLIED_AT + timedelta(seconds=1))) == 9000


def test_an_order_from_before_the_application_does_not_count() -> None:
    assert agreed(order=OrderedPrice(9000, APPLIED_AT - timedelta(seconds=1))) == 10000


@pytest.mark.parametrize(("unit_price", "expected"), [(9000, 9000), (11000, 10000)])
def test_of_two_prices_in_the_same_second_the_lower_counts(unit_price: int, expected: int) -> None:
    assert agreed(order=OrderedPrice(unit_price, APPLIED_AT)) == expected


@pytest.mark.parametrize("on_price_rise", ["keep_old_price", "hold", "charge_new"])
@pytest.mark.parametrize("now", [9000, 9999, 10000])
def test_a_price_that_did_not_rise_is_charged_as_it_is_now(now: int, on_price_rise: OnPriceRise) -> None:
    assert charged_price(now, 10000, on_price_rise) == PriceDecision(now, risen=False, dropped=False)


@pytest.mark.parametrize(
    ("on_price_rise", "expected"),
    [
        ("keep_old_price", PriceDecision(10000, risen=True, dropped=False)),
        ("hold", PriceDecision(10000, risen=True, dropped=True)),
        ("charge_new", PriceDecision(10001, risen=True, dropped=False)),
    ],
)
def test_a_risen_price_is_kept_held_or_charged(on_price_rise: OnPriceRise, expected: PriceDecision) -> None:
    assert charged_price(10001, 10000, on_price_rise) == expected
