"""Evidence of money: into the ledger always, and what it means for the attempt and its round."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from lib.billing import words
from lib.closing import hold_round
from lib.failpoints import Step, reach
from lib.gateways import Approval
from lib.run import Run
from lib.store import Transaction

Source = Literal["response", "replay", "inquiry", "spool", "operator"]
OPEN = frozenset({"sending", "unknown", "in_doubt"})
UNKNOWN_HERE = {
    "pg": "우리 것이 아닌 승인이 PG에 있음. PG 상점관리자에서 확인하세요",
    "spool": "이 서버가 결제했으나 데이터베이스가 모르는 승인(백업에서 되돌림?). "
    "PG 상점관리자에서 확인하고 쇼핑몰의 주문과 배송예정일을 바로잡으세요",
}
"""What an approval of an order number without an attempt means, by where it was found."""


def take_evidence(
    run: Run, pg_code: str, evidence: Iterable[Approval], source: Source, tx: Transaction
) -> None:
    """Write evidence of money into the ledger, from every state and at any time, and let it count."""
    is_new: dict[str, bool] = {}
    for each in evidence:
        is_new[each.order_no] = insert_evidence(run, pg_code, each, source, tx) or is_new.get(
            each.order_no, False
        )
    reach(Step.EVIDENCE_WRITTEN)
    for number, is_news in is_new.items():
        let_count(run, pg_code, number, source, tx, is_news=is_news)


def insert_evidence(run: Run, pg_code: str, each: Approval, source: Source, tx: Transaction) -> bool:
    """Write one piece of evidence, and draw no consequence; False: it is known."""
    return tx.is_new(
        "insert_payment",
        pg_code=pg_code,
        tid=each.tid or each.order_no,
        kind=each.kind,
        seq=each.seq,
        order_no=each.order_no,
        amount_krw=each.amount_krw,
        approval_no=each.approval_no,
        source=source,
        at=run.clock.now(),
    )


def let_count(
    run: Run, pg_code: str, order_no: str, source: Source, tx: Transaction, *, is_news: bool
) -> None:
    """Draw the consequence of the ledger of one order number, netted with its cancels.

    What was known before has had its consequence, and a person may have settled it since; only an attempt
    that is still open takes it up again.
    """
    attempts = tx.rows("attempts_by_order_no", order_nos=[order_no])
    if not (is_news or (attempts and attempts[0]["state"] in OPEN)):
        return
    if not attempts:
        detail = f"{pg_code} 주문번호 {order_no}: {UNKNOWN_HERE['spool' if source == 'spool' else 'pg']}"
        run.matters.open(tx, order_no, "foreign_approval", detail, run.clock.now())
        return
    attempt = attempts[0]
    # Locked before the ledger is read: a person may be deciding, other evidence may come at the same time.
    round_ = tx.rows("lock_round", round_id=attempt["round_id"])[0]
    payments = tx.rows("payments_of", order_nos=[order_no])
    net = sum(row["amount_krw"] if row["kind"] == "approve" else -row["amount_krw"] for row in payments)
    if net <= 0:
        if source != "operator" and (round_["state"], round_["order_id"]) == ("paid", order_no):
            # A void that was under way when the approval came in from elsewhere.
            hold_round(run, tx, round_, f"결제완료 뒤에 {order_no} 의 승인이 취소됨")
        return
    tx.change("approve_attempt", attempt_id=attempt["attempt_id"], at=run.clock.now())
    if net != round_["amount_krw"]:
        said = f"{order_no} 의 승인 {net:,}원이 확정 금액 {round_['amount_krw']:,}원과 다름"
        hold_round(run, tx, round_, said)
    elif tx.change("pay_round", round_id=round_["round_id"], order_no=order_no, paid_at=run.clock.now()):
        tx.count("paid")
        tx.count("amount_krw", round_["amount_krw"])
        run.matters.close(tx, "in_doubt", [f"round {round_['round_id']}"], run.clock.now())
        run.matters.close(tx, "foreign_approval", [order_no], run.clock.now())
    elif (round_["state"], round_["order_id"]) != ("paid", order_no):
        state = words.ROUND[round_["state"]]
        hold_round(run, tx, round_, f"{state} 회차에 {order_no} 의 승인이 도착함")
