"""Which resets there are to carry out, and taking one up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from lib.dialect import as_datetime
from lib.run import Run
from lib.store import Row, Transaction, utc

TERMINATIONS = {"changed": "변경", "reset": "초기화"}


@dataclass(frozen=True)
class Event:
    """A contract that was terminated as changed or reset; `event_at` is UTC."""

    pg_contract_no: int
    pg_code: str
    event_at: datetime
    reason: str


@dataclass(frozen=True)
class Reset:
    """An event that was taken up."""

    reset_id: int
    pg_contract_no: int
    pg_code: str
    event_at: datetime
    state: str


@dataclass(frozen=True)
class Order:
    """What an operator asked for by hand: `--pg CODE --confirm SHOP_NAME --reason TEXT`."""

    pg_code: str
    reason: str
    by: str


def unfinished(tx: Transaction) -> list[Reset]:
    """Return the resets that were taken up and are not done."""
    return [_reset(row) for row in tx.rows("resets_known") if row["state"] != "done"]


def _reset(row: Row) -> Reset:
    return Reset(row["reset_id"], row["pg_contract_no"], row["pg_code"], utc(row["event_at"]), row["state"])


def new_events(run: Run, tx: Transaction) -> list[Event]:
    """Return the events that nobody took up yet, oldest first; an end that is still to come is none yet."""
    known = {(row["pg_contract_no"], utc(row["event_at"])) for row in tx.rows("resets_known")}
    events = [
        Event(
            row["pg_contract_no"],
            row["pg_code"],
            run.clock.to_utc(as_datetime(row["terminated_at"])),
            row["termination"],
        )
        for row in tx.rows("reset_events")
    ]
    return [
        each
        for each in events
        if each.event_at <= run.clock.as_of and (each.pg_contract_no, each.event_at) not in known
    ]


def is_too_old(run: Run, event: Event) -> bool:
    """Tell whether an event waits for an operator's word: a first run must not purge on old history."""
    return run.clock.as_of - event.event_at > timedelta(days=run.settings.policy.reset_max_age_days)


def begin(run: Run, order: Order | None) -> None:
    """Take up what may begin now; what is too old to begin by itself becomes a matter for a person."""
    waiting = run.store.transaction(partial(take_up, run, order))
    for event in waiting:
        run.store.transaction(partial(_report_waiting, run, event))


def _report_waiting(run: Run, event: Event, tx: Transaction) -> None:
    ended = f"{run.clock.to_local(event.event_at):%Y-%m-%d %H:%M}"
    what = TERMINATIONS.get(event.reason, event.reason)
    detail = (
        f"{event.pg_code} 계약 {event.pg_contract_no}번이 {ended}에 {what}됨. "
        f"오래되어 자동으로 처리하지 않음. 처리하려면: reset-pg --pg {event.pg_code} --confirm 쇼핑몰이름"
    )
    run.matters.open(tx, event.pg_code, "reset_waits", detail, run.clock.now())


def take_up(run: Run, order: Order | None, tx: Transaction) -> list[Event]:
    """Open the resets that may begin now; from its commit on no charge of these PGs starts.

    Locks the installation row, which every claim reads with a share lock: a claim that did not see this reset
    is visible to it as `sending`. Returns the events that wait for an operator's word.
    """
    tx.rows("lock_installation")
    busy = {reset.pg_code for reset in unfinished(tx)}
    waiting = []
    ordered = order.pg_code if order else None
    for event in new_events(run, tx):
        if event.pg_code in busy:
            continue  # one at a time per PG: the next run takes it up
        if is_too_old(run, event) and event.pg_code != ordered:
            waiting.append(event)
            continue
        by = order.by if order and event.pg_code == ordered else "reset_pg"
        reason = order.reason if order and event.pg_code == ordered and order.reason else event.reason
        _open(run, event, reason, by, tx)
        busy.add(event.pg_code)
    if order and ordered not in busy:
        event = _event_by_hand(run, order, tx)
        if not _is_repeated(event, tx):
            _open(run, event, order.reason or "operator", order.by, tx)
    return waiting


def _is_repeated(event: Event, tx: Transaction) -> bool:
    """Tell whether the same order was given and carried out within this very second."""
    known = {(row["pg_code"], utc(row["event_at"])) for row in tx.rows("resets_known")}
    return (event.pg_code, event.event_at) in known


def _open(run: Run, event: Event, reason: str, by: str, tx: Transaction) -> None:
    tx.change(
        "open_reset",
        pg_contract_no=event.pg_contract_no,
        pg_code=event.pg_code,
        event_at=event.event_at,
        event_local=run.clock.to_local(event.event_at),
        reason=reason[:200],
        opened_by=by[:100],
        at=run.clock.now(),
    )
    tx.count("resets")


def _event_by_hand(run: Run, order: Order, tx: Transaction) -> Event:
    """An operator's word without a terminated contract: the event is now."""
    contract = tx.row("contract_in_use", pg_code=order.pg_code)
    number = contract["pg_contract_no"] if contract else 0
    return Event(number, order.pg_code, run.clock.now().replace(microsecond=0), order.reason)
