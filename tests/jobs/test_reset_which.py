"""Which subscriptions and cards a PG reset ends (rule 12): to the second, and of that PG only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import pytest

from tests.jobs.resetting import (
    A_SECOND,
    BY_HAND,
    EVENT,
    OTHER_PG,
    PG,
    cancel_mails,
    card_ids,
    charge,
    matters,
    pg_changed,
    reset,
    second_pg,
    states,
    subscribed,
    two_pgs,
)
from tests.rig import Rig
from tests.shopkeeper import Item, card, member, open_shop, subscription, terminate_contract

pytestmark = pytest.mark.rule(12)

BEFORE, AFTER = EVENT - A_SECOND, EVENT + A_SECOND
FAR = date(2026, 12, 24)
ENDED = datetime(2026, 11, 1, 9)

Stored = tuple[datetime, str]
"""When a card was registered, and with which PG."""


@dataclass(frozen=True)
class Case:
    """A subscription as it stands at the event; `ends` and `keeps` are what the reset makes of it."""

    ends: bool
    created: datetime = BEFORE
    pg_code: str = PG
    main: Stored | None = (BEFORE, PG)
    backup: Stored | None = None
    keeps: tuple[bool, bool] = (False, False)
    """Whether its main and its backup card are still named afterwards."""
    state: str = "U"
    items: tuple[str, ...] = ("U",)


CASES: Mapping[str, Case] = {
    "created a second before": Case(ends=True),
    "created at the event": Case(ends=True, created=EVENT),
    "created a second after": Case(ends=False, created=AFTER, main=None),
    "created after, old card": Case(ends=False, created=AFTER),
    "main card at the event": Case(ends=True, main=(EVENT, PG)),
    "main card a second after": Case(ends=False, main=(AFTER, PG), keeps=(True, False)),
    "new main, old backup": Case(ends=False, main=(AFTER, PG), backup=(BEFORE, PG), keeps=(True, False)),
    "old main, new backup": Case(ends=True, backup=(AFTER, PG), keeps=(False, True)),
    "new main of the other": Case(ends=False, main=(AFTER, OTHER_PG), keeps=(True, False)),
    "old main of the other": Case(ends=True, main=(BEFORE, OTHER_PG), keeps=(True, False)),
    "no card": Case(ends=True, main=None),
    "paused by the buyer": Case(ends=True, state="P", items=("B",)),
    "paused by the shop": Case(ends=True, state="P", items=("Q", "B")),
    "one item paused": Case(ends=True, items=("U", "Q")),
    "all items cancelled": Case(ends=True, items=("M", "O")),
    "of the other PG": Case(ends=False, pg_code=OTHER_PG, main=(BEFORE, OTHER_PG), keeps=(True, False)),
    "other, backup of this": Case(
        ends=False, pg_code=OTHER_PG, main=(BEFORE, OTHER_PG), backup=(EVENT, PG), keeps=(True, False)
    ),
    "other, new backup of this": Case(
        ends=False, pg_code=OTHER_PG, main=(BEFORE, OTHER_PG), backup=(AFTER, PG), keeps=(True, True)
    ),
    "other, main of this": Case(ends=False, pg_code=OTHER_PG),
}


def _store(rig: Rig, member_id: str, stored: Stored | None) -> int | None:
    return card(rig, member_id, pg_code=stored[1], registered_at=stored[0]) if stored else None


def _put(rig: Rig, cases: Mapping[str, Case]) -> None:
    open_shop(rig)
    second_pg(rig)
    for number, (name, case) in enumerate(cases.items()):
        member_id = f"member{number}"
        member(rig, member_id)
        subscription(
            rig,
            name,
            delivery_on=FAR,
            items=tuple(Item(state=each) for each in case.items),
            member_id=member_id,
            card_id=_store(rig, member_id, case.main),
            backup_card_id=_store(rig, member_id, case.backup),
            pg_code=case.pg_code,
            created_date=case.created,
            subscription_state=case.state,
        )


def test_the_event_decides_to_the_second_which_subscriptions_end_and_which_cards_they_keep(
    any_rig: Rig,
) -> None:
    _put(any_rig, CASES)
    pg_changed(any_rig)
    done = reset(any_rig)
    rows = any_rig.shop("SELECT * FROM subscription")
    assert {row["subscription_id"]: row["subscription_state"] == "C" for row in rows} == {
        name: case.ends for name, case in CASES.items()
    }
    assert {
        row["subscription_id"]: (row["card_id"] is not None, row["backup_card_id"] is not None)
        for row in rows
    } == {name: case.keeps for name, case in CASES.items()}
    ended = {name for name, case in CASES.items() if case.ends}
    assert done.counts["cancelled"] == len(ended)
    assert {ref for ref, _, _ in cancel_mails(any_rig)} == ended


def test_every_live_item_of_an_ended_subscription_ends_and_the_others_stay_as_they_were(
    sqlite_rig: Rig,
) -> None:
    _put(sqlite_rig, {"S-1": Case(ends=True, items=("U", "B", "Q", "M", "A", "O"))})
    pg_changed(sqlite_rig)
    reset(sqlite_rig)
    items = sqlite_rig.shop(
        "SELECT subscription_state AS state, terminated_date FROM subscription_item ORDER BY 1"
    )
    assert [row["state"] for row in items] == ["A", "A", "A", "A", "M", "O"]
    assert sum(row["terminated_date"] is not None for row in items) == 3


def test_one_that_was_cancelled_before_keeps_its_day_and_its_reason(sqlite_rig: Rig) -> None:
    subscribed(sqlite_rig, subscription_state="C", terminated_date=ENDED, terminated_reason="고객 변심")
    pg_changed(sqlite_rig)
    assert reset(sqlite_rig).counts["cancelled"] == 0
    assert sqlite_rig.shop("SELECT terminated_date, terminated_reason FROM subscription") == [
        {"terminated_date": ENDED, "terminated_reason": "고객 변심"}
    ]
    assert cancel_mails(sqlite_rig) == []


def test_one_that_was_cancelled_before_loses_its_card_all_the_same(sqlite_rig: Rig) -> None:
    subscribed(sqlite_rig, subscription_state="C")
    pg_changed(sqlite_rig)
    assert reset(sqlite_rig).counts["cards_deleted"] == 1
    assert sqlite_rig.shop("SELECT card_id FROM subscription") == [{"card_id": None}]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE member SET withdrawn_at = '2026-11-30 09:00:00'",
        "DELETE FROM member",
        "DELETE FROM card",
        "DELETE FROM subscription_item",
        "DELETE FROM subscription_service",
    ],
    ids=["member withdrew", "member is gone", "card row is gone", "no item", "no service"],
)
def test_a_subscription_that_could_not_be_charged_anyway_ends_too(sqlite_rig: Rig, change: str) -> None:
    subscribed(sqlite_rig)
    sqlite_rig.shop(change)
    pg_changed(sqlite_rig)
    reset(sqlite_rig)
    assert states(sqlite_rig) == {"S-1": "C"}


@pytest.mark.parametrize("column", ["created_date", "registered_at"])
def test_a_date_of_zeros_lies_before_every_event_and_stops_nothing(rig: Rig, column: str) -> None:
    subscribed(rig, 2)
    table = "card" if column == "registered_at" else "subscription"
    rig.shop(f"SET STATEMENT sql_mode = '' FOR UPDATE {table} SET {column} = '0000-00-00 00:00:00' LIMIT 1")
    pg_changed(rig)
    reset(rig, check=None)
    assert (states(rig), card_ids(rig)) == ({"S-1": "C", "S-2": "C"}, [])


def test_a_subscription_that_loses_its_backup_card_is_charged_on_its_main_card(rig: Rig) -> None:
    subscribed(rig)
    second_pg(rig)
    backup = card(rig, "member1", pg_code=OTHER_PG)
    rig.shop("UPDATE subscription SET backup_card_id = :card_id", card_id=backup)
    rig.run("notify_d2", "--as-of", "2026-12-01T09:00")
    terminate_contract(rig, at=datetime(2026, 12, 1, 12), pg_code=OTHER_PG)
    assert reset(rig, at="2026-12-01T13:00", check=1).counts["cards_deleted"] == 1
    assert (states(rig), matters(rig)) == ({"S-1": "U"}, [("key_left", f"card {backup}")])
    assert charge(rig).counts["paid"] == 1


def test_a_subscription_that_loses_its_main_card_to_anothers_reset_waits_for_a_new_one(
    sqlite_rig: Rig,
) -> None:
    _put(sqlite_rig, {"S-1": Case(ends=False, pg_code=OTHER_PG)})
    pg_changed(sqlite_rig)
    reset(sqlite_rig)
    sqlite_rig.run("notify_d2", "--as-of", "2026-12-22T09:00", check=1)
    assert ("blocked", "S-1") in matters(sqlite_rig)
    assert states(sqlite_rig) == {"S-1": "U"}


def test_contract_service_and_cards_of_another_pg_stay_as_they_were(sqlite_rig: Rig) -> None:
    two_pgs(sqlite_rig)
    before = sqlite_rig.shop("SELECT * FROM card WHERE pg_code = :pg", pg=OTHER_PG)
    pg_changed(sqlite_rig)
    reset(sqlite_rig)
    assert sqlite_rig.shop("SELECT * FROM card") == before
    assert sqlite_rig.shop("SELECT state FROM subscription_service ORDER BY pg_code") == [
        {"state": "in_use"},
        {"state": "reset"},
    ]
    assert sqlite_rig.shop("SELECT state FROM pg_contract ORDER BY pg_contract_no") == [
        {"state": "terminated"},
        {"state": "in_use"},
    ]


def test_an_order_for_one_pg_touches_nothing_of_another_whose_contract_ended_long_ago(
    sqlite_rig: Rig,
) -> None:
    two_pgs(sqlite_rig)
    terminate_contract(sqlite_rig, at=datetime(2026, 10, 1, 12), pg_code=OTHER_PG)
    reset(sqlite_rig, *BY_HAND, check=1)
    assert (states(sqlite_rig), matters(sqlite_rig)) == (
        {"S-1": "C", "S-other": "U"},
        [("reset_waits", OTHER_PG)],
    )
    assert len(card_ids(sqlite_rig)) == 1
