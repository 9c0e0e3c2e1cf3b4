"""One reset, step after step; each is safe to repeat, and a run goes on where another was killed."""

from __future__ import annotations

import json
from functools import partial

from lib.charging.desk import Desk
from lib.failpoints import Step, reach
from lib.resetting.cancel import cancel_subscriptions
from lib.resetting.drain import drain
from lib.resetting.events import Reset
from lib.resetting.purge import purge_cards
from lib.run import Run
from lib.store import Transaction


def carry_out(run: Run, desk: Desk, reset: Reset) -> None:
    """Carry a reset out from the step it stands at, as far as it can go now."""
    state = reset.state
    if state == "open":
        if not drain(run, desk, reset):
            return
        state = _step(run, reset, state, "drained")
    if state == "drained":
        cancel_subscriptions(run, reset)
        run.store.transaction(partial(_keep, run, reset))
        state = "cancelled"
        reach(Step.STEP_TAKEN)
    if state == "cancelled":
        purge_cards(run, desk, reset)
        state = _step(run, reset, state, "purged")
    if state == "purged":
        run.store.transaction(partial(_finish, run, reset))


def _step(run: Run, reset: Reset, from_state: str, to_state: str) -> str:
    run.store.transaction(partial(_move, reset, from_state, to_state, None))
    reach(Step.STEP_TAKEN)
    return to_state


def _keep(run: Run, reset: Reset, tx: Transaction) -> None:
    if _move(reset, "drained", "cancelled", None, tx):
        event_at = run.clock.to_local(reset.event_at)
        tx.change("note_kept", reset_id=reset.reset_id, pg_code=reset.pg_code, event_at=event_at)


def _move(reset: Reset, from_state: str, to_state: str, finished_at: object, tx: Transaction) -> int:
    return tx.change(
        "move_reset",
        reset_id=reset.reset_id,
        from_state=from_state,
        to_state=to_state,
        finished_at=finished_at,
    )


def _finish(run: Run, reset: Reset, tx: Transaction) -> None:
    tx.change(
        "reset_service",
        pg_code=reset.pg_code,
        at=run.clock.local(),
        event_at=run.clock.to_local(reset.event_at),
    )
    reach(Step.SERVICE_RESET)
    counts = {row["pg_state"]: row["cards"] for row in tx.rows("reset_card_counts", reset_id=reset.reset_id)}
    tx.change("count_reset", reset_id=reset.reset_id, counts=json.dumps({"cards": counts}, sort_keys=True))
    _move(reset, "purged", "done", run.clock.now(), tx)
    run.matters.close(tx, "reset_waits", [reset.pg_code], run.clock.now())
