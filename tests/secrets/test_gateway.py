"""Whatever a PG repeats of keys, cards and people, none of it is kept, told or sent on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from lib import settings
from lib.gateways import Approval, Attempt, Card
from lib.gateways.tosspayments import TossPayments
from lib.redaction import redact
from tests.adapters.servers import (
    Act,
    closed_port,
    hang_up,
    http_server,
    reply,
    say_and_hang_up,
    smtp_server,
    stall,
)
from tests.adapters.tosspayments import ATTEMPT, NOW
from tests.jobs.charging import CHARGE_AT
from tests.jobs.resetting import BY_HAND
from tests.rig import Rig
from tests.secrets import marked
from tests.secrets.echoing import echo_server
from tests.secrets.watching import Watch, announce, configure, watched

pytestmark = pytest.mark.rule(14)

CARD = Card(7, "m0", "tosspayments", marked.BILLING_KEY, marked.CUSTOMER_KEY, marked.MASK, NOW)
HEAD = "HTTP/1.1 200 X\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n"


def refusal(status: int, code: str) -> Callable[[str], Act]:
    return lambda said: reply(status, {"code": code, "message": said})


ANSWERS: dict[str, Callable[[str], Act]] = {
    "declined softly": refusal(403, "REJECT_CARD_PAYMENT"),
    "declined hard": refusal(400, "INVALID_STOPPED_CARD"),
    "row refused": refusal(400, "NOT_MATCHES_CUSTOMER_KEY"),
    "account refused": refusal(401, "UNAUTHORIZED_KEY"),
    "account forbidden": refusal(403, "FORBIDDEN_REQUEST"),
    "unpublished": refusal(400, "A_CODE_NOBODY_PUBLISHED"),
    "not now": refusal(409, "IDEMPOTENT_REQUEST_PROCESSING"),
    "failing": refusal(500, "FAILED_INTERNAL_SYSTEM_PROCESSING"),
    "not found": refusal(404, "NOT_FOUND_BILLING"),
    "in the code": lambda said: reply(400, {"code": said, "message": "?"}),
    "in a nest": lambda said: reply(400, {"code": {"x": [said]}, "message": {"y": said}}),
    "aborted": lambda said: reply(
        200,
        {
            "status": "ABORTED",
            "orderId": ATTEMPT.order_no,
            "failure": {"code": "REJECT_CARD_PAYMENT", "message": said},
        },
    ),
    "senseless": lambda said: reply(200, {"status": said, "message": said}),
    "a list": lambda said: reply(400, [said]),
    "a page": lambda said: reply(502, f"<html><body>{said}</body></html>".encode()),
    "moved": lambda said: reply(302, said.encode(), headers=f"Location: http://127.0.0.1/{len(said)}\r\n"),
    "cut": lambda said: say_and_hang_up(f'{HEAD}{{"message": "{said}'.encode()),
    "no HTTP": lambda said: say_and_hang_up(f"{said}\r\n\r\n".encode()),
}


SLOW = {"failing", "a page", "cut", "no HTTP"}
"""After these an inquiry is asked again, and again."""


def outcomes(gateway: TossPayments) -> Iterator[object]:
    """Make every call there is; a cancel knows no card, and its PG was told of none."""
    attempt = Attempt(**vars(ATTEMPT) | {"request_digest": gateway.digest(ATTEMPT, CARD)})
    yield gateway.charge(ATTEMPT, CARD)
    yield gateway.settle(attempt, CARD, replay=lambda: NOW + timedelta(days=36_500))
    yield gateway.settle(attempt, CARD, replay=lambda: None)
    yield gateway.forget(CARD)
    yield gateway.cancel(Approval("tid", ATTEMPT.order_no, 12_900, ""), f"wrong card {marked.CARD}")


@pytest.mark.parametrize("answer", ANSWERS)
def test_no_answer_of_the_gateway_is_passed_on_with_what_it_repeats(answer: str) -> None:
    packs = marked.packed(marked.ECHOES)
    for echo in packs[:1] if answer in SLOW else packs:
        with http_server(*[ANSWERS[answer](echo)] * 20) as server:
            config = {"secret_key": marked.PG_SECRET, "base_url": server.url, "read_timeout": 0.3}
            gateway = TossPayments(settings.TossPayments.model_validate(config), lambda: NOW)
            found = [*outcomes(gateway)]
            gateway.close()
        told = [marked.leaks(repr(each)) for each in found]
        assert told[:-1] == [[]] * 4, echo
        assert not set(told[-1]) - {"billing key", "customer key"}, echo


@pytest.fixture
def watch(sqlite_rig: Rig) -> Iterator[Watch]:
    """Watch a rig; at the end nothing marked may have come out anywhere."""
    with watched(sqlite_rig) as made:
        yield made


LAST_DAY, LONG_AFTER = "2026-12-04T17:30", "2026-12-06T10:00"


def whole_life(watch: Watch, base_url: str, names: list[str]) -> None:
    """Charge to the end, look at everything, reset the PG, with a gateway at this address."""
    configure(watch.rig, gateway={"tosspayments": {"base_url": base_url, "read_timeout": 0.3}})
    watch.tell("charge_d1", "--as-of", CHARGE_AT, "--dry-run")
    watch.tell("charge_d1", "--as-of", CHARGE_AT, "-v")
    for at in ("2026-12-02T11:05", LAST_DAY, LONG_AFTER):
        watch.run("charge_d1", "--as-of", at, "-v", check=None)
    for arguments in (("list", "--rounds"), ("report",), ("report", "--doubts"), ("show", names[0])):
        watch.tell("ops", *arguments)
        watch.run("ops", *arguments)
    watch.run("reset_pg", "--as-of", LONG_AFTER, *BY_HAND, check=None)
    watch.tell("ops", "report")


RECORDED = [
    "declined softly",
    "declined hard",
    "row refused",
    "account refused",
    "unpublished",
    "failing",
    "in the code",
    "in a nest",
    "aborted",
]
"""Those that come to different places, each with what the PG said."""


@pytest.mark.parametrize("answer", RECORDED)
def test_a_whole_life_with_such_a_gateway_leaves_no_secret_anywhere(watch: Watch, answer: str) -> None:
    names = [f"S-{number}" for number in range(1, 3 if answer in SLOW else 9)]
    announce(watch, *names)
    with echo_server(ANSWERS[answer]) as server:
        whole_life(watch, server.url, names)
        assert {request.method for request in server.requests} >= {"POST", "DELETE"}


@pytest.mark.parametrize("act", [stall, hang_up], ids=["silent", "gone"])
def test_a_gateway_that_does_not_answer_leaves_no_secret_either(watch: Watch, act: Act) -> None:
    announce(watch)
    with http_server(*[act] * 100) as server:
        whole_life(watch, server.url, ["S-1"])


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_gateway_that_is_not_reached_leaves_no_secret_either(watch: Watch, scheme: str) -> None:
    announce(watch)
    with smtp_server() as no_pg:
        port = no_pg.port if scheme == "https" else closed_port()
        whole_life(watch, f"{scheme}://127.0.0.1:{port}", ["S-1"])
    (first, *_) = watch.rig.ours("SELECT state, message FROM payment_attempt ORDER BY attempt_id")
    assert first["state"] == "not_sent"


@pytest.mark.parametrize("piece", ["a", "1", "0101", "a@", "@", "82 ", "\u202e가"])
def test_a_huge_answer_is_read_in_no_time(piece: str) -> None:
    began = time.monotonic()
    assert len(redact(piece * 1_000_000, *CARD.secrets, marked.PG_SECRET)) <= 200
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "said",
    [
        "2026-12-02 10:00:00 12,900원 J1G2WCYRPGL22GXTJIVV5C01",
        "카드 4330-12**-****-1001 한도초과",
        "발신번호 02-1544-0000, 1588-1234",
        "#1082 line 50123 at 12:34:56.789",
    ],
)
def test_what_an_operator_needs_to_read_stays(said: str) -> None:
    assert redact(said, marked.PG_SECRET) == said
