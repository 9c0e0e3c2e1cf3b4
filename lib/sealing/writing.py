"""Write sealed rounds, their items, messages, dates and log lines: a page at once, or round by round."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial

from lib import shop as contract
from lib.billing import texts, words
from lib.billing.calendar import can_still_be_announced, charge_window
from lib.dialect import as_date
from lib.failpoints import Step, reach
from lib.outbox.bad_data import SUSPECT, is_bad_data
from lib.planning import BadRow, Plan, Wait
from lib.queueing import messages_for
from lib.run import Run
from lib.sealing.reading import Sealed
from lib.store import DuplicateError, Row, Transaction


class MovedError(Exception):
    """A row, a PG or the day changed between reading and sealing; the batch is done again round by round."""


def seal_page(run: Run, page: Sealed) -> None:
    """Write a page in one transaction; where that fails, round by round: one bad row stops nothing."""
    reach(Step.PAGE_READ)
    if not _is_written(run, page.plans, page):
        page.plans = [plan for plan in page.plans if _is_written(run, [plan], page)]
    if page.waits:
        run.store.transaction(partial(_let_wait, run, page.waits))
    reach(Step.PAGE_SEALED)


def _let_wait(run: Run, waits: Sequence[Wait], tx: Transaction) -> None:
    """Store the dates that items wait for; one that the storefront moved meanwhile keeps its own."""
    moved = [wait for wait in waits if tx.change("move_item", **wait.move)]
    rows = [
        {
            "subscription_id": wait.subscription.subscription_id,
            "event": "item_waits",
            "detail": f"{texts.clean(wait.item.product_name)}: 예정일 {wait.item.delivery_on}에서 "
            f"다음 주기 {wait.delivery_on}로 변경"[:500],
            "at": run.clock.local(),
        }
        for wait in moved
    ]
    tx.change_many("log", rows)


def _is_written(run: Run, plans: Sequence[Plan], page: Sealed) -> bool:
    try:
        run.store.transaction(partial(_write, run, plans))
    except (DuplicateError, MovedError):
        return False  # another run, or the storefront, was faster; what it left is done alone, or next time
    except SUSPECT as error:
        if not is_bad_data(error):
            raise
        if len(plans) == 1:
            reason = f"{plans[0].delivery_on} 회차를 저장할 수 없음({type(error).__name__})"
            page.bad.append(BadRow(plans[0].subscription.subscription_id, reason))
        return False
    return True


def _write(run: Run, plans: Sequence[Plan], tx: Transaction) -> None:
    if not plans:
        return
    shop = plans[0].shop
    now = run.clock.now()
    today = run.clock.to_local(now).date()
    if not all(can_still_be_announced(plan.delivery_on, today) for plan in plans):
        raise MovedError("midnight")  # a run that went past it: the next one delivers those late
    if _is_pg_moved(run, plans, tx):
        raise MovedError("pg")
    tx.change_many("insert_round", [_round_row(run, plan, today) for plan in plans])
    reach(Step.ROUNDS_INSERTED)
    ids = _round_ids(tx, plans)
    tx.change_many(
        "insert_round_item", [row for plan in plans for row in _item_rows(run, plan, ids[plan.key])]
    )
    told = [plan for plan in plans if not plan.is_skipped]
    tx.change_many(
        "queue_message",
        [
            row
            for plan in told
            for row in messages_for(
                shop, plan.subscription, "payment_notice", str(ids[plan.key]), now, ids[plan.key]
            )
        ],
    )
    reach(Step.NOTICES_QUEUED)
    for plan in plans:
        _move_items(tx, plan)
    tx.change_many("log", [_log_row(run, plan) for plan in plans])
    reach(Step.ROUNDS_SEALED)


def _is_pg_moved(run: Run, plans: Sequence[Plan], tx: Transaction) -> bool:
    """Tell whether a PG of these rounds no longer stands as it was read.

    Under the lock that a PG reset waits for: a seal that did not see the reset is visible to it.
    """
    tx.rows("lock_installation_shared")
    now = contract.read_pgs(tx, run.clock)
    return any(
        plan.shop.pgs.get(code) != now.get(code)
        for plan in plans
        for code in (plan.pg_code, plan.subscription.pg_code)
    )


def _round_ids(tx: Transaction, plans: Sequence[Plan]) -> dict[tuple[str, date], int]:
    rows: Sequence[Row] = tx.rows(
        "round_ids",
        ids=sorted({plan.subscription.subscription_id for plan in plans}),
        since=min(plan.delivery_on for plan in plans),
    )
    return {(row["subscription_id"], as_date(row["delivery_on"])): row["round_id"] for row in rows}


def _round_row(run: Run, plan: Plan, today: date) -> dict[str, object]:
    policy = run.settings.policy
    row: dict[str, object] = {
        "subscription_id": plan.subscription.subscription_id,
        "delivery_on": plan.delivery_on,
        "round_no": plan.round_no,
        "items_amount": plan.invoice.items_amount,
        "discount_amount": plan.invoice.discount_amount,
        "shipping_fee": plan.invoice.shipping_fee,
        "amount_krw": plan.invoice.amount_krw,
        "state": "skipped" if plan.is_skipped else "sealed",
        "state_reason": "결제할 상품이 없음" if plan.is_skipped else None,
        "pg_code": plan.pg_code,
        "sealed_at": run.clock.now(),
        "announced_on": None,
        "charge_on": None,
        "charge_until": None,
        "next_attempt_at": None,
    }
    if not plan.is_skipped and not plan.needs_notice:
        window = charge_window(
            plan.delivery_on,
            today,
            charge_days_before=policy.charge_days_before,
            retry_days=policy.retry_days,
        )
        row |= {
            "state": "due",
            "announced_on": today,
            "charge_on": window.charge_on,
            "charge_until": window.charge_until,
            "next_attempt_at": run.clock.start_of(window.charge_on),
        }
    return row


def _item_rows(run: Run, plan: Plan, round_id: int) -> Iterator[dict[str, object]]:
    for line in plan.lines:
        item = line.item
        yield {
            "round_id": round_id,
            "item_id": item.item_id,
            "round_no": item.round_no,
            "product_no": item.product_no,
            "variants_code": item.variants_code,
            "product_name": item.product_name,
            "option_value": item.option_value,
            "quantity": item.quantity,
            "unit_price": line.unit_price,
            "agreed_price": line.agreed_price,
            "price_now": line.price_now,
            "discount_amount": line.discount_amount,
            "amount": line.amount,
            "excluded_reason": line.excluded_reason,
            "released_at": run.clock.now() if plan.is_skipped else None,
        }


def _move_items(tx: Transaction, plan: Plan) -> None:
    """Write the dates the seal changed, and those after a skipped round; raise where somebody was faster."""
    for move in plan.moves:
        name = "advance_item" if plan.is_skipped else "move_item"
        if tx.change(name, **move) == 0:
            raise MovedError(plan.subscription.subscription_id)


def _log_row(run: Run, plan: Plan) -> dict[str, object]:
    dropped = [
        f"{texts.clean(line.item.product_name)}: {words.excluded(line.excluded_reason)}"
        for line in plan.lines
        if line.excluded_reason
    ]
    risen = [
        f"{texts.clean(line.item.product_name)}: "
        f"{words.risen(line.agreed_price, line.price_now, line.unit_price)}"
        for line in plan.risen
    ]
    said = f"{plan.delivery_on} {plan.round_no}회차 {texts.won(plan.invoice.amount_krw)}"
    if plan.earliest_stored_on != plan.delivery_on:
        said += f" (예정일 {plan.earliest_stored_on}에서 변경)"
    if dropped:
        said += f" 제외: {', '.join(dropped)}"
    if risen:
        said += f" 가격 인상: {', '.join(risen)}"
    return {
        "subscription_id": plan.subscription.subscription_id,
        "event": "round_skipped" if plan.is_skipped else "round_sealed",
        "detail": said[:500],
        "at": run.clock.local(),
    }
