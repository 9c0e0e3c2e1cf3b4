"""What charge_d1 would do, told line by line; changes and sends nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice

from lib.billing import texts, words
from lib.charging.charge import due_rounds
from lib.charging.claim import Decision, decide
from lib.charging.desk import Desk
from lib.charging.reading import read_claim_facts
from lib.charging.settle import leases_running
from lib.run import Run, real_now
from lib.spool import Spool
from lib.store import Row, Transaction

PAGE = 200


def tell_due(run: Run) -> Iterator[str]:
    """Say what would be settled and written, and each round that would be charged or why not."""
    yield from _tell_left_over(run)
    desk = Desk.open(run)
    due = due_rounds(run)
    while ids := list(islice(due, PAGE)):
        for round_, decision in run.store.transaction(partial(_decide, run, desk, ids)):
            yield _tell(run, round_, decision)


def _tell_left_over(run: Run) -> Iterator[str]:
    """Say what earlier runs left: approvals on this host, open attempts, orders to be written."""
    for found in Spool(run.settings).left_over():
        yield f"{found.path.name}: 승인 {len(found.approvals)}건을 장부에 기록"
    yield from leases_running(run)
    for row in run.store.rows("attempts_left", now=run.clock.now(), real=real_now(), page=PAGE):
        yield f"주문번호 {row['order_no']} {row['pg_code']}: 결과를 다시 확인"
    for row in run.store.rows("unwritten_rounds", after_id=0, page=PAGE):
        yield f"회차 {row['round_id']}: 결제됨, 주문서 작성"


def _decide(run: Run, desk: Desk, ids: Sequence[int], tx: Transaction) -> list[tuple[Row, Decision]]:
    rounds = tx.rows("read_due_rounds", ids=list(ids))
    if not rounds:
        return []
    facts = read_claim_facts(run, rounds, tx)
    return [(round_, decide(run, desk, round_, facts, ())) for round_ in rounds]


def _tell(run: Run, round_: Row, decision: Decision) -> str:
    run.counts["due"] += 1
    if decision.verdict in {"void", "blocked"}:
        run.counts[decision.verdict] += 1
    if decision.verdict == "charge":
        run.counts["amount_krw"] += round_["amount_krw"]
    reason = words.BLOCKED.get(decision.reason, decision.reason)
    said = words.VERDICT[decision.verdict] + (f" ({reason})" if reason else "")
    card = f" {decision.card.masked_number}" if decision.card else ""
    amount = texts.won(round_["amount_krw"])
    return (
        f"{round_['subscription_id']} {round_['delivery_on']} {round_['round_no']}회차 {amount}{card} {said}"
    )
