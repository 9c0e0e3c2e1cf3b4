"""D-1: charge the announced amount to the stored card, write the shop's order, retry declines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing

import click

from lib.charging import rehearsal
from lib.charging.charge import Till
from lib.charging.desk import Desk
from lib.charging.settle import read_spool, settle_open
from lib.charging.writeback import write_paid
from lib.closing import close_unannounced
from lib.command import Job, JobCommand, Options, run_job, shared_options
from lib.failpoints import Step, reach
from lib.outbox.deliver import deliver, pending_credits
from lib.rendering import Renderer
from lib.run import Run
from lib.spool import Spool

COUNTS = (
    "due",
    "paid",
    "declined",
    "failed",
    "missed",
    "void",
    "unknown",
    "in_doubt",
    "held",
    "settled",
    "written",
    "blocked",
    "messages_accepted",
    "messages_no_credit",
)


def charge(run: Run) -> None:
    """Settle what earlier runs left open, charge what is due, write what is paid, deliver what waits."""
    renderer = Renderer(run.settings.paths.templates)
    desk = Desk.open(run)
    with closing(Spool(run.settings)) as spool:
        spool.open()
        close_unannounced(run)
        read_spool(run, spool)
        tried: dict[int, set[int]] = {}
        again = settle_open(run, desk, tried, spool=spool)
        Till(run, desk, spool, tried).charge_due(again)
        spool.forget_own()
        reach(Step.SPOOL_FORGOTTEN)
    write_paid(run)
    deliver(run, renderer)


def rehearse(run: Run) -> Iterator[str]:
    """Say which rounds would be charged, and how much to whom."""
    yield from rehearsal.tell_due(run)


def finish(run: Run) -> Mapping[str, object]:
    """Read what waits for credit at the end."""
    return {"messages_no_credit": pending_credits(run)["messages_no_credit"]}


HELP = """D-1 결제: 안내한 금액을 저장된 카드로 결제하고 쇼핑몰 주문을 만듭니다.

거절된 회차는 정해진 시각에 다시 시도합니다.

\b
예: charge-d1
    charge-d1 --dry-run --as-of 2026-12-02T10:00
"""


@click.command(cls=JobCommand, help=HELP)
@shared_options
def main(**options: object) -> None:
    """Run the job."""
    run_job(Job("charge_d1", COUNTS, charge, rehearse, finish), Options(**options))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
