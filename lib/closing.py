"""How a round closes: each end is one compare-and-set with all that belongs to it in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import partial

from lib import shop as contract
from lib.billing import texts
from lib.billing.calendar import Cycle, next_stored_date
from lib.billing.rounds import LIVE_ITEM_STATES
from lib.dialect import as_date
from lib.failpoints import Step, reach
from lib.queueing import messages_for, queue_once
from lib.run import Run
from lib.shop import Item, ShopState, Subscription
from lib.store import ContendedError, Row, Transaction

PAGE = 500


def void_round(run: Run, tx: Transaction, round_: Row, reason: str) -> bool:
    """Void a sealed or due round: it is neither charged nor moved on. False: it was in another state."""
    if not _leave(tx, round_, "void", reason):
        return False
    _release(run, tx, round_)
    reach(Step.ROUND_CLOSED)
    _log(run, tx, round_, "round_void", f"{round_['delivery_on']} 회차 취소: {reason}")
    tx.count("void")
    return True


def miss_round(run: Run, tx: Transaction, round_: Row, reason: str) -> bool:
    """Close a round that could be neither announced nor charged in time; its items wait for a new round."""
    if not _leave(tx, round_, "missed", reason):
        return False
    _release(run, tx, round_)
    reach(Step.ROUND_CLOSED)
    _log(run, tx, round_, "round_missed", f"{round_['delivery_on']} 회차 미진행: {reason}")
    detail = (
        f"{round_['subscription_id']}: {round_['delivery_on']} 회차가 진행되지 않음({reason}). "
        "상품은 다음 배송일로 다시 안내됩니다"
    )
    run.matters.open(tx, f"round {round_['round_id']}", "missed", detail, run.clock.now())
    tx.count("missed")
    return True


def fail_round(
    run: Run, tx: Transaction, round_: Row, shop: ShopState, subscription: Subscription | None
) -> bool:
    """Close a round that was declined to the end: its items move on, customer and operator are told."""
    if not _leave(tx, round_, "failed", "마지막 시도까지 거절됨"):
        return False
    advance_items(tx, round_, tx.rows("round_items", ids=[round_["round_id"]]), is_paid=False)
    _release(run, tx, round_)
    reach(Step.ROUND_CLOSED)
    amount = texts.won(round_["amount_krw"])
    _log(run, tx, round_, "payment_failed", f"{round_['delivery_on']} 회차 {amount} 결제 실패")
    if subscription:
        queue_round_messages(run, tx, round_, shop, subscription, "payment_failed")
    tx.count("failed")
    return True


def hold_round(run: Run, tx: Transaction, round_: Row, reason: str) -> None:
    """Hold a round for a person, from whatever state it is in."""
    if tx.change("hold_round", round_id=round_["round_id"], reason=reason[:200]):
        _log(run, tx, round_, "round_held", f"{round_['delivery_on']} 회차 보류: {reason}")
        tx.count("held")
    detail = f"{round_['subscription_id']}: {reason}. `jeonggi settle` 로 처리하세요"
    run.matters.open(tx, f"round {round_['round_id']}", "held", detail, run.clock.now())


def queue_round_messages(
    run: Run, tx: Transaction, round_: Row, shop: ShopState, subscription: Subscription, kind: str
) -> None:
    """Tell of an event of a round, once."""
    round_id = round_["round_id"]
    queue_once(tx, messages_for(shop, subscription, kind, str(round_id), run.clock.now(), round_id))


def close_unannounced(run: Run) -> None:
    """Close every sealed round that is no longer to be announced: cancelled, or its day has come."""
    after_id = 0
    while True:
        rounds = run.store.rows("unannounced_rounds", after_id=after_id, page=PAGE)
        for round_, reason in _why_void(run, rounds):
            if reason:
                run.store.transaction(partial(void_round, run, round_=round_, reason=reason))
            elif as_date(round_["delivery_on"]) <= run.clock.today:
                said = "배송일까지 고객 안내가 접수되지 않음"
                run.store.transaction(partial(miss_round, run, round_=round_, reason=said))
        if len(rounds) < PAGE:
            return
        after_id = rounds[-1]["round_id"]


def _why_void(run: Run, rounds: Sequence[Row]) -> list[tuple[Row, str | None]]:
    """Read a page; where a row of the shop cannot be read, round by round: the others go on (rule 14)."""
    try:
        return run.store.transaction(partial(_cancelled, rounds)) if rounds else []
    except (ValueError, TypeError, AttributeError) as error:
        if len(rounds) > 1:
            return [found for round_ in rounds for found in _why_void(run, [round_])]
        run.store.transaction(partial(_tell_unreadable, run, rounds[0], type(error).__name__))
        return []


def _tell_unreadable(run: Run, round_: Row, why: str, tx: Transaction) -> None:
    detail = (
        f"{round_['subscription_id']}: {round_['delivery_on']} 회차의 자료를 읽을 수 없음({why}). 고치세요"
    )
    run.matters.open(tx, f"round {round_['round_id']}", "bad_row", detail, run.clock.now())


def _cancelled(rounds: Sequence[Row], tx: Transaction) -> list[tuple[Row, str | None]]:
    """Say of each round why it is void, if it is."""
    subscriptions = contract.read_subscriptions(tx, {round_["subscription_id"] for round_ in rounds})
    lines = tx.rows("round_items", ids=[round_["round_id"] for round_ in rounds])
    included = [line for line in lines if line["excluded_reason"] is None]
    items = contract.read_items(tx, {line["item_id"] for line in included})
    live = {line["round_id"] for line in included if is_in_use(items.get(line["item_id"]))}
    return [
        (round_, void_reason(subscriptions.get(round_["subscription_id"]), round_["round_id"] in live))
        for round_ in rounds
    ]


def is_in_use(item: Item | None) -> bool:
    """Tell whether an item is delivered at all: paused and ended ones are not."""
    return item is not None and item.state == "U"


def void_reason(subscription: Subscription | None, has_live_item: bool) -> str | None:
    """Say why a round that is sealed or due is void, or None (rule 8)."""
    if subscription is None or subscription.state != "U":
        return "이용중인 신청이 아님"
    return None if has_live_item else "안내한 상품이 모두 해지·일시정지됨"


def advance_items(tx: Transaction, round_: Row, lines: Sequence[Row], *, is_paid: bool) -> dict[int, Item]:
    """Move every live item of an ended round on; only `paid` raises an included one's round number.

    Returns the items as they were read. Raises ContendedError where the storefront changed one meanwhile.
    """
    items = contract.read_items(tx, (line["item_id"] for line in lines))
    for line in lines:
        item = items.get(line["item_id"])
        if item and item.state in LIVE_ITEM_STATES:
            _advance(tx, item, line, as_date(round_["delivery_on"]), is_paid=is_paid)
    return items


def _advance(tx: Transaction, item: Item, line: Row, delivery_on: date, *, is_paid: bool) -> None:
    is_raised = is_paid and line["excluded_reason"] is None
    on = next_stored_date(item.start_date, Cycle.parse(item.cycle), delivery_on, item.delivery_on)
    round_no = max(item.round_no, line["round_no"] + 1) if is_raised else item.round_no
    if (on, round_no) == (item.delivery_on, item.round_no):
        return
    changed = tx.change(
        "advance_item",
        item_id=item.item_id,
        stored_on=item.delivery_on,
        delivery_on=on,
        pay_on=on - timedelta(days=1),
        stored_round_no=item.round_no,
        round_no=round_no,
    )
    if not changed:
        raise ContendedError(f"item {item.item_id} changed meanwhile")


def release(run: Run, tx: Transaction, round_ids: Iterable[int]) -> None:
    """Let the items of closed rounds stand in others."""
    for round_id in round_ids:
        tx.change("release_items", round_id=round_id, at=run.clock.now())


def _release(run: Run, tx: Transaction, round_: Row) -> None:
    release(run, tx, [round_["round_id"]])


def _leave(tx: Transaction, round_: Row, to_state: str, reason: str) -> bool:
    return bool(
        tx.change(
            "move_round",
            round_id=round_["round_id"],
            from_state=round_["state"],
            to_state=to_state,
            reason=reason[:200],
        )
    )


def _log(run: Run, tx: Transaction, round_: Row, event: str, detail: str) -> None:
    tx.change(
        "log",
        subscription_id=round_["subscription_id"],
        event=event,
        detail=detail[:500],
        at=run.clock.local(),
    )
