"""Read all that a batch of due rounds is decided from, in one transaction."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from lib import shop as contract
from lib.billing.numbers import order_no
from lib.dialect import as_date
from lib.run import Run
from lib.shop import Item, Subscription
from lib.standing import Judge
from lib.store import Row, Transaction

LIKELY_ATTEMPTS = 12
"""Two cards at two slots on each of three days."""


@dataclass(frozen=True)
class ClaimFacts:
    """What a batch of due rounds is decided from, read in one transaction."""

    judge: Judge
    subscriptions: Mapping[str, Subscription]
    lines: Mapping[int, Sequence[Row]]
    items: Mapping[int, Item]
    attempts: Mapping[int, Sequence[Row]]
    approved: Mapping[int, int]
    """Rounds never tried here that the ledger has an approval of, with the number of its attempt."""
    ordered_rounds: Mapping[tuple[str, date], str]
    ordered_items: Mapping[tuple[int, date], str]


def read_claim_facts(run: Run, rounds: Sequence[Row], tx: Transaction) -> ClaimFacts:
    """Read all that claiming some rounds needs."""
    ids = [round_["round_id"] for round_ in rounds]
    shop = contract.read_shop(tx, run.settings, run.clock)
    subscriptions = contract.read_subscriptions(tx, {round_["subscription_id"] for round_ in rounds})
    lines = _by_round(tx.rows("round_items", ids=ids))
    items = contract.read_items(tx, {line["item_id"] for each in lines.values() for line in each})
    since = min(as_date(round_["delivery_on"]) for round_ in rounds)
    cards = contract.read_cards(
        tx, (card for each in subscriptions.values() for card in (each.card_id, each.backup_card_id))
    )
    attempts = _by_round(tx.rows("attempts_of_rounds", ids=ids))
    return ClaimFacts(
        judge=Judge(run.settings, shop, cards),
        subscriptions=subscriptions,
        lines=lines,
        items=items,
        attempts=attempts,
        approved=_approved(shop.shop_no, [each for each in rounds if each["round_id"] not in attempts], tx),
        ordered_rounds=contract.read_orders_since(tx, subscriptions, since),
        ordered_items=contract.read_order_lines_since(tx, items, since),
    )


def _approved(shop_no: int, untried: Sequence[Row], tx: Transaction) -> dict[int, int]:
    """Find what a database restored from a backup has in its ledger, from the spool, and nowhere else."""
    numbers = {}
    for round_ in untried:
        first = order_no(shop_no, round_["subscription_id"], as_date(round_["delivery_on"]), 1)
        for number in range(1, LIKELY_ATTEMPTS + 1):
            numbers[f"{first[:-2]}{number:02}"] = round_["round_id"], number
    sums: Counter[str] = Counter()
    for row in tx.rows("payments_of", order_nos=list(numbers)) if numbers else ():
        sums[row["order_no"]] += row["amount_krw"] * (1 if row["kind"] == "approve" else -1)
    return dict(numbers[each] for each, amount in sums.items() if amount > 0)


def _by_round(rows: Sequence[Row]) -> dict[int, list[Row]]:
    grouped: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row["round_id"]].append(row)
    return grouped
