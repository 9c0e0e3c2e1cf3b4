"""What becomes of a round that no card can be charged for now: it waits for its next slot, or is over."""

from __future__ import annotations

from lib.billing.dunning import next_slot
from lib.charging.reading import ClaimFacts
from lib.closing import fail_round, miss_round, queue_round_messages
from lib.dialect import as_date
from lib.run import Run
from lib.store import Row, Transaction


def wait_for_slot(
    run: Run, round_: Row, reason: str, facts: ClaimFacts, tx: Transaction, *, may_end: bool = True
) -> None:
    """Make a declined round due at its next slot and tell the customer, once; without a slot it is over.

    Not `may_end`: a card is left that could not be tried now, so the round stays due until `charge_until`.
    """
    policy = run.settings.policy
    slot = next_slot(run.clock.local(), policy.retry_times, as_date(round_["charge_until"]))
    if slot is None:
        if may_end:
            end_round(run, round_, facts, tx)
        return
    waits = tx.change(
        "retry_round",
        round_id=round_["round_id"],
        from_state=round_["state"],
        reason=f"다음 시도 대기: {reason}"[:200],
        next_attempt_at=run.clock.to_utc(slot),
    )
    subscription = facts.subscriptions.get(round_["subscription_id"])
    if waits and subscription:
        queue_round_messages(run, tx, round_, facts.judge.shop, subscription, "payment_declined")


def end_round(run: Run, round_: Row, facts: ClaimFacts, tx: Transaction) -> None:
    """Close a round whose days of charging are over: failed after a decline, else missed."""
    if any(row["state"] == "declined" for row in facts.attempts.get(round_["round_id"], [])):
        subscription = facts.subscriptions.get(round_["subscription_id"])
        fail_round(run, tx, round_, facts.judge.shop, subscription)
    else:
        miss_round(run, tx, round_, f"{round_['charge_until']}까지 결제하지 못함")
