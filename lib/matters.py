"""What a person must look at. A run that opens a matter exits 1; an open one stays one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from lib.store import Transaction

DETAIL_LENGTH = 500


@dataclass
class Matters:
    """The matters of one run; those it opens are counted as `matters_opened` when they are committed."""

    run_id: int

    def open(self, tx: Transaction, subject: str, kind: str, detail: str, at: datetime) -> None:
        """Open a matter; one that is open says the new `detail`, which holds no secret and no address."""
        if known := tx.row("has_open_matter", subject=subject, kind=kind):
            if known["detail"] != detail[:DETAIL_LENGTH]:
                tx.change("retell_matter", matter_id=known["matter_id"], detail=detail[:DETAIL_LENGTH])
            return
        is_new = tx.is_new(
            "open_matter",
            subject=subject,
            kind=kind,
            detail=detail[:DETAIL_LENGTH],
            run_id=self.run_id,
            at=at,
        )
        if is_new:
            tx.count("matters_opened")

    def close(self, tx: Transaction, kind: str, subjects: Iterable[str], at: datetime) -> None:
        """Close matters that no longer hold."""
        wanted = sorted(set(subjects))
        if wanted:
            tx.change("close_matters", kind=kind, subjects=wanted, at=at)
