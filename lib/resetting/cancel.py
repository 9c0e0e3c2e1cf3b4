"""End every subscription of the PG: state C, rounds void, notices expired, one auto-cancel mail each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from lib import shop as contract
from lib.closing import void_round
from lib.outbox.claim import expire
from lib.outbox.queue import messages_for, queue_once
from lib.resetting.events import Reset
from lib.run import Run
from lib.shop import ShopState, Subscription
from lib.store import Transaction

PAGE = 200


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
            run.store.transaction(partial(_cancel_page, run, ids))
        if len(ids) < PAGE:
            return
        after_id = ids[-1]


def _cancel_page(run: Run, ids: Sequence[str], tx: Transaction) -> None:
    shop = contract.read_shop(tx, run.settings, run.clock)
    subscriptions = contract.read_subscriptions(tx, ids)
    rounds = tx.rows("open_rounds_of", ids=list(ids))
    for round_ in rounds:
        void_round(run, tx, round_, "the PG was changed or reset")
    if rounds:
        for message in tx.rows("notices_waiting", ids=[round_["round_id"] for round_ in rounds]):
            expire(run, message, tx)
    for subscription in subscriptions.values():
        _cancel(run, shop, subscription, tx)


def _cancel(run: Run, shop: ShopState, subscription: Subscription, tx: Transaction) -> None:
    key, at = subscription.subscription_id, run.clock.local()
    if not tx.change("cancel_subscription", subscription_id=key, at=at):
        return
    tx.change("cancel_items", subscription_id=key, at=at)
    tx.change("log", subscription_id=key, event="auto_cancelled", detail="PG 변경·초기화로 자동 해지", at=at)
    queue_once(tx, messages_for(shop, subscription, "auto_cancel", key, run.clock.now()))
    tx.count("cancelled")
