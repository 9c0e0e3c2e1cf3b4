"""Find out what became of messages whose fate is unknown: by look-up, or a mail by the same mail again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from lib import shop as contract
from lib.failpoints import Step, reach
from lib.messengers import Letter
from lib.outbox.claim import notice_days, stored_letter
from lib.outbox.counter import Counter
from lib.outbox.record import LOOKED_UP, SENT_AGAIN, record
from lib.run import lease, real_now
from lib.store import Row, Transaction

PAGE = 200


def settle_unknown(counter: Counter) -> None:
    """Settle the unknown messages of one channel that may be asked after now."""
    run, after_id = counter.run, 0
    while not counter.is_stopped:
        rows = run.store.rows(
            "unknown_messages", channel=counter.channel, now=run.clock.now(), after_id=after_id, page=PAGE
        )
        if rows and counter.messenger.can_look_up:
            _look_up(counter, rows)
        elif rows and run.settings.policy.resend_unknown_mail:
            _send_again(counter, rows)
        if len(rows) < PAGE:
            return
        after_id = rows[-1]["message_id"]


def _look_up(counter: Counter, rows: Sequence[Row]) -> None:
    run = counter.run
    shop = run.store.transaction(lambda tx: contract.read_shop(tx, run.settings, run.clock))
    letters = [stored_letter(shop, row, real_now()) for row in rows]
    outcomes = counter.messenger.settle(letters)
    reach(Step.UNKNOWN_ANSWERED)
    run.store.transaction(partial(record, run, letters, outcomes, LOOKED_UP))


def _send_again(counter: Counter, rows: Sequence[Row]) -> None:
    """Hand the stored text over once more; the Message-ID is the same, so it is one mail for its reader."""
    size = counter.messenger.batch_size
    for start in range(0, len(rows), size):
        if not counter.may_send:
            return
        batch = rows[start : start + size]
        until = lease(counter.post.lease_seconds[counter.channel])
        letters = counter.run.store.transaction(partial(_claim_again, counter, until, batch))
        if letters:
            reach(Step.UNKNOWN_TAKEN)
            outcomes = counter.messenger.send(letters, lambda _id: None)
            reach(Step.UNKNOWN_ANSWERED)
            counter.saw(outcomes)
            counter.run.store.transaction(partial(record, counter.run, letters, outcomes, SENT_AGAIN))


def _claim_again(counter: Counter, until: datetime, rows: Sequence[Row], tx: Transaction) -> list[Letter]:
    run = counter.run
    shop = contract.read_shop(tx, run.settings, run.clock)
    round_ids = [row["round_id"] for row in rows if row["kind"] == "payment_notice"]
    rounds = {row["round_id"]: row for row in tx.rows("rounds_by_id", ids=round_ids)} if round_ids else {}
    letters = []
    for row in rows:
        days = notice_days(run, rounds[row["round_id"]]) if row["kind"] == "payment_notice" else None
        if row["kind"] == "payment_notice" and days is None:
            continue  # by now it would have expired
        if days and row["recipient"] == "customer":
            # The stored text may name an earlier day; the charge still comes after the day of the notice.
            tx.change("fix_charge_day", round_id=row["round_id"], charge_on=days[0], charge_until=days[1])
        if tx.change("resend_unknown", message_id=row["message_id"], lease_until=until):
            letters.append(stored_letter(shop, row, until))
    return letters
