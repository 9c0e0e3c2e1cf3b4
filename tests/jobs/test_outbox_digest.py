"""Rule 7: one operators' mail per run carries those of its events, pays for them, and says what each was."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text

from lib.sandbox import Card, Fault
from tests.jobs import charging, resetting
from tests.jobs.notices import D, body, lease_runs_out, ledger, mails_to, notify, open_matters
from tests.jobs.outbox import CUSTOMER_MAIL, LATER, OPERATOR, OPERATOR_MAIL, REFUSED, counted, kill_when, only
from tests.reading import Reader
from tests.rig import Rig
from tests.shopkeeper import Item, card, credits_left, member, open_shop, subscription
from tests.shopkeeper import credits as set_credits

pytestmark = pytest.mark.rule(7)

NIGHT, TEN, ELEVEN = "2026-12-01T05:00", "2026-12-01T10:00", "2026-12-01T11:00"


def digests(rig: Rig, **policy: object) -> None:
    rig.config(policy={"operator_mail": "digest"} | policy)


def shop_with(rig: Rig, number: int = 2) -> None:
    """Put in subscriptions whose notices only the operator is told of."""
    open_shop(rig)
    only(rig, OPERATOR_MAIL)
    for index in range(1, number + 1):
        subscription(rig, f"S-{index}", delivery_on=D)


def told(rig: Rig) -> list[str]:
    """Return the text of every mail that the operator got."""
    return [body(mail) for mail in mails_to(rig, OPERATOR)]


def digest_states(rig: Rig) -> list[str]:
    return [
        row["state"]
        for row in rig.ours("SELECT state FROM message WHERE kind = 'digest' ORDER BY message_id")
    ]


def test_each_run_with_events_sends_a_digest_of_its_own(any_rig: Rig) -> None:
    digests(any_rig)
    shop_with(any_rig, 2)
    notify(any_rig)
    subscription(any_rig, "S-3", delivery_on=D)
    notify(any_rig, TEN)
    notify(any_rig, ELEVEN)
    first, second = told(any_rig)
    assert "S-1" in first
    assert "S-3" not in first
    assert "[결제 안내 1건]" in second
    refs = any_rig.ours("SELECT DISTINCT ref FROM message WHERE kind = 'digest'")
    assert {row["ref"] for row in refs} <= {
        str(row["run_id"]) for row in any_rig.ours("SELECT run_id FROM job_run")
    }


def test_a_digest_pays_one_credit_and_what_it_carries_none(any_rig: Rig) -> None:
    digests(any_rig)
    shop_with(any_rig, 5)
    notify(any_rig)
    assert ledger(any_rig) == [("debit", "bulk_mail", 1)]
    carried = any_rig.ours(
        "SELECT state, units, body FROM message WHERE digest_id IN "
        "(SELECT message_id FROM message WHERE kind = 'digest')"
    )
    assert [(row["state"], row["units"], row["body"]) for row in carried] == [("merged", 0, None)] * 5


@pytest.mark.parametrize(("credit", "state"), [(0, "no_credit"), (1_000, "queued")])
def test_a_digest_carries_what_earlier_runs_left_unpaid(rig: Rig, credit: int, state: str) -> None:
    shop_with(rig, 3)
    set_credits(rig, bulk_mail=credit)
    notify(rig, NIGHT if credit else "2026-12-01T09:00", check=None)
    assert counted(rig, state=state) == 3
    digests(rig)
    set_credits(rig, bulk_mail=1)
    notify(rig, TEN)
    assert (counted(rig, state="merged", units=0), len(told(rig))) == (3, 1)
    assert (credits_left(rig)["bulk_mail"], open_matters(rig)) == (0, [])


def test_a_digest_does_not_carry_what_was_paid_for_already(rig: Rig) -> None:
    shop_with(rig, 1)
    rig.sandbox.smtp.faults.add(Fault("error", "rcpt", status=451, times=1))
    notify(rig)
    digests(rig)
    subscription(rig, "S-2", delivery_on=D)
    notify(rig, TEN)
    assert (counted(rig, state="merged"), counted(rig, state="accepted"), len(told(rig))) == (1, 2, 2)
    assert ledger(rig) == [("debit", "bulk_mail", 1)] * 2


def test_a_digest_does_not_carry_what_has_expired(rig: Rig) -> None:
    open_shop(rig)
    only(rig, CUSTOMER_MAIL, OPERATOR_MAIL)
    for index in (1, 2):
        subscription(rig, f"S-{index}", delivery_on=D)
    notify(rig, NIGHT)
    rig.shop("UPDATE subscription SET subscription_state = 'C' WHERE subscription_id = 'S-1'")
    digests(rig)
    notify(rig, TEN)
    (said,) = told(rig)
    assert "S-1" not in said
    assert "[결제 안내 1건]" in said


def test_digests_without_credit_wait_and_go_after_a_top_up_each_once(rig: Rig) -> None:
    digests(rig)
    shop_with(rig, 1)
    set_credits(rig, bulk_mail=0)
    notify(rig, check=1)
    subscription(rig, "S-2", delivery_on=D)
    assert notify(rig, TEN).counts["messages_no_credit"] == 2
    set_credits(rig, bulk_mail=2)
    rig.run("charge_d1", "--as-of", ELEVEN)
    notify(rig, "2026-12-01T12:00")
    assert (digest_states(rig), len(told(rig))) == (["accepted"] * 2, 2)
    assert credits_left(rig)["bulk_mail"] == 0


def test_the_digest_comes_after_every_customer(rig: Rig) -> None:
    digests(rig)
    open_shop(rig)
    only(rig, CUSTOMER_MAIL, OPERATOR_MAIL)
    for index in range(3):
        subscription(rig, f"S-{index}", delivery_on=D)
    set_credits(rig, bulk_mail=3)
    notify(rig, check=1)
    assert (counted(rig, recipient="customer", state="accepted"), digest_states(rig)) == (3, ["no_credit"])


def test_a_digest_names_the_day_of_its_run_though_it_leaves_later(any_rig: Rig) -> None:
    digests(any_rig)
    shop_with(any_rig)
    notify(any_rig, "2026-12-01T22:00")
    assert (digest_states(any_rig), told(any_rig)) == (["queued"], [])
    notify(any_rig, "2026-12-02T08:00")
    (said,) = told(any_rig)
    assert "2026년 12월 1일(화) 정기배송 작업에서" in said


def test_a_digest_goes_to_the_newest_address_of_the_operator(rig: Rig) -> None:
    shop_with(rig, 1)
    rig.shop("UPDATE shop SET operator_email = 'z-old@example.com'")
    notify(rig, NIGHT)
    rig.shop("UPDATE shop SET operator_email = :new", new=OPERATOR)
    subscription(rig, "S-2", delivery_on=D)
    digests(rig)
    notify(rig, TEN)
    assert (len(told(rig)), mails_to(rig, "z-old@example.com")) == (1, [])


def test_a_refused_digest_is_refunded_and_what_it_carried_is_not_sent(rig: Rig) -> None:
    digests(rig)
    shop_with(rig)
    rig.shop("UPDATE shop SET operator_email = :address", address=REFUSED)
    notify(rig)
    notify(rig, TEN)
    assert (digest_states(rig), counted(rig, state="merged")) == (["refused"], 2)
    assert credits_left(rig)["bulk_mail"] == 1_000


def test_a_digest_put_off_is_the_same_digest_later(rig: Rig) -> None:
    digests(rig)
    shop_with(rig)
    rig.shop("UPDATE shop SET operator_email = :address", address=LATER)
    notify(rig)
    rig.ours("UPDATE message SET address = :address WHERE kind = 'digest'", address=OPERATOR)
    notify(rig, TEN)
    assert (digest_states(rig), len(told(rig)), ledger(rig)) == (
        ["accepted"],
        1,
        [("debit", "bulk_mail", 1)],
    )


def test_without_the_operators_switch_there_is_no_digest(rig: Rig) -> None:
    digests(rig)
    open_shop(rig)
    only(rig, CUSTOMER_MAIL)
    subscription(rig, "S-1", delivery_on=D)
    notify(rig)
    assert (digest_states(rig), counted(rig, state="accepted")) == ([], 1)


@pytest.mark.parametrize("address", ["", "none"])
def test_without_an_address_of_the_operator_there_is_no_digest(rig: Rig, address: str) -> None:
    digests(rig)
    shop_with(rig)
    rig.shop("UPDATE shop SET operator_email = :address", address=address)
    notify(rig)
    assert rig.ours("SELECT * FROM message") == []


def test_a_digest_whose_run_was_killed_while_it_left_is_the_same_mail_again(rig: Rig) -> None:
    digests(rig)
    shop_with(rig)
    faults = rig.sandbox.smtp.faults
    faults.add(Fault("delay", "dot", seconds=20, processed=True, times=1))
    kill_when(rig, lambda: digest_states(rig) == ["sending"] and bool(rig.sandbox.smtp.book))
    lease_runs_out(rig)
    notify(rig, TEN)
    assert (digest_states(rig), counted(rig, state="merged")) == (["accepted"], 2)
    assert len({mail["Message-ID"] for mail in mails_to(rig, OPERATOR)}) == 1
    assert ledger(rig) == [("debit", "bulk_mail", 1)]


def test_a_digest_whose_run_was_killed_before_it_left_is_sent_by_the_next(rig: Rig) -> None:
    digests(rig)
    shop_with(rig)
    with rig.home.shop.begin() as connection:  # nobody can be debited while this is open
        connection.execute(text("SELECT * FROM message_credit FOR UPDATE"))
        kill_when(rig, lambda: digest_states(rig) == ["queued"])
    notify(rig, TEN)
    notify(rig, ELEVEN)  # the server may have held what the killed run had locked
    assert (digest_states(rig), len(told(rig)), counted(rig, state="merged")) == (["accepted"], 1, 2)
    assert ledger(rig) == [("debit", "bulk_mail", 1)]


def test_what_a_digest_says_of_a_notice(sqlite_rig: Rig) -> None:
    digests(sqlite_rig)
    open_shop(sqlite_rig)
    shop = sqlite_rig
    shop.put("product", product_no=2, product_code="P2", product_name="녹차", price=1, sold_out="T")
    subscription(shop, "S-1", delivery_on=D, items=(Item(quantity=2), Item(product_no=2, price=1)))
    subscription(shop, "S-2", delivery_on=date(2026, 12, 2), buyer_name="이바람")
    notify(shop)
    (mail,) = mails_to(shop, OPERATOR)
    assert mail["Subject"] == "[달빛커피] 정기배송 처리 내역 12/1(화): 2건"
    for said in (body(mail), Reader(body(mail, "html")).text):
        for part in ("2026년 12월 1일(화)", "S-1", "12/3(목)", "25,800원", "이바람", "12/2(수)", "12,900원"):
            assert part in said
    assert "- S-1 김하늘 · 12/3(목) 배송분 · 25,800원 · 빠진 상품 1개" in body(mail).splitlines()


def test_what_a_digest_says_of_a_failed_charge(rig: Rig) -> None:
    digests(rig, retry_days=1, retry_times=["09:00"])
    open_shop(rig)
    member(rig)
    rig.sandbox.toss.register(Card(charging.MAIN, script=(charging.SOFT,)))
    subscription(rig, "S-1", delivery_on=D, card_id=card(rig, billing_key=charging.MAIN))
    notify(rig)
    charging.charge(rig)
    said = told(rig)[-1].splitlines()
    assert said[said.index("[결제 실패 1건]") + 1] == "- S-1 김하늘 · 12/3(목) 배송분 · 12,900원"


def test_what_a_digest_says_of_ended_subscriptions(rig: Rig) -> None:
    digests(rig)
    resetting.subscribed(rig, 2)
    resetting.pg_changed(rig)
    resetting.reset(rig)
    (said,) = told(rig)
    for part in (
        "[자동 해지 2건]",
        "- S-1 김하늘 · PG사 변경 또는 초기화",
        "- S-2 김하늘 · PG사 변경 또는 초기화",
    ):
        assert part in said.splitlines()


def test_a_long_digest_names_a_hundred_and_counts_the_rest(sqlite_rig: Rig) -> None:
    digests(sqlite_rig)
    shop_with(sqlite_rig, 103)
    notify(sqlite_rig)
    (said,) = told(sqlite_rig)
    assert "[결제 안내 103건]" in said.splitlines()
    assert "외 3건은 정기배송 신청내역에서 확인하실 수 있습니다." in said
    assert sum(line.startswith("- S-") for line in said.splitlines()) == 100
