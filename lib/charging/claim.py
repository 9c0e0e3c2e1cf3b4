"""Claim a charge: decide each due round, and commit its attempt before a socket opens."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from lib import shop as contract
from lib.billing import texts
from lib.billing.dunning import choose_card, in_quiet_hours, next_slot
from lib.billing.numbers import order_no
from lib.billing.rounds import SHOP_WIDE, card_fault
from lib.charging.desk import Desk
from lib.closing import fail_round, hold_round, miss_round, void_round
from lib.dialect import as_date
from lib.gateways import Attempt, Card
from lib.run import Run, lease
from lib.shop import Item, Subscription
from lib.standing import Judge, card_standing
from lib.store import Row, Transaction, utc

MAX_ATTEMPTS = 99
"""The order number has two digits for the attempt."""


@dataclass(frozen=True)
class Claimed:
    """An attempt that is ours to send, with the card as it was read."""

    attempt: Attempt
    card: Card
    lease_until: datetime


@dataclass(frozen=True)
class Decision:
    """What a claim comes to for one round, and why."""

    verdict: Literal["charge", "free", "void", "blocked", "ended", "wait", "later", "hold"]
    reason: str = ""
    card: Card | None = None
    attempt_no: int = 0


@dataclass(frozen=True)
class ClaimFacts:
    """What a batch of due rounds is decided from, read in one transaction."""

    judge: Judge
    subscriptions: Mapping[str, Subscription]
    lines: Mapping[int, Sequence[Row]]
    items: Mapping[int, Item]
    attempts: Mapping[int, Sequence[Row]]
    ordered_rounds: Mapping[tuple[str, date], str]
    ordered_items: Mapping[tuple[int, date], str]


def claim(
    run: Run, desk: Desk, ids: Sequence[int], tried: Mapping[int, Collection[int]], tx: Transaction
) -> list[Claimed]:
    """Decide and claim a batch of due rounds in one transaction; returns the attempts to send."""
    tx.rows("lock_installation_shared")
    rounds = tx.rows("lock_due_rounds", ids=list(ids))
    if not rounds:
        return []
    facts = read_claim_facts(run, rounds, tx)
    claimed = []
    for round_ in rounds:
        decision = decide(run, desk, round_, facts, tried.get(round_["round_id"], ()))
        if decision.verdict == "charge" and decision.card:
            claimed.append(_start(run, desk, round_, decision, facts, tx))
        else:
            _close_or_leave(run, round_, decision, facts, tx)
    return claimed


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
    return ClaimFacts(
        judge=Judge(run.settings, shop, cards),
        subscriptions=subscriptions,
        lines=lines,
        items=items,
        attempts=_by_round(tx.rows("attempts_of_rounds", ids=ids)),
        ordered_rounds=contract.read_orders_since(tx, subscriptions, since),
        ordered_items=contract.read_order_lines_since(tx, items, since),
    )


def _by_round(rows: Sequence[Row]) -> dict[int, list[Row]]:
    grouped: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row["round_id"]].append(row)
    return grouped


def decide(run: Run, desk: Desk, round_: Row, facts: ClaimFacts, tried: Collection[int]) -> Decision:
    """Decide what to do with a due round now; changes nothing."""
    subscription = facts.subscriptions.get(round_["subscription_id"])
    hindrance = unwanted(run, round_, subscription, facts)
    if hindrance or subscription is None:
        return hindrance or Decision("void", "the subscription is gone")
    attempts = facts.attempts.get(round_["round_id"], [])
    if not attempts and in_quiet_hours(run.clock.local(), run.settings.policy.quiet_hours):
        return Decision("later", "quiet hours")
    if round_["amount_krw"] == 0:
        return Decision("free")
    return _choose(desk, facts.judge, subscription, attempts, tried)


def unwanted(run: Run, round_: Row, subscription: Subscription | None, facts: ClaimFacts) -> Decision | None:
    """Say why a round is not charged now whatever the card, or None: the charge is still wanted."""
    if subscription is None or subscription.state != "U":
        return Decision("void", "the subscription is no longer in use")
    live = [
        item
        for line in facts.lines.get(round_["round_id"], [])
        if line["excluded_reason"] is None
        and (item := facts.items.get(line["item_id"]))
        and item.state == "U"
    ]
    if not live:
        return Decision("void", "no announced item is in use")
    today = run.clock.local().date()
    if as_date(round_["charge_until"]) < today:
        return Decision("ended", f"the last day of the charge was {round_['charge_until']}")
    if as_date(round_["charge_on"]) > today or as_date(round_["announced_on"]) >= today:
        return Decision("later", "not before the day after the notice")
    reason = facts.judge.blocked(
        subscription,
        earliest_on=min(item.delivery_on for item in live),
        is_ordered=_is_ordered(round_, live, facts),
    )
    return Decision("blocked", reason) if reason else None


def _is_ordered(round_: Row, items: Sequence[Item], facts: ClaimFacts) -> bool:
    on = as_date(round_["delivery_on"])
    return (round_["subscription_id"], on) in facts.ordered_rounds or any(
        (item.item_id, on) in facts.ordered_items for item in items
    )


def _choose(
    desk: Desk, judge: Judge, subscription: Subscription, attempts: Sequence[Row], tried: Collection[int]
) -> Decision:
    cards = usable_cards(judge, subscription)
    hard = {row["card_id"] for row in attempts if row["decline"] == "hard"}
    chosen = choose_card([card.card_id for card in cards], hard, tried)
    if chosen is None:
        return Decision("wait", "every stored card was declined")
    card = next(card for card in cards if card.card_id == chosen)
    if desk.gateway(card.pg_code) is None:
        return Decision("later", f"{card.pg_code} cannot be called now")
    attempt_no = max((row["attempt_no"] for row in attempts), default=0) + 1
    if attempt_no > MAX_ATTEMPTS:
        return Decision("hold", f"{MAX_ATTEMPTS} attempts are used up")
    return Decision("charge", card=card, attempt_no=attempt_no)


def usable_cards(judge: Judge, subscription: Subscription) -> list[Card]:
    """Return the main card and, where it may be charged, the backup card."""
    main, backup = judge.main_card(subscription), judge.backup_card(subscription)
    cards = [main] if main else []
    if judge.settings.policy.backup_card and backup and backup != main:
        fault = card_fault(card_standing(backup), subscription.member_id, judge.shop.pg(backup.pg_code))
        cards += [] if fault else [backup]
    return cards


def _start(
    run: Run, desk: Desk, round_: Row, decision: Decision, facts: ClaimFacts, tx: Transaction
) -> Claimed:
    card = decision.card
    gateway = desk.gateways[card.pg_code] if card else None
    if card is None or gateway is None:
        raise AssertionError("a claim has a card and a PG")
    number = order_no(
        facts.judge.shop.shop_no,
        round_["subscription_id"],
        as_date(round_["delivery_on"]),
        decision.attempt_no,
    )
    draft = Attempt(
        attempt_id=0,
        round_id=round_["round_id"],
        attempt_no=decision.attempt_no,
        pg_code=card.pg_code,
        order_no=number,
        order_name=order_name(facts.lines[round_["round_id"]], round_["round_no"]),
        amount_krw=round_["amount_krw"],
        card_id=card.card_id,
        sent_at=run.clock.now(),
    )
    digest = gateway.digest(draft, card)
    until = lease(run.settings.gateways()[card.pg_code].lease)
    tx.change("move_round", round_id=draft.round_id, from_state="due", to_state="charging", reason=None)
    attempt_id = tx.insert(
        "insert_attempt",
        **{key: getattr(draft, key) for key in ATTEMPT_COLUMNS},
        request_digest=digest,
        sent_on=run.clock.to_local(draft.sent_at).date(),
        lease_until=until,
    )
    return Claimed(
        Attempt(attempt_id, **{key: getattr(draft, key) for key in ATTEMPT_COLUMNS}, request_digest=digest),
        card,
        until,
    )


ATTEMPT_COLUMNS = (
    "round_id",
    "attempt_no",
    "pg_code",
    "order_no",
    "order_name",
    "amount_krw",
    "card_id",
    "sent_at",
)


def read_attempt(row: Row) -> Attempt:
    """Read an attempt as its gateway wants it."""
    return Attempt(
        attempt_id=row["attempt_id"],
        round_id=row["round_id"],
        attempt_no=row["attempt_no"],
        pg_code=row["pg_code"],
        order_no=row["order_no"],
        order_name=row["order_name"],
        amount_krw=row["amount_krw"],
        card_id=row["card_id"],
        sent_at=utc(row["sent_at"]),
        request_digest=row["request_digest"],
    )


def order_name(lines: Sequence[Row], round_no: int) -> str:
    """Name the goods as the customer's card statement shows them, within 40 characters."""
    included = [line for line in lines if line["excluded_reason"] is None]
    more = f" 외 {len(included) - 1}건" if len(included) > 1 else ""
    tail = f"{more} {round_no}회차"
    name = texts.clean(included[0]["product_name"]) or "정기배송"
    return f"{name[: 40 - len(tail)]}{tail}"


def _close_or_leave(run: Run, round_: Row, decision: Decision, facts: ClaimFacts, tx: Transaction) -> None:
    match decision.verdict:
        case "free":
            _pay_nothing(run, round_, facts, tx)
        case "void":
            void_round(run, tx, round_, decision.reason)
        case "hold":
            hold_round(run, tx, round_, decision.reason)
        case "blocked":
            _report_blocked(run, round_, decision.reason, facts, tx)
        case "ended":
            end_round(run, round_, facts, tx)
        case "wait":
            _wait_for_card(run, round_, facts, tx)
        case _:
            pass


def _pay_nothing(run: Run, round_: Row, facts: ClaimFacts, tx: Transaction) -> None:
    number = order_no(facts.judge.shop.shop_no, round_["subscription_id"], as_date(round_["delivery_on"]), 0)
    if tx.change("pay_round", round_id=round_["round_id"], order_no=number, paid_at=run.clock.now()):
        tx.count("paid")


def _report_blocked(run: Run, round_: Row, reason: str, facts: ClaimFacts, tx: Transaction) -> None:
    subscription = facts.subscriptions[round_["subscription_id"]]
    card = facts.judge.main_card(subscription)
    pg_code = card.pg_code if card else subscription.pg_code
    if reason == "reset_in_progress":
        run.postpone(f"a reset of {pg_code} is being carried out; reset_pg goes on with it")
    subject = pg_code if reason in SHOP_WIDE else round_["subscription_id"]
    detail = f"{reason}: the round of {round_['delivery_on']} is not charged"
    run.matters.open(tx, subject, "blocked", detail, run.clock.now())
    tx.count("blocked")


def end_round(run: Run, round_: Row, facts: ClaimFacts, tx: Transaction) -> None:
    """Close a round whose days of charging are over: failed after a decline, else missed."""
    if any(row["state"] == "declined" for row in facts.attempts.get(round_["round_id"], [])):
        subscription = facts.subscriptions.get(round_["subscription_id"])
        fail_round(run, tx, round_, facts.judge.shop, subscription)
    else:
        miss_round(run, tx, round_, f"it could not be charged until {round_['charge_until']}")


def _wait_for_card(run: Run, round_: Row, facts: ClaimFacts, tx: Transaction) -> None:
    """Every card was declined: wait for a new one until the slots are over."""
    policy = run.settings.policy
    slot = next_slot(run.clock.local(), policy.retry_times, as_date(round_["charge_until"]))
    if slot is None:
        end_round(run, round_, facts, tx)
    else:
        tx.change("postpone_round", round_id=round_["round_id"], next_attempt_at=run.clock.to_utc(slot))
