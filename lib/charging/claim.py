"""Claim a charge: decide each due round, and commit its attempt before a socket opens."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from lib import shop as contract
from lib.billing import words
from lib.billing.dunning import choose_card, in_quiet_hours, resting_cards
from lib.billing.numbers import order_no
from lib.billing.rounds import SHOP_WIDE, card_fault
from lib.charging.desk import Desk
from lib.charging.evidence import let_count
from lib.charging.reading import ClaimFacts, read_claim_facts
from lib.charging.start import Claimed, draft, start
from lib.charging.waiting import end_round, wait_for_slot
from lib.closing import hold_round, is_in_use, void_reason, void_round
from lib.dialect import as_date
from lib.gateways import Attempt, Card
from lib.run import Run
from lib.shop import Subscription
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
            started = start(run, desk, attempt, decision.card, token, tx)
            if facts.approved.get(round_["round_id"]):
                let_count(run, attempt.pg_code, attempt.order_no, "spool", tx, is_news=True)
            else:
                claimed.append(started)
            unblocked += [round_["subscription_id"], attempt.pg_code]
        else:
            _close_or_leave(run, round_, decision, facts, tx)
            if round_["round_id"] in tried and decision.verdict in {"later", "blocked"}:
                # Declined in this run, and the other card cannot be tried now.
                said = words.BLOCKED.get(decision.reason, decision.reason)
                wait_for_slot(run, round_, said, facts, tx, may_end=False)
    run.matters.close(tx, "blocked", unblocked, run.clock.now())
    run.matters.close(tx, "bad_row", [f"round {each['round_id']}" for each in rounds], run.clock.now())
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


def decide(run: Run, desk: Desk, round_: Row, facts: ClaimFacts, tried: Collection[int]) -> Decision:
    """Decide what to do with a due round now; changes nothing."""
    subscription = facts.subscriptions.get(round_["subscription_id"])
    hindrance = unwanted(run, round_, subscription, facts)
    if hindrance or subscription is None:
        return hindrance or Decision("void", "신청이 없음")
    attempts = facts.attempts.get(round_["round_id"], [])
    if any(row["state"] == "approved" for row in attempts):
        return Decision("hold", "앞 시도가 이미 승인됨")
    if waits_for_morning(run, attempts):
        return Decision("later", "조용한 시간")
    if round_["amount_krw"] == 0:
        return Decision("free")
    return _choose(run, desk, round_, facts, tried)


def waits_for_morning(run: Run, attempts: Sequence[Row]) -> bool:
    """Tell whether it is night and the next charge no retry: only a declined round is charged at night."""
    is_retry = bool(attempts) and attempts[-1]["state"] == "declined"
    return not is_retry and in_quiet_hours(run.clock.local(), run.settings.policy.quiet_hours)


def unwanted(run: Run, round_: Row, subscription: Subscription | None, facts: ClaimFacts) -> Decision | None:
    """Say why a round is not charged now whatever the card, or None: the charge is still wanted."""
    included = [line for line in facts.lines.get(round_["round_id"], []) if line["excluded_reason"] is None]
    live = [item for line in included if (item := facts.items.get(line["item_id"])) and is_in_use(item)]
    gone = void_reason(subscription, bool(live))
    if gone or subscription is None:
        return Decision("void", gone or "")
    today = run.clock.local().date()
    if as_date(round_["charge_until"]) < today:
        return Decision("ended", f"결제기한({round_['charge_until']}까지)이 끝남")
    if as_date(round_["charge_on"]) > today or as_date(round_["announced_on"]) >= today:
        return Decision("later", "안내 다음 날부터 결제")
    reason = facts.judge.blocked(
        subscription,
        earliest_on=min(item.delivery_on for item in live),
        is_ordered=_is_ordered(round_, included, facts),
    )
    return Decision("blocked", reason) if reason else None


def _is_ordered(round_: Row, lines: Sequence[Row], facts: ClaimFacts) -> bool:
    """Tell whether the shop has an order for the round, or of an item in it, cancelled since or not.

    Our own is none: a database restored from a backup may not know that it charged the round. The PG knows
    the number, and the write-back the order.
    """
    orders = _orders(round_, lines, facts)
    return bool(orders) and not all(_number_of(each, round_, facts) for each in orders)


def _orders(round_: Row, lines: Sequence[Row], facts: ClaimFacts) -> set[str]:
    on = as_date(round_["delivery_on"])
    found = {facts.ordered_rounds.get((round_["subscription_id"], on))}
    found |= {facts.ordered_items.get((line["item_id"], on)) for line in lines}
    return {each for each in found if each is not None}


def _number_of(order_id: str, round_: Row, facts: ClaimFacts) -> int:
    """Return the number of the attempt that an order is named after; 0: it is none of this round's."""
    digits, on = order_id[-2:], as_date(round_["delivery_on"])
    if not (digits.isascii() and digits.isdecimal()):
        return 0
    ours = order_no(facts.judge.shop.shop_no, round_["subscription_id"], on, int(digits))
    return int(digits) if order_id == ours else 0


def _choose(run: Run, desk: Desk, round_: Row, facts: ClaimFacts, tried: Collection[int]) -> Decision:
    card = untried_card(run, round_, facts, tried)
    if card is None:
        return Decision("wait", "저장된 카드가 모두 거절됨")
    if desk.gateway(card.pg_code) is None:
        return Decision("later", f"{card.pg_code} 를 지금 호출할 수 없음")
    attempts = facts.attempts.get(round_["round_id"], [])
    attempt_no = max((row["attempt_no"] for row in attempts), default=_traced(round_, facts) - 1) + 1
    if attempt_no > MAX_ATTEMPTS:
        return Decision("hold", f"시도 {MAX_ATTEMPTS}회를 모두 씀")
    return Decision("charge", card=card, attempt_no=attempt_no)


def _traced(round_: Row, facts: ClaimFacts) -> int:
    """Return the number of a round's first attempt here: where its approval is known, that attempt's."""
    orders = _orders(round_, facts.lines.get(round_["round_id"], []), facts)
    numbers = [_number_of(each, round_, facts) for each in orders]
    return max([*numbers, facts.approved.get(round_["round_id"], 0), 1])


def untried_card(run: Run, round_: Row, facts: ClaimFacts, tried: Collection[int]) -> Card | None:
    """Return the card that a round is charged to next; `tried` are the cards this run has tried for it."""
    subscription = facts.subscriptions.get(round_["subscription_id"])
    if subscription is None:
        return None
    policy = run.settings.policy
    cards = {card.card_id: card for card in usable_cards(facts.judge, subscription)}
    declined = [row for row in facts.attempts.get(round_["round_id"], []) if row["state"] == "declined"]
    resting = resting_cards(
        [(row["card_id"], run.clock.to_local(utc(row["closed_at"]))) for row in declined],
        run.clock.local(),
        policy.retry_times,
        as_date(round_["charge_until"]),
    )
    hard = {row["card_id"] for row in declined if row["decline"] == "hard"}
    chosen = choose_card(list(cards), hard, {*tried, *resting})
    return None if chosen is None else cards[chosen]


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
            wait_for_slot(run, round_, decision.reason, facts, tx)
        case _:
            pass


def _pay_nothing(run: Run, round_: Row, facts: ClaimFacts, tx: Transaction) -> None:
    number = order_no(facts.judge.shop.shop_no, round_["subscription_id"], as_date(round_["delivery_on"]), 0)
    if tx.change("pay_round", round_id=round_["round_id"], order_no=number, paid_at=run.clock.now()):
        tx.count("paid")
        unblocked = [round_["subscription_id"], _pg_code(round_, facts)]
        run.matters.close(tx, "blocked", unblocked, run.clock.now())


def _report_blocked(run: Run, round_: Row, reason: str, facts: ClaimFacts, tx: Transaction) -> None:
    pg_code = _pg_code(round_, facts)
    if reason == "reset_in_progress":
        run.postpone(
            f"{pg_code}: PG 초기화가 진행 중이라 결제하지 않습니다. reset-pg 가 끝나면 다시 실행하세요"
        )
    if reason in SHOP_WIDE:
        subject, detail = pg_code, words.blocked(reason)
    else:
        subject = round_["subscription_id"]
        detail = f"{round_['delivery_on']} 회차를 결제하지 않음: {words.blocked(reason)}"
    run.matters.open(tx, subject, "blocked", detail, run.clock.now())
    tx.count("blocked")


def _pg_code(round_: Row, facts: ClaimFacts) -> str:
    """Return the PG that the round would be charged through now."""
    subscription = facts.subscriptions[round_["subscription_id"]]
    card = facts.judge.main_card(subscription)
    return card.pg_code if card else subscription.pg_code
