"""A PG without inquiry is asked to void by order number, once its quarantine is over (rule 12)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import pytest

from lib.charging.desk import Desk
from lib.command import exit_code
from lib.gateways import (
    Abilities,
    Approval,
    Attempt,
    Card,
    Forgotten,
    NotCharged,
    Outcome,
    Replay,
    Settled,
    Unknown,
)
from lib.resetting.events import begin, unfinished
from lib.resetting.steps import carry_out
from lib.run import Run as JobRun
from tests.jobs.resetting import (
    EVENT,
    LOST_REQUEST,
    PG,
    attempt_states,
    pg_changed,
    reset_states,
    round_states,
    run_of,
    states,
    unknown_attempt,
)
from tests.rig import Rig

pytestmark = pytest.mark.rule(12)

VOIDED = NotCharged("0000", "취소됨")
SILENT = Unknown("0251", "읽을 수 없는 답")


@dataclass
class VoidsByOrder:
    """A PG of that kind; the charge left at 10:00, its quarantine is a quarter of an hour."""

    answer: Settled
    asked: list[str] = field(default_factory=list)
    abilities: Abilities = field(
        default=Abilities(replay_window=None, inquiry=False, void_by_order=True, min_amount_krw=100)
    )

    def digest(self, attempt: Attempt, card: Card) -> str:
        return hashlib.sha256(f"{attempt.order_no} {card.card_id}".encode()).hexdigest()

    def charge(self, attempt: Attempt, card: Card) -> Outcome:
        raise AssertionError(f"{attempt.order_no} on {card.card_id}: a reset charges nothing")

    def settle(self, attempt: Attempt, card: Card | None, *, replay: Replay) -> Settled:
        """Void by order number; nothing is ever replayed in a reset."""
        assert card is not None
        assert replay() is None
        self.asked.append(attempt.order_no)
        return self.answer

    def forget(self, card: Card) -> Forgotten:
        return Forgotten("done", str(card.card_id))

    def cancel(self, approval: Approval, reason: str) -> Settled:
        return Unknown(approval.order_no, reason)


def carried_out(rig: Rig, gateway: VoidsByOrder, at: str) -> JobRun:
    """Carry the reset of the PG out as of a moment, as far as it goes."""
    run = run_of(rig, at)
    begin(run, None)
    for reset in rig.store().transaction(unfinished):
        carry_out(run, Desk(run, {PG: gateway}), reset)
    return run


@pytest.fixture
def unknown(rig: Rig) -> Rig:
    """Give a shop with one attempt of 10:00 that nobody knows about, and a PG that was changed at 10:05."""
    unknown_attempt(rig, LOST_REQUEST)
    pg_changed(rig, at=EVENT.replace(hour=10, minute=5))
    return rig


def test_until_then_the_run_ends_with_75_and_the_next_one_goes_on(unknown: Rig) -> None:
    run = carried_out(unknown, VoidsByOrder(SILENT), "2026-12-02T10:14")
    assert (exit_code(run), ["10:15" in said for said in run.postponed]) == (75, [True])
    assert (attempt_states(unknown), round_states(unknown)) == (["unknown"], ["charging"])
    assert (reset_states(unknown), states(unknown)) == (["open"], {"S-1": "U"})
    later = carried_out(unknown, VoidsByOrder(VOIDED), "2026-12-02T10:16")
    assert (exit_code(later), reset_states(unknown), states(unknown)) == (0, ["done"], {"S-1": "C"})


def test_what_is_voided_then_was_not_charged_and_its_round_is_void(unknown: Rig) -> None:
    gateway = VoidsByOrder(VOIDED)
    carried_out(unknown, gateway, "2026-12-02T10:16")
    assert (attempt_states(unknown), round_states(unknown)) == (["not_charged"], ["void"])
    assert len(gateway.asked) == 1


def test_what_is_unknown_after_it_is_in_doubt_at_once(unknown: Rig) -> None:
    run = carried_out(unknown, VoidsByOrder(SILENT), "2026-12-02T10:16")
    assert (attempt_states(unknown), round_states(unknown)) == (["in_doubt"], ["in_doubt"])
    assert (exit_code(run), reset_states(unknown)) == (1, ["done"])


def test_a_pg_with_an_inquiry_has_none(unknown: Rig) -> None:
    carried_out(unknown, VoidsByOrder(SILENT, abilities=Abilities(None, True, True, 100)), "2026-12-02T10:14")
    assert (attempt_states(unknown), reset_states(unknown)) == (["in_doubt"], ["done"])
