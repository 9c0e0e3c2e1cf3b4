"""Seal the rounds that are due: fix their items and amounts, and queue the payment notices."""

from __future__ import annotations

from collections.abc import Iterator

from lib.billing.rounds import SHOP_WIDE
from lib.run import Run
from lib.sealing.reading import Sealed, due_pages, read_page
from lib.sealing.troubles import close_over, report
from lib.sealing.writing import seal_page


def seal_due(run: Run) -> Iterator[Sealed]:
    """Seal page after page of what is due; yields what each page came to."""
    hindered: set[str] = set()
    for page in plan_due(run):
        seal_page(run, page)
        report(run, page)
        hindered |= {plan.pg_code for plan, reason in page.blocked if reason in SHOP_WIDE}
        yield page
    if not run.scope.subscriptions and run.scope.limit is None:
        close_over(run, hindered)


def plan_due(run: Run) -> Iterator[Sealed]:
    """Yield what sealing comes to, page after page, up to `--limit`; changes nothing."""
    left = run.scope.limit
    for due in due_pages(run):
        page = read_page(run, due)
        if left is not None:
            page.plans = page.plans[:left]
            left -= len(page.plans)
        yield page
        if left == 0:
            return


def count(run: Run, page: Sealed) -> None:
    """Count what a page came to."""
    counts = run.counts
    counts["due"] += len(page.plans) + len(page.blocked) + len(page.bad)
    counts["sealed"] += sum(not plan.is_skipped for plan in page.plans)
    counts["skipped"] += sum(plan.is_skipped for plan in page.plans)
    counts["late"] += sum(plan.is_late for plan in page.plans)
    counts["blocked"] += len(page.blocked)
    counts["dropped_items"] += sum(len(plan.dropped) for plan in page.plans)
    run.on_step(len(page.plans))
