"""Whether a message was handed over, as a person found out at the provider."""

from __future__ import annotations

from datetime import UTC, datetime

from lib.billing import words
from lib.messengers import Accepted, Letter, Refused
from lib.outbox import record as outbox
from lib.run import Run
from lib.settling.case import Answer, Impossible, Settled, Word
from lib.store import Row, Transaction


def settle_message(run: Run, message_id: int, word: Word, tx: Transaction, *, is_accepted: bool) -> Answer:
    """Settle a message that may have been handed over, with all that an answer of its provider brings."""
    row = tx.row("lock_message", message_id=message_id)
    if row is None or row["state"] != "unknown":
        state = words.MESSAGE[row["state"]] if row else "없음"
        said = words.MESSAGE["unknown"]
        return Impossible(f"메시지 {message_id} 는 {said} 상태가 아닙니다 (상태: {state})")
    said = f"{word.by}: {word.evidence}"
    outcome = Accepted(f"operator {said}") if is_accepted else Refused("permanent", "operator", said)
    outbox.record(run, [_letter(row)], {message_id: outcome}, outbox.LOOKED_UP, tx)
    return Settled(
        f"메시지 {message_id}: {'보낸 것으로' if is_accepted else '보내지 않은 것으로'} 기록했습니다"
    )


def _letter(row: Row) -> Letter:
    """Name a message to the outbox; nothing of it is sent."""
    now = datetime.now(UTC)
    return Letter(row["message_id"], row["channel"], row["address"], "", "", "", None, "", "", now, now)
