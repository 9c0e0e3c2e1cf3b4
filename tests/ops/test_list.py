"""`ops list` (신청내역 조회): what is found by which day and filter, and in which order."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import text as sql

from lib.report.listing import listing
from lib.report.wanted import PAGE, FilterError, Wanted
from lib.sandbox import shops
from lib.sandbox.recipe import Recipe
from tests.rig import Rig
from tests.shopkeeper import Item, open_shop, subscription

TODAY = date(2026, 12, 1)


def _ids(rig: Rig, **wanted: Any) -> list[str]:  # noqa: ANN401 any filter
    return [row["subscription_id"] for row in listing(rig.store(), Wanted(**wanted), TODAY).rows]


@pytest.fixture
def shop(any_rig: Rig) -> Rig:
    """Three applications: one in use, one paused, one cancelled."""
    open_shop(any_rig)
    at = datetime.fromisoformat
    two = (Item(), Item(product_no=2, name="100%_아라비카", price=8_000, quantity=2, cycle="2W"))
    subscription(
        any_rig, "S-1", delivery_on=date(2026, 12, 3), items=two, created_date=at("2026-11-01T23:59:59")
    )
    subscription(
        any_rig,
        "S-2",
        delivery_on=date(2026, 12, 4),
        items=(Item(state="Q"),),
        member_id="bada",
        subscription_state="P",
        created_date=at("2026-11-02T00:00:00"),
    )
    subscription(
        any_rig,
        "S-3",
        delivery_on=date(2026, 12, 5),
        items=(Item(state="M"),),
        member_id="bada",
        subscription_state="C",
        created_date=at("2026-11-03T12:00:00"),
        terminated_date=at("2026-11-20T12:00:00"),
    )
    return any_rig


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["S-3", "S-2", "S-1"]),
        ({"since": date(2026, 11, 2)}, ["S-3", "S-2"]),
        ({"until": date(2026, 11, 1)}, ["S-1"]),
        ({"by": "cancelled"}, ["S-3"]),
        ({"by": "cancelled", "since": date(2026, 11, 20), "until": date(2026, 11, 20)}, ["S-3"]),
        ({"by": "cancelled", "until": date(2026, 11, 19)}, []),
        ({"by": "charge"}, ["S-1"]),
        ({"by": "charge", "since": date(2026, 12, 2), "until": date(2026, 12, 2)}, ["S-1"]),
        ({"by": "charge", "since": date(2026, 12, 3)}, []),
        ({"by": "charge", "until": date(2026, 12, 1)}, []),
        ({"state": "P"}, ["S-2"]),
        ({"member": "bada"}, ["S-3", "S-2"]),
        ({"member": "bada", "state": "C"}, ["S-3"]),
        ({"product": "2"}, ["S-1"]),
        ({"product": "100%_"}, ["S-1"]),
        ({"product": "예가체프"}, ["S-3", "S-2", "S-1"]),
        ({"product": "10__"}, []),
        ({"cycle": "2W"}, ["S-1"]),
        ({"by": "charge", "cycle": "1Y"}, []),
        ({"limit": 2}, ["S-3", "S-2"]),
    ],
)
def test_each_filter_finds_what_it_names(shop: Rig, wanted: dict[str, Any], found: list[str]) -> None:
    assert _ids(shop, **wanted) == found


def test_a_row_says_who_what_when_and_on_which_card(shop: Rig) -> None:
    (row,) = listing(shop.store(), Wanted(state="U"), TODAY).rows
    assert row == {
        "subscription_id": "S-1",
        "applied_on": date(2026, 11, 1),
        "member_id": "haneul",
        "buyer_name": "김하늘",
        "state": "U",
        "goods": "에티오피아 예가체프 200g 외 1건",
        "cycle": "1M,2W",
        "round_no": 1,
        "amount_krw": 28_900,
        "delivery_on": date(2026, 12, 3),
        "charge_on": date(2026, 12, 2),
        "pg_code": "tosspayments",
        "card": "국민 4330-12**-****-1001",
        "cancelled_on": None,
    }


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(state="X"),
        Wanted(rounds=True, state="U"),
        Wanted(rounds=True, product="1"),
        Wanted(rounds=True, by="applied"),
    ],
)
def test_a_filter_that_there_is_not_is_refused(sqlite_rig: Rig, wanted: Wanted) -> None:
    with pytest.raises(FilterError):
        listing(sqlite_rig.store(), wanted, TODAY)


def announced_late(rig: Rig, *, is_late: bool = True) -> None:
    """Announce a round of 3 December, usually a day late: it is charged on the very day of its delivery."""
    open_shop(rig)
    subscription(rig, "S-1", delivery_on=date(2026, 12, 3), created_date=datetime(2026, 11, 1))
    rig.run("notify_d2", "--as-of", "2026-12-02T12:00" if is_late else "2026-12-01T12:00")


@pytest.mark.parametrize(
    ("is_late", "day", "found"),
    [
        (True, date(2026, 12, 2), []),
        (True, date(2026, 12, 3), ["S-1"]),
        (False, date(2026, 12, 2), ["S-1"]),
        (False, date(2026, 12, 3), []),
    ],
)
@pytest.mark.rule(1)
def test_an_announced_round_is_found_under_the_day_it_is_charged(
    any_rig: Rig, is_late: bool, day: date, found: list[str]
) -> None:
    announced_late(any_rig, is_late=is_late)
    wanted = Wanted(by="charge", since=day, until=day)
    rows = [*listing(any_rig.store(), wanted, day).rows]
    assert [row["subscription_id"] for row in rows] == found
    assert {row["charge_on"] for row in rows} <= {day}


@pytest.mark.rule(1)
def test_the_day_of_the_charge_is_the_items_own_again_once_the_round_is_over(any_rig: Rig) -> None:
    announced_late(any_rig)
    any_rig.run("charge_d1", "--as-of", "2026-12-03T10:00")
    (row,) = listing(any_rig.store(), Wanted(by="charge"), date(2026, 12, 3)).rows
    assert (row["delivery_on"], row["charge_on"]) == (date(2027, 1, 3), date(2027, 1, 2))


@pytest.fixture
def crowded(rig: Rig) -> Rig:
    """More applications than a page holds."""
    with rig.home.shop.begin() as connection:
        shops.load(connection, Recipe(first_day=date(2026, 12, 4), subscriptions=PAGE * 2 + 10))
    return rig


def test_pages_join_without_a_gap_or_a_repeat(crowded: Rig) -> None:
    found = _ids(crowded)
    expected = crowded.shop("SELECT subscription_id FROM subscription ORDER BY subscription_id DESC")
    assert found == [row["subscription_id"] for row in expected]


def test_pages_of_coming_charges_join_in_the_order_of_their_days(crowded: Rig) -> None:
    rows = [*listing(crowded.store(), Wanted(by="charge"), TODAY).rows]
    found = [(row["delivery_on"], row["subscription_id"]) for row in rows]
    expected = crowded.shop(
        "SELECT DISTINCT expected_delivery_date AS on_day, subscription_id FROM subscription_item"
        " WHERE subscription_state = 'U' AND expected_pay_date >= '2026-12-01' ORDER BY 1, 2"
    )
    assert len(found) > PAGE
    assert found == [(row["on_day"], row["subscription_id"]) for row in expected]


@pytest.mark.parametrize("member", [None, "m0000001"])
@pytest.mark.parametrize("before", [None, "S-29991231-0000001"])
def test_the_first_page_comes_from_an_index(crowded: Rig, member: str | None, before: str | None) -> None:
    names = "state applied_from applied_before cancelled_from cancelled_before product_no product_name cycle"
    values = dict.fromkeys(names.split()) | {"any_item": 1, "page": PAGE}
    statement = crowded.store().statements["list_subscriptions"].sql
    plan = _explained(crowded, statement, member_id=member, before_id=before, **values)
    (driving,) = [row for row in plan if row["table"] in {"s", "subscription"}]
    assert driving["key"] in {"PRIMARY", "subscription_member"}
    assert "filesort" not in driving["Extra"] or driving["key"] == "subscription_member"
    assert "temporary" not in driving["Extra"]


def test_coming_charges_come_from_the_index_on_their_days(crowded: Rig) -> None:
    names = "state member_id product_no product_name cycle"
    days = {"after_on": TODAY, "pay_from": TODAY, "pay_until": date(2026, 12, 9), "horizon": date(2027, 1, 9)}
    statement = crowded.store().statements["list_coming"].sql
    plan = _explained(crowded, statement, after_id="", page=PAGE, **days, **dict.fromkeys(names.split()))
    keys = {row["table"]: row["key"] for row in plan}
    assert "subscription_item_due" in keys.values()
    assert (keys["b"], keys["r"]) == ("billing_round_item_open", "PRIMARY")


def _explained(rig: Rig, statement: str, **values: Any) -> list[dict[str, Any]]:  # noqa: ANN401 any parameter
    with rig.home.ours.connect() as connection:
        found = connection.execute(sql(f"EXPLAIN {rig.store().fit(statement)}"), values)
        return [dict(row) for row in found.mappings()]
