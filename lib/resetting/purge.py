"""Delete every card of the PG: the key at the PG first, then the shop's row and the references to it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from lib.charging.desk import Desk
from lib.dialect import as_datetime
from lib.gateways import Card, Forgotten
from lib.resetting.events import Reset
from lib.run import Run
from lib.store import Row, Transaction

PAGE = 200
KEY_STATES = {"done": "pg_keys_deleted", "already_gone": "pg_keys_deleted"}


def purge_cards(run: Run, desk: Desk, reset: Reset) -> None:
    """Delete page after page. The rows go even if the PG does not answer; a matter names the member."""
    event_at = run.clock.to_local(reset.event_at)
    after_id = 0
    with ThreadPoolExecutor(desk.workers()) as pool:
        while True:
            rows = run.store.rows(
                "cards_to_delete", pg_code=reset.pg_code, event_at=event_at, after_id=after_id, page=PAGE
            )
            cards = [_card(row) for row in rows]
            if cards:
                run.store.transaction(partial(_note, reset, cards))
                answers = list(pool.map(partial(_forget, desk, reset), cards))
                run.store.transaction(partial(_delete, run, reset, cards, answers))
            if len(rows) < PAGE:
                return
            after_id = rows[-1]["card_id"]


def _card(row: Row) -> Card:
    return Card(
        card_id=row["card_id"],
        member_id=row["member_id"],
        pg_code=row["pg_code"],
        billing_key=row["billing_key"],
        customer_key=row["customer_key"] or "",
        masked_number=row["masked_number"],
        registered_at=as_datetime(row["registered_at"]),
    )


def _note(reset: Reset, cards: Sequence[Card], tx: Transaction) -> None:
    known = {
        row["card_id"]
        for row in tx.rows("reset_cards_known", reset_id=reset.reset_id, ids=[card.card_id for card in cards])
    }
    tx.change_many(
        "note_card",
        [
            {
                "reset_id": reset.reset_id,
                "card_id": card.card_id,
                "member_id": card.member_id,
                "masked_number": card.masked_number,
            }
            for card in cards
            if card.card_id not in known
        ],
    )


def _forget(desk: Desk, reset: Reset, card: Card) -> Forgotten:
    gateway = desk.gateway(reset.pg_code)
    if gateway is None:
        return Forgotten("failed", "the PG cannot be called")
    return gateway.forget(card)


def _delete(
    run: Run, reset: Reset, cards: Sequence[Card], answers: Sequence[Forgotten], tx: Transaction
) -> None:
    at = run.clock.now()
    for card, answer in zip(cards, answers, strict=True):
        tx.change("note_key", reset_id=reset.reset_id, card_id=card.card_id, pg_state=answer.state)
        tx.change("detach_card", card_id=card.card_id)
        tx.change("delete_card", card_id=card.card_id)
        tx.change("note_card_deleted", reset_id=reset.reset_id, card_id=card.card_id, at=at)
        tx.count("cards_deleted")
        tx.count(KEY_STATES.get(answer.state, "pg_keys_failed"))
        if answer.state not in KEY_STATES:
            detail = (
                f"{reset.pg_code} did not confirm that the key of member {card.member_id}, "
                f"card {card.masked_number}, is deleted: {answer.message or answer.state}; delete it there"
            )
            run.matters.open(tx, f"card {card.card_id}", "key_left", detail, at)
