"""The ways out of `held`: paid, due again, failed, void; each by the move that the jobs make."""

from __future__ import annotations

from collections.abc import Callable

from lib import shop as contract
from lib.billing import texts, words
from lib.charging.writeback import _move_on
from lib.closing import fail_round, release, void_round
from lib.dialect import as_date
from lib.run import Run
from lib.settling.case import Answer, Case, Impossible, Settled, Word, note_round
from lib.store import Transaction


def _pay(run: Run, case: Case, word: Word, tx: Transaction) -> Answer:
    """A held round is paid after all: the ledger has its sum, or a person has recorded a cancel."""
    net = case.net()
    is_paid = list(net.values()) == [case.round_["amount_krw"]]
    was_cancelled = any(row["kind"] == "cancel" and row["source"] == "operator" for row in case.payments)
    if not (is_paid or (not net and (was_cancelled or case.round_["amount_krw"] == 0))):
        held = ", ".join(f"{order_no} {texts.won(amount)}" for order_no, amount in net.items()) or "없음"
        sealed = texts.won(case.round_["amount_krw"])
        return Impossible(
            f"원장의 승인이 회차 금액 {sealed} 과 다릅니다 (승인: {held}). 취소는 --cancelled 로 적습니다"
        )
    if word.order_id and (fault := _order_fault(case, word.order_id, tx)):
        return Impossible(fault)
    order_id = word.order_id or _own_order(case)
    if not order_id:
        return Impossible("이 회차의 쇼핑몰 주문번호를 --order 로 적어 주세요")
    tx.change("pay_held_round", round_id=case.round_id, order_id=order_id, at=run.clock.now())
    if word.order_id and not case.round_["written_at"]:
        _take_order(run, case, tx)
    return Settled(f"회차 {case.round_id} 결제완료, 주문 {order_id}")


def _own_order(case: Case) -> str | None:
    """Return our order of the round: the one that is written, or the number under which it was paid."""
    if case.round_["written_at"] or case.round_["amount_krw"] == 0:
        return str(case.round_["order_id"])
    return next(iter(case.net()), None)


def _order_fault(case: Case, order_id: str, tx: Transaction) -> str | None:
    order = tx.row("order_by_id", order_id=order_id)
    if order is None:
        return f"쇼핑몰에 주문 {order_id} 이 없습니다"
    if order["subscription_id"] not in {None, case.round_["subscription_id"]}:
        return f"주문 {order_id} 은 다른 신청 {order['subscription_id']} 의 것입니다"
    return None


def _take_order(run: Run, case: Case, tx: Transaction) -> None:
    """The shop has the order: the items move on as after a write-back, the stock is not taken again."""
    round_ = tx.rows("rounds_by_id", ids=[case.round_id])[0]
    key = round_["subscription_id"]
    subscription = contract.read_subscriptions(tx, [key]).get(key)
    if subscription:
        shop = contract.read_shop(tx, run.settings, run.clock)
        _move_on(run, tx, round_, tx.rows("round_items", ids=[case.round_id]), shop, subscription)
    else:
        tx.change("set_written", round_id=case.round_id, at=run.clock.now())
        release(run, tx, [case.round_id])


def _make_due(run: Run, case: Case, _word: Word, tx: Transaction) -> Answer:
    """A held round is charged after all; never one that was approved, even if cancelled, or closed before."""
    round_ = case.round_
    if round_["announced_on"] is None:
        return Impossible(
            f"회차 {case.round_id} 는 안내되지 않아 결제할 수 없습니다. --void 로 취소하면 새로 안내합니다"
        )
    if case.payments or any(row["state"] == "approved" for row in case.attempts):
        return Impossible(
            f"회차 {case.round_id} 는 승인된 적이 있어 다시 결제하지 않습니다. --paid 나 --void 로 정리하세요"
        )
    if any(row["released_at"] for row in tx.rows("round_items", ids=[case.round_id])):
        return Impossible(
            f"회차 {case.round_id} 는 이미 닫혔던 회차라 다시 결제하지 않습니다. --void 로 정리하세요"
        )
    at = max(run.clock.now(), run.clock.start_of(as_date(round_["charge_on"])))
    tx.change("retry_round", round_id=case.round_id, from_state="held", reason="operator", next_attempt_at=at)
    return Settled(
        f"회차 {case.round_id} 결제대기: 다음 charge-d1 이 결제합니다 (기한 {round_['charge_until']})"
    )


def _fail(run: Run, case: Case, _word: Word, tx: Transaction) -> Answer:
    key = case.round_["subscription_id"]
    shop = contract.read_shop(tx, run.settings, run.clock)
    fail_round(run, tx, case.round_, shop, contract.read_subscriptions(tx, [key]).get(key))
    return Settled(f"회차 {case.round_id} 결제실패: 품목이 다음 배송일로 넘어가고 안내가 나갑니다")


def _void(run: Run, case: Case, word: Word, tx: Transaction) -> Answer:
    void_round(run, tx, case.round_, f"운영자 {word.by}")
    return Settled(f"회차 {case.round_id} 취소: 결제하지도 다음 배송일로 넘기지도 않습니다")


Way = Callable[[Run, Case, Word, Transaction], Answer]


def _of_held(way: Way, *, needs_no_money: bool) -> Way:
    """Let a way out of `held` be taken only by a held round whose attempts have all come to an end."""

    def guarded(run: Run, case: Case, word: Word, tx: Transaction) -> Answer:
        if case.round_["state"] != "held":
            is_now = words.ROUND[case.round_["state"]]
            return Impossible(f"회차 {case.round_id} 는 {words.ROUND['held']}가 아니라 {is_now}입니다")
        if case.has_open_attempt():
            return Impossible(
                "결과를 모르는 결제 시도가 있습니다. 먼저 --approved 나 --not-charged 로 정리하세요"
            )
        if needs_no_money and (net := case.net()):
            return Impossible(
                f"{', '.join(net)} 에 승인된 돈이 있습니다. PG에서 취소한 뒤 --cancelled 로 적으세요"
            )
        answer = way(run, case, word, tx)
        if isinstance(answer, Settled):
            note_round(run, case, word, tx)
        return answer

    return guarded


PAID = _of_held(_pay, needs_no_money=False)
DUE = _of_held(_make_due, needs_no_money=True)
FAILED = _of_held(_fail, needs_no_money=True)
VOID = _of_held(_void, needs_no_money=True)
