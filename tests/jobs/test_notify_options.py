"""The options of notify_d2, and that a second run changes nothing."""

from __future__ import annotations

from datetime import date

import pytest

from tests.jobs.notices import D_MINUS_1, D_MINUS_2, D, notify, rehearsed, rounds
from tests.rig import Rig
from tests.shopkeeper import Item, open_shop, product, subscription


def three(rig: Rig) -> None:
    open_shop(rig)
    for number in range(1, 4):
        subscription(rig, f"S-{number}", delivery_on=D)


def test_a_second_run_changes_nothing_whatever_the_first_one_met(any_rig: Rig) -> None:
    three(any_rig)
    product(any_rig, 2, sold_out="T")
    subscription(any_rig, "S-4", delivery_on=D, items=(Item(product_no=2),))
    subscription(any_rig, "S-5", delivery_on=D, card_id=None)
    subscription(any_rig, "S-6", delivery_on=date(2026, 11, 30))
    subscription(any_rig, "S-7", delivery_on=D, items=(Item(cycle="9D"),))
    subscription(any_rig, "S-8", delivery_on=D, buyer_email="kim+refuse@example.com")
    first = notify(any_rig, check=1).counts
    assert (first["due"], first["sealed"], first["skipped"], first["blocked"]) == (8, 5, 1, 1)
    before = any_rig.checksums()
    again = notify(any_rig)
    assert any_rig.checksums() == before
    assert (again.counts["sealed"], again.counts["messages_accepted"]) == (0, 0)


def test_a_rehearsal_says_everything_and_changes_nothing(any_rig: Rig) -> None:
    any_rig.config()
    three(any_rig)
    any_rig.shop("UPDATE subscription SET card_id = NULL WHERE subscription_id = 'S-2'")
    any_rig.shop("UPDATE subscription_item SET quantity = 0 WHERE subscription_id = 'S-3'")
    before = any_rig.checksums(exclude=())
    counts = notify(any_rig, D_MINUS_2, "--dry-run").counts
    assert (counts["due"], counts["sealed"], counts["blocked"]) == (3, 1, 1)
    assert any_rig.checksums(exclude=()) == before
    assert len(any_rig.sandbox.smtp.book) == len(any_rig.sandbox.solapi.calls()) == 0


@pytest.mark.parametrize(
    ("stored_on", "at", "said"),
    [
        (D, D_MINUS_2, "S-1 2026-12-03 1회차 12,900원\n"),
        (D, D_MINUS_1, "S-1 2026-12-03 1회차 12,900원 (늦은 안내)\n"),
        (
            date(2026, 12, 1),
            "2026-12-01T09:00",
            "S-1 2026-12-03 1회차 12,900원 (예정일 2026-12-01에서 변경)\n",
        ),
        (
            date(2026, 11, 10),
            D_MINUS_2,
            "S-1 에티오피아 예가체프 200g: 예정일 2026-11-10에서 다음 주기 2026-12-10로 변경\n",
        ),
    ],
    ids=["in time", "a day late", "moved", "waits for its cycle"],
)
def test_a_rehearsal_says_which_rounds_are_late_moved_or_wait(
    sqlite_rig: Rig, stored_on: date, at: str, said: str
) -> None:
    sqlite_rig.config()
    open_shop(sqlite_rig)
    subscription(sqlite_rig, "S-1", delivery_on=stored_on)
    assert said in rehearsed(sqlite_rig, "notify_d2", at)


def test_a_rehearsal_needs_no_time_travel(any_rig: Rig) -> None:
    any_rig.config(policy={"time_travel": False})
    three(any_rig)
    assert notify(any_rig, D_MINUS_2, "--dry-run").counts["sealed"] == 3
    notify(any_rig, D_MINUS_2, check=2)


def test_only_the_subscriptions_that_are_named_are_sealed(any_rig: Rig) -> None:
    three(any_rig)
    notify(any_rig, D_MINUS_2, "--subscription", "S-1", "--subscription", "S-3")
    assert [one["subscription_id"] for one in rounds(any_rig)] == ["S-1", "S-3"]


def test_a_subscription_nobody_has_is_no_fault(any_rig: Rig) -> None:
    three(any_rig)
    assert notify(any_rig, D_MINUS_2, "--subscription", "S-99").counts["due"] == 0


def test_a_number_in_small_letters_is_found_where_the_shop_finds_it(rig: Rig) -> None:
    three(rig)
    notify(rig, D_MINUS_2, "--subscription", "s-1")
    assert [one["subscription_id"] for one in rounds(rig)] == ["S-1"]


def test_a_limit_seals_so_many_and_the_next_run_the_rest(any_rig: Rig) -> None:
    three(any_rig)
    assert notify(any_rig, D_MINUS_2, "--limit", "2").counts["sealed"] == 2
    assert notify(any_rig).counts["sealed"] == 1


def test_a_rehearsal_keeps_the_limit(any_rig: Rig) -> None:
    three(any_rig)
    assert notify(any_rig, D_MINUS_2, "--dry-run", "--limit", "2").counts["sealed"] == 2
