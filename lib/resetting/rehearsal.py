"""What reset_pg would do, told line by line and counted; changes and sends nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from lib.resetting.events import TERMINATIONS, Order, is_too_old, new_events, unfinished
from lib.run import Run

CANCELS = frozenset({"open", "drained"})
DELETES = CANCELS | {"cancelled"}
"""At which states of a reset its subscriptions are still to be cancelled, its cards still to be deleted."""


def tell_resets(run: Run, order: Order | None) -> Iterator[str]:
    """Say which resets would be carried out, and count how many subscriptions and cards each concerns."""
    told = set()
    for reset in run.store.transaction(unfinished):
        told.add(reset.pg_code)
        size = _size(run, reset.pg_code, reset.event_at, reset.state)
        run.counts.update(size)
        yield _tell(run, reset.pg_code, reset.event_at, f"계속 ({reset.state} 단계부터)", size)
    ordered = order.pg_code if order else None
    for event in run.store.transaction(lambda tx: new_events(run, tx)):
        if event.pg_code in told:
            continue  # one at a time per PG
        if is_too_old(run, event) and event.pg_code != ordered:
            yield _wait(run, event.pg_code, event.event_at)
            continue
        told.add(event.pg_code)
        yield _begin(run, event.pg_code, event.event_at, TERMINATIONS.get(event.reason, event.reason))
    if order and ordered not in told:
        yield _begin(run, order.pg_code, run.clock.now(), "운영자 지시")


def _begin(run: Run, pg_code: str, event_at: datetime, said: str) -> str:
    size = _size(run, pg_code, event_at, "open")
    run.counts.update({"resets": 1, **size})
    return _tell(run, pg_code, event_at, said, size)


def _wait(run: Run, pg_code: str, event_at: datetime) -> str:
    run.note(
        f"{pg_code}: 오래되어 저절로 초기화하지 않습니다. "
        f"진행하려면: reset-pg --pg {pg_code} --confirm 쇼핑몰이름"
    )
    size = _size(run, pg_code, event_at, "open")
    return _tell(run, pg_code, event_at, "오래되어 --confirm 을 기다림", size)


def _size(run: Run, pg_code: str, event_at: datetime, state: str) -> Counter[str]:
    """Count, by the names of the summary, what a reset that stands at a state has still before it."""
    row = run.store.row("reset_size", pg_code=pg_code, event_at=run.clock.to_local(event_at))
    size: Counter[str] = Counter()
    if row and state in CANCELS:
        size.update(cancelled=row["subscriptions"], void=row["rounds"])
    if row and state in DELETES:
        size.update(cards_deleted=row["cards"])
    return size


def _tell(run: Run, pg_code: str, event_at: datetime, said: str, size: Counter[str]) -> str:
    local = run.clock.to_local(event_at)
    return (
        f"{pg_code} {local:%Y-%m-%d %H:%M} {said}: "
        f"해지 {size['cancelled']:,}건, 회차 취소 {size['void']:,}건, 카드 삭제 {size['cards_deleted']:,}장"
    )
