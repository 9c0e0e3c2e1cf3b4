"""The steps of a run, by name: at each it may be killed, stopped past its lease, or lose its database.

A step is passed where the line stands that reaches it. Nothing happens there, and no configuration, option or
environment can change that: `visitors` is filled only by a test that starts a job in a process of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Step(StrEnum):
    """Every step. Those marked tx lie inside a transaction, just after the statement they name."""

    RUN_STARTED = "run.started"
    ROUND_CLOSED = "close.round_closed"  # tx

    PAGE_READ = "seal.page_read"
    ROUNDS_INSERTED = "seal.rounds_inserted"  # tx
    NOTICES_QUEUED = "seal.notices_queued"  # tx
    ROUNDS_SEALED = "seal.rounds_sealed"  # tx, nothing but its COMMIT is left
    PAGE_SEALED = "seal.page_sealed"

    MESSAGES_LOST = "send.messages_lost"
    DIGEST_QUEUED = "send.digest_queued"
    CREDIT_DEBITED = "send.credit_debited"  # tx
    MESSAGES_MARKED = "send.messages_marked"  # tx, nothing but its COMMIT is left
    MESSAGES_CLAIMED = "send.messages_claimed"
    MAIL_HANDED_OVER = "send.mail_handed_over"
    """The final dot is on its way; its answer was not read yet."""
    PROVIDER_REMEMBERED = "send.provider_remembered"
    BATCH_ANSWERED = "send.batch_answered"
    ROUNDS_ANNOUNCED = "send.rounds_announced"  # tx, nothing but its COMMIT is left
    BATCH_RECORDED = "send.batch_recorded"
    UNKNOWN_TAKEN = "send.unknown_taken"
    UNKNOWN_ANSWERED = "send.unknown_answered"

    ATTEMPT_WRITTEN = "charge.attempt_written"  # tx
    CHARGES_CLAIMED = "charge.claimed"
    CHARGE_BEGUN = "charge.begun"
    """In the worker, before the gateway is called."""
    REQUEST_SENT = "charge.request_sent"
    """The request to a PG or SMS provider has left; its answer was not read yet."""
    CHARGE_ANSWERED = "charge.answered"
    SPOOL_WRITTEN = "charge.spool_written"
    """Written, not yet on disk."""
    SPOOL_SYNCED = "charge.spool_synced"
    EVIDENCE_WRITTEN = "charge.evidence_written"  # tx
    ATTEMPT_CLOSED = "charge.attempt_closed"  # tx
    RESULTS_MARKED = "charge.results_marked"  # tx, nothing but its COMMIT is left
    RESULTS_RECORDED = "charge.results_recorded"
    SPOOL_FORGOTTEN = "charge.spool_forgotten"

    SPOOL_READ = "settle.spool_read"
    SPOOL_TAKEN = "settle.spool_taken"
    LOST_GIVEN_UP = "settle.lost_given_up"
    CHECKS_TAKEN = "settle.checks_taken"
    REPLAY_ALLOWED = "settle.replay_allowed"
    CHECK_ANSWERED = "settle.check_answered"

    ORDER_WRITTEN = "write.order_written"  # tx
    ITEMS_ADVANCED = "write.items_advanced"  # tx
    STOCK_TAKEN = "write.stock_taken"  # tx, nothing but its COMMIT is left
    PAGE_WRITTEN = "write.page_written"

    RESETS_OPENED = "reset.opened"
    LEASES_OVER = "reset.leases_over"
    ATTEMPTS_SETTLED = "reset.attempts_settled"
    LEFT_TO_A_PERSON = "reset.left_to_a_person"
    ROUNDS_VOIDED = "reset.rounds_voided"  # tx
    SUBSCRIPTION_CANCELLED = "reset.subscription_cancelled"  # tx
    PAGE_CANCELLED = "reset.page_cancelled"
    CARDS_NOTED = "reset.cards_noted"
    KEY_DELETED = "reset.key_deleted"
    CARD_DELETED = "reset.card_deleted"  # tx
    PAGE_PURGED = "reset.page_purged"
    STEP_TAKEN = "reset.step_taken"
    SERVICE_RESET = "reset.service_reset"  # tx


visitors: list[Callable[[Step], None]] = []
"""Empty, but in a test."""


def reach(step: Step) -> None:
    """Pass a step."""
    for visit in visitors:
        visit(step)
