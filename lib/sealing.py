"""Seal the rounds that are due: fix their items and amounts, and queue the payment notices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial

from sqlalchemy.exc import DataError, IntegrityError

from lib import shop as contract
from lib.billing import texts
from lib.billing.calendar import charge_window
from lib.billing.rounds import SHOP_WIDE
from lib.dialect import as_date
from lib.outbox.queue import messages_for
from lib.planning import BadRow, Facts, Plan, plan_rounds
from lib.run import Run
from lib.shop import Item, Subscription
from lib.standing import Judge
from lib.store import DuplicateError, Row, Transaction

PAGE = 500


class MovedError(Exception):
    """A row changed between reading and sealing; the batch is done again round by round."""


@dataclass
class Sealed:
    """What a page came to, for the counts and for `--dry-run`."""

    plans: list[Plan] = field(default_factory=list)
    blocked: list[tuple[Plan, str]] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)


def seal_due(run: Run) -> Iterator[Sealed]:
    """Seal page after page of what is due; yields what each page came to."""
    left = run.scope.limit
    for due in due_pages(run):
        page = run.store.transaction(partial(read_plans, run, due))
        if left is not None:
            page.plans = page.plans[:left]
            left -= len(page.plans)
        seal_page(run, page)
        yield page
        if left == 0:
            return


def plan_due(run: Run) -> Iterator[Sealed]:
    """Yield what sealing would come to, page after page; changes nothing."""
    for due in due_pages(run):
        yield run.store.transaction(partial(read_plans, run, due))


def count(run: Run, page: Sealed) -> None:
    """Count what a page came to."""
    counts = run.counts
    counts["due"] += len(page.plans) + len(page.blocked) + len(page.bad)
    counts["sealed"] += sum(not plan.is_skipped for plan in page.plans)
    counts["skipped"] += sum(plan.is_skipped for plan in page.plans)
    counts["late"] += sum(plan.is_late for plan in page.plans)
    counts["blocked"] += len(page.blocked)
    counts["dropped_items"] += sum(len(plan.dropped) for plan in page.plans)
    run.on_step(len(page.plans))


def due_pages(run: Run) -> Iterator[dict[str, date]]:
    """Yield pages of subscriptions that have something due, each with the date it was found by."""
    horizon = run.clock.today + timedelta(days=run.settings.policy.notice_days_before)
    if run.scope.subscriptions:
        yield dict.fromkeys(run.scope.subscriptions, date.min)
        return
    after_on, after_id = date(1, 1, 1), ""
    while True:
        rows = run.store.rows(
            "due_subscriptions", horizon=horizon, after_on=after_on, after_id=after_id, page=PAGE
        )
        if rows:
            yield {row["subscription_id"]: as_date(row["delivery_on"]) for row in reversed(rows)}
        if len(rows) < PAGE:
            return
        after_on, after_id = as_date(rows[-1]["delivery_on"]), rows[-1]["subscription_id"]


def read_plans(run: Run, due: dict[str, date], tx: Transaction) -> Sealed:
    """Read what a page needs and decide each round; changes nothing."""
    facts = read_facts(run, due, tx)
    result = Sealed()
    for plan in plan_rounds(facts):
        if isinstance(plan, BadRow):
            result.bad.append(plan)
            continue
        reason = facts.judge.blocked(
            plan.subscription, earliest_on=plan.earliest_stored_on, is_ordered=plan.is_ordered
        )
        if reason:
            result.blocked.append((plan, reason))
        else:
            result.plans.append(plan)
    return result


def read_facts(run: Run, due: dict[str, date], tx: Transaction) -> Facts:
    """Read all that sealing a page of subscriptions needs, in a dozen statements.

    A subscription due at several dates is taken whole at its first; at a later one it is passed by.
    """
    today = run.clock.today
    horizon = today + timedelta(days=run.settings.policy.notice_days_before)
    shop = contract.read_shop(tx, run.settings, run.clock)
    subscriptions = {
        key: each for key, each in contract.read_subscriptions(tx, due).items() if each.state == "U"
    }
    grouped = _by_subscription(contract.read_due_items(tx, subscriptions, horizon))
    grouped = {
        key: each for key, each in grouped.items() if min(item.delivery_on for item in each) >= due[key]
    }
    items = [item for each in grouped.values() for item in each]
    item_ids = [item.item_id for item in items]
    products = {item.product_no for item in items}
    oldest = min((item.delivery_on for item in items), default=today)
    cards = contract.read_cards(tx, (each.card_id for each in subscriptions.values()))
    return Facts(
        settings=run.settings,
        today=today,
        judge=Judge(run.settings, shop, cards),
        subscriptions=subscriptions,
        items=grouped,
        goods=contract.read_goods(tx, products),
        discounts=contract.read_settings(tx, products),
        consents=contract.read_consents(tx, item_ids),
        newest_prices=contract.read_newest_prices(tx, item_ids),
        ordered_rounds=contract.read_orders_since(tx, subscriptions, today),
        ordered_items=contract.read_order_lines_since(tx, item_ids, oldest),
        taken=_rounds_taken(tx, subscriptions, today),
        missed=_missed_in_a_row(tx, [item.item_id for item in items if item.delivery_on <= today]),
    )


def _by_subscription(items: Sequence[Item]) -> dict[str, list[Item]]:
    grouped: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        grouped[item.subscription_id].append(item)
    return grouped


def _rounds_taken(tx: Transaction, ids: dict[str, Subscription], since: date) -> dict[str, set[date]]:
    taken: dict[str, set[date]] = defaultdict(set)
    for row in tx.rows("rounds_taken", ids=list(ids), since=since) if ids else []:
        taken[row["subscription_id"]].add(as_date(row["delivery_on"]))
    return taken


def _missed_in_a_row(tx: Transaction, item_ids: list[int]) -> dict[int, int]:
    missed: dict[int, int] = defaultdict(int)
    ended: set[int] = set()
    for row in tx.rows("item_rounds", ids=item_ids) if item_ids else []:
        if row["state"] != "missed":
            ended.add(row["item_id"])
        elif row["item_id"] not in ended:
            missed[row["item_id"]] += 1
    return missed


def seal_page(run: Run, page: Sealed) -> None:
    """Write a page in one transaction; where that fails, round by round, so that one bad row stops nothing."""
    try:
        run.store.transaction(partial(_write, run, page.plans))
    except (DuplicateError, MovedError, DataError, IntegrityError):
        page.plans = [plan for plan in page.plans if _seal_one(run, plan)]
    run.store.transaction(partial(_report, run, page))


def _seal_one(run: Run, plan: Plan) -> bool:
    try:
        run.store.transaction(partial(_write, run, [plan]))
    except (DuplicateError, MovedError):
        return False  # another run, or the storefront, was faster; the next run looks again
    except (DataError, IntegrityError) as error:
        detail = (
            f"the round of {plan.delivery_on} cannot be stored ({type(error).__name__}); correct its rows"
        )
        run.store.transaction(
            lambda tx: run.matters.open(
                tx, plan.subscription.subscription_id, "bad_row", detail, run.clock.now()
            )
        )
        return False
    return True


def _write(run: Run, plans: Sequence[Plan], tx: Transaction) -> None:
    if not plans:
        return
    shop = plans[0].shop
    now = run.clock.now()
    tx.change_many("insert_round", [_round_row(run, plan) for plan in plans])
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
    for plan in plans:
        _move_items(tx, plan)
    tx.change_many("log", [_log_row(run, plan) for plan in plans])


def _round_ids(tx: Transaction, plans: Sequence[Plan]) -> dict[tuple[str, date], int]:
    rows: Sequence[Row] = tx.rows(
        "round_ids",
        ids=sorted({plan.subscription.subscription_id for plan in plans}),
        since=min(plan.delivery_on for plan in plans),
    )
    return {(row["subscription_id"], as_date(row["delivery_on"])): row["round_id"] for row in rows}


def _round_row(run: Run, plan: Plan) -> dict[str, object]:
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
        "state_reason": "nothing left to charge" if plan.is_skipped else None,
        "pg_code": plan.pg_code,
        "sealed_at": run.clock.now(),
        "announced_on": None,
        "charge_on": None,
        "charge_until": None,
        "next_attempt_at": None,
    }
    if not plan.is_skipped and not plan.needs_notice:
        today = run.clock.local().date()
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
            "price_now": line.price_now,
            "discount_amount": line.discount_amount,
            "amount": line.amount,
            "excluded_reason": line.excluded_reason,
            "released_at": run.clock.now() if plan.is_skipped else None,
        }


def _move_items(tx: Transaction, plan: Plan) -> None:
    """Write the dates the seal changed, and those after a skipped round; a moved row means somebody was faster."""
    for move in plan.moves:
        name = "advance_item" if plan.is_skipped else "move_item"
        if tx.change(name, **move) == 0:
            raise MovedError(plan.subscription.subscription_id)


def _log_row(run: Run, plan: Plan) -> dict[str, object]:
    dropped = [
        f"{texts.clean(line.item.product_name)}: {line.excluded_reason}"
        for line in plan.lines
        if line.excluded_reason
    ]
    said = f"{plan.delivery_on} {plan.round_no}회차 {texts.won(plan.invoice.amount_krw)}"
    if plan.is_late:
        said += f" (예정일 {plan.earliest_stored_on}에서 변경)"
    if dropped:
        said += f" 제외: {', '.join(dropped)}"
    return {
        "subscription_id": plan.subscription.subscription_id,
        "event": "round_skipped" if plan.is_skipped else "round_sealed",
        "detail": said[:500],
        "at": run.clock.local(),
    }


def _report(run: Run, page: Sealed, tx: Transaction) -> None:
    """Open a matter for what is blocked, close those of what was sealed."""
    now = run.clock.now()
    run.matters.close(tx, "blocked", [plan.subscription.subscription_id for plan in page.plans], now)
    for bad in page.bad:
        run.matters.open(tx, bad.subscription_id, "bad_row", f"{bad.reason}; correct it in the shop", now)
    for plan, reason in page.blocked:
        subject = plan.pg_code if reason in SHOP_WIDE else plan.subscription.subscription_id
        run.matters.open(
            tx, subject, "blocked", f"{reason}: the round of {plan.delivery_on} is not announced", now
        )
