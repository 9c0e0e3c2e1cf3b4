"""Whether money moved: approved, not charged, or given back; as a person saw it at the PG."""

from __future__ import annotations

from collections import Counter

from lib.billing import texts, words
from lib.charging.claim import read_attempt
from lib.charging.evidence import take_evidence
from lib.charging.record import Result, record
from lib.gateways import Approval, NotCharged
from lib.run import Run
from lib.settling.case import Answer, Case, Impossible, Settled, Word, note_attempt, state_now
from lib.store import Transaction


def approve(run: Run, case: Case, word: Word, tx: Transaction) -> Answer:
    """The PG has the payment: it enters the ledger, and counts as it would have from a reply."""
    attempt = case.in_doubt()
    if attempt is None:
        return _not_in_doubt(case)
    taken = {row["order_no"] for row in tx.rows("payments_by_tid", pg_code=attempt["pg_code"], tid=word.tid)}
    if taken - {attempt["order_no"]}:
        return Impossible(f"거래번호 {word.tid} 는 이미 주문번호 {', '.join(sorted(taken))} 의 것입니다")
    approval = Approval(word.tid, attempt["order_no"], attempt["amount_krw"], "")
    take_evidence(run, attempt["pg_code"], [approval], "operator", tx)
    note_attempt(run, attempt, word, tx)
    amount = texts.won(attempt["amount_krw"])
    return Settled(f"{attempt['order_no']} {amount} 승인으로 기록했습니다 (회차 {state_now(case, tx)})")


def deny(run: Run, case: Case, word: Word, tx: Transaction) -> Answer:
    """The PG has no payment: the round is due again, failed or missed as after an inquiry that proves it."""
    attempt = case.in_doubt()
    if attempt is None:
        return _not_in_doubt(case)
    outcome = NotCharged("operator", f"settled by {word.by}")
    result = Result(read_attempt(attempt), outcome, "in_doubt")  # type: ignore[arg-type]  # a third state
    record(run, {}, [result], tx)
    note_attempt(run, attempt, word, tx)
    return Settled(f"{attempt['order_no']} 결제되지 않음으로 기록했습니다 (회차 {state_now(case, tx)})")


def _not_in_doubt(case: Case) -> Impossible:
    states = ", ".join(f"{row['order_no']} {words.ATTEMPT[row['state']]}" for row in case.attempts) or "없음"
    said = words.ATTEMPT["in_doubt"]
    return Impossible(f"회차 {case.round_id}: {said} 상태의 결제 시도가 없습니다 (시도: {states})")


def cancel(run: Run, case: Case, word: Word, tx: Transaction) -> Answer:
    """The person gave the money back at the PG: the ledger says so, and the round stays where it is."""
    order_nos = {case.named["order_no"]} if case.named else set(case.net())
    left = _uncancelled(case, order_nos, word.tid)
    if not left and case.in_doubt():
        return Impossible(
            "장부에 승인이 없습니다. PG에서 전액 취소한 것을 보았으면 --not-charged 로 적으세요"
        )
    if len(left) != 1:
        tids = ", ".join(tid for _, tid, _, _ in left) or "없음"
        return Impossible(f"취소할 승인 하나를 --tid 로 적어 주세요 (취소되지 않은 승인: {tids})")
    pg_code, tid, order_no, amount = left[0]
    seq = sum(row["kind"] == "cancel" and row["tid"] == tid for row in case.payments)
    approval = Approval(tid, order_no, amount, "", kind="cancel", seq=seq)
    take_evidence(run, pg_code, [approval], "operator", tx)
    note_attempt(run, next(row for row in case.attempts if row["order_no"] == order_no), word, tx)
    return Settled(f"{order_no} {texts.won(amount)} 취소를 기록했습니다 (회차 {state_now(case, tx)})")


def _uncancelled(case: Case, order_nos: set[str], tid: str) -> list[tuple[str, str, str, int]]:
    """Return (PG, its number, order number, won) of each approval that was not given back in full."""
    sums: Counter[tuple[str, str, str]] = Counter()
    for row in case.payments:
        key = (row["pg_code"], row["tid"], row["order_no"])
        if row["order_no"] in order_nos and tid in {"", row["tid"]}:
            sums[key] += row["amount_krw"] if row["kind"] == "approve" else -row["amount_krw"]
    return [(*key, amount) for key, amount in sums.items() if amount > 0]
