"""Find out what became of messages whose fate is unknown: by look-up, or a mail by the same mail again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from lib import shop as contract
from lib.messengers import Letter, Messenger
from lib.outbox.claim import Post, notice_days
from lib.outbox.record import record
from lib.run import Run, lease
from lib.shop import Channel, ShopState
from lib.store import Row, Transaction, utc

PAGE = 200


def settle_unknown(run: Run, channel: Channel, messenger: Messenger, post: Post) -> None:
    """Settle the unknown messages of one channel that may be asked after now."""
    after_id = 0
    while True:
        rows = run.store.rows(
            "unknown_messages", channel=channel, now=run.clock.now(), after_id=after_id, page=PAGE
        )
        if rows and messenger.can_look_up:
            _look_up(run, rows, messenger)
        elif rows and run.settings.policy.resend_unknown_mail:
            _send_again(run, rows, messenger, post)
        if len(rows) < PAGE:
            return
        after_id = rows[-1]["message_id"]


def _look_up(run: Run, rows: Sequence[Row], messenger: Messenger) -> None:
    shop = run.store.transaction(lambda tx: contract.read_shop(tx, run.settings, run.clock))
    letters = [_stored_letter(shop, row) for row in rows]
    run.store.transaction(partial(record, run, letters, messenger.settle(letters), "unknown"))


def _send_again(run: Run, rows: Sequence[Row], messenger: Messenger, post: Post) -> None:
    """Hand the stored text over once more; the Message-ID is the same, so it is one mail for its reader."""
    for start in range(0, len(rows), messenger.batch_size):
        batch = rows[start : start + messenger.batch_size]
        letters = run.store.transaction(partial(_claim_again, run, batch, post))
        if letters:
            outcomes = messenger.send(letters, lambda _id: None)
            run.store.transaction(partial(record, run, letters, outcomes, "sending"))


def _claim_again(run: Run, rows: Sequence[Row], post: Post, tx: Transaction) -> list[Letter]:
    shop = contract.read_shop(tx, run.settings, run.clock)
    round_ids = [row["round_id"] for row in rows if row["kind"] == "payment_notice"]
    rounds = {row["round_id"]: row for row in tx.rows("rounds_by_id", ids=round_ids)} if round_ids else {}
    letters = []
    for row in rows:
        if row["kind"] == "payment_notice" and not _still_true(run, rounds[row["round_id"]]):
            continue
        until = lease(post.lease_seconds["mail"])
        if tx.change("resend_unknown", message_id=row["message_id"], lease_until=until):
            letters.append(_stored_letter(shop, row))
    return letters


def _still_true(run: Run, round_: Row) -> bool:
    """Tell whether the stored text may still be read: the notice is not over and names the same days."""
    days = notice_days(run, round_)
    return days is not None and days[0] == round_["charge_on"]


def _stored_letter(shop: ShopState, row: Row) -> Letter:
    return Letter(
        message_id=row["message_id"],
        channel=row["channel"],
        address=row["address"],
        subject=row["subject"] or "",
        body=row["body"] or "",
        html=row["html"] or "",
        sms_kind=row["sms_kind"],
        sender=shop.sender_mail if row["channel"] == "mail" else shop.sender_phone,
        sender_name=shop.name,
        claimed_at=utc(row["claimed_at"]),
        provider_id=row["provider_id"] or "",
    )
