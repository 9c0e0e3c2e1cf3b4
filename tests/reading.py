"""Messages as their readers see them."""

from __future__ import annotations

from html.parser import HTMLParser

from lib.facts import Kind, PaymentNotice
from lib.preview import SAMPLES
from lib.rendering import Rendered, Renderer

RENDERER = Renderer(None)


def customer_mail(kind: Kind, sample: str = "usual") -> Rendered:
    return RENDERER.render(kind, "customer", "mail", vars(SAMPLES[kind][sample]))


def notice_mail(notice: PaymentNotice) -> Rendered:
    return RENDERER.render("payment_notice", "customer", "mail", vars(notice))


def notice_sms(notice: PaymentNotice) -> str:
    return RENDERER.render("payment_notice", "customer", "sms", vars(notice)).body


class Reader(HTMLParser):
    """Read HTML as a mail program does: tags with their attributes, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, object]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


def words(rendered: Rendered, part: str) -> str:
    """Return a part as its reader sees it."""
    return Reader(rendered.html).text if part == "html" else rendered.body
