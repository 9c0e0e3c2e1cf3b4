"""Before new charges: read the spool in, and settle what earlier runs left open."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from functools import partial
from itertools import chain

from lib import shop as contract
from lib.billing import texts
from lib.charging.batch import in_batch, is_bad_row, save
from lib.charging.claim import read_attempt, unwanted, usable_cards, waits_for_morning
from lib.charging.desk import Desk
from lib.charging.evidence import take_evidence
from lib.charging.reading import read_claim_facts
from lib.charging.record import Result, lost_attempts
from lib.failpoints import Step, reach
from lib.gateways import Approval, Attempt, Card, Gateway, Settled
from lib.run import Run, lease, real_now
from lib.spool import Found, Line, Spool, SpoolError
from lib.store import Row, Transaction, utc

MATTER_SUBJECT = 100
"""Characters."""


def read_spool(run: Run, spool: Spool) -> None:
    """Tell the database of the approvals that ended runs left on this host.

    A torn line is dropped with its file: its attempt is still open. What the database cannot take stays.
    """
    for found in chain(spool.left_over(), spool.kept(partial(_is_known, run))):
        reach(Step.SPOOL_READ)
        refused = sum(not _is_taken(run, *line) for line in found.approvals)
        if found.torn or found.fault or refused:
            run.store.transaction(partial(_tell_unread, run, found, refused))
        reach(Step.SPOOL_TAKEN)
        if not (found.fault or refused):
            _forget(run, spool, found)


def _forget(run: Run, spool: Spool, found: Found) -> None:
    """Set a file aside; where that fails the next run reads it again, and this one goes on and says so."""
    try:
        spool.forget(found)
    except SpoolError as error:
        run.refuse(str(error))


def _is_known(run: Run, line: Line) -> bool:
    pg_code, approval = line
    rows = run.store.rows("payments_by_tid", pg_code=pg_code, tid=approval.tid or approval.order_no)
    return any((row["kind"], row["seq"]) == (approval.kind, approval.seq) for row in rows)


def _tell_unread(run: Run, found: Found, refused: int, tx: Transaction) -> None:
    said = [
        (
            found.fault,
            f"읽을 수 없음({found.fault}). 그 결제는 PG 조회로 확인함. 파일을 다른 곳으로 옮기세요",
        ),
        (found.torn, f"읽을 수 없는 {found.torn}줄의 결제는 PG 조회로 확인함. 디스크를 확인하세요"),
        (refused, f"저장할 수 없는 {refused}건은 파일에 남겨 둠. 파일을 확인하세요"),
    ]
    name = texts.clean(found.path.name)[:MATTER_SUBJECT]
    detail = f"{name}: {' '.join(text for is_so, text in said if is_so)}"
    run.matters.open(tx, name, "spool", detail, run.clock.now())


def _is_taken(run: Run, pg_code: str, approval: Approval) -> bool:
    try:
        run.store.transaction(partial(take_evidence, run, pg_code, [approval], "spool"))
    except Exception as error:
        if not is_bad_row(error):
            raise
        return False
    return True


def give_up_lost(run: Run) -> None:
    """Call unknown whatever was still sending when its lease ran out."""
    while run.store.transaction(partial(lost_attempts, run)):
        reach(Step.LOST_GIVEN_UP)


def settle_open(
    run: Run,
    desk: Desk,
    tried: dict[int, set[int]],
    *,
    spool: Spool | None = None,
    may_replay: bool = True,
    pg_code: str | None = None,
) -> list[int]:
    """Settle what may be asked after now; returns the rounds that go on to an untried card in this run.

    With `may_replay` an answer may be the charge itself, so `spool` takes the approvals before the database.
    With `pg_code` only attempts of that PG are asked after.
    """
    give_up_lost(run)
    for said in leases_running(run) if pg_code is None else ():
        run.note(said)
    again: list[int] = []
    after_id = 0
    # One page at a time is asked after, so that no lease taken here ends before its turn.
    page = desk.workers()
    with ThreadPoolExecutor(page) as pool:
        while True:
            rows = run.store.rows(
                "attempts_to_check",
                pg_code=pg_code,
                now=run.clock.now(),
                real=real_now(),
                after_id=after_id,
                page=page,
            )
            results, broken = _ask_all(run, desk, rows, pool, may_replay=may_replay)
            again += save(run, desk, spool, results, tried)
            for each in broken:
                each.result()
            if len(rows) < page:
                return again
            after_id = rows[-1]["attempt_id"]


def _ask_all(
    run: Run, desk: Desk, rows: Sequence[Row], pool: ThreadPoolExecutor, *, may_replay: bool
) -> tuple[list[Result], list[Future[Settled]]]:
    """Ask after a page of attempts; returns the answers, and the questions that broke off."""
    asked = [row for row in rows if desk.gateway(row["pg_code"])]
    taken = run.store.transaction(partial(_take, run, asked, real_now()))
    if taken:
        reach(Step.CHECKS_TAKEN)
    cards = run.store.transaction(partial(contract.read_cards, ids=[each.card_id for each in taken]))
    futures = [
        pool.submit(_ask, run, desk.gateways[each.pg_code], each, cards.get(each.card_id), may_replay)
        for each in taken
    ]
    wait(futures)
    results = [
        Result(attempt, future.result(), "unknown")
        for attempt, future in zip(taken, futures, strict=True)
        if future.exception() is None
    ]
    return results, [future for future in futures if future.exception()]


def _take(run: Run, rows: Sequence[Row], real: datetime, tx: Transaction) -> list[Attempt]:
    """Take attempts to ask after; `real` is one moment for all tries, so a repeated one knows its own."""
    gateways = run.settings.gateways()
    return [
        read_attempt(row)
        for row in rows
        if tx.change(
            "take_check",
            attempt_id=row["attempt_id"],
            real=real,
            lease_until=real + timedelta(seconds=gateways[row["pg_code"]].lease),
        )
    ]


def _ask(run: Run, gateway: Gateway, attempt: Attempt, card: Card | None, may_replay: bool) -> Settled:
    def still_wanted() -> datetime | None:
        if not may_replay:
            return None
        found = in_batch(run, [attempt], partial(_wanted, run, gateway), lambda *_: None)
        reach(Step.REPLAY_ALLOWED)
        return found[0] if found else None

    answer = gateway.settle(attempt, card, replay=still_wanted)
    reach(Step.CHECK_ANSWERED)
    return answer


def _wanted(run: Run, gateway: Gateway, attempts: Sequence[Attempt], tx: Transaction) -> list[datetime]:
    return [until for each in attempts if (until := wanted_until(run, gateway, each, tx))]


def wanted_until(run: Run, gateway: Gateway, attempt: Attempt, tx: Transaction) -> datetime | None:
    """Return until when an attempt may be sent again, where the claim's conditions hold now; else None.

    Reads the installation row with a share lock and renews the attempt's lease, so that a PG reset opened
    after this answer waits for what it allowed. Where the PG repeats no answer, nobody asks after what
    is sent now before its quarantine is over, even if this run is lost: no inquiry finds what is on its way.
    """
    tx.rows("lock_installation_shared")
    rounds = tx.rows("rounds_by_id", ids=[attempt.round_id])
    if not rounds or rounds[0]["state"] not in {"charging", "in_doubt"}:
        return None
    facts = read_claim_facts(run, rounds, tx)
    before = [row for row in facts.attempts[attempt.round_id] if row["attempt_no"] < attempt.attempt_no]
    if waits_for_morning(run, before):
        return None  # sent again, it might be the first charge that really leaves
    subscription = facts.subscriptions.get(rounds[0]["subscription_id"])
    if subscription is None or unwanted(run, rounds[0], subscription, facts):
        return None
    if attempt.card_id not in {card.card_id for card in usable_cards(facts.judge, subscription)}:
        return None
    config = run.settings.gateways()[attempt.pg_code]
    until = lease(config.lease)
    repeats = gateway.abilities.replay_window is not None
    next_check_at = None if repeats else run.clock.now() + timedelta(seconds=config.quarantine)
    renewed = tx.change(
        "renew_check", attempt_id=attempt.attempt_id, lease_until=until, next_check_at=next_check_at
    )
    return until if renewed else None


def leases_running(run: Run) -> list[str]:
    """Say which attempts of other runs are still under way and when their leases end."""
    rows = run.store.rows("leases_running", real=real_now())
    return [
        f"{row['pg_code']}: 결제 {row['attempts']}건이 다른 작업에서 진행 중"
        f"({run.clock.to_local(utc(row['lease_until'])):%H:%M:%S}까지)"
        for row in rows
    ]
