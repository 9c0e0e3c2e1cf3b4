"""Deliver what waits: settle the unknown, expire what nobody needs, then claim, hand over and record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from itertools import islice
from typing import Literal

from lib import shop as contract
from lib.billing.dunning import in_quiet_hours
from lib.failpoints import Step, reach
from lib.messengers import Letter, NotNow, Outcomes
from lib.messengers.opening import open_messengers
from lib.outbox import kept
from lib.outbox.claim import Post, claim, expire, units_of
from lib.outbox.counter import Counter
from lib.outbox.credits import CREDIT_OF
from lib.outbox.digest import merge_operator_mails
from lib.outbox.record import SENT, record
from lib.outbox.unknown import settle_unknown
from lib.rendering import Renderer
from lib.run import Run, real_now
from lib.shop import Recipient
from lib.store import Transaction

PAGE = 1000
RECIPIENTS: tuple[Recipient, ...] = ("customer", "operator")

Handed = tuple[list[Letter], Outcomes]


def deliver(run: Run, renderer: Renderer) -> None:
    """Deliver everything that waits, in this run's quiet hours nothing."""
    run.store.transaction(lambda tx: tx.change("messages_lost", now=run.clock.now(), real=real_now()))
    reach(Step.MESSAGES_LOST)
    _expire_over(run)
    if run.settings.policy.operator_mail == "digest":
        run.store.transaction(partial(merge_operator_mails, run))
        reach(Step.DIGEST_QUEUED)
    if in_quiet_hours(run.clock.local(), run.settings.policy.quiet_hours):
        return
    for counter in _open_counters(run, renderer):
        try:
            settle_unknown(counter)
            _deliver_channel(counter)
        finally:
            counter.messenger.close()
    run.store.transaction(partial(_close_credit_matters, run))
    run.store.transaction(partial(kept.close_over, run))


def _open_counters(run: Run, renderer: Renderer) -> Iterator[Counter]:
    settings = run.settings
    leases = {"mail": settings.mail.lease, "sms": settings.sms.lease if settings.sms else 0}
    post = Post(renderer, leases)
    for channel, messenger in open_messengers(settings).items():
        threads = settings.mail.connections if channel == "mail" else 1
        yield Counter(run, post, channel, messenger, threads)


def _expire_over(run: Run) -> None:
    """Expire the messages that wait although they are no longer true of their round."""
    after_id = 0
    while True:
        today = run.clock.local().date()
        rows = run.store.rows("notices_to_expire", today=today, after_id=after_id, page=PAGE)
        for row in rows:
            run.store.transaction(partial(expire, run, row))
        if len(rows) < PAGE:
            return
        after_id = rows[-1]["message_id"]


def _deliver_channel(counter: Counter) -> None:
    """Hand over what waits on one channel: customers before operators.

    Operators wait for the customers' answers: one may hold the round that their notice is about.
    """
    with ThreadPoolExecutor(counter.threads) as pool:
        for recipient in RECIPIENTS:
            _deliver_to(counter, pool, _waiting(counter, recipient))


def _deliver_to(counter: Counter, pool: ThreadPoolExecutor, waiting: Iterator[int]) -> None:
    open_batches: set[Future[Handed]] = set()
    while True:
        while len(open_batches) < counter.threads and (ids := _next_batch(counter, waiting)):
            letters = claim(counter.run, counter.post, counter.channel, ids)
            if letters:
                reach(Step.MESSAGES_CLAIMED)
                open_batches.add(pool.submit(_hand_over, counter, letters))
        if not open_batches:
            return
        done, open_batches = wait(open_batches, return_when=FIRST_COMPLETED)
        for future in done:
            letters, outcomes = future.result()
            reach(Step.BATCH_ANSWERED)
            counter.saw(outcomes)
            counter.run.on_step(len(letters))
            counter.run.store.transaction(partial(record, counter.run, letters, outcomes, SENT))
            reach(Step.BATCH_RECORDED)


def _next_batch(counter: Counter, waiting: Iterator[int]) -> list[int]:
    return list(islice(waiting, counter.messenger.batch_size)) if counter.may_send else []


class TakenUpError(Exception):
    """A lease ended and another run took the messages up: nothing of them may leave here any more."""


def _hand_over(counter: Counter, letters: list[Letter]) -> Handed:
    try:
        return letters, counter.messenger.send(letters, _remember(counter.run, letters))
    except TakenUpError:
        return letters, {each.message_id: NotNow("LEASE", "taken up by another run") for each in letters}


def _remember(run: Run, letters: Sequence[Letter]) -> Callable[[str], None]:
    """Store the provider's id under the lease of this batch: a late worker's would hide the other's."""
    ids, lease_until = [letter.message_id for letter in letters], letters[0].lease_until

    def store(provider_id: str, tx: Transaction) -> bool:
        stored = tx.change("remember_provider", provider_id=provider_id, ids=ids, lease_until=lease_until)
        return stored == len(ids)

    def remember(provider_id: str) -> None:
        if not run.store.transaction(partial(store, provider_id)):
            raise TakenUpError
        reach(Step.PROVIDER_REMEMBERED)

    return remember


def _waiting(counter: Counter, recipient: Recipient) -> Iterator[int]:
    """Yield the messages that wait at the start, those that waited for credit first."""
    run = counter.run
    can_pay = run.store.transaction(lambda tx: _can_pay(counter, tx))
    states = ("no_credit", "queued") if can_pay else ("queued",)
    for state in states:
        yield from _waiting_in(counter, recipient, state)


def _waiting_in(counter: Counter, recipient: Recipient, state: str) -> Iterator[int]:
    after_id = 0
    while True:
        rows = counter.run.store.rows(
            "waiting_messages",
            state=state,
            channel=counter.channel,
            recipient=recipient,
            now=counter.run.clock.now(),
            after_id=after_id,
            page=PAGE,
        )
        for row in rows:
            yield row["message_id"]
        if len(rows) < PAGE:
            return
        after_id = rows[-1]["message_id"]


def _can_pay(counter: Counter, tx: Transaction) -> bool:
    """Tell whether what waits for credit may go: some was put in, or it is free by now."""
    credit = CREDIT_OF[counter.channel]
    sizes: tuple[Literal["SMS", "LMS"] | None, ...] = ("SMS", "LMS") if counter.channel == "sms" else (None,)
    if not all(units_of(counter.run, "payment_notice", size) for size in sizes):
        return True
    return any(row["channel"] == credit and row["balance"] > 0 for row in tx.rows("shop_credits"))


def pending_credits(run: Run) -> dict[str, object]:
    """Return the credits left and, for the messages that wait for credit, how many are needed."""
    needed = {CREDIT_OF[row["channel"]]: row for row in run.store.rows("credits_needed")}
    left = run.store.transaction(contract.read_credits)
    return {
        "messages_no_credit": sum(int(row["messages"]) for row in needed.values()),
        "credits_left": left,
        "credits_needed": {
            credit: int(needed[credit]["units"]) if credit in needed else 0 for credit in CREDIT_OF.values()
        },
    }


def _close_credit_matters(run: Run, tx: Transaction) -> None:
    waiting = {row["channel"] for row in tx.rows("credits_needed")}
    over = [credit for channel, credit in CREDIT_OF.items() if channel not in waiting]
    run.matters.close(tx, "no_credit", over, run.clock.now())
