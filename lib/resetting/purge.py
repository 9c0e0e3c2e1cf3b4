"""Delete every card of the PG: the key at the PG first, then the shop's row and the references to it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from lib.charging.desk import Desk
from lib.failpoints import Step, reach
from lib.gateways import Card, Forgotten, Gateway
from lib.resetting.events import Reset
from lib.run import Run
from lib.store import Row, Transaction

PAGE = 200
UNANSWERED_IN_A_ROW = 20
"""So many deletions in a row that the PG did not answer end the asking; each waited its whole time-out."""
GONE = frozenset({"done", "already_gone"})


@dataclass
class Keys:
    """The billing keys at the PG, and how often in a row it did not answer.

    A PG that is not configured or switched off is no reason to keep the rows: a person takes over.
    """

    gateway: Gateway | None
    unanswered: int = 0

    def forget(self, card: Card) -> Forgotten:
        """Delete one key; asks no more once the PG has been silent for too long."""
        if self.gateway is None:
            return Forgotten("failed", "PG 설정이 없거나 꺼져 있음")
        if self.unanswered >= UNANSWERED_IN_A_ROW:
            return Forgotten("unknown", "PG 가 답하지 않음")
        answer = self.gateway.forget(card)
        reach(Step.KEY_DELETED)
        self.unanswered = self.unanswered + 1 if answer.state == "unknown" else 0
        return answer


def purge_cards(run: Run, desk: Desk, reset: Reset) -> None:
    """Delete page after page. The rows go even if the PG does not answer; a matter names the member."""
    event_at = run.clock.to_local(reset.event_at)
    keys = Keys(desk.reachable(reset.pg_code))
    after_id = 0
    with ThreadPoolExecutor(desk.workers()) as pool:
        while True:
            rows = run.store.rows(
                "cards_to_delete", pg_code=reset.pg_code, event_at=event_at, after_id=after_id, page=PAGE
            )
            cards = [_card(row, event_at) for row in rows]
            if cards:
                run.store.transaction(partial(_note, reset, cards))
                reach(Step.CARDS_NOTED)
                answers = list(pool.map(keys.forget, cards))
                run.store.transaction(partial(_delete, run, reset, cards, answers))
                reach(Step.PAGE_PURGED)
                run.on_step(len(cards))
            if len(rows) < PAGE:
                return
            after_id = rows[-1]["card_id"]


def _card(row: Row, event_at: datetime) -> Card:
    """Read a card that goes. The day it was registered is not read: one without a readable date goes too."""
    return Card(
        card_id=row["card_id"],
        member_id=row["member_id"],
        pg_code=row["pg_code"],
        billing_key=row["billing_key"],
        customer_key=row["customer_key"] or "",
        masked_number=row["masked_number"],
        registered_at=event_at,
    )


def _note(reset: Reset, cards: Sequence[Card], tx: Transaction) -> None:
    for card in cards:
        tx.is_new(
            "note_card",
            reset_id=reset.reset_id,
            card_id=card.card_id,
            member_id=card.member_id,
            masked_number=card.masked_number[:40],
        )


def _delete(
    run: Run, reset: Reset, cards: Sequence[Card], answers: Sequence[Forgotten], tx: Transaction
) -> None:
    at = run.clock.now()
    for card, answer in zip(cards, answers, strict=True):
        noted = tx.change(
            "note_card_deleted",
            reset_id=reset.reset_id,
            card_id=card.card_id,
            pg_state=answer.state,
            at=at,
        )
        if not noted:
            continue  # another run has deleted it, and told of its key
        tx.change("detach_card", card_id=card.card_id)
        tx.change("delete_card", card_id=card.card_id)
        reach(Step.CARD_DELETED)
        tx.count("cards_deleted")
        tx.count("pg_keys_deleted" if answer.state in GONE else "pg_keys_failed")
        if answer.state not in GONE:
            _report_key(run, reset, card, answer, tx)


def _report_key(run: Run, reset: Reset, card: Card, answer: Forgotten, tx: Transaction) -> None:
    detail = (
        f"{reset.pg_code}: 회원 {card.member_id}, 카드 {card.masked_number} 의 빌링키 삭제가 "
        f"확인되지 않음 ({answer.message or answer.state}). PG 관리자 페이지에서 직접 삭제하세요"
    )
    run.matters.open(tx, f"card {card.card_id}", "key_left", detail, run.clock.now())
