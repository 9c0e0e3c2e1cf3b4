"""`ops list --rounds`: the rounds of a period, newest delivery first."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text as sql

from lib.report.listing import listing
from lib.report.wanted import PAGE, Wanted
from tests.rig import Rig
from tests.shopkeeper import open_shop, subscription

TODAY = date(2026, 12, 1)
STATES = ("sealed", "due", "failed", "void", "missed", "skipped")


def _put(rig: Rig, size: int, **columns: object) -> None:
    """Put in rounds of S-1: one for each day, the states by turns."""
    for number in range(size):
        day = TODAY + timedelta(days=number)
        row = {
            "subscription_id": "S-1",
            "delivery_on": day,
            "charge_on": day - timedelta(days=1),
            "state": STATES[number % len(STATES)],
            "sealed_at": datetime(2026, 11, 29),
        } | columns
        names = ", ".join(row)
        rig.ours(
            f"INSERT INTO billing_round ({names}, round_no, items_amount, discount_amount, shipping_fee,"
            f" amount_krw, pg_code) VALUES ({', '.join(f':{name}' for name in row)}, 1, 100, 0, 0, 100, 'x')",
            **row,
        )


def _days(rig: Rig, **wanted: Any) -> list[date]:  # noqa: ANN401 any filter
    rows = listing(rig.store(), Wanted(rounds=True, **wanted), TODAY).rows
    return [row["delivery_on"] for row in rows]


def test_all_states_are_merged_newest_first(any_rig: Rig) -> None:
    _put(any_rig, 12)
    assert _days(any_rig) == [TODAY + timedelta(days=number) for number in reversed(range(12))]


def test_pages_of_one_state_join_without_a_gap(rig: Rig) -> None:
    _put(rig, PAGE * 2 + 5, state="void")
    assert len(set(_days(rig, state="void"))) == PAGE * 2 + 5


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ({"since": date(2026, 12, 3), "until": date(2026, 12, 5)}, date(2026, 12, 3), date(2026, 12, 5)),
        (
            {"by": "charge", "since": date(2026, 12, 3), "until": date(2026, 12, 5)},
            date(2026, 12, 4),
            date(2026, 12, 6),
        ),
    ],
    ids=["by delivery", "by charge"],
)
@pytest.mark.parametrize("member", [None, "haneul"])
def test_a_period_includes_both_its_days(
    any_rig: Rig, wanted: dict[str, Any], first: date, last: date, member: str | None
) -> None:
    open_shop(any_rig)
    subscription(any_rig, "S-1", delivery_on=TODAY)
    _put(any_rig, 12)
    assert (min(found := _days(any_rig, member=member, **wanted)), max(found), len(found)) == (first, last, 3)


def test_the_rounds_of_another_member_are_not_shown(any_rig: Rig) -> None:
    _put(any_rig, 3)
    assert _days(any_rig, member="nobody") == []


def test_a_page_of_rounds_comes_in_order_from_the_index(rig: Rig) -> None:
    _put(rig, 60, state="void")
    statement = rig.store().fit(rig.store().statements["list_rounds"].sql)
    days = {"delivery_from": TODAY, "before_on": date(2027, 1, 9), "charge_from": None, "charge_until": None}
    with rig.home.ours.connect() as connection:
        values = {"state": "void", "before_id": 2**62, "page": PAGE, **days}
        plan = connection.execute(sql(f"EXPLAIN {statement}"), values).mappings().one()
    assert plan["key"] == "billing_round_day"
    assert "filesort" not in plan["Extra"]
