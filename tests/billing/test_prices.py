"""Prices and consent to a higher one (rule 5)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal

import pytest

from lib.billing import words
from lib.billing.invoice import Consent, OrderedPrice, PriceDecision, agreed_price, charged_price, price_now

pytestmark = pytest.mark.rule(5)

OnPriceRise = Literal["keep_old_price", "hold", "charge_new"]

APPLIED_AT = datetime.fromisoformat("2026-10-01T09:00")
SEALED_AT = datetime.fromisoformat("2026-12-01T09:00")
LAST_CHARGE_ON = date(2026, 12, 5)
"""Of a round of 3 December that is tried on three days."""


def at(moment: str) -> datetime:
    return datetime.fromisoformat(moment)


def agreed(*consents: Consent, order: OrderedPrice | None = None) -> int:
    """Return the agreed price of an item applied for at 10,000 won on 1 October."""
    return agreed_price(
        applied_for=10000,
        applied_at=APPLIED_AT,
        consents=consents,
        newest_order=order,
        now=SEALED_AT,
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
        pytest.param("2026-11-04T23:59:59", 10000, id="31 days before"),
        pytest.param("2026-11-05T00:00:00", 12000, id="30 days before"),
        pytest.param("2026-11-06T00:00:00", 12000, id="29 days before"),
        pytest.param("2026-12-01T09:00:00", 12000, id="at the seal"),
    ],
)
def test_a_consent_counts_up_to_thirty_days_before_the_last_charge_day(agreed_at: str, expected: int) -> None:
    assert agreed(Consent(12000, at(agreed_at))) == expected


@pytest.mark.parametrize("agreed_at", ["2026-12-01T09:00:01", "2026-12-05T00:00:00", "2027-11-05T00:00:00"])
def test_a_consent_of_the_future_is_none_yet(agreed_at: str) -> None:
    assert agreed(Consent(12000, at(agreed_at))) == 10000


@pytest.mark.parametrize(
    ("consents", "expected"),
    [
        pytest.param([(11000, "2026-11-11"), (12000, "2026-11-10")], 11000, id="the newer is lower"),
        pytest.param([(11000, "2026-11-10"), (12000, "2026-11-11")], 12000, id="the newer is higher"),
        pytest.param([(11000, "2026-11-10"), (12000, "2026-12-02")], 11000, id="the newer is not given yet"),
        pytest.param([(11000, "2026-11-04"), (12000, "2026-11-05")], 12000, id="the older is too old"),
        pytest.param([(11000, "2026-11-04"), (12000, "2026-11-03")], 10000, id="both are too old"),
        pytest.param([(11000, "2026-11-10"), (12000, "2026-11-10")], 11000, id="both in the same second"),
        pytest.param([(9000, "2026-11-10")], 9000, id="lower than what was applied for"),
        pytest.param([(0, "2026-11-10")], 0, id="to nothing"),
    ],
)
def test_of_several_consents_the_newest_that_holds_counts(
    consents: list[tuple[int, str]], expected: int
) -> None:
    assert agreed(*(Consent(price, at(day)) for price, day in consents)) == expected


@pytest.mark.parametrize(
    ("consented_at", "ordered_at", "expected"),
    [
        pytest.param("2026-11-20T09:00", "2026-11-20T08:59", 12000, id="the consent is newer"),
        pytest.param("2026-11-20T09:00", "2026-11-20T09:01", 13000, id="the order is newer"),
        pytest.param("2026-11-20T09:00", "2026-11-20T09:00", 12000, id="in the same second the lower"),
        pytest.param("2026-11-04T09:00", "2026-10-02T09:00", 13000, id="the consent is too old"),
        pytest.param("2026-12-02T09:00", "2026-10-02T09:00", 13000, id="the consent is not given yet"),
        pytest.param("2026-11-20T09:00", "2026-09-30T09:00", 12000, id="the order is older than all"),
    ],
)
def test_of_a_consent_and_an_order_the_newer_counts(
    consented_at: str, ordered_at: str, expected: int
) -> None:
    assert agreed(Consent(12000, at(consented_at)), order=OrderedPrice(13000, at(ordered_at))) == expected


@pytest.mark.parametrize(("unit_price", "expected"), [(9000, 9000), (11000, 10000)])
def test_of_two_prices_in_the_same_second_the_lower_counts(unit_price: int, expected: int) -> None:
    assert agreed(order=OrderedPrice(unit_price, APPLIED_AT)) == expected


def test_an_old_order_counts_however_long_ago() -> None:
    assert agreed(order=OrderedPrice(9000, APPLIED_AT + timedelta(seconds=1))) == 9000


def test_an_order_from_before_the_application_does_not_count() -> None:
    assert agreed(order=OrderedPrice(9000, APPLIED_AT - timedelta(seconds=1))) == 10000


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


@pytest.mark.parametrize(
    ("charged", "said"),
    [(12900, "12,900원 → 14,500원, 12,900원에 결제"), (14500, "12,900원 → 14,500원, 14,500원에 결제")],
)
def test_a_rise_is_told_with_the_price_that_is_charged(charged: int, said: str) -> None:
    assert words.risen(12900, 14500, charged) == said
