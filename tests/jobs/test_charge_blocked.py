"""What stands in the way of one card only, of a round once declined, and what a rehearsal says of it."""

from __future__ import annotations

from datetime import datetime

import pytest

from lib.billing import words
from tests.jobs.blocking import BLOCKS, Act, Block, a_due_subscription, ended, shop
from tests.jobs.charging import (
    CHARGE_AT,
    MAIN,
    SOFT,
    announced,
    attempts,
    charge,
    charges,
    due_at,
    give_backup,
    matters,
    state,
)
from tests.jobs.notices import D, notify, rehearsed
from tests.rig import Rig
from tests.shopkeeper import card, subscription

BACKUP_SPOILT = [
    pytest.param(shop("DELETE FROM card WHERE billing_key = 'bk-backup'"), id="row_gone"),
    pytest.param(shop("UPDATE card SET member_id = 'other' WHERE billing_key = 'bk-backup'"), id="foreign"),
    pytest.param(shop("UPDATE card SET pg_code = 'nicepay' WHERE billing_key = 'bk-backup'"), id="other_pg"),
    pytest.param(ended("changed"), id="contract_ended"),
]


@pytest.mark.rule(3, 9)
@pytest.mark.parametrize("spoil", BACKUP_SPOILT)
def test_a_backup_card_that_may_not_be_charged_is_passed_over_and_is_no_matter(rig: Rig, spoil: Act) -> None:
    announced(rig, SOFT)
    give_backup(rig)
    rig.shop(
        "UPDATE card SET registered_at = :late WHERE billing_key = :main",
        late=datetime(2026, 12, 1),
        main=MAIN,
    )
    spoil(rig)
    charge(rig)
    assert (state(rig), charges(rig), attempts(rig)) == ("due", 1, ["declined"])
    assert (due_at(rig), matters(rig)) == ("2026-12-02T17:00", [])


@pytest.mark.rule(3, 9)
def test_a_backup_card_does_not_stand_in_for_a_main_card_that_is_gone(rig: Rig) -> None:
    announced(rig)
    give_backup(rig)
    rig.shop("UPDATE subscription SET card_id = NULL")
    charge(rig, check=1)
    assert (state(rig), charges(rig), matters(rig)) == ("due", 0, ["blocked"])


@pytest.mark.rule(3, 10)
def test_a_round_that_was_declined_and_then_blocked_ends_as_failed(rig: Rig) -> None:
    announced(rig, SOFT)
    charge(rig)
    rig.shop("UPDATE subscription SET card_id = NULL")
    charge(rig, "2026-12-02T17:00", check=1)
    charge(rig, "2026-12-04T17:00")
    assert (state(rig), charges(rig)) == ("due", 1)
    charge(rig, "2026-12-05T08:00")
    assert state(rig) == "failed"


@pytest.mark.rule(3, 4)
def test_a_round_of_nothing_is_blocked_too_and_its_matter_is_closed_when_it_goes_on(rig: Rig) -> None:
    a_due_subscription(rig)
    rig.shop("UPDATE product SET price = 0")
    notify(rig)
    rig.shop("UPDATE subscription SET card_id = NULL")
    charge(rig, check=1)
    assert (state(rig), matters(rig)) == ("due", ["blocked"])
    rig.shop("UPDATE subscription SET card_id = :new", new=card(rig))
    charge(rig, "2026-12-02T10:05")
    assert (state(rig), matters(rig), charges(rig)) == ("paid", [], 0)


@pytest.mark.rule(3)
@pytest.mark.parametrize("case", [BLOCKS[0], BLOCKS[-1]], ids=lambda one: one.name)
def test_a_rehearsal_says_what_blocks_and_changes_nothing(sqlite_rig: Rig, case: Block) -> None:
    a_due_subscription(sqlite_rig)
    notify(sqlite_rig)
    case.block(sqlite_rig)
    subscription(sqlite_rig, "S-2", delivery_on=D, card_id=None)
    before = sqlite_rig.checksums(exclude=())
    reason = words.BLOCKED[case.reason]
    assert f"진행 불가 ({reason})" in rehearsed(sqlite_rig, "charge_d1", CHARGE_AT)
    assert "S-2 2026-12-03 진행 불가: " in rehearsed(sqlite_rig, "notify_d2")
    assert sqlite_rig.checksums(exclude=()) == before
