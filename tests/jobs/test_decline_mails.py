"""charge_d1: whom a decline is told, in which words, how often, and when no longer."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from tests.homes import Home
from tests.jobs.charging import CHARGE_AT, HARD, NOTICE_AT, SOFT, announced, charge, give_backup, mails, state
from tests.jobs.notices import body, mails_to
from tests.jobs.street import neighbour, street
from tests.rig import Rig
from tests.shopkeeper import Flag, credits, credits_left, mail_switch  # noqa: A004 the field's word

pytestmark = pytest.mark.rule(10)

SLOTS = [CHARGE_AT, "2026-12-02T17:00", "2026-12-03T10:00", "2026-12-03T17:00", "2026-12-04T10:00"]
LAST = "2026-12-04T17:00"
UNTIL, CHANGE = "2026년 12월 4일(금) 17:00", "결제 카드 변경"
AGAIN, NEVER_AGAIN = "2026년 12월 2일(수) 17:00 이후 다시 결제합니다", "이 카드로는 다시 시도하지 않습니다"
CASES = {
    "soft": ((SOFT,), (), AGAIN),
    "hard": ((HARD,), (), NEVER_AGAIN),
    "soft-hard": ((SOFT,), (HARD,), AGAIN),
    "hard-soft": ((HARD,), (SOFT,), AGAIN),
    "both-hard": ((HARD,), (HARD,), NEVER_AGAIN),
}
"""By name: how main and backup card answer, and what the customer reads about another try."""
BOUGHT = "bought"


@pytest.fixture(scope="module")
def inboxes(shared_pair: Home, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[EmailMessage]]:
    """Play all slots; returns what each customer was sent after the notice, and the operator of failures."""
    with street(shared_pair, tmp_path_factory) as rig:
        for name, (main, backup, _) in CASES.items():
            neighbour(rig, name, *main, backup=backup)
        neighbour(rig, BOUGHT, SOFT, backup=("approve",))
        rig.run("notify_d2", "--as-of", NOTICE_AT)
        for at in (*SLOTS, LAST):
            charge(rig, at)
        sent = {name: mails_to(rig, f"{name}@example.com")[1:] for name in (*CASES, BOUGHT)}
        operator = [mail for mail in mails_to(rig, "operator@example.com") if "실패" in mail["subject"]]
        return sent | {"operator": operator}


@pytest.mark.parametrize("name", CASES)
def test_a_customer_is_told_of_the_first_decline_and_of_the_last_and_of_no_other(
    inboxes: dict[str, list[EmailMessage]], name: str
) -> None:
    subjects = [str(mail["subject"]) for mail in inboxes[name]]
    assert ["결제되지 않았습니다" in each for each in subjects] == [True, False]
    assert ["보내 드리지 못합니다" in each for each in subjects] == [False, True]


@pytest.mark.parametrize("name", CASES)
def test_the_first_mail_says_until_when_and_how_the_card_is_changed(
    inboxes: dict[str, list[EmailMessage]], name: str
) -> None:
    said = body(inboxes[name][0])
    assert UNTIL in said
    assert CHANGE in said
    assert CASES[name][2] in said


@pytest.mark.parametrize("name", CASES)
def test_the_last_mail_says_that_nothing_is_charged_and_when_the_next_delivery_is(
    inboxes: dict[str, list[EmailMessage]], name: str
) -> None:
    said = body(inboxes[name][1])
    assert "이번 회차의 대금은 청구되지 않습니다" in said
    assert "다음 배송 예정일은 2027년 1월 3일(일)" in said


def test_the_operator_is_told_of_every_failed_round_and_what_the_card_company_said(
    inboxes: dict[str, list[EmailMessage]],
) -> None:
    said = {name: body(mail) for name in CASES for mail in inboxes["operator"] if f"({name})" in body(mail)}
    assert set(said) == set(CASES)
    assert "REJECT_CARD_PAYMENT 한도초과" in said["soft"]


def test_a_customer_whose_backup_card_paid_hears_nothing(inboxes: dict[str, list[EmailMessage]]) -> None:
    assert inboxes[BOUGHT] == []


SWITCHES: dict[str, tuple[str, Flag, Flag, list[str], list[str]]] = {
    "declined off": ("payment_declined", "F", "T", [], ["customer", "operator"]),
    "declined has no operator": ("payment_declined", "T", "F", ["customer"], ["customer", "operator"]),
    "failed off for customers": ("payment_failed", "F", "T", ["customer"], ["operator"]),
    "failed off for operators": ("payment_failed", "T", "F", ["customer"], ["customer"]),
}


@pytest.mark.parametrize(
    ("kind", "customer", "operator", "declined", "failed"), SWITCHES.values(), ids=SWITCHES
)
def test_each_mail_about_a_decline_has_its_own_switch(
    rig: Rig, kind: str, customer: Flag, operator: Flag, declined: list[str], failed: list[str]
) -> None:
    announced(rig, SOFT)
    mail_switch(rig, kind, customer, operator)
    for at in (CHARGE_AT, LAST):
        charge(rig, at)
    assert [recipient for recipient, _ in mails(rig, "payment_declined")] == declined
    assert [recipient for recipient, _ in mails(rig, "payment_failed")] == failed


def test_a_mail_about_a_decline_that_waited_is_not_sent_once_the_round_is_paid(rig: Rig) -> None:
    announced(rig, SOFT, "approve")
    credits(rig, bulk_mail=0)
    charge(rig, check=1)
    assert mails(rig, "payment_declined") == [("customer", "no_credit")]
    charge(rig, "2026-12-02T17:00")
    credits(rig, bulk_mail=10)
    charge(rig, "2026-12-02T17:05")
    assert (state(rig), mails(rig, "payment_declined")) == ("paid", [("customer", "expired")])
    assert credits_left(rig)["bulk_mail"] == 10


def test_a_mail_about_a_decline_that_waited_is_sent_while_the_round_is_tried_again(rig: Rig) -> None:
    announced(rig, SOFT)
    credits(rig, bulk_mail=0)
    charge(rig, check=1)
    credits(rig, bulk_mail=10)
    charge(rig, "2026-12-02T12:00")
    assert mails(rig, "payment_declined") == [("customer", "accepted")]


def test_declined_on_both_cards_at_once_the_customer_is_told_once(rig: Rig) -> None:
    announced(rig, SOFT)
    give_backup(rig, SOFT)
    for at in SLOTS[:3]:
        charge(rig, at)
    assert mails(rig, "payment_declined") == [("customer", "accepted")]
