"""A payment as the Allat simulator keeps it, and the lines it answers with."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from lib.sandbox.allat_form import CHARSET
from lib.sandbox.allat_rules import message_of
from lib.sandbox.server import Reply
from lib.sandbox.tosspayments_book import Approval

_SEOUL = ZoneInfo("Asia/Seoul")
CONTENT_TYPE = "text/html"
"""Allat names no charset."""


@dataclass
class Payment:
    """One charge that is approved from `approved_at` on, with its cancels in won."""

    seq_no: str
    order_no: str
    amount_krw: int
    billing_key: str = field(repr=False)
    approved_at: datetime
    cancels: list[int] = field(default_factory=list)

    @property
    def balance_krw(self) -> int:
        """What can still be cancelled."""
        return self.amount_krw - sum(self.cancels)

    @property
    def approval(self) -> Approval:
        """This payment as evidence; a merchant knows it by its order number."""
        return Approval(self.order_no, self.order_no, self.amount_krw, sum(self.cancels), self.billing_key)

    def approved(self, code: str) -> Reply:
        """Return the answer to the charge: the keys of a real one, and one that nobody documents."""
        said = {
            "order_no": self.order_no,
            "amt": str(self.amount_krw),
            "pay_type": "FIX",
            "approval_ymdhms": _seoul_time(self.approved_at),
            "seq_no": self.seq_no,
            "approval_no": self.seq_no[-8:],
            "card_id": "61",
            "card_nm": "BC카드",
            "sell_mm": "00",
            "zerofee_yn": "N",
            "cert_yn": "N",
            "contract_yn": "N",
            "escrow_yn": "N",
            "partcancel_yn": "Y",
            "card_type": "C",
            "currency_cd": "410",
            "save_amt": "",
            "point_amt": "",
            "sandbox_memo": "a=b",
        }
        return lines_reply(code, said, outcome="approved", seed=self.order_no)

    def cancelled(self, code: str, now: datetime) -> Reply:
        """Return the answer to a cancel: neither the order nor the payment is named in it."""
        said = {
            "cancel_ymdhms": _seoul_time(now),
            "part_cancel_flag": "0" if self.cancels == [self.amount_krw] else "1",
            "remain_amt": str(self.balance_krw),
            "pay_type": "CARD",
        }
        return lines_reply(code, said, outcome="cancelled", seed=self.order_no)


def lines_reply(code: str, said: Mapping[str, str], *, outcome: str = "", seed: str = "") -> Reply:
    """Return a reply of `key=value` lines in EUC-KR, in an order that nobody can rely on."""
    lines = [
        f"{key}={value}" for key, value in {"reply_cd": code, "reply_msg": message_of(code), **said}.items()
    ]
    random.Random(seed).shuffle(lines)
    body = "".join(f"{line}\n" for line in lines).encode(CHARSET)
    return Reply(200, body, outcome or code, CONTENT_TYPE)


def _seoul_time(moment: datetime) -> str:
    return f"{moment.astimezone(_SEOUL):%Y%m%d%H%M%S}"


def apply_day(now: datetime) -> str:
    """Return the day of a registration or deletion."""
    return _seoul_time(now)[:8]
