"""Order numbers (design: money, rule 1)."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.billing.numbers import order_no

pytestmark = pytest.mark.rule(9, 11)

SUBSCRIPTION = "S-20261101-0000012"
DELIVERY = date(2026, 12, 1)


@pytest.mark.parametrize(
    ("attempt_no", "expected"),
    [
        (0, "J1G2WCYRPGL22GXTJIVV5C00"),
        (1, "J1G2WCYRPGL22GXTJIVV5C01"),
        (10, "J1G2WCYRPGL22GXTJIVV5C10"),
        (99, "J1G2WCYRPGL22GXTJIVV5C99"),
    ],
)
def test_an_order_number_is_made_of_shop_round_and_attempt(attempt_no: int, expected: str) -> None:
    assert order_no(1, SUBSCRIPTION, DELIVERY, attempt_no) == expected


@pytest.mark.parametrize(("shop_no", "attempt_no"), [(1, -1), (1, 100), (-1, 1)])
def test_what_does_not_fit_has_no_order_number(shop_no: int, attempt_no: int) -> None:
    with pytest.raises(ValueError, match="has no order number"):
        order_no(shop_no, SUBSCRIPTION, DELIVERY, attempt_no)


def test_another_shop_subscription_or_date_is_another_number() -> None:
    numbers = {
        order_no(1, SUBSCRIPTION, DELIVERY, 1)[2:],
        order_no(2, SUBSCRIPTION, DELIVERY, 1)[2:],
        order_no(1, "S-20261101-0000013", DELIVERY, 1)[2:],
        order_no(1, SUBSCRIPTION, date(2026, 12, 2), 1)[2:],
    }
    assert len(numbers) == 4


@settings(max_examples=50, deadline=None, database=None)
@given(
    shop_no=st.integers(0, 2**31 - 1),
    subscription_id=st.text(st.characters(codec="utf-8"), max_size=25),
    delivery_on=st.dates(),
    attempt_no=st.integers(0, 99),
)
def test_every_gateway_can_carry_the_number(
    shop_no: int, subscription_id: str, delivery_on: date, attempt_no: int
) -> None:
    assert re.fullmatch(r"[A-Z0-9]{1,40}", order_no(shop_no, subscription_id, delivery_on, attempt_no))
