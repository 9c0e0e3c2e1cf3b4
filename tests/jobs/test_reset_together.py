"""reset_pg at the same time as itself, as charge_d1 and as notify_d2 (rule 12)."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from tests.jobs import crowd
from tests.jobs.resetting import (
    BY_HAND,
    NOTICE_AT,
    PG,
    RESET_AT,
    attempt_states,
    cancel_mails,
    card_ids,
    charges,
    eventually,
    message_ids,
    open_reset,
    pg_changed,
    reset,
    reset_states,
    round_states,
    states,
    subscribed,
)
from tests.rig import Rig
from tests.shopkeeper import credits_left

pytestmark = pytest.mark.rule(9, 12)

ROUNDS = 120


def test_charging_and_resetting_at_once_pays_what_was_charged_before_and_no_more(rig: Rig) -> None:
    crowd.crowd(rig, ROUNDS)
    rig.sandbox.toss.faults.latency_s = 0.4
    charging = rig.start("charge_d1", "--as-of", "2026-12-02T10:00")
    eventually(lambda: len(charges(rig)) >= ROUNDS // 10)
    resetting = rig.start("reset_pg", "--as-of", "2026-12-02T10:00", *BY_HAND)
    eventually(lambda: reset_states(rig))
    begun = len(attempt_states(rig))
    assert rig.finish(resetting).exit_code == 0
    assert rig.finish(charging).exit_code in {0, 1, 75}
    assert len(attempt_states(rig)) == begun
    paid = round_states(rig).count("paid")
    assert 0 < paid < ROUNDS
    assert len(charges(rig)) == len(rig.sandbox.toss.approvals()) == paid
    assert set(round_states(rig)) == {"paid", "void"}
    assert len(rig.shop("SELECT order_id FROM orders")) == paid
    assert (set(states(rig).values()), card_ids(rig)) == ({"C"}, [])


def test_two_resets_at_once_do_everything_once(rig: Rig) -> None:
    crowd.crowd(rig, ROUNDS)
    rig.sandbox.toss.faults.latency_s = 0.005
    pg_changed(rig)
    both = [rig.start("reset_pg", "--as-of", RESET_AT) for _ in range(2)]
    ended = [rig.finish(each) for each in both]
    assert [each.exit_code for each in ended] == [0, 0], [each.stderr for each in ended]
    for name, number in (("resets", 1), ("cancelled", ROUNDS), ("voided", ROUNDS), ("cards_deleted", ROUNDS)):
        assert sum(each.counts[name] for each in ended) == number, name
    reset(rig, at="2026-12-02T13:30")
    assert len(message_ids(rig)) == len(set(message_ids(rig))) == len(cancel_mails(rig)) == 2 * ROUNDS
    assert credits_left(rig)["bulk_mail"] == 1_000 - 2 * ROUNDS


def _is_waiting_to_seal(rig: Rig) -> bool:
    found = rig.ours(
        "SELECT 1 FROM information_schema.processlist "
        "WHERE db = DATABASE() AND id <> CONNECTION_ID() AND info LIKE '%FROM installation%SHARE MODE%'"
    )
    return bool(found)


def test_a_round_that_was_decided_before_a_reset_began_is_not_sealed_after_it(rig: Rig) -> None:
    subscribed(rig)
    rig.config()
    with rig.home.ours.begin() as connection:
        connection.execute(text("SELECT 1 FROM installation FOR UPDATE"))
        sealing = rig.start("notify_d2", "--as-of", NOTICE_AT)
        eventually(lambda: _is_waiting_to_seal(rig))
        open_reset(rig, PG, event_at="2026-12-01 09:00")
    sealed = rig.finish(sealing)
    assert (sealed.exit_code, sealed.counts["sealed"], round_states(rig)) == (0, 0, [])
    reset(rig, at="2026-12-01T10:00")
    assert (states(rig), round_states(rig), reset_states(rig)) == ({"S-1": "C"}, [], ["done"])
    assert rig.ours("SELECT DISTINCT kind FROM message") == [{"kind": "auto_cancel"}]


def test_a_round_of_another_pg_that_was_decided_before_is_sealed_all_the_same(rig: Rig) -> None:
    subscribed(rig)
    rig.config()
    with rig.home.ours.begin() as connection:
        connection.execute(text("SELECT 1 FROM installation FOR UPDATE"))
        sealing = rig.start("notify_d2", "--as-of", NOTICE_AT)
        eventually(lambda: _is_waiting_to_seal(rig))
        open_reset(rig, "nicepay", event_at="2026-12-01 09:00")
    assert rig.finish(sealing).counts["sealed"] == 1
    reset(rig, at="2026-12-01T10:00")
    assert (states(rig), round_states(rig)) == ({"S-1": "U"}, ["due"])
