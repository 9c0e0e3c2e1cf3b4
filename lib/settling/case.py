"""What a person decides about, locked; what they say; and what comes of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from lib.billing import texts, words
from lib.run import Run
from lib.store import Row, Transaction

OPEN = frozenset({"sending", "unknown", "in_doubt"})
TID = re.compile(r"[!-~]{1,200}")
LONGEST_NUMBER = 18
"""Digits of a round's number; what is longer fits no database."""


@dataclass(frozen=True)
class Word:
    """A person's word: who says so, and what they saw where. `tid` is the PG's number of the payment."""

    by: str
    evidence: str
    tid: str = ""
    order_id: str = ""
    """The shop's order that stands for a paid round, where it is not ours."""


def readable(text: str) -> str:
    """Return what a person said as it is kept: what the terminal could not read is a question mark."""
    return texts.clean(text.encode("utf-8", "replace").decode())


def word_fault(verb: str, word: Word) -> str | None:
    """Say what is missing or too much in a person's word, or None."""
    faults = (
        (verb == "approved" and not word.tid, "--approved: PG의 거래번호를 --tid 로 적으세요"),
        (
            word.tid and not TID.fullmatch(word.tid),
            "--tid: PG의 거래번호를 띄어쓰기 없이 그대로 적으세요(영문, 숫자, 기호 200자까지)",
        ),
        (
            word.tid and verb not in {"approved", "cancelled"},
            "--tid 는 --approved, --cancelled 와 함께 씁니다",
        ),
        (word.order_id and verb != "paid", "--order 는 --paid 와 함께 씁니다"),
        (not word.by or not word.evidence, "--by 와 --evidence 를 비워 두지 마세요"),
    )
    return next((said for is_so, said in faults if is_so), None)


@dataclass(frozen=True)
class Settled:
    """What was done, in words."""

    said: str


@dataclass(frozen=True)
class Impossible:
    """Nothing was changed; why, and what is possible."""

    why: str


Answer = Settled | Impossible


@dataclass(frozen=True)
class Case:
    """A round with all its attempts, locked, and the ledger of their order numbers."""

    round_: Row
    attempts: Sequence[Row]
    payments: Sequence[Row]
    named: Row | None
    """The attempt whose order number was given."""

    @property
    def round_id(self) -> int:
        """Return the round's number."""
        number: int = self.round_["round_id"]
        return number

    def net(self) -> dict[str, int]:
        """Return the order numbers whose approvals exceed their cancels, and by how many won."""
        sums: Counter[str] = Counter()
        for row in self.payments:
            sums[row["order_no"]] += row["amount_krw"] if row["kind"] == "approve" else -row["amount_krw"]
        return {order_no: amount for order_no, amount in sums.items() if amount > 0}

    def in_doubt(self) -> Row | None:
        """Return the attempt in doubt; there is at most one open attempt per round."""
        meant = [self.named] if self.named else self.attempts
        return next((row for row in meant if row["state"] == "in_doubt"), None)

    def has_open_attempt(self) -> bool:
        """Tell whether the end of an attempt is not known yet."""
        return any(row["state"] in OPEN for row in self.attempts)


def find(target: str, tx: Transaction) -> Case | None:
    """Lock what an order number or a round's number names; None: there is none."""
    if not target.isascii() or (target.isdecimal() and len(target) > LONGEST_NUMBER):
        return None
    found = [] if target.isdecimal() else tx.rows("attempts_by_order_no", order_nos=[target])
    round_id = int(target) if target.isdecimal() else found[0]["round_id"] if found else None
    round_ = tx.row("lock_round", round_id=round_id)
    if round_ is None:
        return None
    attempts = tx.rows("lock_attempts", round_id=round_id)
    order_nos = [row["order_no"] for row in attempts]
    payments = tx.rows("payments_of", order_nos=order_nos) if order_nos else []
    return Case(round_, attempts, payments, next((r for r in attempts if r["order_no"] == target), None))


def note_attempt(run: Run, attempt: Row, word: Word, tx: Transaction) -> None:
    """Keep who decided and why, and close the matter."""
    noted = {"settled_by": word.by[:100], "evidence": word.evidence[:1000]}
    tx.change("note_attempt_settled", attempt_id=attempt["attempt_id"], **noted)
    run.matters.close(tx, "in_doubt", [f"round {attempt['round_id']}"], run.clock.now())


def note_round(run: Run, case: Case, word: Word, tx: Transaction) -> None:
    """Keep who decided and why, and close the matter."""
    noted = {"settled_by": word.by[:100], "evidence": word.evidence[:1000]}
    tx.change("note_round_settled", round_id=case.round_id, **noted)
    run.matters.close(tx, "held", [f"round {case.round_id}"], run.clock.now())


def state_now(case: Case, tx: Transaction) -> str:
    """Return the state that a round has come to, in words."""
    return words.ROUND[tx.rows("rounds_by_id", ids=[case.round_id])[0]["state"]]
