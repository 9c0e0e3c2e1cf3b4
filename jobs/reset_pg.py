"""PG change or reset: cancel every subscription of the PG, delete its cards, tell customers and operators."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator, Mapping
from functools import partial

import click

from lib.billing import texts
from lib.charging.desk import Desk
from lib.charging.settle import read_spool
from lib.charging.writeback import write_paid
from lib.command import Job, JobCommand, Options, UsageError, run_job, shared_options
from lib.failpoints import Step, reach
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
    reach(Step.RESETS_OPENED)
    resets = run.store.transaction(events.unfinished)
    if resets:
        read_spool(run, Spool(run.settings))
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


HELP = """PG 변경·초기화: 그 PG의 신청을 모두 해지하고 카드를 모두 삭제한 뒤 메일로 알립니다.

새로 끝난 PG 계약(변경·초기화)을 스스로 찾아 처리하고, 중단된 것은 이어서 합니다.

\b
예: reset-pg
    reset-pg --dry-run
    reset-pg --pg tosspayments --confirm 달빛커피 --reason "PG 변경"
"""


@click.command(cls=JobCommand, help=HELP)
@shared_options
@click.option("--pg", metavar="CODE", help="이 PG를 지금 초기화 (--confirm 필요)")
@click.option("--confirm", metavar="SHOP_NAME", help="쇼핑몰 이름을 그대로 적어 확인")
@click.option("--reason", metavar="TEXT", default="", help="남겨 둘 사유")
def main(pg: str | None, confirm: str | None, reason: str, **options: object) -> None:
    """Run the job."""
    if (pg is None) != (confirm is None):
        raise UsageError("--pg 와 --confirm 은 함께 씁니다: --pg CODE --confirm 쇼핑몰이름")
    if options["subscription"] or options["limit"]:
        raise UsageError(
            "PG 초기화는 그 PG의 신청 모두를 다룹니다. --subscription 과 --limit 은 쓸 수 없습니다"
        )
    order = Order(pg, reason, user_name()) if pg else None
    job = Job(
        "reset_pg",
        COUNTS,
        partial(reset, order=order),
        partial(rehearse, order=order),
        finish,
        partial(check_confirmation, order, confirm),
    )
    run_job(job, Options(**options))  # type: ignore[arg-type]


def user_name() -> str:
    """Return who is at work: the account, or its number where it has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def check_confirmation(order: Order | None, confirm: str | None, store: Store) -> None:
    """Refuse an order that does not name the shop, or names a PG the shop never had."""
    if order is None:
        return
    row = store.row("shop_row")
    if row is None or texts.clean(row["shop_name"]) != texts.clean(confirm or ""):
        raise UsageError("--confirm: 쇼핑몰 이름이 다릅니다. 쇼핑몰 기본정보에 있는 이름을 그대로 적으세요")
    if not store.rows("pg_known", pg_code=order.pg_code):
        raise UsageError(
            f"--pg {order.pg_code}: 이 PG의 계약, 서비스, 카드가 쇼핑몰에 없습니다. 코드를 확인하세요"
        )


if __name__ == "__main__":
    main()
