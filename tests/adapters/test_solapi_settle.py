"""What SOLAPI tells of a group, an account and its purse afterwards."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lib.messengers import Accepted, NotNow, Outcome, Outcomes, Refused, Unknown
from tests.adapters.servers import Act, HttpServer, hang_up, http_server, reply
from tests.adapters.solapi import (
    DELETED,
    DELETED_TOO_LATE,
    GROUP,
    PATH,
    PENDING,
    SENDING,
    TWO,
    UNTOLD,
    both,
    provider,
    result,
)


def settle(*acts: Act, group: str = GROUP) -> tuple[Outcomes, HttpServer]:
    batch = [replace(letter, provider_id=group) for letter in TWO]
    with http_server(*acts) as server, provider(server.url) as one:
        return one.settle(batch), server


def listed(*results: dict[str, object], following: str | None = None) -> bytes:
    messages = {f"M{place}": one for place, one in enumerate(results)}
    return reply(200, {"messageList": messages, "nextKey": following})


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("2000", Accepted(GROUP)),
        ("3000", Accepted(GROUP)),
        ("4000", Accepted(GROUP)),
        ("3040", Accepted(GROUP)),
        ("3010", Refused("permanent", "3010", "")),
        ("1060", Refused("permanent", "1060", "")),
        ("2230", Refused("account", "2230", "")),
        ("2024", NotNow("2024", "")),
        ("TEST1000", Unknown("status code TEST1000")),
    ],
)
def test_a_message_of_a_released_group_is_judged_by_its_code(code: str, expected: Outcome) -> None:
    outcomes, _ = settle(SENDING, listed(result(1, code), result(2)))
    assert outcomes == {1: expected, 2: Accepted(GROUP)}


def test_a_group_is_read_page_by_page() -> None:
    outcomes, server = settle(SENDING, listed(result(1), following="k/1"), listed(result(2)))
    assert outcomes == both(Accepted(GROUP))
    assert server.asked[1:] == [
        f"GET {PATH}/messages?limit=200",
        f"GET {PATH}/messages?limit=200&startKey=k%2F1",
    ]


@pytest.mark.parametrize("page", [listed(result(1)), reply(200, {"messageList": [result(1)]})])
def test_a_message_the_group_does_not_list_stays_unknown(page: bytes) -> None:
    outcomes, _ = settle(SENDING, page)
    assert outcomes == {1: Accepted(GROUP), 2: Unknown("the group does not list this message")}


@pytest.mark.parametrize(
    ("acts", "expected"),
    [
        ([PENDING, DELETED], NotNow("PENDING", "the group was not released")),
        ([PENDING, DELETED_TOO_LATE], Unknown("the group could not be withdrawn")),
        ([DELETED], NotNow("DELETED", "the group was deleted before its release")),
        ([DELETED_TOO_LATE], UNTOLD),
        ([reply(404, {"errorCode": "ResourceNotFound"})], UNTOLD),
        ([hang_up, hang_up, hang_up], UNTOLD),
    ],
)
def test_a_group_that_was_not_released_is_withdrawn_before_that_counts(
    acts: list[Act], expected: Outcome
) -> None:
    assert settle(*acts)[0] == both(expected)


def test_a_letter_without_a_group_was_not_handed_over() -> None:
    outcomes, server = settle(group="")
    assert outcomes == both(NotNow("NO_GROUP", "its group was never filled", sent=False))
    assert server.requests == []


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (reply(200, ["02-1234-5678", "01012345678"]), {"0212345678", "01012345678"}),
        (reply(200, []), set()),
        (reply(200, {}), None),
        (reply(403, {"errorCode": "InvalidAPIKey"}), None),
    ],
)
def test_sender_numbers_are_told_or_not(act: Act, expected: set[str] | None) -> None:
    with http_server(act) as server, provider(server.url) as one:
        assert one.sender_numbers() == expected
    assert server.asked == ["GET /senderid/v1/numbers/active"]


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (reply(200, {"balance": 1000.5, "point": 50}), 1050),
        (reply(200, {"balance": 1000}), 1000),
        (reply(200, {"balance": None}), None),
        (reply(500), None),
    ],
)
def test_the_balance_is_told_or_not(act: Act, expected: int | None) -> None:
    with http_server(act, act, act) as server, provider(server.url) as one:
        assert one.balance() == expected
