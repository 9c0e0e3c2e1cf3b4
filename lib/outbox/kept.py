"""Messages that cannot leave as they are: each waits, a person is told, and told no more once it left."""

from __future__ import annotations

from datetime import timedelta

from lib.billing import words
from lib.run import Run
from lib.store import Row, Transaction

AGAIN = timedelta(hours=1)
UNWORDED, UNSENDABLE = "template", "unsendable"
WAITING = frozenset({"queued", "no_credit"})


def leave_unworded(run: Run, message: Row, said: str, tx: Transaction) -> None:
    """A message that cannot be worded waits for its template to be mended."""
    detail = f"{_named(message)} 서식: {said}. 고치면 다음 작업이 보냅니다"
    run.matters.open(tx, f"template {message['kind']}", UNWORDED, detail, run.clock.now())
    _keep(run, message, f"{UNWORDED}: {said}", tx)


def leave_unsendable(run: Run, message_id: int, said: str, tx: Transaction) -> None:
    """A message whose values the database refuses waits for somebody to correct them."""
    for message in tx.rows("messages_by_id", ids=[message_id]):
        detail = (
            f"{message['subscription_id'] or '이 작업'}: {_named(message)} 메시지를 저장할 수 없음({said}). "
            "자료나 설정을 고치면 다음 작업이 보냅니다"
        )
        run.matters.open(tx, f"message {message_id}", UNSENDABLE, detail, run.clock.now())
        _keep(run, message, f"저장할 수 없음({said})", tx)


def _named(message: Row) -> str:
    kind, recipient = words.MESSAGE_KIND[message["kind"]], words.RECIPIENT[message["recipient"]]
    return f"{kind}({recipient} {words.CHANNEL[message['channel']]})"


def _keep(run: Run, message: Row, reason: str, tx: Transaction) -> None:
    tx.change(
        "move_message",
        message_id=message["message_id"],
        from_state=message["state"],
        to_state=message["state"],
        reason=reason[:200],
        next_try_at=run.clock.now() + AGAIN,
        units=None,
    )


def close_over(run: Run, tx: Transaction) -> None:
    """Close the matters of templates and messages that keep nothing back any more."""
    unworded = {f"template {row['kind']}" for row in tx.rows("kinds_unworded")}
    told = [row["subject"] for row in tx.rows("matters_of_kind", kind=UNWORDED)]
    run.matters.close(tx, UNWORDED, [each for each in told if each not in unworded], run.clock.now())
    kept = {
        row["subject"]: int(row["subject"].split()[-1]) for row in tx.rows("matters_of_kind", kind=UNSENDABLE)
    }
    rows = tx.rows("messages_by_id", ids=list(kept.values())) if kept else []
    waiting = {row["message_id"] for row in rows if row["state"] in WAITING}
    over = [subject for subject, message_id in kept.items() if message_id not in waiting]
    run.matters.close(tx, UNSENDABLE, over, run.clock.now())
