"""Read page after page of what is due, with all that its rounds are decided from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial

from lib import shop as contract
from lib.billing.numbers import ATTEMPT_NO_MAX, order_no
from lib.dialect import as_date
from lib.planning import BadRow, Facts, Plan, Wait, plan_rounds
from lib.run import Run
from lib.shop import Item, Subscription
from lib.standing import Judge
from lib.store import Transaction

PAGE = 500
UNREADABLE = (ValueError, OverflowError, TypeError, AttributeError)
"""What a row that means nothing ends in: the date 0000-00-00, a cycle that leaves the calendar, a NULL."""


@dataclass
class Sealed:
    """What a page came to, for the counts and for `--dry-run`."""

    plans: list[Plan] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    blocked: list[tuple[Plan, str]] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)


def horizon(run: Run) -> date:
    """Return the last delivery date that is announced by now."""
    return run.clock.today + timedelta(days=run.settings.policy.notice_days_before)


def due_pages(run: Run) -> Iterator[dict[str, date]]:
    """Yield pages of subscriptions that have something due, each with the date it was found by."""
    if run.scope.subscriptions:
        yield dict.fromkeys(run.scope.subscriptions, date.min)
        return
    after_on, after_id = date(1, 1, 1), ""
    while True:
        rows = run.store.rows(
            "due_subscriptions", horizon=horizon(run), after_on=after_on, after_id=after_id, page=PAGE
        )
        if rows:
            yield {row["subscription_id"]: as_date(row["delivery_on"]) for row in reversed(rows)}
        if len(rows) < PAGE:
            return
        after_on, after_id = as_date(rows[-1]["delivery_on"]), rows[-1]["subscription_id"]


def read_page(run: Run, due: dict[str, date]) -> Sealed:
    """Read and decide a page; where a row cannot be read, one by one, so that it stops nothing but itself."""
    try:
        return run.store.transaction(partial(read_plans, run, due))
    except UNREADABLE as error:
        if len(due) == 1:
            (subscription_id,) = due
            reason = f"자료를 읽을 수 없음({type(error).__name__})"
            return Sealed(bad=[BadRow(subscription_id, reason)])
    whole = Sealed()
    for key, on in due.items():
        one = read_page(run, {key: on})
        whole.plans += one.plans
        whole.waits += one.waits
        whole.blocked += one.blocked
        whole.bad += one.bad
    return whole


def read_plans(run: Run, due: dict[str, date], tx: Transaction) -> Sealed:
    """Read what a page needs and decide each round; changes nothing."""
    facts = read_facts(run, due, tx)
    result = Sealed()
    for plan in plan_rounds(facts):
        if isinstance(plan, BadRow):
            result.bad.append(plan)
            continue
        earliest_on = plan.item.delivery_on if isinstance(plan, Wait) else plan.earliest_stored_on
        reason = facts.judge.blocked(plan.subscription, earliest_on=earliest_on, is_ordered=plan.is_ordered)
        if isinstance(plan, Wait):
            result.waits += [] if reason else [plan]
        elif reason:
            result.blocked.append((plan, reason))
        else:
            result.plans.append(plan)
    return result


def read_facts(run: Run, due: dict[str, date], tx: Transaction) -> Facts:
    """Read all that sealing a page of subscriptions needs, in a dozen statements.

    A subscription due at several dates is taken whole at its first; at a later one it is passed by.
    """
    today = run.clock.today
    shop = contract.read_shop(tx, run.settings, run.clock)
    subscriptions = {
        key: each for key, each in contract.read_subscriptions(tx, due).items() if each.state == "U"
    }
    grouped = _by_subscription(contract.read_due_items(tx, subscriptions, horizon(run)))
    grouped = {
        key: each
        for key, each in grouped.items()
        if min(item.delivery_on for item in each) >= due.get(key, date.min)
    }
    items = [item for each in grouped.values() for item in each]
    item_ids = [item.item_id for item in items]
    products = {item.product_no for item in items}
    oldest = min((item.delivery_on for item in items), default=today)
    cards = contract.read_cards(tx, (each.card_id for each in subscriptions.values()))
    return Facts(
        settings=run.settings,
        today=today,
        now=run.clock.local(),
        judge=Judge(run.settings, shop, cards),
        subscriptions=subscriptions,
        items=grouped,
        goods=contract.read_goods(tx, products),
        discounts=contract.read_settings(tx, products),
        consents=contract.read_consents(tx, item_ids),
        newest_prices=contract.read_newest_prices(tx, item_ids),
        ordered_rounds=contract.read_orders_since(tx, subscriptions, today),
        ordered_items={
            **contract.read_order_lines_since(tx, item_ids, oldest),
            **_charged_without_trace(tx, shop.shop_no, [item for item in items if item.delivery_on <= today]),
        },
        taken=_rounds_taken(tx, subscriptions, today),
        missed=_missed_in_a_row(tx, [item.item_id for item in items if item.delivery_on <= today]),
    )


def _charged_without_trace(
    tx: Transaction, shop_no: int, late: Sequence[Item]
) -> dict[tuple[int, date], str]:
    """Return the late items whose round was charged before a backup was restored, with its order number.

    The ledger has such an approval from this host's spool, and nothing else is left of it. On its own day the
    round would be charged under its own number, which the PG knows; on a new one it would be charged again.
    """
    found: dict[tuple[int, date], str] = {}
    for item in late:
        first, last = (
            order_no(shop_no, item.subscription_id, item.delivery_on, number)
            for number in (1, ATTEMPT_NO_MAX)
        )
        if row := tx.row("approved_without_attempt", first=first, last=last):
            found[item.item_id, item.delivery_on] = row["order_no"]
    return found


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
