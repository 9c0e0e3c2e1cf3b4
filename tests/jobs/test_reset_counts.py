"""What reset_pg says it did: every count of its summary."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.reset_pg import COUNTS
from lib.sandbox import Fault
from tests import shopkeeper
from tests.jobs.resetting import (
    BY_HAND,
    EVENT,
    LONG_AFTER,
    LOST_REPLY,
    NOTICE_AT,
    PG,
    RESET_AT,
    announced,
    charge,
    open_reset,
    pg_changed,
    reset,
    subscribed,
)
from tests.rig import Rig
from tests.shopkeeper import card

pytestmark = pytest.mark.rule(12)

NOTHING = dict.fromkeys(COUNTS, 0)


def busy_shop(rig: Rig) -> None:
    """Put in three subscriptions: one paid, one due, one whose reply was lost; four cards, one that stays."""
    subscribed(rig, 3)
    card(rig, "nobody", billing_key="bk-stays=")
    rig.run("notify_d2", "--as-of", NOTICE_AT)
    charge(rig, "--limit", "1")
    rig.sandbox.toss.faults.add(LOST_REPLY, Fault("error", endpoint="forget", subject="bk-stays"))
    charge(rig, "--limit", "1")
    shopkeeper.credits(rig, bulk_mail=4)
    pg_changed(rig)


def test_everything_that_was_done_is_counted(sqlite_rig: Rig) -> None:
    busy_shop(sqlite_rig)
    done = reset(sqlite_rig, check=1)
    assert done.counts == {
        "resets": 1,
        "cancelled": 3,
        "voided": 1,
        "cards_deleted": 4,
        "pg_keys_deleted": 3,
        "pg_keys_failed": 1,
        "messages_accepted": 4,
        "messages_no_credit": 2,
    }
    assert done.summary["amount_krw"] == 12_900


def test_a_run_after_it_counts_only_what_still_waits(sqlite_rig: Rig) -> None:
    busy_shop(sqlite_rig)
    reset(sqlite_rig, check=1)
    assert reset(sqlite_rig, at="2026-12-02T14:00").counts == NOTHING | {"messages_no_credit": 2}


def test_a_run_that_goes_on_counts_what_the_first_one_left(sqlite_rig: Rig) -> None:
    busy_shop(sqlite_rig)
    reset(sqlite_rig, check=1)
    sqlite_rig.ours("UPDATE pg_reset SET state = 'cancelled', finished_at = NULL")
    card(sqlite_rig, "late")
    assert reset(sqlite_rig, at="2026-12-02T14:00").counts == NOTHING | {
        "cards_deleted": 1,
        "pg_keys_deleted": 1,
        "messages_no_credit": 2,
    }


@pytest.mark.parametrize(
    ("termination", "at", "exit_code"),
    [
        pytest.param("renewed", RESET_AT, 0, id="no event"),
        pytest.param("changed", LONG_AFTER, 1, id="an event that waits"),
    ],
)
def test_a_run_with_nothing_to_reset_counts_nothing(
    sqlite_rig: Rig, termination: str, at: str, exit_code: int
) -> None:
    announced(sqlite_rig)
    pg_changed(sqlite_rig, termination=termination)
    done = reset(sqlite_rig, at=at, check=exit_code)
    assert done.counts == NOTHING
    assert (done.summary["amount_krw"], done.summary["exit_code"]) == (0, exit_code)


def test_the_summary_is_one_object_with_these_members(sqlite_rig: Rig) -> None:
    subscribed(sqlite_rig)
    pg_changed(sqlite_rig)
    summary = reset(sqlite_rig).summary
    (kept,) = sqlite_rig.ours("SELECT run_id, exit_code FROM job_run")
    assert list(summary) == [
        "job",
        "run_id",
        "as_of",
        "dry_run",
        "exit_code",
        "counts",
        "amount_krw",
        "elapsed_s",
    ]
    assert (summary["job"], summary["as_of"]) == ("reset_pg", "2026-12-02T13:00+09:00")
    assert kept == {"run_id": summary["run_id"], "exit_code": 0}


WOULD_BE = ("resets", "cancelled", "voided", "cards_deleted")


def would_be(counts: dict[str, Any]) -> list[int]:
    return [counts[name] for name in WOULD_BE]


@pytest.mark.parametrize(
    ("left_at", "options", "at", "counted"),
    [
        pytest.param(None, (), RESET_AT, [1, 2, 2, 2], id="an event"),
        pytest.param(None, BY_HAND, LONG_AFTER, [1, 2, 2, 2], id="a waiting event that is confirmed"),
        pytest.param("open", (), RESET_AT, [0, 2, 2, 2], id="goes on from open"),
        pytest.param("drained", (), RESET_AT, [0, 2, 2, 2], id="goes on from drained"),
        pytest.param("cancelled", (), RESET_AT, [0, 0, 0, 2], id="goes on from cancelled"),
        pytest.param("purged", (), RESET_AT, [0, 0, 0, 0], id="goes on from purged"),
    ],
)
def test_a_dry_run_counts_what_the_run_then_does(
    sqlite_rig: Rig, left_at: str | None, options: tuple[str, ...], at: str, counted: list[int]
) -> None:
    announced(sqlite_rig, 2)
    if left_at:
        open_reset(sqlite_rig, PG, left_at, event_at=EVENT.isoformat(" "))
    else:
        pg_changed(sqlite_rig)
    told = reset(sqlite_rig, *options, "--dry-run", at=at)
    assert (told.summary["dry_run"], told.summary["run_id"]) == (True, None)
    if left_at in {"cancelled", "purged"}:
        assert would_be(told.counts) == counted
        return
    assert would_be(told.counts) == would_be(reset(sqlite_rig, *options, at=at).counts) == counted


def test_a_dry_run_tells_what_waits_and_how_to_go_on_and_counts_it_not(sqlite_rig: Rig) -> None:
    subscribed(sqlite_rig)
    pg_changed(sqlite_rig)
    told = reset(sqlite_rig, "--dry-run", at=LONG_AFTER)
    assert told.counts == NOTHING
    assert f"reset-pg --pg {PG} --confirm 쇼핑몰이름" in told.stderr
