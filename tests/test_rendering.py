"""Values stay values, a shop may bring its own templates, and a wrong one is told clearly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lib.billing.texts import clean
from lib.facts import Dropped, Line, PaymentNotice, PriceRise
from lib.preview import NOTICE, SAMPLES
from lib.rendering import Renderer, TemplateError
from tests.reading import Reader, notice_mail

# Values are values, never templates

HOSTILE = [
    "{{ 7*7 }}",
    "{% for x in lines %}x{% endfor %}",
    "<b>굵게</b>",
    "<script>alert(1)</script>",
    "</td></table>",
    "\" onmouseover='x'",
    "&amp;&lt;",
    "줄\n바꿈\r\n\r\nBcc: x@y.z",
    "줄\u2028바\u0085꿈\x0b\x0c",
    "뒤집\u202e힘\u200b",
    "빵🍞🥖",
    "${x} %n {0.__class__}",
]


def with_value(value: str) -> PaymentNotice:
    line = Line(value, value, 1, 100, 0, 100, round_no=1)
    risen = PriceRise(value, value, agreed_price=1, price_now=2, charged_price=1)
    return replace(
        NOTICE,
        shop_name=value,
        buyer_name=value,
        card_mask=value,
        subscription_id=value,
        lines=(line,),
        dropped=(Dropped(value, value, "sold_out"),),
        price_risen=(risen,),
    )


PLAIN = notice_mail(with_value("x"))


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_is_shown_as_it_is(value: str) -> None:
    rendered = notice_mail(with_value(value))
    for text in (rendered.subject, rendered.body, Reader(rendered.html).text):
        assert clean(value) in text


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1))
@example("<b>")
@example("'\"")
@example("a\nb\u2028c\x85d\x1ce")
def test_no_value_adds_a_tag_an_attribute_or_a_line(value: str) -> None:
    rendered = notice_mail(with_value(value))
    assert Reader(rendered.html).tags == Reader(PLAIN.html).tags
    assert len(rendered.body.splitlines()) == len(PLAIN.body.splitlines())
    assert len(rendered.subject.splitlines()) == 1


# A shop's own templates


def own(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def test_a_shop_overrides_one_file_and_keeps_the_others(tmp_path: Path) -> None:
    folder = own(tmp_path, "payment_notice/customer.txt", "우리 제목 {{ amount_krw|won }}\n\n우리 글")
    rendered = Renderer(folder).render("payment_notice", "customer", "mail", vars(NOTICE))
    assert (rendered.subject, rendered.body) == ("우리 제목 38,860원", "우리 글\n")
    assert rendered.html == notice_mail(NOTICE).html


def test_a_shop_s_own_words_reach_the_built_in_templates(tmp_path: Path) -> None:
    folder = own(tmp_path, "footer.txt", "우리 꼬리말\n")
    rendered = Renderer(folder).render(
        "payment_failed", "customer", "mail", vars(SAMPLES["payment_failed"]["usual"])
    )
    assert rendered.body.endswith("우리 꼬리말\n")


def test_a_file_saved_with_windows_notepad_is_read(tmp_path: Path) -> None:
    folder = own(tmp_path, "payment_notice/customer.txt", "\ufeff제목\r\n\r\n첫 줄\r\n둘째 줄\r\n")
    rendered = Renderer(folder).render("payment_notice", "customer", "mail", vars(NOTICE))
    assert (rendered.subject, rendered.body) == ("제목", "첫 줄\n둘째 줄\n")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("payment_notice/customer.txt", "제목\n{% if %}", "customer.txt:2: Expected an expression"),
        (
            "payment_notice/customer.txt",
            "제목\n\n{{ amount_krw|wonn }}",
            "customer.txt:3: No filter named 'wonn'",
        ),
        (
            "auto_cancel/customer.html",
            "<p>\n{% include 'tail.html' %}",
            "html:2: 서식 tail.html이(가) 없습니다",
        ),
        ("payment_notice/custmer.txt", "제목", "custmer.txt: 쓰이지 않는 파일"),
        ("footer.txt", "첫 줄\n꼬리말".encode("cp949"), "footer.txt:1: UTF-8이 아닙니다"),
    ],
)
def test_a_template_that_cannot_be_used_is_refused_at_the_start(
    name: str, content: str | bytes, said: str, tmp_path: Path
) -> None:
    with pytest.raises(TemplateError) as refused:
        Renderer(own(tmp_path, name, content))
    assert said in str(refused.value)
    assert str(refused.value).endswith("세요"), "the remedy"


def test_a_template_that_cannot_be_opened_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "footer.txt").symlink_to("/proc/self/mem")
    with pytest.raises(TemplateError, match=r"footer\.txt: .+ 읽을 수 있게 하세요"):
        Renderer(tmp_path)


def test_a_folder_that_does_not_exist_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match=r"폴더가 없습니다. 만들거나 paths\.templates 를 비우세요"):
        Renderer(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("제목\n\n{{ amount }}", "customer.txt:3: 'amount' is undefined - 이름을 고치거나"),
        ("제목\n{% for line in lines %}\n{{ line.price }}{% endfor %}", "customer.txt:3: "),
        ("제목\n{{ lines[0].price }}", "has no attribute 'price'"),
        ("제목\n{{ buyer_name.__class__.__mro__ }}", "customer.txt:2: access to attribute '__class__'"),
        ("제목\n{{ buyer_name + 1 }}", "customer.txt:2: 값을 채우지 못했습니다(TypeError)"),
        ("\n \n", "customer.txt: 비어 있습니다"),
    ],
)
def test_a_template_that_fails_on_a_message_names_file_line_and_cause(
    content: str, said: str, tmp_path: Path
) -> None:
    renderer = Renderer(own(tmp_path, "payment_notice/customer.txt", content))
    with pytest.raises(TemplateError) as failed:
        renderer.render("payment_notice", "customer", "mail", vars(NOTICE))
    assert said in str(failed.value)
    assert NOTICE.buyer_name not in str(failed.value)


def test_facts_do_not_show_the_shop_s_number_in_their_repr() -> None:
    assert NOTICE.sender_phone not in repr(NOTICE)
