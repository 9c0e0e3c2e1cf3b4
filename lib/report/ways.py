"""The ways out of what only a person can decide: what was found at the PG, the command for it, what follows.

How each PG shows a payment is from its own documentation; the names of its menus may change.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date

from lib.billing.texts import won
from lib.store import Row

WORD = "--by 이름 --evidence 근거"


@dataclass(frozen=True)
class AtThePg:
    """Where a PG shows a payment, how an approval looks there, and which of its numbers is the tid."""

    name: str
    approved: str
    tid: str
    note: str = ""

    @property
    def where(self) -> str:
        """Say where to look."""
        return f"{self.name} 상점관리자의 결제 내역에서 주문번호로 검색{self.note}"


PGS = {
    "tosspayments": AtThePg("토스페이먼츠", "완료(DONE)", "paymentKey"),
    "nicepay": AtThePg("나이스페이", "승인(paid)", "TID", ". 거절된 거래는 나오지 않을 수 있음"),
    "allat": AtThePg("올앳", "승인", "주문번호를 그대로", ". 조회 API가 없어 사람만 볼 수 있음"),
}


def at_the_pg(pg_code: str) -> AtThePg:
    """Return how a PG shows a payment."""
    return PGS.get(pg_code, AtThePg(pg_code, "승인", "PG의 거래번호"))


@dataclass(frozen=True)
class Way:
    """One way out: what a person has found, the command for it, and what the jobs do then."""

    when: str
    then: str
    command: str = ""

    def lines(self) -> Iterator[str]:
        """Write it for a person; the command has a line for itself, so that it can be copied."""
        yield f"▸ {self.when}"
        if self.command:
            yield f"  {self.command}"
        yield f"  → {self.then}"

    def told(self) -> dict[str, str]:
        """Write it for a program."""
        return asdict(self)


def _settle(what: object, verb: str) -> str:
    return f"jeonggi settle {what} {verb} {WORD}"


def of_attempt(row: Row, today: date, until: date | None) -> list[Way]:
    """Return the ways out for an attempt of which nothing more can be found out, up to `until`."""
    pg, is_held = at_the_pg(row["pg_code"]), row["round_state"] == "held"
    held = "회차는 보류로 남습니다. 아래 [보류된 회차]에서 정리하세요"
    approved = "회차는 결제완료가 되고, 다음 charge-d1 이 주문을 만듭니다"
    return [
        Way(
            f"{pg.approved} 상태이고 금액이 {won(row['amount_krw'])}이다 (거래번호: {pg.tid})",
            held if is_held else approved,
            _settle(row["order_no"], f"--approved --tid {_tid(row)}"),
        ),
        Way(
            "거래가 없거나, 실패했거나, 전액 취소되었다",
            held if is_held else _after_denial(today, until),
            _settle(row["order_no"], "--not-charged"),
        ),
        Way("금액이 다르거나 일부만 취소되었다", "PG에서 남은 금액을 취소하고 바로 위의 명령을 씁니다"),
    ]


def _tid(row: Row) -> str:
    """Return what stands for the tid: Allat's answers name none, so its approvals are known by the order."""
    return str(row["order_no"]) if row["pg_code"] == "allat" else "거래번호"


def _after_denial(today: date, until: date | None) -> str:
    if until is None or until < today:
        return "결제기한이 지나 다시 결제하지 않습니다(미진행 또는 결제실패)"
    return f"{until}까지, 한 시간 뒤부터 새 주문번호로 다시 결제합니다"


def of_round(round_: Row, attempts: Sequence[Row], payments: Sequence[Row]) -> list[Way]:
    """Return the ways that are open to a held round: what `settle` would take."""
    number = round_["round_id"]
    open_ = [row["order_no"] for row in attempts if row["state"] in {"sending", "unknown", "in_doubt"}]
    if open_:
        said = f"결제 시도 {open_[0]} 의 결과를 아직 모른다"
        return [Way(said, "위의 [결제 여부를 모르는 시도]에서, 또는 다음 charge-d1 이 먼저 정리합니다")]
    left = _left(payments)
    if left:
        return [*_paid(round_, left), *_cancelled(left)]
    ways = [
        Way(
            "결제하지 않고 끝낸다 (결제실패)",
            "상품은 다음 배송일로 넘어가고, 고객에게 결제 실패를 알립니다",
            _settle(number, "--failed"),
        ),
        Way(
            "회차를 없던 것으로 한다",
            "이용중인 상품은 뒷날의 새 회차로 다시 안내됩니다",
            _settle(number, "--void"),
        ),
    ]
    if payments:
        return [_ordered(number, "다른 방법으로 받은 주문이 쇼핑몰에 있다"), *ways]
    return [*_due(round_, attempts), *ways]


def _left(payments: Sequence[Row]) -> dict[tuple[str, str], int]:
    """Return order number and tid of each approval that was not given back, and its won."""
    sums: Counter[tuple[str, str]] = Counter()
    for row in payments:
        sums[row["order_no"], row["tid"]] += row["amount_krw"] * (1 if row["kind"] == "approve" else -1)
    return {key: amount for key, amount in sums.items() if amount > 0}


def _paid(round_: Row, left: dict[tuple[str, str], int]) -> list[Way]:
    if list(left.values()) != [round_["amount_krw"]]:
        return []
    return [
        Way(
            "승인 하나가 옳다",
            "회차는 결제완료가 되고, 다음 charge-d1 이 주문을 만듭니다",
            _settle(round_["round_id"], "--paid"),
        ),
        _ordered(round_["round_id"], "승인이 옳고, 그 회차의 주문이 쇼핑몰에 이미 있다"),
    ]


def _ordered(number: int, when: str) -> Way:
    return Way(when, "주문을 또 만들지 않고 결제완료로 끝냅니다", _settle(number, "--paid --order 주문번호"))


def _cancelled(left: dict[tuple[str, str], int]) -> Iterator[Way]:
    for (order_no, tid), amount in left.items():
        yield Way(
            f"{order_no} 의 {won(amount)} 승인은 잘못되어 PG에서 취소했다",
            "취소가 장부에 남습니다. 회차는 보류로 남으니 이 보고를 다시 보세요",
            _settle(order_no, f"--cancelled --tid {shlex.quote(tid)}"),
        )


def _due(round_: Row, attempts: Sequence[Row]) -> list[Way]:
    if (
        round_["announced_on"] is None
        or round_["is_released"]
        or any(a["state"] == "approved" for a in attempts)
    ):
        return []
    return [
        Way(
            "사유를 고쳤으니 다시 결제한다",
            f"다음 charge-d1 이 결제합니다(결제기한 {round_['charge_until']})",
            _settle(round_["round_id"], "--due"),
        )
    ]


def of_message(row: Row, *, is_sent_again: bool) -> list[Way]:
    """Return the ways out for a message that may have been handed over."""
    what = f"--message {row['message_id']}"
    ways = [
        Way("보냈다", _after_sent(row), _settle(what, "--accepted")),
        Way("보내지 않았다", _after_unsent(row), _settle(what, "--refused")),
    ]
    if is_sent_again:
        ways.insert(
            0, Way("아직 모른다", "그대로 두면 다음 작업이 같은 내용을 다시 보냅니다(resend_unknown_mail)")
        )
    return ways


def _is_notice(row: Row) -> bool:
    return (row["kind"], row["recipient"]) == ("payment_notice", "customer")


def _after_sent(row: Row) -> str:
    return "오늘 안내한 것으로 보고, 내일부터 결제합니다" if _is_notice(row) else "접수로 기록합니다"


def _after_unsent(row: Row) -> str:
    said = "쓴 건수를 돌려줍니다"
    return f"{said}. 다른 안내도 모두 거부되었으면 회차는 보류됩니다" if _is_notice(row) else said
