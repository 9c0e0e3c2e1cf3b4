"""Claim messages: render, debit, fix the day of the charge, in the transaction that marks them `sending`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Literal

from lib import shop as contract
from lib.billing import texts, words
from lib.billing.calendar import can_still_be_announced, charge_window
from lib.dialect import as_date
from lib.failpoints import Step, reach
from lib.messengers import Letter
from lib.outbox.bad_data import SUSPECT, is_bad_data
from lib.outbox.credits import CREDIT_OF, debit, refund
from lib.outbox.kept import leave_unsendable, leave_unworded
from lib.outbox.wording import Material, gather, word
from lib.rendering import Rendered, Renderer, TemplateError
from lib.run import Run, lease
from lib.shop import Channel, ShopState
from lib.store import Row, Transaction, utc

LONGEST_SUBJECT = 250
"""Characters; what is stored is what is sent."""


@dataclass(frozen=True)
class Post:
    """What claiming needs beside the run."""

    renderer: Renderer
    lease_seconds: dict[str, float]
    """By channel."""


@dataclass(frozen=True)
class Draft:
    """A message that is worded but not yet paid for."""

    message: Row
    rendered: Rendered
    sms_kind: Literal["SMS", "LMS"] | None
    units: int
    is_debited: bool
    days: tuple[date, date] | None


def claim(run: Run, post: Post, channel: Channel, ids: Sequence[int]) -> list[Letter]:
    """Claim a batch of waiting messages of one channel; returns those to hand over.

    Where the values of one are refused, the batch is claimed one by one: it waits, the others go.
    """
    until = lease(post.lease_seconds[channel])
    try:
        return run.store.transaction(partial(_claim, run, post, until, ids))
    except SUSPECT as error:
        if not is_bad_data(error):
            raise
        if len(ids) == 1:
            run.store.transaction(partial(leave_unsendable, run, ids[0], type(error).__name__))
            return []
    return [letter for each in ids for letter in claim(run, post, channel, [each])]


def _claim(run: Run, post: Post, until: datetime, ids: Sequence[int], tx: Transaction) -> list[Letter]:
    messages = tx.rows("lock_messages", ids=list(ids))
    claimed = _claimed_before(run, until, ids, tx) if len(messages) < len(ids) else []
    if not messages:
        return claimed
    material = gather(run, messages, tx)
    debits = {row["message_id"]: row["units"] for row in tx.rows("debits_of", ids=list(ids))}
    drafts = [
        draft
        for message in messages
        if (draft := _draft(post, material, message, debits.get(message["message_id"]), tx))
    ]
    paid = _pay(run, drafts, tx)
    reach(Step.CREDIT_DEBITED)
    tx.change_many("fix_charge_day", [row for draft in paid if (row := _days_row(draft))])
    tx.change_many("claim_message", [_claim_row(run, draft, until) for draft in paid])
    reach(Step.MESSAGES_MARKED)
    return claimed + [_letter(material, draft, until) for draft in paid]


def _claimed_before(run: Run, until: datetime, ids: Sequence[int], tx: Transaction) -> list[Letter]:
    """Find what this very claim has committed already: the answer to its COMMIT got lost on the way."""
    rows = tx.rows("messages_of_claim", ids=list(ids), lease_until=until)
    shop = contract.read_shop(tx, run.settings, run.clock) if rows else None
    return [stored_letter(shop, row, until) for row in rows] if shop else []


def _draft(
    post: Post, material: Material, message: Row, debited: int | None, tx: Transaction
) -> Draft | None:
    run = material.run
    days: tuple[date, date] | None = None
    if message["kind"] == "payment_notice":
        days = notice_days(run, material.rounds[message["round_id"]])
        if days is None:
            expire(run, message, tx)
            return None
    try:
        rendered = post.renderer.render(
            message["kind"], message["recipient"], message["channel"], word(material, message, days)
        )
    except TemplateError as error:
        leave_unworded(run, message, str(error), tx)
        return None
    rendered = replace(rendered, subject=rendered.subject[:LONGEST_SUBJECT].rstrip())
    sms_kind = texts.sms_kind(rendered.body) if message["channel"] == "sms" else None
    units = units_of(run, message["kind"], sms_kind) if debited is None else debited
    return Draft(message, rendered, sms_kind, units, debited is not None, days)


def _pay(run: Run, drafts: Sequence[Draft], tx: Transaction) -> list[Draft]:
    """Debit what was never debited, all at once where the credits suffice, else one by one in order."""
    owing = [draft for draft in drafts if not draft.is_debited and draft.units]
    if owing and not debit(run, [(draft.message, draft.units) for draft in owing], tx):
        unpaid = {id(draft) for draft in owing if not debit(run, [(draft.message, draft.units)], tx)}
        for draft in owing:
            if id(draft) in unpaid:
                _lack_credit(run, draft, tx)
        return [draft for draft in drafts if id(draft) not in unpaid]
    return list(drafts)


def _days_row(draft: Draft) -> dict[str, object] | None:
    if draft.days is None or draft.message["recipient"] != "customer":
        return None
    charge_on, charge_until = draft.days
    return {"round_id": draft.message["round_id"], "charge_on": charge_on, "charge_until": charge_until}


def _claim_row(run: Run, draft: Draft, until: datetime) -> dict[str, object]:
    return {
        "message_id": draft.message["message_id"],
        "subject": draft.rendered.subject,
        "body": draft.rendered.body,
        "html": draft.rendered.html or None,
        "sms_kind": draft.sms_kind,
        "units": draft.units,
        "lease_until": until,
        "at": run.clock.now(),
    }


def notice_days(run: Run, round_: Row) -> tuple[date, date] | None:
    """Return first and last day of the charge that a notice leaving now names; None: the notice is over.

    It is over when its round is no longer sealed or due, when D has come, or, once announced, when the day of
    the charge has come.
    """
    today = run.clock.local().date()
    delivery_on = as_date(round_["delivery_on"])
    if round_["state"] not in {"sealed", "due"} or not can_still_be_announced(delivery_on, today):
        return None
    if round_["announced_on"]:
        charge_on = as_date(round_["charge_on"])
        return (charge_on, as_date(round_["charge_until"])) if today < charge_on else None
    policy = run.settings.policy
    window = charge_window(
        delivery_on, today, charge_days_before=policy.charge_days_before, retry_days=policy.retry_days
    )
    return window.charge_on, window.charge_until


def units_of(run: Run, kind: str, sms_kind: Literal["SMS", "LMS"] | None) -> int:
    """Return how many credits a message costs (rule 7)."""
    policy = run.settings.policy
    if sms_kind is not None:
        return policy.sms_units if sms_kind == "SMS" else policy.lms_units
    return 1 if policy.debit_notice_mail or kind == "auto_cancel" else 0


def _letter(material: Material, draft: Draft, until: datetime) -> Letter:
    """Make what a provider is handed."""
    shop, message, rendered = material.shop, draft.message, draft.rendered
    claimed_at = utc(message["claimed_at"]) if message["claimed_at"] else material.run.clock.now()
    return Letter(
        message_id=message["message_id"],
        channel=message["channel"],
        address=message["address"],
        subject=rendered.subject,
        body=rendered.body,
        html=rendered.html,
        sms_kind=draft.sms_kind,
        sender=shop.sender_mail if message["channel"] == "mail" else shop.sender_phone,
        sender_name=shop.name,
        claimed_at=claimed_at,
        lease_until=until,
        provider_id=message["provider_id"] or "",
    )


def stored_letter(shop: ShopState, row: Row, lease_until: datetime) -> Letter:
    """Make the same of a message that was claimed before: its text is what was stored then."""
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
        lease_until=lease_until,
        provider_id=row["provider_id"] or "",
    )


def expire(run: Run, message: Row, tx: Transaction) -> None:
    """End a waiting notice that nobody needs any more; a debit of an earlier try is given back."""
    for state in ("queued", "no_credit"):
        if tx.change(
            "move_message",
            message_id=message["message_id"],
            from_state=state,
            to_state="expired",
            reason="더는 필요 없는 안내",
            next_try_at=None,
            units=None,
        ):
            refund(run, message["message_id"], tx)
            tx.count("messages_expired")


def _lack_credit(run: Run, draft: Draft, tx: Transaction) -> None:
    message, credit = draft.message, CREDIT_OF[draft.message["channel"]]
    detail = f"{words.CREDIT[credit]} 건수가 모자람. 충전하면 다음 작업이 기다리던 안내를 보냅니다"
    run.matters.open(tx, credit, "no_credit", detail, run.clock.now())
    if (message["state"], message["units"]) != ("no_credit", draft.units):
        tx.change(
            "move_message",
            message_id=message["message_id"],
            from_state=message["state"],
            to_state="no_credit",
            reason=f"{words.CREDIT[credit]} {draft.units}건 필요",
            next_try_at=None,
            units=draft.units,
        )
