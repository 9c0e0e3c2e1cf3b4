"""Rule 3: the same list blocks a round before it is sealed, and again before its charge is claimed."""

from __future__ import annotations

from typing import Any

import pytest

from lib.billing import words
from lib.sandbox import Fault
from tests.jobs.blocking import BLOCKS, PG, Act, Block, S, a_due_subscription, each, ended, ordered, reset
from tests.jobs.charging import CHARGE_AT, charge, charges, state
from tests.jobs.notices import D_MINUS_1, D_MINUS_2, D, notify, open_matters, rounds
from tests.rig import Rig
from tests.shopkeeper import card, contract, service, subscription

pytestmark = pytest.mark.rule(3)


def details(rig: Rig) -> list[str]:
    return [row["detail"] for row in rig.ours("SELECT detail FROM matter WHERE closed_at IS NULL")]


def said(case: Block, what: str) -> str:
    """Return what a matter says: of a round, or of the whole PG."""
    why = words.blocked(case.reason)
    return why if case.subject == PG else f"{D} 회차를 {what}: {why}"


def stored(rig: Rig) -> list[dict[str, Any]]:
    return rig.shop("SELECT * FROM subscription_item")


def test_every_reason_there_is_blocks_in_some_case() -> None:
    assert {block.reason for block in BLOCKS} == set(words.BLOCKED) == set(words.WAY_OUT)


@each()
def test_a_blocked_round_is_neither_sealed_nor_moved_and_told_once(sqlite_rig: Rig, case: Block) -> None:
    a_due_subscription(sqlite_rig)
    case.block(sqlite_rig)
    before = stored(sqlite_rig)
    counts = notify(sqlite_rig, check=1).counts
    assert (counts["due"], counts["blocked"], counts["sealed"]) == (1, 1, 0)
    assert rounds(sqlite_rig) == sqlite_rig.ours("SELECT * FROM message") == []
    assert stored(sqlite_rig) == before
    assert open_matters(sqlite_rig) == [("blocked", case.subject)]
    assert details(sqlite_rig) == [said(case, "안내하지 않음")]
    assert notify(sqlite_rig, "2026-12-01T12:00").counts["blocked"] == 1
    case.mend(sqlite_rig)
    assert notify(sqlite_rig, D_MINUS_1).counts["sealed"] == 1
    assert open_matters(sqlite_rig) == []


@each()
def test_an_announced_round_that_is_blocked_waits_and_is_charged_when_it_is_over(
    rig: Rig, case: Block
) -> None:
    a_due_subscription(rig)
    notify(rig)
    case.block(rig)
    is_resetting = case.reason == "reset_in_progress"
    ended_with = charge(rig, check=75 if is_resetting else 1)
    assert (state(rig), charges(rig), ended_with.counts["blocked"]) == ("due", 0, 1)
    assert open_matters(rig) == [("blocked", case.subject)]
    assert details(rig) == [said(case, "결제하지 않음")]
    charge(rig, "2026-12-02T11:00", check=75 if is_resetting else 0)
    case.mend(rig)
    assert charge(rig, "2026-12-02T12:00").counts["paid"] == 1
    assert (state(rig), charges(rig), open_matters(rig)) == ("paid", 1, [])


@each()
def test_a_charge_whose_answer_was_lost_is_not_sent_again_while_its_round_is_blocked(
    sqlite_rig: Rig, case: Block
) -> None:
    a_due_subscription(sqlite_rig)
    notify(sqlite_rig)
    sqlite_rig.sandbox.toss.faults.add(Fault("drop", "charge", times=1))
    charge(sqlite_rig)
    case.block(sqlite_rig)
    charge(sqlite_rig, "2026-12-02T10:05", check=None)
    assert [call.endpoint for call in sqlite_rig.sandbox.toss.calls()] == ["charge", "inquiry"]
    case.mend(sqlite_rig)
    charge(sqlite_rig, "2026-12-02T12:00")
    assert (state(sqlite_rig), charges(sqlite_rig)) == ("paid", 2)


def test_a_round_that_stays_blocked_is_missed_after_its_last_day_and_comes_again(rig: Rig) -> None:
    a_due_subscription(rig)
    notify(rig)
    rig.shop("UPDATE subscription SET card_id = NULL")
    charge(rig, check=1)
    charge(rig, "2026-12-04T23:00")
    assert state(rig) == "due"
    charge(rig, "2026-12-05T00:10", check=1)
    assert (state(rig), charges(rig)) == ("missed", 0)
    notify(rig, "2026-12-05T09:00")
    assert ("blocked", S) in open_matters(rig)
    rig.shop("UPDATE subscription SET card_id = :new", new=card(rig))
    notify(rig, "2026-12-05T10:00")
    assert [(str(one["delivery_on"]), one["state"]) for one in rounds(rig)] == [
        ("2026-12-03", "missed"),
        ("2026-12-07", "due"),
    ]
    assert ("blocked", S) not in open_matters(rig)


def test_a_late_round_that_is_blocked_leaves_the_items_date_alone(sqlite_rig: Rig) -> None:
    a_due_subscription(sqlite_rig)
    sqlite_rig.shop("UPDATE subscription SET card_id = NULL")
    before = stored(sqlite_rig)
    notify(sqlite_rig, "2026-12-05T09:00", check=1)
    assert (stored(sqlite_rig), rounds(sqlite_rig)) == (before, [])


def test_a_matter_says_what_stands_in_the_way_now(sqlite_rig: Rig) -> None:
    a_due_subscription(sqlite_rig)
    sqlite_rig.shop("UPDATE subscription SET card_id = NULL")
    notify(sqlite_rig, check=1)
    sqlite_rig.shop("UPDATE subscription SET card_id = :other", other=card(sqlite_rig, member_id="other"))
    notify(sqlite_rig, "2026-12-01T12:00")
    assert details(sqlite_rig) == [f"{D} 회차를 안내하지 않음: {words.blocked('foreign_card')}"]


REGISTERED = "UPDATE card SET registered_at = '2026-11-20 10:00:00'"
ENDINGS = [
    pytest.param(ended("changed", "2026-11-20 09:59:59"), False, id="changed_a_second_before"),
    pytest.param(ended("changed", "2026-11-20 10:00:00"), True, id="changed_at_the_same_second"),
    pytest.param(ended("changed", "2026-11-20 10:00:01"), True, id="changed_a_second_after"),
    pytest.param(ended("reset", "2026-11-20 09:59:59"), False, id="reset_a_second_before"),
    pytest.param(ended("reset", "2026-11-20 10:00:00"), True, id="reset_at_the_same_second"),
    pytest.param(ended("renewed", "2026-11-20 10:00:01"), False, id="renewed_is_no_end"),
    pytest.param(reset("2026-11-20 00:59:59"), False, id="operators_reset_a_second_before"),
    pytest.param(reset("2026-11-20 01:00:00"), True, id="operators_reset_at_the_same_second"),
    pytest.param(reset("2026-11-20 01:00:01"), True, id="operators_reset_a_second_after"),
]


@pytest.mark.parametrize("is_announced", [False, True], ids=["notice", "claim"])
@pytest.mark.parametrize(("end", "is_blocked"), ENDINGS)
def test_a_card_ends_with_a_contract_that_ended_at_its_registration_or_later(
    sqlite_rig: Rig, end: Act, is_blocked: bool, is_announced: bool
) -> None:
    a_due_subscription(sqlite_rig)
    sqlite_rig.shop(REGISTERED)
    if is_announced:
        notify(sqlite_rig)
    end(sqlite_rig)
    ended_with = charge(sqlite_rig, check=None) if is_announced else notify(sqlite_rig, check=None)
    assert (ended_with.exit_code, ended_with.counts["blocked"]) == (int(is_blocked), int(is_blocked))
    sqlite_rig.ours("DELETE FROM pg_reset")


@pytest.mark.parametrize("case", [block for block in BLOCKS if block.subject == PG], ids=lambda one: one.name)
@pytest.mark.parametrize("is_announced", [False, True], ids=["notice", "claim"])
def test_what_concerns_the_whole_shop_or_pg_is_one_matter(
    sqlite_rig: Rig, case: Block, is_announced: bool
) -> None:
    a_due_subscription(sqlite_rig)
    for number in range(2):
        subscription(sqlite_rig, f"S-{number}", delivery_on=D)
    if is_announced:
        notify(sqlite_rig)
    case.block(sqlite_rig)
    ended_with = charge(sqlite_rig, check=None) if is_announced else notify(sqlite_rig, check=1)
    assert ended_with.counts["blocked"] == 3
    assert open_matters(sqlite_rig) == [("blocked", PG)]


def test_the_pg_of_the_main_card_counts_and_not_the_one_applied_with(rig: Rig) -> None:
    a_due_subscription(rig)
    rig.shop("UPDATE subscription SET pg_code = 'allat'")
    assert notify(rig).counts["sealed"] == 1
    assert charge(rig).counts["paid"] == 1


def test_each_pg_that_cannot_be_used_is_a_matter_and_the_others_go_on(sqlite_rig: Rig) -> None:
    a_due_subscription(sqlite_rig)
    contract(sqlite_rig, "nicepay")
    service(sqlite_rig, "nicepay", state="reviewing")
    for pg_code in ("allat", "nicepay"):
        made = card(sqlite_rig, pg_code=pg_code)
        subscription(sqlite_rig, f"S-{pg_code}", delivery_on=D, card_id=made, pg_code=pg_code)
    counts = notify(sqlite_rig, check=1).counts
    assert (counts["sealed"], counts["blocked"]) == (1, 2)
    assert open_matters(sqlite_rig) == [("blocked", "allat"), ("blocked", "nicepay")]


@pytest.mark.parametrize("is_announced", [False, True], ids=["notice", "claim"])
@pytest.mark.parametrize(
    "order",
    [
        pytest.param(ordered(S, "2026-11-03"), id="of_another_day"),
        pytest.param(ordered("S-9", item=999), id="of_another_subscription"),
        pytest.param(ordered(None, None, None), id="bought_once"),
        pytest.param(ordered(None, D, None), id="bought_once_for_that_day"),
    ],
)
def test_an_order_that_is_not_of_this_round_blocks_nothing(
    sqlite_rig: Rig, order: Act, is_announced: bool
) -> None:
    a_due_subscription(sqlite_rig)
    if is_announced:
        notify(sqlite_rig)
    order(sqlite_rig)
    notify(sqlite_rig)
    assert charge(sqlite_rig).counts["paid"] == 1


def test_an_item_whose_stored_date_was_delivered_already_is_not_announced_for_a_later_one(
    sqlite_rig: Rig,
) -> None:
    a_due_subscription(sqlite_rig)
    ordered("S-of-before")(sqlite_rig)
    notify(sqlite_rig, "2026-12-05T09:00", check=1)
    assert details(sqlite_rig) == [f"2026-12-07 회차를 안내하지 않음: {words.blocked('already_ordered')}"]


def test_an_announced_item_that_the_shop_has_ordered_since_is_not_charged_though_it_was_cancelled(
    rig: Rig,
) -> None:
    a_due_subscription(rig)
    rig.put("subscription_item", **stored(rig)[0] | {"subscription_item_id": None, "product_no": 2})
    notify(rig, D_MINUS_2)
    ordered("S-of-before")(rig)
    rig.shop("UPDATE subscription_item SET subscription_state = 'M' WHERE product_no = 1")
    charge(rig, CHARGE_AT, check=1)
    assert (state(rig), charges(rig)) == ("due", 0)
    assert details(rig) == [f"{D} 회차를 결제하지 않음: {words.blocked('already_ordered')}"]
