"""Tell a person which rounds are not sealed and why, and take it back once it is over."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from lib import shop as contract
from lib.billing import words
from lib.billing.rounds import SHOP_WIDE, pg_fault
from lib.run import Run
from lib.sealing.reading import PAGE, Sealed, horizon
from lib.shop import ShopState
from lib.store import Transaction

KINDS = ("blocked", "bad_row")
ROUND = "round "


def report(run: Run, page: Sealed) -> None:
    """Open a matter for what is blocked or wrong, close those of what was sealed."""
    run.store.transaction(partial(_report, run, page))


def _report(run: Run, page: Sealed, tx: Transaction) -> None:
    now = run.clock.now()
    for kind in KINDS:
        run.matters.close(tx, kind, [plan.subscription.subscription_id for plan in page.plans], now)
    for bad in page.bad:
        run.matters.open(tx, bad.subscription_id, "bad_row", f"{bad.reason}. 쇼핑몰에서 고치세요", now)
    for plan, reason in page.blocked:
        if reason in SHOP_WIDE:
            subject, detail = plan.pg_code, words.blocked(reason)
        else:
            subject = plan.subscription.subscription_id
            detail = f"{plan.delivery_on} 회차를 안내하지 않음: {words.blocked(reason)}"
        run.matters.open(tx, subject, "blocked", detail, now)


def close_over(run: Run, hindered: Collection[str]) -> None:
    """Close the matters of subscriptions that were cancelled, paused or moved, and of PGs that work again.

    `hindered` are the PGs whose rounds this run could not seal. Charging reports blocked rounds too: a matter
    stays while an announced round waits for it.
    """
    after_id = 0
    while True:
        rows = run.store.rows("matters_of_rounds", kinds=KINDS, after_id=after_id, page=PAGE)
        if rows:
            subjects = {row["subject"] for row in rows}
            run.store.transaction(partial(_close_over, run, subjects, hindered))
        if len(rows) < PAGE:
            return
        after_id = rows[-1]["matter_id"]


def _close_over(run: Run, subjects: Collection[str], hindered: Collection[str], tx: Transaction) -> None:
    shop = contract.read_shop(tx, run.settings, run.clock)
    asked = sorted(subjects)
    waiting = {row["subject"] for row in tx.rows("still_unsealed", ids=asked, horizon=horizon(run))}
    waiting |= {row["subject"] for row in tx.rows("announced_of", ids=asked)}
    waiting |= _unfinished(asked, tx)
    pgs = {row["subject"] for row in tx.rows("announced_through", ids=asked)}
    waiting |= {pg_code for pg_code in pgs if _is_hindered(shop, pg_code)}
    over = [each for each in asked if each not in waiting and each not in hindered]
    for kind in KINDS:
        run.matters.close(tx, kind, over, run.clock.now())


def _unfinished(subjects: Collection[str], tx: Transaction) -> set[str]:
    """Return which of them are rounds that are not over: what charging cannot read, it tells by the round."""
    ids = [int(each.removeprefix(ROUND)) for each in subjects if each.startswith(ROUND)]
    return {f"{ROUND}{row['round_id']}" for row in (tx.rows("unfinished_rounds", ids=ids) if ids else [])}


def _is_hindered(shop: ShopState, pg_code: str) -> bool:
    return not shop.is_ready or pg_fault(shop.pg(pg_code)) is not None
