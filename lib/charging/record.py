"""Record what became of attempts: evidence of money always, an end only over the state it was expected in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from lib.billing.dunning import retry_unsent
from lib.charging.claim import untried_card
from lib.charging.evidence import insert_evidence, take_evidence
from lib.charging.reading import read_claim_facts
from lib.charging.waiting import end_round, wait_for_slot
from lib.closing import hold_round
from lib.dialect import as_date
from lib.failpoints import Step, reach
from lib.gateways import (
    Approved,
    Attempt,
    Declined,
    Misconfigured,
    NotCharged,
    NotSent,
    Outcome,
    Refused,
    Settled,
    Unknown,
)
from lib.run import Run, real_now
from lib.store import Row, Transaction, utc

CHECKS = (
    timedelta(0),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
)
"""How long after the charge, and then after each question, the next one is asked; the last repeats."""


@dataclass(frozen=True)
class Result:
    """What came back for an attempt; `from_state` is the state the attempt was left in."""

    attempt: Attempt
    outcome: Outcome | Settled
    from_state: Literal["sending", "unknown"]


def record(run: Run, tried: dict[int, set[int]], results: Sequence[Result], tx: Transaction) -> list[int]:
    """Record results in one transaction; returns the rounds that go on to an untried card in this run."""
    again = [result.attempt.round_id for result in results if _record_one(run, result, tried, tx)]
    reach(Step.RESULTS_MARKED)
    return again


def _record_one(run: Run, result: Result, tried: dict[int, set[int]], tx: Transaction) -> bool:
    attempt, outcome = result.attempt, result.outcome
    match outcome:
        case Approved():
            take_evidence(run, attempt.pg_code, outcome.evidence, outcome.source, tx)
            tx.count("settled", int(result.from_state == "unknown"))
            _doubt_foreign_evidence(run, result, outcome, tx)
        case Declined():
            tried.setdefault(attempt.round_id, set()).add(attempt.card_id)
            return _decline(run, result, outcome, tried[attempt.round_id], tx)
        case NotCharged():
            take_evidence(run, attempt.pg_code, outcome.evidence, "inquiry", tx)
            _retry_uncharged(run, result, "not_charged", outcome.code, outcome.message, tx)
        case NotSent() if result.from_state == "sending":
            _retry_uncharged(run, result, "not_sent", "not_sent", outcome.message, tx)
        case Misconfigured() if result.from_state == "sending":
            _retry_uncharged(run, result, "not_charged", outcome.code, outcome.message, tx)
        case Refused():
            _refuse(run, result, outcome, tx)
        case Unknown() | NotSent() | Misconfigured():
            code = outcome.code if isinstance(outcome, Unknown | Misconfigured) else "not_sent"
            _doubt(run, result, code, outcome.message, tx)
    return False


def _doubt_foreign_evidence(run: Run, result: Result, outcome: Approved, tx: Transaction) -> None:
    """An answer about another order number says nothing of our attempt, and something is very wrong."""
    attempt = result.attempt
    if any(each.order_no == attempt.order_no for each in outcome.evidence):
        return
    _set_doubt(run, result, "in_doubt", "other_order", "PG 가 다른 주문번호로 답함", tx)
    round_ = tx.rows("rounds_by_id", ids=[attempt.round_id])[0]
    hold_round(run, tx, round_, f"{attempt.pg_code} 가 {attempt.order_no} 에 다른 주문번호로 답함")


def _decline(run: Run, result: Result, outcome: Declined, tried: set[int], tx: Transaction) -> bool:
    closed = _close(run, result, "declined", outcome.code, outcome.message, tx, decline=outcome.decline)
    tx.count("declined", int(closed))
    round_ = tx.rows("rounds_by_id", ids=[result.attempt.round_id])[0]
    facts = read_claim_facts(run, [round_], tx)
    if not closed:
        # Recorded before: perhaps by us, and the answer to the COMMIT got lost. The other card is still due.
        is_due = round_["state"] == "due" and utc(round_["next_attempt_at"]) <= run.clock.now()
        return is_due and untried_card(run, round_, facts, tried) is not None
    if round_["state"] != "charging":
        return False  # paid by late evidence, or held: the decline changes nothing
    if untried_card(run, round_, facts, tried):
        _wait(run, round_, outcome.code, run.clock.now(), tx)
        return True
    wait_for_slot(run, round_, outcome.code, facts, tx)
    return False


def _wait(run: Run, round_: Row, reason: str, until: object, tx: Transaction) -> None:
    """Make a round due again; one that was held or paid meanwhile stays so."""
    if round_["state"] not in {"charging", "in_doubt"}:
        return
    run.matters.close(tx, "in_doubt", [f"round {round_['round_id']}"], run.clock.now())
    tx.change(
        "retry_round",
        round_id=round_["round_id"],
        from_state=round_["state"],
        reason=f"다음 시도 대기: {reason}"[:200],
        next_attempt_at=until,
    )


def _retry_uncharged(
    run: Run, result: Result, to_state: str, code: str, message: str, tx: Transaction
) -> None:
    """Nothing was charged, proven: due again an hour later, while its days last."""
    if not _close(run, result, to_state, code, message, tx):
        return
    tx.count(to_state)
    round_ = tx.rows("rounds_by_id", ids=[result.attempt.round_id])[0]
    again = retry_unsent(run.clock.local(), run.settings.policy.quiet_hours)
    if again.date() <= as_date(round_["charge_until"]):
        _wait(run, round_, code, run.clock.to_utc(again), tx)
    elif round_["state"] in {"charging", "in_doubt"}:
        end_round(run, round_, read_claim_facts(run, [round_], tx), tx)


def _refuse(run: Run, result: Result, outcome: Refused, tx: Transaction) -> None:
    if not _close(run, result, "not_charged", outcome.code, outcome.message, tx):
        return
    round_ = tx.rows("rounds_by_id", ids=[result.attempt.round_id])[0]
    said = f"{outcome.code} {outcome.message}"
    hold_round(run, tx, round_, f"{result.attempt.pg_code} 가 이 건을 거부함({said})")


def _close(
    run: Run,
    result: Result,
    to_state: str,
    code: str,
    message: str,
    tx: Transaction,
    decline: str | None = None,
) -> bool:
    closed = tx.change(
        "close_attempt",
        attempt_id=result.attempt.attempt_id,
        from_state=result.from_state,
        to_state=to_state,
        decline=decline,
        code=code[:64],
        message=message[:200],
        at=run.clock.now(),
    )
    reach(Step.ATTEMPT_CLOSED)
    if closed and result.from_state == "unknown":
        tx.count("settled")
    return bool(closed)


def _doubt(run: Run, result: Result, code: str, message: str, tx: Transaction) -> None:
    """Stay unknown and ask again later; past the horizon a person decides."""
    over = run.clock.now() - result.attempt.sent_at >= run.settings.policy.doubt_horizon
    to_state = "in_doubt" if over and result.from_state == "unknown" else "unknown"
    if not _set_doubt(run, result, to_state, code, message, tx):
        return
    if to_state == "in_doubt":
        put_round_in_doubt(run, result.attempt, f"{code} {message}", tx)
    elif result.from_state == "sending":
        tx.count("unknown")


def put_round_in_doubt(run: Run, attempt: Attempt, said: str, tx: Transaction) -> None:
    """The round of an attempt that nothing more can be found out about waits for a person."""
    moved = tx.change(
        "move_round", round_id=attempt.round_id, from_state="charging", to_state="in_doubt", reason=said[:200]
    )
    if moved:
        tx.count("in_doubt")
        detail = (
            f"{attempt.pg_code} 주문번호 {attempt.order_no}: 결제되었는지 알 수 없음. "
            "PG 에서 확인한 뒤 `jeonggi settle` 로 처리하세요"
        )
        run.matters.open(tx, f"round {attempt.round_id}", "in_doubt", detail, run.clock.now())


def _set_doubt(run: Run, result: Result, to_state: str, code: str, message: str, tx: Transaction) -> int:
    row = tx.rows("attempts_by_order_no", order_nos=[result.attempt.order_no])[0]
    asked = row["checks"] + 1 if result.from_state == "unknown" else 0
    return tx.change(
        "doubt_attempt",
        attempt_id=result.attempt.attempt_id,
        from_state=result.from_state,
        to_state=to_state,
        code=code[:64],
        message=message[:200],
        next_check_at=_next_check(run, result.outcome, asked) if to_state == "unknown" else None,
        checks=int(result.from_state == "unknown"),
        lease_until=real_now(),
    )


def _next_check(run: Run, outcome: Outcome | Settled, asked: int) -> datetime:
    """Return when to ask next: once the quarantine that an answer tells of is over, else by schedule."""
    if isinstance(outcome, Unknown) and outcome.not_before:
        return outcome.not_before
    return run.clock.now() + CHECKS[min(asked, len(CHECKS) - 1)]


def record_plainly(run: Run, result: Result, why: str, tx: Transaction) -> None:
    """Record a result without its consequences, which a bad row prevents: the round is held for a person.

    Nothing of the PG's own text is written: it may be what cannot be stored.
    """
    attempt, outcome = result.attempt, result.outcome
    said = f"결과({type(outcome).__name__})를 반영하지 못함({why})"
    if isinstance(outcome, Unknown) or (result.from_state == "unknown" and not _is_end(outcome)):
        _set_doubt(run, result, "unknown", "bad_row", said, tx)
        return
    if isinstance(outcome, Approved | NotCharged):
        source = outcome.source if isinstance(outcome, Approved) else "inquiry"
        for each in outcome.evidence:
            insert_evidence(run, attempt.pg_code, each, source, tx)
    if isinstance(outcome, Approved):
        tx.change("approve_attempt", attempt_id=attempt.attempt_id, at=run.clock.now())
    else:
        kind = outcome.decline if isinstance(outcome, Declined) else None
        to_state = "declined" if kind else "not_sent" if isinstance(outcome, NotSent) else "not_charged"
        _close(run, result, to_state, "bad_row", said, tx, decline=kind)
    hold_round(run, tx, tx.rows("rounds_by_id", ids=[attempt.round_id])[0], f"{attempt.order_no}: {said}")


def _is_end(outcome: Outcome | Settled) -> bool:
    """Tell whether an answer about an unknown attempt ends it."""
    return isinstance(outcome, Approved | Declined | NotCharged | Refused)


def lost_attempts(run: Run, tx: Transaction) -> int:
    """Attempts whose lease ran out while sending are unknown; returns how many there were."""
    rows = tx.rows("attempts_lost", real=real_now(), page=500)
    for row in rows:
        changed = tx.change(
            "doubt_attempt",
            attempt_id=row["attempt_id"],
            from_state="sending",
            to_state="unknown",
            code="lease_over",
            message="작업이 돌아오지 않음",
            next_check_at=run.clock.now(),
            checks=0,
            lease_until=utc(row["lease_until"]),
        )
        if changed:
            tx.count("unknown")
    return len(rows)


def set_in_doubt(run: Run, attempt: Attempt, said: str, tx: Transaction) -> None:
    """Nothing more is asked about an unknown attempt: it and its round wait for a person."""
    result = Result(attempt, Unknown("in_doubt", said), "unknown")
    if _set_doubt(run, result, "in_doubt", "in_doubt", said, tx):
        put_round_in_doubt(run, attempt, said, tx)
