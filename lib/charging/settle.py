"""Before new charges: read the spool in, and settle what earlier runs left open."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from lib import shop as contract
from lib.charging.claim import read_attempt, read_claim_facts, unwanted
from lib.charging.desk import Desk
from lib.charging.record import Result, lost_attempts, record, take_evidence
from lib.gateways import Attempt, Card, Gateway, Settled
from lib.run import Run, lease, real_now
from lib.spool import Spool
from lib.store import Row, Transaction, utc

PAGE = 200


def read_spool(run: Run, spool: Spool) -> None:
    """Tell the database of the approvals that ended runs left on this host."""
    for path, approvals, torn in spool.left_over():
        for pg_code, approval in approvals:
            run.store.transaction(partial(take_evidence, run, pg_code, [approval], "spool"))
        if torn:
            detail = (
                f"{torn} line(s) of {path.name} cannot be read; their attempts are settled by asking the PG"
            )
            said = partial(
                run.matters.open, subject=path.name, kind="spool", detail=detail, at=run.clock.now()
            )
            run.store.transaction(said)
        spool.forget(path)


def settle_open(run: Run, desk: Desk, tried: dict[int, set[int]], *, may_replay: bool = True) -> list[int]:
    """Settle what may be asked after now; returns the rounds that go on to an untried card in this run."""
    while run.store.transaction(partial(lost_attempts, run)):
        pass
    again: list[int] = []
    after_id = 0
    with ThreadPoolExecutor(desk.workers()) as pool:
        while True:
            rows = run.store.rows(
                "attempts_to_check", now=run.clock.now(), real=real_now(), after_id=after_id, page=PAGE
            )
            again += _settle_page(run, desk, rows, tried, pool, may_replay=may_replay)
            if len(rows) < PAGE:
                return again
            after_id = rows[-1]["attempt_id"]


def _settle_page(
    run: Run,
    desk: Desk,
    rows: Sequence[Row],
    tried: dict[int, set[int]],
    pool: ThreadPoolExecutor,
    *,
    may_replay: bool,
) -> list[int]:
    asked = [row for row in rows if desk.gateway(row["pg_code"])]
    taken = run.store.transaction(partial(_take, run, asked))
    cards = run.store.transaction(partial(contract.read_cards, ids=[each.card_id for each in taken]))
    outcomes = pool.map(
        lambda attempt: _ask(
            run, desk.gateways[attempt.pg_code], attempt, cards.get(attempt.card_id), may_replay
        ),
        taken,
    )
    again = []
    for attempt, outcome in zip(taken, outcomes, strict=True):
        desk.saw(attempt.pg_code, outcome)
        result = Result(attempt, outcome, "unknown")
        again += run.store.transaction(partial(record, run, [result], tried))
    return again


def _take(run: Run, rows: Sequence[Row], tx: Transaction) -> list[Attempt]:
    real = real_now()
    gateways = run.settings.gateways()
    return [
        read_attempt(row)
        for row in rows
        if tx.change(
            "take_check",
            attempt_id=row["attempt_id"],
            real=real,
            lease_until=lease(gateways[row["pg_code"]].lease),
        )
    ]


def _ask(run: Run, gateway: Gateway, attempt: Attempt, card: Card | None, may_replay: bool) -> Settled:
    def still_wanted() -> bool:
        return may_replay and run.store.transaction(partial(is_still_wanted, run, attempt))

    return gateway.settle(attempt, card, replay=still_wanted)


def is_still_wanted(run: Run, attempt: Attempt, tx: Transaction) -> bool:
    """Tell whether sending an attempt again would be right now: the claim's conditions hold.

    Reads the installation row with a share lock and renews the attempt's lease, so that a PG reset opened
    after this answer waits for what it allowed.
    """
    tx.rows("lock_installation_shared")
    rounds = tx.rows("rounds_by_id", ids=[attempt.round_id])
    if not rounds or rounds[0]["state"] not in {"charging", "in_doubt"}:
        return False
    facts = read_claim_facts(run, rounds, tx)
    if unwanted(run, rounds[0], facts.subscriptions.get(rounds[0]["subscription_id"]), facts):
        return False
    if facts.judge.shop.pg(attempt.pg_code).is_resetting:
        return False
    tx.change(
        "renew_check",
        attempt_id=attempt.attempt_id,
        lease_until=lease(run.settings.gateways()[attempt.pg_code].lease),
    )
    return True


def leases_running(run: Run) -> list[str]:
    """Say which attempts of other runs are still under way and when their leases end."""
    rows = run.store.rows("leases_running", real=real_now())
    return [
        f"{row['attempts']} attempt(s) at {row['pg_code']} are under way in another run until "
        f"{run.clock.to_local(utc(row['lease_until'])):%H:%M:%S}"
        for row in rows
    ]
