"""Claim a charge: decide each due round, and commit its attempt before a socket opens."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from lib import shop as contract
from lib.billing import words
from lib.billing.dunning import choose_card, in_quiet_hours, next_slot
from lib.billing.numbers import order_no
from lib.billing.rounds import SHOP_WIDE, card_fault
from lib.charging.desk import Desk
from lib.charging.start import Claimed, draft, start
from lib.closing import fail_round, hold_round, is_in_use, miss_round, void_reason, void_round
from lib.dialect import as_date
from lib.gateways import Attempt, Card
from lib.run import Run
from lib.shop import Item, Subscription
from lib.standing import Judge, card_standing
from lib.store import Row, Transaction, utc

MAX_ATTEMPTS = 99
"""The order number has two digits for the attempt."""


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
    run: Run,
    desk: Desk,
    tried: Mapping[int, Collection[int]],
    token: str,
    ids: Sequence[int],
    tx: Transaction,
) -> list[Claimed]:
    """Decide and claim a batch of due rounds in one transaction; returns the attempts to send.

    `tried` holds the cards this run has tried, by round; `token` is new for every batch.
    """
    tx.rows("lock_installation_shared")
    rounds = [round_ for round_ in tx.rows("lock_due_rounds", ids=list(ids)) if _is_due(run, round_, tried)]
    claimed = _claimed_before(ids, token, tx) if len(rounds) < len(ids) else []
    tx.count("due", sum(each.attempt.round_id not in tried for each in claimed))
    if not rounds:
        return claimed
    facts = read_claim_facts(run, rounds, tx)
    unblocked: list[str] = []
    for round_ in rounds:
        tx.count("due", int(round_["round_id"] not in tried))
        decision = decide(run, desk, round_, facts, tried.get(round_["round_id"], ()))
        if decision.verdict == "charge" and decision.card:
            lines = facts.lines[round_["round_id"]]
            number, at = decision.attempt_no, run.clock.now()
            attempt = draft(facts.judge.shop.shop_no, round_, lines, decision.card, number, at)
            claimed.append(start(run, desk, attempt, decision.card, token, tx))
            unblocked += [round_["subscription_id"], attempt.pg_code]
        else:
            _close_or_leave(run, round_, decision, facts, tx)
    run.matters.close(tx, "blocked", unblocked, run.clock.now())
    return claimed


def _is_due(run: Run, round_: Row, tried: Collection[int]) -> bool:
    """Tell whether a round is still for us: another run may have put it off since its page was read."""
    return round_["round_id"] in tried or utc(round_["next_attempt_at"]) <= run.clock.as_of


def _claimed_before(ids: Sequence[int], token: str, tx: Transaction) -> list[Claimed]:
    """Find what this very claim has committed already: the answer to its COMMIT got lost on the way."""
    rows = tx.rows("attempts_of_claim", ids=list(ids), token=token)
    cards = contract.read_cards(tx, (row["card_id"] for row in rows))
    return [
        Claimed(read_attempt(row), cards[row["card_id"]], utc(row["lease_until"]))
        for row in rows
        if row["card_id"] in cards
    ]


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
        return hindrance or Decision("void", "신청이 없음")
    attempts = facts.attempts.get(round_["round_id"], [])
    if any(row["state"] == "approved" for row in attempts):
        return Decision("hold", "앞 시도가 이미 승인됨")
    if not attempts and in_quiet_hours(run.clock.local(), run.settings.policy.quiet_hours):
        return Decision("later", "야간 시간")
    if round_["amount_krw"] == 0:
        return Decision("free")
    return _choose(desk, facts.judge, subscription, attempts, tried)


def unwanted(run: Run, round_: Row, subscription: Subscription | None, facts: ClaimFacts) -> Decision | None:
    """Say why a round is not charged now whatever the card, or None: the charge is still wanted."""
    live = [
        item
        for line in facts.lines.get(round_["round_id"], [])
        if line["excluded_reason"] is None and (item := facts.items.get(line["item_id"])) and is_in_use(item)
    ]
    gone = void_reason(subscription, bool(live))
    if gone or subscription is None:
        return Decision("void", gone or "")
    today = run.clock.local().date()
    if as_date(round_["charge_until"]) < today:
        return Decision("ended", f"결제 기간({round_['charge_until']}까지)이 끝남")
    if as_date(round_["charge_on"]) > today or as_date(round_["announced_on"]) >= today:
        return Decision("later", "안내 다음 날부터 결제")
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
        return Decision("wait", "저장된 카드가 모두 거절됨")
    card = next(card for card in cards if card.card_id == chosen)
    if desk.gateway(card.pg_code) is None:
        return Decision("later", f"{card.pg_code} 를 지금 호출할 수 없음")
    attempt_no = max((row["attempt_no"] for row in attempts), default=0) + 1
    if attempt_no > MAX_ATTEMPTS:
        return Decision("hold", f"시도 {MAX_ATTEMPTS}회를 모두 씀")
    return Decision("charge", card=card, attempt_no=attempt_no)


def usable_cards(judge: Judge, subscription: Subscription) -> list[Card]:
    """Return the main card and, where it may be charged, the backup card."""
    main, backup = judge.main_card(subscription), judge.backup_card(subscription)
    cards = [main] if main else []
    if judge.settings.policy.backup_card and backup and backup != main:
        fault = card_fault(card_standing(backup), subscription.member_id, judge.shop.pg(backup.pg_code))
        cards += [] if fault else [backup]
    return cards


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
        run.postpone(
            f"{pg_code}: PG 초기화가 진행 중이라 결제하지 않습니다. reset-pg 가 끝나면 다시 실행하세요"
        )
    subject = pg_code if reason in SHOP_WIDE else round_["subscription_id"]
    detail = f"{round_['delivery_on']} 회차를 결제하지 않음: {words.blocked(reason)}"
    run.matters.open(tx, subject, "blocked", detail, run.clock.now())
    tx.count("blocked")


def end_round(run: Run, round_: Row, facts: ClaimFacts, tx: Transaction) -> None:
    """Close a round whose days of charging are over: failed after a decline, else missed."""
    if any(row["state"] == "declined" for row in facts.attempts.get(round_["round_id"], [])):
        subscription = facts.subscriptions.get(round_["subscription_id"])
        fail_round(run, tx, round_, facts.judge.shop, subscription)
    else:
        miss_round(run, tx, round_, f"{round_['charge_until']}까지 결제하지 못함")


def _wait_for_card(run: Run, round_: Row, facts: ClaimFacts, tx: Transaction) -> None:
    """Every card was declined: wait for a new one until the slots are over."""
    policy = run.settings.policy
    slot = next_slot(run.clock.local(), policy.retry_times, as_date(round_["charge_until"]))
    if slot is None:
        end_round(run, round_, facts, tx)
    else:
        tx.change("postpone_round", round_id=round_["round_id"], next_attempt_at=run.clock.to_utc(slot))
