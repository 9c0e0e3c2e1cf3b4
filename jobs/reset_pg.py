"""PG change or reset: cancel every subscription of the PG, delete every card, tell customers and operators."""

from __future__ import annotations

import getpass
from collections.abc import Iterator, Mapping
from functools import partial

import click

from lib.charging.desk import Desk
from lib.charging.settle import read_spool
from lib.charging.writeback import write_paid
from lib.command import Job, Options, UsageError, run_job, shared_options
from lib.outbox.deliver import deliver, pending_credits
from lib.rendering import Renderer
from lib.resetting import events, rehearsal
from lib.resetting.events import Order
from lib.resetting.steps import carry_out
from lib.run import Run
from lib.spool import Spool
from lib.store import Store

COUNTS = (
    "resets",
    "cancelled",
    "voided",
    "cards_deleted",
    "pg_keys_deleted",
    "pg_keys_failed",
    "messages_accepted",
    "messages_no_credit",
)


def reset(run: Run, order: Order | None = None) -> None:
    """Take up the events there are, carry each out, write what was paid before, deliver what waits."""
    renderer = Renderer(run.settings.paths.templates)
    desk = Desk.open(run)
    events.begin(run, order)
    resets = run.store.transaction(events.unfinished)
    if resets:
        read_spool(run, Spool(run.settings.paths.spool))
    for each in resets:
        carry_out(run, desk, each)
    write_paid(run)
    deliver(run, renderer)


def finish(run: Run) -> Mapping[str, object]:
    """Read what waits for credit at the end; a round voided here counts as such."""
    return {"voided": run.counts["void"], "messages_no_credit": pending_credits(run)["messages_no_credit"]}


def rehearse(run: Run, order: Order | None = None) -> Iterator[str]:
    """Say what would be cancelled and deleted."""
    yield from rehearsal.tell_resets(run, order)


@click.command(help=__doc__)
@shared_options
@click.option("--pg", metavar="CODE", help="이 PG를 지금 초기화 (--confirm 필요)")
@click.option("--confirm", metavar="SHOP_NAME", help="쇼핑몰 이름을 그대로 적어 확인")
@click.option("--reason", metavar="TEXT", default="", help="남겨 둘 사유")
def main(pg: str | None, confirm: str | None, reason: str, **options: object) -> None:
    """Run the job."""
    if (pg is None) != (confirm is None):
        raise UsageError("--pg and --confirm go together: --pg CODE --confirm SHOP_NAME")
    order = Order(pg, reason, getpass.getuser()) if pg else None

    job = Job(
        "reset_pg",
        COUNTS,
        partial(reset, order=order),
        partial(rehearse, order=order),
        finish,
        partial(check_confirmation, order, confirm),
    )
    run_job(job, Options(**options))  # type: ignore[arg-type]


def check_confirmation(order: Order | None, confirm: str | None, store: Store) -> None:
    """Refuse an order that does not name the shop, or names a PG the shop never had."""
    if order is None:
        return
    row = store.row("shop_row")
    if row is None or row["shop_name"] != confirm:
        raise UsageError("--confirm: this is not the shop's name; write it exactly as the shop's row has it")
    if not store.rows("pg_known", pg_code=order.pg_code):
        raise UsageError(
            f"--pg {order.pg_code}: the shop never had a contract, subscription or card of this PG"
        )


if __name__ == "__main__":
    main()
