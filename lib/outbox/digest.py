"""One operator mail for a whole run: it carries the operator mails of its events, and it alone pays."""

from __future__ import annotations

from lib.run import Run
from lib.store import ContendedError, Transaction


def merge_operator_mails(run: Run, tx: Transaction) -> None:
    """Queue the run's digest and merge the queued operator mails into it, in one transaction."""
    newest = tx.row("operators_waiting")
    if newest is None:
        return
    digest_id = tx.insert(
        "queue_message",
        kind="digest",
        ref=str(run.matters.run_id),
        round_id=None,
        subscription_id=None,
        recipient="operator",
        channel="mail",
        address=newest["address"],
        at=run.clock.now(),
    )
    if not tx.change("merge_into_digest", digest_id=digest_id):
        raise ContendedError("another run merged them first")
