"""A shop's own template that is wrong: stopped before anything is sealed, or told while the others go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.jobs.notices import D, notice, notify, open_matters, rounds, states
from tests.rig import Rig
from tests.shopkeeper import credits_left, open_shop, subscription

pytestmark = pytest.mark.rule(6, 14)

FILE = "payment_notice/customer.txt"
TEXT_FILE = "payment_notice/customer.sms.txt"


def own_template(rig: Rig, text: str, file: str = FILE) -> Path:
    folder = rig.folder / "templates"
    (folder / "payment_notice").mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(text, encoding="utf-8")
    rig.config(paths={"templates": str(folder)})
    return folder / file


def due(rig: Rig) -> None:
    open_shop(rig)
    subscription(rig, delivery_on=D)


@pytest.mark.parametrize(
    "text", ["제목\n{% if %}", "제목\n{{ amount_krw|dollar }}", "제목\n{% include 'no.txt' %}"]
)
def test_a_template_that_does_not_compile_stops_before_anything_is_sealed(sqlite_rig: Rig, text: str) -> None:
    path = own_template(sqlite_rig, text)
    due(sqlite_rig)
    ended = notify(sqlite_rig, check=78)
    assert f"{path}:2" in ended.stderr
    assert rounds(sqlite_rig) == sqlite_rig.ours("SELECT * FROM message") == []


@pytest.mark.parametrize("text", ["제목\n{{ amount }}", "제목\n{{ 1 // 0 }}", "{{ shop_name and '' }}\n"])
def test_a_template_that_cannot_be_filled_in_keeps_back_its_own_messages_only(
    any_rig: Rig, text: str
) -> None:
    own_template(any_rig, text)
    due(any_rig)
    ended = notify(any_rig, check=1)
    assert FILE in ended.stderr
    assert states(any_rig) == {
        "customer mail": "queued",
        "customer sms": "accepted",
        "operator mail": "accepted",
    }
    assert open_matters(any_rig) == [("template", "template payment_notice")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("{{ shop_name and '' }}\n", "비어 있습니다", id="empty"),
        pytest.param("\u200b ☕\n", "비어 있습니다", id="nothing_that_can_be_sent"),
        pytest.param("{{ '가' * 1001 }}", "문자가 2,000바이트를 넘습니다", id="too_long"),
    ],
)
def test_a_text_message_that_no_provider_takes_waits_and_costs_nothing(
    sqlite_rig: Rig, text: str, said: str
) -> None:
    own_template(sqlite_rig, text, TEXT_FILE)
    due(sqlite_rig)
    ended = notify(sqlite_rig, check=1)
    assert said in ended.stderr
    assert states(sqlite_rig)["customer sms"] == "queued"
    assert credits_left(sqlite_rig)["sms"] == 1_000


def test_the_longest_text_message_is_an_lms(sqlite_rig: Rig) -> None:
    own_template(sqlite_rig, "{{ '가' * 1000 }}", TEXT_FILE)
    due(sqlite_rig)
    notify(sqlite_rig)
    assert [(sms.kind, len(sms.text)) for sms in sqlite_rig.sandbox.solapi.released()] == [("LMS", 1000)]


def test_a_mended_template_sends_what_waited_and_is_told_no_more(any_rig: Rig) -> None:
    path = own_template(any_rig, "제목\n{{ amount }}")
    due(any_rig)
    notify(any_rig, check=1)
    notify(any_rig, "2026-12-01T11:00")
    path.write_text("제목\n합계 {{ amount_krw|won }}", encoding="utf-8")
    notify(any_rig, "2026-12-01T13:00")
    assert notice(any_rig).strip() == "합계 12,900원"
    assert open_matters(any_rig) == []


def test_a_template_may_hold_any_quotes_and_breaks_of_its_own(any_rig: Rig) -> None:
    own_template(any_rig, "\ufeff'제목' \"{{ shop_name }}\"\n\n줄 1\n줄 2 % ; -- \\")
    due(any_rig)
    notify(any_rig)
    assert notice(any_rig).split() == ["줄", "1", "줄", "2", "%", ";", "--", "\\"]
