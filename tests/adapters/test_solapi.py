"""What a loss means at each of SOLAPI's three steps, and what a group tells afterwards."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest

from lib import settings
from lib.messengers import Accepted, Letter, NotNow, Outcome, Outcomes, Refused, Unknown
from lib.messengers.solapi import Solapi
from tests.adapters.servers import Act, HttpServer, closed_port, hang_up, http_server, reply
from tests.adapters.solapi import (
    DELETED,
    DELETED_TOO_LATE,
    FILLED,
    GROUP,
    LETTER,
    OPENED,
    PATH,
    PENDING,
    SENDING,
    TWO,
    UNTOLD,
    both,
    filled,
    keep,
    provider,
    result,
)


def send(*acts: Act, batch: Sequence[Letter] = TWO) -> tuple[Outcomes, HttpServer]:
    with http_server(*acts) as server, provider(server.url) as one:
        return one.send(batch, keep), server


def test_letters_are_sent_as_one_group_in_three_steps() -> None:
    outcomes, server = send(OPENED, FILLED, SENDING)
    assert outcomes == both(Accepted(GROUP))
    assert server.asked == ["POST /messages/v4/groups", f"PUT {PATH}/messages", f"POST {PATH}/send"]


def test_two_notices_to_one_phone_are_allowed() -> None:
    _, server = send(OPENED, FILLED, SENDING)
    assert server.requests[0].json() == {"allowDuplicates": True}


def test_a_message_says_its_kind_outright() -> None:
    _, server = send(OPENED, FILLED, SENDING)
    content = server.requests[1].json()
    assert isinstance(content, dict)
    assert content["messages"][0] == {
        "to": "01012345678",
        "from": "0212345678",
        "text": LETTER.body,
        "type": "SMS",
        "autoTypeDetect": False,
        "customFields": {"message_id": "1"},
    }


@pytest.mark.parametrize(
    ("kind", "subject", "expected"),
    [
        ("SMS", "제목", None),
        ("LMS", "", None),
        ("LMS", "제목", "제목"),
        ("LMS", "가" * 21, "가" * 20),
        ("LMS", "a" + "가" * 21, "a" + "가" * 19),
    ],
)
def test_only_a_long_message_has_a_subject_of_forty_bytes(
    kind: Literal["SMS", "LMS"], subject: str, expected: str | None
) -> None:
    letter = replace(LETTER, sms_kind=kind, subject=subject)
    _, server = send(OPENED, filled(result(1)), SENDING, batch=[letter])
    content = server.requests[1].json()
    assert isinstance(content, dict)
    assert content["messages"][0].get("subject") == expected


def test_every_request_is_signed_anew() -> None:
    _, server = send(OPENED, FILLED, SENDING)
    signed = [request.headers["authorization"] for request in server.requests]
    assert len(set(signed)) == 3
    scheme, _, fields = signed[0].partition(" ")
    given = dict(field.split("=") for field in fields.split(", "))
    expected = hmac.new(b"hidden", (given["date"] + given["salt"]).encode(), hashlib.sha256).hexdigest()
    assert (scheme, given["apiKey"], given["date"]) == ("HMAC-SHA256", "NCSKEY", "2026-11-29T01:02:03Z")
    assert given["signature"] == expected
    assert 12 <= len(given["salt"]) <= 64


def test_a_signature_stands_on_real_time() -> None:
    with http_server(reply(200, [])) as server:
        one = Solapi(settings.Sms.model_validate({"base_url": server.url}))
        one.sender_numbers()
        one.close()
    date = server.requests[0].headers["authorization"].split("date=")[1].split(",")[0]
    assert abs(datetime.now(UTC) - datetime.fromisoformat(date)) < timedelta(minutes=1)


def test_the_group_is_remembered_before_it_is_filled() -> None:
    seen: list[str] = []
    with http_server(OPENED, FILLED, SENDING) as server, provider(server.url) as one:
        one.send(TWO, lambda group: seen.extend([group, *server.asked]))
    assert seen == [GROUP, "POST /messages/v4/groups"]


def test_where_remembering_fails_nothing_is_sent() -> None:
    def fail(_group: str) -> None:
        raise LookupError

    with http_server(OPENED) as server, provider(server.url) as one, pytest.raises(LookupError):
        one.send(TWO, fail)
    assert server.asked == ["POST /messages/v4/groups"]


REFUSALS = [
    (hang_up, NotNow("LOST", "RemoteDisconnected at 127.0.0.1", sent=False)),
    (
        reply(500, {"errorCode": "InternalError", "errorMessage": "m"}),
        NotNow("InternalError", "m", sent=False),
    ),
    (reply(429, b""), NotNow("HTTP_429", "", sent=False)),
    (reply(200, b"<html>"), NotNow("HTTP_200", "", sent=False)),
    (
        reply(403, {"errorCode": "SignatureDoesNotMatch", "errorMessage": "NCSKEY hidden"}),
        Refused("account", "SignatureDoesNotMatch", "*** ***"),
    ),
    (reply(401, b""), Refused("account", "HTTP_401", "")),
    (reply(400, {"errorCode": "ValidationError"}), Refused("account", "ValidationError", "")),
]


@pytest.mark.parametrize(("act", "expected"), REFUSALS)
def test_before_a_group_there_is_no_doubt(act: Act, expected: Outcome) -> None:
    outcomes, server = send(act)
    assert outcomes == both(expected)
    assert len(server.requests) == 1


@pytest.mark.parametrize(("act", "expected"), REFUSALS)
def test_before_the_release_there_is_no_doubt_and_the_group_is_deleted(act: Act, expected: Outcome) -> None:
    outcomes, server = send(OPENED, act, DELETED)
    assert outcomes == both(expected)
    assert server.asked[2:] == [f"DELETE {PATH}"]


def test_nobody_there_means_not_sent() -> None:
    with provider(f"http://127.0.0.1:{closed_port()}") as one:
        outcome = one.send(TWO, keep)[1]
    assert isinstance(outcome, NotNow)
    assert not outcome.sent


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("1026", Refused("permanent", "1026", "m")),
        ("1029", Refused("permanent", "1029", "m")),
        ("1060", Refused("permanent", "1060", "m")),
        ("1030", Refused("account", "1030", "m")),
        ("1062", Refused("account", "1062", "m")),
        ("1064", Refused("account", "1064", "m")),
        ("1024", NotNow("1024", "m")),
    ],
)
def test_a_message_refused_by_itself_does_not_hold_up_the_others(code: str, expected: Outcome) -> None:
    outcomes, _ = send(OPENED, filled(result(2, code, "m"), result(1)), SENDING)
    assert outcomes == {1: Accepted(GROUP), 2: expected}


def test_without_our_fields_a_refusal_is_matched_by_its_place() -> None:
    outcomes, _ = send(OPENED, filled({"statusCode": "2000"}, {"statusCode": "1060"}), SENDING)
    assert outcomes == {1: Accepted(GROUP), 2: Refused("permanent", "1060", "")}


@pytest.mark.parametrize(
    "results",
    [[], [result(1)], [result(1), result(3)], [result(1), result(1)], [result(1), {}], [None, None]],
)
def test_where_it_is_not_clear_who_was_refused_nothing_is_released(results: list[object]) -> None:
    outcomes, server = send(OPENED, filled(*results), DELETED)
    assert outcomes == both(NotNow("HTTP_200", "", sent=False))
    assert server.asked[-1] == f"DELETE {PATH}"


def test_a_group_of_refused_messages_is_not_released() -> None:
    outcomes, server = send(OPENED, filled(result(1, "1060"), result(2, "1060")), DELETED)
    assert outcomes == both(Refused("permanent", "1060", ""))
    assert server.asked[2:] == [f"DELETE {PATH}"]


FAILED = reply(
    200, {"status": "FAILED", "log": [{"message": "일일 발송량을 초과하여 발송에 실패하였습니다."}]}
)
LOST = NotNow("LOST", "RemoteDisconnected at 127.0.0.1", sent=False)


@pytest.mark.parametrize(
    ("acts", "expected"),
    [
        ([hang_up, SENDING], Accepted(GROUP)),
        ([hang_up, reply(200, {"status": "COMPLETE"})], Accepted(GROUP)),
        ([hang_up, PENDING, DELETED], LOST),
        ([hang_up, PENDING, DELETED_TOO_LATE], Unknown("the group could not be withdrawn")),
        ([hang_up, PENDING, reply(400)], Unknown("the group could not be withdrawn")),
        (
            [hang_up, FAILED],
            Refused("account", "GROUP_FAILED", "일일 발송량을 초과하여 발송에 실패하였습니다."),
        ),
        ([hang_up, DELETED], NotNow("DELETED", "the group was deleted before its release")),
        ([hang_up, DELETED_TOO_LATE], UNTOLD),
        ([hang_up, reply(404)], UNTOLD),
        ([hang_up, hang_up, hang_up, hang_up], UNTOLD),
        ([reply(200, b"<html>"), SENDING], Accepted(GROUP)),
        ([reply(500), PENDING, DELETED], NotNow("HTTP_500", "", sent=False)),
        ([reply(429), PENDING, DELETED], NotNow("HTTP_429", "", sent=False)),
        (
            [reply(400, {"errorCode": "NotEnoughBalance"}), PENDING, DELETED],
            Refused("account", "NotEnoughBalance", ""),
        ),
        ([reply(403, {"errorCode": "InvalidAPIKey"}), reply(403)], Refused("account", "InvalidAPIKey", "")),
        (
            [FAILED, FAILED],
            Refused("account", "GROUP_FAILED", "일일 발송량을 초과하여 발송에 실패하였습니다."),
        ),
    ],
)
def test_a_lost_release_is_read_back_from_the_group(acts: list[Act], expected: Outcome) -> None:
    outcomes, server = send(OPENED, FILLED, *acts)
    assert outcomes == both(expected)
    assert server.asked.count(f"POST {PATH}/send") == 1


def test_a_group_whose_claim_is_old_is_not_released() -> None:
    late = [replace(one, lease_until=datetime.now(UTC)) for one in TWO]
    with http_server(OPENED, FILLED, DELETED) as server, provider(server.url) as one:
        outcomes = one.send(late, keep)
    assert outcomes == both(NotNow("LEASE", "no time left to release the group", sent=False))
    assert server.asked[2:] == [f"DELETE {PATH}"]


def test_a_group_whose_lease_is_over_is_not_released() -> None:
    with http_server(OPENED, FILLED, DELETED) as server, provider(server.url, lease=0.001) as one:
        outcomes = one.send(TWO, keep)
    assert outcomes == both(NotNow("LEASE", "no time left to release the group", sent=False))
    assert server.asked[2:] == [f"DELETE {PATH}"]
