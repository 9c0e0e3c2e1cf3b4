"""What happens in the demo's shop between two runs: customers, a bad line, and the admin page."""

from __future__ import annotations

from datetime import datetime

from lib.billing import texts
from lib.billing.numbers import order_no
from lib.dialect import as_date
from lib.sandbox import Card, Fault
from lib.sandbox.demo_stage import Stage
from lib.sandbox.tosspayments_rules import verdict

NEXT_PG = "nicepay"
_NAME_CHARS = 24


class Town:
    """Each event changes what the storefront would and returns the sentence that tells it.

    None: there was nobody to whom it could happen.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._lost: str | None = None
        """The order number whose approval got lost on its way."""

    def cancel_item(self, at: datetime) -> str | None:
        """Let a member cancel one of the items that were announced today."""
        found = self._stage.row("item_to_cancel", today=at.date())
        if found is None:
            return None
        self._stage.write("member_cancels_item", item_id=found["item_id"], at=at)
        product = texts.clean(found["product_name"])[:_NAME_CHARS]
        return (
            f"고객 {found['subscription_id']} 님이 상품 하나를 해지했습니다: {product}. "
            "이번 회차는 안내한 대로 결제·배송하고 다음 회차부터 빠집니다."
        )

    def cancel_subscription(self, at: datetime) -> str | None:
        """Let a member cancel everything after the notice."""
        found = self._stage.row("subscription_to_cancel", today=at.date())
        if found is None:
            return None
        subscription_id = found["subscription_id"]
        self._stage.write("member_cancels_items", subscription_id=subscription_id, at=at)
        self._stage.write("member_cancels_subscription", subscription_id=subscription_id, at=at)
        return f"고객 {subscription_id} 님이 신청을 모두 해지했습니다. 안내한 회차도 결제하지 않습니다(void)."

    def lose_a_reply(self, at: datetime) -> str | None:
        """Let the PG approve a charge of the next run and lose its reply."""
        for row in self._stage.rows("rounds_to_charge", today=at.date()):
            number = order_no(
                self._stage.recipe.shop_no, row["subscription_id"], as_date(row["delivery_on"]), 1
            )
            if self._will_approve(row["billing_key"], number):
                self._lost = number
                fault = Fault("drop", endpoint="charge", subject=number, processed=True, times=1)
                self._stage.sandbox.toss.faults.add(fault)
                return (
                    f"통신 장애: {row['subscription_id']} 님의 {texts.won(row['amount_krw'])} 결제는 "
                    "PG에서 승인되지만 그 응답이 오는 길에 사라집니다(unknown)."
                )
        return None

    def _will_approve(self, billing_key: str, number: str) -> bool:
        return verdict(self._stage.cards[billing_key], 0, number) == "approve"

    def find_the_reply(self, _at: datetime) -> str | None:
        """Tell that the lost approval was found, and that the money moved once."""
        if self._lost is None or self._lost not in self.recorded():
            return None
        times = sum(one.order_no == self._lost for one in self._stage.sandbox.toss.approvals())
        return f"사라졌던 응답을 같은 주문번호 {self._lost} 로 확인했습니다. PG의 승인은 {times}건뿐입니다."

    def recorded(self) -> set[str]:
        """Return the order numbers whose approvals are in our ledger."""
        return {row["order_no"] for row in self._stage.rows("approvals_recorded")}

    def change_card(self, at: datetime) -> str | None:
        """Let a member whose card is lost or stolen register another one."""
        found = self._stage.row("dead_main_card")
        if found is None:
            return None
        key = f"demo-new-card-{found['card_id']:07}="
        self._stage.issue(Card(key, found["customer_key"]))
        self._stage.write(
            "store_card",
            member_id=found["member_id"],
            pg_code=found["pg_code"],
            billing_key=key,
            customer_key=found["customer_key"],
            card_company="국민",
            masked_number="9445-41**-****-2026",
            at=at,
        )
        self._stage.write("use_new_card", billing_key=key, old_card_id=found["card_id"])
        return (
            f"고객 {found['subscription_id']} 님이 분실 카드 대신 새 카드를 등록했습니다. "
            "다음 재시도 시각에 새 카드로 결제합니다."
        )

    def change_pg(self, at: datetime) -> str:
        """Let the admin page end the contract with the PG and record the next."""
        self._stage.write("end_contract", pg_code=self._stage.recipe.pg_code, at=at)
        self._stage.write("begin_contract", pg_code=NEXT_PG, merchant_id="nicepay_demo2", at=at)
        self._stage.write("apply_for_service", pg_code=NEXT_PG, at=at)
        return (
            "관리자가 PG를 토스페이먼츠에서 나이스페이로 바꿨습니다. "
            "저장된 카드는 새 PG에서 쓸 수 없으므로 신청을 모두 해지하고 카드를 지웁니다."
        )
