"""What reset_pg would do, told line by line; changes and sends nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from lib.resetting.events import TERMINATIONS, Order, is_too_old, new_events, unfinished
from lib.run import Run


def tell_resets(run: Run, order: Order | None) -> Iterator[str]:
    """Say which resets would be carried out, and how many subscriptions and cards each concerns."""
    told = set()
    for reset in run.store.transaction(unfinished):
        told.add(reset.pg_code)
        yield _tell(run, reset.pg_code, reset.event_at, f"계속 ({reset.state} 단계부터)")
    ordered = order.pg_code if order else None
    for event in run.store.transaction(lambda tx: new_events(run, tx)):
        if event.pg_code in told:
            continue  # one at a time per PG
        waits = is_too_old(run, event) and event.pg_code != ordered
        if waits:
            yield _tell(run, event.pg_code, event.event_at, "오래되어 --confirm 을 기다림")
            continue
        told.add(event.pg_code)
        yield _tell(run, event.pg_code, event.event_at, TERMINATIONS.get(event.reason, event.reason))
    if order and ordered not in told:
        yield _tell(run, order.pg_code, run.clock.now(), "운영자 지시")


def _tell(run: Run, pg_code: str, event_at: datetime, said: str) -> str:
    local = run.clock.to_local(event_at)
    row = run.store.row("reset_size", pg_code=pg_code, event_at=local)
    size = f"해지 {row['subscriptions']:,}건, 카드 삭제 {row['cards']:,}장" if row else ""
    return f"{pg_code} {local:%Y-%m-%d %H:%M} {said}: {size}"
