"""End every subscription of the PG: state C, rounds void, notices expired, one auto-cancel mail each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from lib import shop as contract
from lib.charging.batch import in_batch
from lib.closing import void_round
from lib.failpoints import Step, reach
from lib.outbox.claim import expire
from lib.queueing import messages_for, queue_once
from lib.resetting.events import Reset
from lib.run import Run
from lib.store import Transaction

PAGE = 50
"""Subscriptions in one transaction: the shop's rows shall not be locked for long."""


def cancel_subscriptions(run: Run, reset: Reset) -> None:
    """Cancel page after page; a subscription is cancelled, told of and voided in one transaction."""
    event_at = run.clock.to_local(reset.event_at)
    after_id = ""
    while True:
        rows = run.store.rows(
            "subscriptions_to_cancel", pg_code=reset.pg_code, event_at=event_at, after_id=after_id, page=PAGE
        )
        ids = [row["subscription_id"] for row in rows]
        if ids:
            in_batch(run, ids, partial(_cancel_page, run), partial(_cancel_without_mail, run))
            reach(Step.PAGE_CANCELLED)
            run.on_step(len(ids))
        if len(ids) < PAGE:
            return
        after_id = ids[-1]


def _cancel_page(run: Run, ids: Sequence[str], tx: Transaction) -> list[None]:
    shop = contract.read_shop(tx, run.settings, run.clock)
    subscriptions = contract.read_subscriptions(tx, ids)
    _void_rounds(run, ids, tx)
    for key, subscription in subscriptions.items():
        if _cancel(run, key, tx):
            queue_once(tx, messages_for(shop, subscription, "auto_cancel", key, run.clock.now()))
    return []


def _void_rounds(run: Run, ids: Sequence[str], tx: Transaction) -> None:
    rounds = tx.rows("open_rounds_of", ids=list(ids))
    for round_ in rounds:
        void_round(run, tx, round_, "PG 변경·초기화")
    if rounds:
        for message in tx.rows("notices_waiting", ids=[round_["round_id"] for round_ in rounds]):
            expire(run, message, tx)
    reach(Step.ROUNDS_VOIDED)


def _cancel(run: Run, key: str, tx: Transaction) -> bool:
    at = run.clock.local()
    if not tx.change("cancel_subscription", subscription_id=key, at=at):
        return False
    reach(Step.SUBSCRIPTION_CANCELLED)
    tx.change("cancel_items", subscription_id=key, at=at)
    tx.change("log", subscription_id=key, event="auto_cancelled", detail="PG 변경·초기화로 자동 해지", at=at)
    tx.count("cancelled")
    return True


def _cancel_without_mail(run: Run, key: str, error: Exception) -> None:
    """A row that cannot be told of is cancelled all the same: nothing of the PG may stay behind."""
    run.store.transaction(partial(_cancel_untold, run, key, type(error).__name__))


def _cancel_untold(run: Run, key: str, why: str, tx: Transaction) -> None:
    _void_rounds(run, [key], tx)
    if _cancel(run, key, tx):
        detail = f"{key}: 해지했으나 자료 오류({why})로 해지 안내를 보내지 못함. 고객에게 직접 알려 주세요"
        run.matters.open(tx, key, "bad_row", detail, run.clock.now())
