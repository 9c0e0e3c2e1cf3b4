"""D-2: seal the order and the amount of every round due, and send the payment notices (결제 안내)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import click

from lib import sealing
from lib.billing import texts, words
from lib.charging.settle import read_spool
from lib.closing import close_unannounced
from lib.command import Job, JobCommand, Options, run_job, shared_options
from lib.outbox.deliver import deliver, pending_credits
from lib.planning import Plan
from lib.rendering import Renderer
from lib.run import Run
from lib.spool import Spool

COUNTS = (
    "due",
    "sealed",
    "late",
    "missed",
    "skipped",
    "blocked",
    "dropped_items",
    "messages_accepted",
    "messages_refused",
    "messages_unknown",
    "messages_no_credit",
)


def announce(run: Run) -> None:
    """Read the spool in, close what was missed, seal what is due, and deliver what waits."""
    renderer = Renderer(run.settings.paths.templates)
    read_spool(run, Spool(run.settings))
    close_unannounced(run)
    for page in sealing.seal_due(run):
        sealing.count(run, page)
    deliver(run, renderer)


def rehearse(run: Run) -> Iterator[str]:
    """Say which rounds would be sealed, to whom, and which not."""
    for page in sealing.plan_due(run):
        sealing.count(run, page)
        for plan in page.plans:
            yield tell(plan)
        for plan, reason in page.blocked:
            yield f"{plan.subscription.subscription_id} {plan.delivery_on} 진행 불가: {words.BLOCKED[reason]}"
        for bad in page.bad:
            yield f"{bad.subscription_id} 잘못된 자료: {bad.reason}"
        for wait in page.waits:
            yield (
                f"{wait.subscription.subscription_id} {texts.clean(wait.item.product_name)}: "
                f"예정일 {wait.item.delivery_on}에서 다음 주기 {wait.delivery_on}로 변경"
            )


def tell(plan: Plan) -> str:
    """Say one round in one line: who, when, how much, how late, what was dropped, what has become dearer."""
    amount = texts.won(plan.invoice.amount_krw)
    dropped = "".join(
        f" 제외[{texts.clean(line.item.product_name)}: {words.excluded(line.excluded_reason)}]"
        for line in plan.dropped
        if line.excluded_reason
    )
    risen = "".join(
        f" 가격 인상[{texts.clean(line.item.product_name)}: "
        f"{words.risen(line.agreed_price, line.price_now, line.unit_price)}]"
        for line in plan.risen
    )
    said = "건너뜀(결제할 상품 없음)" if plan.is_skipped else amount
    who = f"{plan.subscription.subscription_id} {plan.delivery_on} {plan.round_no}회차"
    return f"{who} {said}{_lateness(plan)}{dropped}{risen}"


def _lateness(plan: Plan) -> str:
    if plan.earliest_stored_on != plan.delivery_on:
        return f" (예정일 {plan.earliest_stored_on}에서 변경)"
    return " (늦은 안내)" if plan.is_late else ""


def finish(run: Run) -> Mapping[str, object]:
    """Read the credits at the end, and what the messages that wait for credit need."""
    return pending_credits(run)


HELP = """D-2 결제 안내: 배송 예정 회차의 주문과 금액을 확정하고 고객과 운영자에게 결제 안내를 보냅니다.

\b
예: notify-d2
    notify-d2 --dry-run --as-of 2026-12-01T09:00
"""


@click.command(cls=JobCommand, help=HELP)
@shared_options
def main(**options: object) -> None:
    """Run the job."""
    run_job(Job("notify_d2", COUNTS, announce, rehearse, finish), Options(**options))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
