"""`ops settle`: a person's word closes what is in doubt or held, by the moves that the jobs make."""

from __future__ import annotations

from typing import Literal

from lib.run import Run
from lib.settling import doubt, held
from lib.settling.case import Answer, Impossible, Settled, Word, find
from lib.settling.held import Way
from lib.settling.message import settle_message
from lib.store import Transaction

__all__ = ["VERBS", "Answer", "Impossible", "Settled", "Verb", "Word", "settle", "settle_message"]

Verb = Literal["approved", "not_charged", "cancelled", "paid", "due", "failed", "void"]

VERBS: dict[Verb, Way] = {
    "approved": doubt.approve,
    "not_charged": doubt.deny,
    "cancelled": doubt.cancel,
    "paid": held.PAID,
    "due": held.DUE,
    "failed": held.FAILED,
    "void": held.VOID,
}


def settle(run: Run, verb: Verb, target: str, word: Word, tx: Transaction) -> Answer:
    """Settle one attempt or round; `target` is an order number or a round's number."""
    case = find(target, tx)
    if case is None:
        return Impossible(
            f"{target}: 그런 주문번호나 회차가 없습니다. `jeonggi report --doubts` 로 확인하세요"
        )
    return VERBS[verb](run, case, word, tx)
