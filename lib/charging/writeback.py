"""Write the shop's order of every paid round, once, and move its items on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

from lib import shop as contract
from lib.billing import texts
from lib.charging.batch import in_batch, note_bad_round
from lib.closing import advance_items, hold_round, release
from lib.dialect import as_date
from lib.failpoints import Step, reach
from lib.queueing import messages_for, queue_once
from lib.run import Run
from lib.shop import Item, ShopState, Subscription
from lib.store import DuplicateError, Row, Transaction, utc

PAGE = 50


def write_paid(run: Run) -> None:
    """Write every paid and unwritten round; a page with a bad row or a duplicate is done again one by one."""
    after_id = 0
    while True:
        ids = [row["round_id"] for row in run.store.rows("unwritten_rounds", after_id=after_id, page=PAGE)]
        in_batch(run, ids, partial(_write_page, run), partial(_amend, run))
        reach(Step.PAGE_WRITTEN)
        if len(ids) < PAGE:
            return
        after_id = ids[-1]


def _amend(run: Run, round_id: int, error: Exception) -> None:
    if isinstance(error, DuplicateError):
        in_batch(run, [round_id], partial(_resolve_duplicates, run), partial(note_bad_round, run))
    else:
        note_bad_round(run, round_id, error)


def _write_page(run: Run, ids: Sequence[int], tx: Transaction) -> list[None]:
    rounds = tx.rows("lock_unwritten_rounds", ids=list(ids))
    if not rounds:
        return []
    shop = contract.read_shop(tx, run.settings, run.clock)
    subscriptions = contract.read_subscriptions(tx, {round_["subscription_id"] for round_ in rounds})
    lines: dict[int, list[Row]] = {round_["round_id"]: [] for round_ in rounds}
    for line in tx.rows("round_items", ids=list(lines)):
        lines[line["round_id"]].append(line)
    payments = {
        row["order_no"]: row
        for row in tx.rows("payments_of", order_nos=[round_["order_id"] for round_ in rounds])
        if row["kind"] == "approve"
    }
    written: list[Row] = []
    for round_ in rounds:
        subscription = subscriptions.get(round_["subscription_id"])
        if subscription is None:
            hold_round(run, tx, round_, "결제되었으나 쇼핑몰에 신청이 없음")
            continue
        sealed = lines[round_["round_id"]]
        _write_order(run, tx, round_, sealed, subscription, payments.get(round_["order_id"]))
        reach(Step.ORDER_WRITTEN)
        _move_on(run, tx, round_, sealed, shop, subscription)
        written += sealed
    _take_stock(tx, written)
    run.matters.close(tx, "bad_row", [f"round {round_['round_id']}" for round_ in rounds], run.clock.now())
    reach(Step.STOCK_TAKEN)
    return []


def _write_order(
    run: Run,
    tx: Transaction,
    round_: Row,
    sealed: Sequence[Row],
    subscription: Subscription,
    payment: Row | None,
) -> None:
    receiver = subscription.receiver
    tx.change(
        "write_order",
        order_id=round_["order_id"],
        subscription_id=round_["subscription_id"],
        delivery_on=round_["delivery_on"],
        round_no=round_["round_no"],
        member_id=subscription.member_id,
        buyer_name=subscription.name,
        receiver_name=receiver.name,
        receiver_zipcode=receiver.zipcode,
        receiver_address1=receiver.address1,
        receiver_address2=receiver.address2,
        receiver_phone=receiver.phone,
        shipping_message=receiver.message,
        items_amount=round_["items_amount"],
        discount_amount=round_["discount_amount"],
        shipping_fee=round_["shipping_fee"],
        amount_krw=round_["amount_krw"],
        pg_code=payment["pg_code"] if payment else round_["pg_code"],
        tid=payment["tid"][:100] if payment else "",
        approval_no=payment["approval_no"] if payment else "",
        paid_at=run.clock.to_local(utc(round_["paid_at"])),
    )
    included = [line for line in sealed if line["excluded_reason"] is None]
    tx.change_many(
        "write_order_line",
        [
            {**{key: line[key] for key in LINE_COLUMNS}, "order_id": round_["order_id"], "line_no": number}
            for number, line in enumerate(included, start=1)
        ],
    )


LINE_COLUMNS = (
    "item_id",
    "round_no",
    "product_no",
    "variants_code",
    "product_name",
    "option_value",
    "quantity",
    "unit_price",
    "amount",
)


def _take_stock(tx: Transaction, sealed: Sequence[Row]) -> None:
    pieces: Counter[int] = Counter()
    for line in sealed:
        if line["excluded_reason"] is None:
            pieces[line["product_no"]] += line["quantity"]
    # Once a page and in the order of the key, so that two runs cannot lock products crosswise.
    for product_no, quantity in sorted(pieces.items()):
        tx.change("take_stock", product_no=product_no, quantity=quantity)


def _move_on(
    run: Run,
    tx: Transaction,
    round_: Row,
    sealed: Sequence[Row],
    shop: ShopState,
    subscription: Subscription,
) -> None:
    items = advance_items(tx, round_, sealed, is_paid=True)
    reach(Step.ITEMS_ADVANCED)
    tx.change("set_written", round_id=round_["round_id"], at=run.clock.now())
    release(run, tx, [round_["round_id"]])
    amount = texts.won(round_["amount_krw"])
    tx.change(
        "log",
        subscription_id=round_["subscription_id"],
        event="round_paid",
        detail=f"{round_['delivery_on']} {round_['round_no']}회차 {amount} 결제, 주문 {round_['order_id']}",
        at=run.clock.local(),
    )
    tx.count("written")
    if _finish_items(run, tx, sealed, items):
        _finish_subscription(run, tx, shop, subscription)


def _finish_items(run: Run, tx: Transaction, sealed: Sequence[Row], items: Mapping[int, Item]) -> bool:
    """End the items whose number of rounds is reached; tells whether any ended."""
    finished = False
    for line in sealed:
        item = items.get(line["item_id"])
        if item and line["excluded_reason"] is None and 0 < item.max_rounds <= line["round_no"]:
            finished |= bool(tx.change("finish_item", item_id=item.item_id, at=run.clock.local()))
    return finished


def _finish_subscription(run: Run, tx: Transaction, shop: ShopState, subscription: Subscription) -> None:
    key = subscription.subscription_id
    at = run.clock.local()
    if tx.change("finish_subscription", subscription_id=key, at=at):
        tx.change(
            "log", subscription_id=key, event="count_finished", detail="배송 횟수 완료로 자동 해지", at=at
        )
        queue_once(tx, messages_for(shop, subscription, "auto_cancel", key, run.clock.now()))


def _resolve_duplicates(run: Run, ids: Sequence[int], tx: Transaction) -> list[None]:
    """Tell orders of ours, written before, from somebody else's order for the round."""
    for round_ in tx.rows("lock_unwritten_rounds", ids=list(ids)):
        order = tx.row("order_by_id", order_id=round_["order_id"])
        if (
            order
            and order["subscription_id"] == round_["subscription_id"]
            and as_date(order["delivery_on"]) == as_date(round_["delivery_on"])
        ):
            sealed = tx.rows("round_items", ids=[round_["round_id"]])
            shop = contract.read_shop(tx, run.settings, run.clock)
            subscription = contract.read_subscriptions(tx, [round_["subscription_id"]])[
                round_["subscription_id"]
            ]
            _move_on(run, tx, round_, sealed, shop, subscription)
        else:
            hold_round(run, tx, round_, "결제되었으나 이 회차에 다른 주문이 이미 있음")
    return []
