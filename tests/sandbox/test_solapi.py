"""What the simulated SOLAPI registers, refuses and releases, and how it can be made to fail."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from lib.sandbox import Sandbox
from tests.sandbox.talking import Texter, code, sms


def _status_codes(response: requests.Response) -> list[str]:
    return [result["statusCode"] for result in response.json()["resultList"]]


def test_a_group_is_opened_filled_and_released(texter: Texter, sandbox: Sandbox) -> None:
    group_id = texter.create()
    added = texter.add(group_id, sms(customFields={"id": "7"}), sms())
    assert (added.json()["errorCount"], _status_codes(added)) == (0, ["2000", "2000"])
    assert added.json()["resultList"][0]["customFields"] == {"id": "7"}
    assert (texter.status(group_id), sandbox.solapi.released()) == ("PENDING", [])
    released = texter.send(group_id).json()
    assert (released["status"], released["count"]["registeredSuccess"]) == ("SENDING", 2)
    assert [message.custom_fields for message in sandbox.solapi.released()] == [{"id": "7"}, {}]
    assert texter.status(group_id) == "COMPLETE"


def test_a_released_group_stays_sending_while_the_lag_lasts(texter: Texter, sandbox: Sandbox) -> None:
    sandbox.solapi.switches = replace(sandbox.solapi.switches, complete_after_s=60)
    group_id = texter.create()
    texter.add(group_id, sms())
    texter.send(group_id)
    assert texter.status(group_id) == "SENDING"
    sandbox.clock.set(datetime.now(UTC) + timedelta(seconds=61))
    assert texter.status(group_id) == "COMPLETE"


@pytest.mark.parametrize(
    ("header", "refusal"),
    [
        ({"api_key": "OTHER"}, "InvalidAPIKey"),
        ({"api_key": ""}, "InvalidAPIKey"),
        ({"secret": "wrong"}, "SignatureDoesNotMatch"),
        ({"salt": "short"}, "SignatureDoesNotMatch"),
        ({"salt": "s" * 65}, "SignatureDoesNotMatch"),
        ({"moment": datetime.now(UTC) - timedelta(hours=1)}, "RequestTimeTooSkewed"),
        ({"moment": datetime.now(UTC) + timedelta(hours=1)}, "RequestTimeTooSkewed"),
        ({"date": "yesterday"}, "RequestTimeTooSkewed"),
        ({"date": "2026-11-23T10:00:00"}, "RequestTimeTooSkewed"),
    ],
)
def test_a_wrong_authorization_is_refused(texter: Texter, header: dict[str, Any], refusal: str) -> None:
    reply = texter.call("GET", "/cash/v1/balance", authorization=texter.header(**header))
    assert code(reply) == (403, refusal)


def test_a_signature_is_good_once(texter: Texter) -> None:
    header = texter.header()
    assert texter.call("GET", "/cash/v1/balance", authorization=header).status_code == 200
    assert code(texter.call("GET", "/cash/v1/balance", authorization=header)) == (403, "DuplicatedSignature")


def test_the_header_may_be_written_as_the_official_client_does(texter: Texter) -> None:
    header = texter.header().replace("apiKey=", "ApiKey=").replace("date=", "Date=")
    assert texter.call("GET", "/cash/v1/balance", authorization=header).status_code == 200


def test_the_providers_clock_is_real_whatever_day_is_simulated(texter: Texter, sandbox: Sandbox) -> None:
    sandbox.clock.set(datetime(2027, 1, 1, tzinfo=UTC))
    assert texter.call("GET", "/cash/v1/balance").status_code == 200


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "2000"),
        ({"to": None}, "1010"),
        ({"from": None}, "1010"),
        ({"text": None}, "1010"),
        ({"to": "010-1234-5678"}, "1011"),
        ({"to": "+821012345678"}, "1011"),
        ({"from": "02-1588-0000"}, "1011"),
        ({"text": 7}, "1011"),
        ({"subject": "제목"}, "1013"),
        ({"type": "LMS", "subject": "가" * 21}, "1014"),
        ({"type": "LMS", "subject": "가" * 20}, "2000"),
        ({"type": "MMS"}, "1025"),
        ({"text": "종이\x07울린다"}, "1028"),
        ({"text": "결제 ₩12,900"}, "1029"),
        ({"text": "똠방각하"}, "1029"),
        ({"text": "결제 ￦12,900 → ★"}, "2000"),
        ({"text": "가" * 45}, "2000"),
        ({"text": "가" * 45 + "."}, "1031"),
        ({"type": "LMS", "text": "가" * 1000}, "2000"),
        ({"type": "LMS", "text": "가" * 1000 + "."}, "1031"),
        ({"customFields": {"id": 7}}, "1032"),
        ({"customFields": {"i" * 31: "7"}}, "1032"),
        ({"customFields": {"id": "7" * 101}}, "1032"),
        ({"customFields": ["id"]}, "1032"),
    ],
)
def test_a_message_has_its_status_code(
    texter: Texter, sandbox: Sandbox, changes: dict[str, Any], status: str
) -> None:
    group_id = texter.create()
    assert _status_codes(texter.add(group_id, sms(**changes))) == [status]
    texter.send(group_id)
    assert len(sandbox.solapi.released()) == (status == "2000")


@pytest.mark.parametrize(
    ("changes", "kind"), [({}, "SMS"), ({"text": "가" * 46}, "LMS"), ({"subject": "제목"}, "LMS")]
)
def test_a_message_without_a_type_gets_one(texter: Texter, changes: dict[str, Any], kind: str) -> None:
    added = texter.add(texter.create(), sms(type=None, **changes))
    assert added.json()["resultList"][0]["type"] == kind


def test_a_second_message_to_a_number_is_refused_within_one_group_only(texter: Texter) -> None:
    group_id = texter.create()
    twin = sms()
    assert _status_codes(texter.add(group_id, twin, twin)) == ["2000", "1026"]
    assert _status_codes(texter.add(group_id, twin)) == ["1026"]
    assert _status_codes(texter.add(texter.create(), twin)) == ["2000"]


def test_duplicates_can_be_allowed(texter: Texter) -> None:
    twin = sms()
    assert _status_codes(texter.add(texter.create(allowDuplicates=True), twin, twin)) == ["2000", "2000"]


def test_a_list_of_numbers_is_a_message_each(texter: Texter) -> None:
    added = texter.add(texter.create(), sms(to=["01000000001", "01000000002"]))
    assert [result["to"] for result in added.json()["resultList"]] == ["01000000001", "01000000002"]


def test_an_unregistered_sender_is_refused(texter: Texter, sandbox: Sandbox) -> None:
    sandbox.solapi.switches = replace(sandbox.solapi.switches, senders=("0215880000",))
    added = texter.add(texter.create(), sms(), sms(**{"from": "0299998888"}))
    assert _status_codes(added) == ["2000", "1062"]
    assert texter.call("GET", "/senderid/v1/numbers/active").json() == ["0215880000"]
    assert texter.call("GET", "/senderid/v1/numbers").json()["senderIds"][0]["phoneNumber"] == "0215880000"


def test_a_recipient_can_be_refused_by_number(texter: Texter, sandbox: Sandbox) -> None:
    sandbox.solapi.switches = replace(sandbox.solapi.switches, refused={"01000000001": "1060"})
    assert _status_codes(texter.add(texter.create(), sms(to="01000000001"), sms())) == ["1060", "2000"]


def test_what_the_balance_does_not_cover_is_refused(texter: Texter, sandbox: Sandbox) -> None:
    sandbox.solapi.switches = replace(sandbox.solapi.switches, balance_krw=40)
    group_id = texter.create()
    assert _status_codes(texter.add(group_id, sms(), sms(), sms())) == ["2000", "2000", "1030"]
    rival = texter.create()
    texter.add(rival, sms())
    texter.send(group_id)
    assert texter.call("GET", "/cash/v1/balance").json()["balance"] == 4
    assert code(texter.send(rival)) == (402, "NotEnoughBalance")


@pytest.mark.parametrize(("told", "said"), [(True, "FAILED"), (False, "SENDING")])
def test_a_group_over_the_daily_quota_fails_at_once_or_afterwards(
    texter: Texter, sandbox: Sandbox, said: str, *, told: bool
) -> None:
    sandbox.solapi.switches = replace(sandbox.solapi.switches, daily_quota=1, quota_is_told=told)
    group_id = texter.create()
    assert _status_codes(texter.add(group_id, sms(), sms())) == ["2000", "2000"]
    assert texter.send(group_id).json()["status"] == said
    assert texter.status(group_id) == "FAILED"
    assert sandbox.solapi.released() == []


def test_a_group_is_released_once(texter: Texter, sandbox: Sandbox) -> None:
    group_id = texter.create()
    texter.add(group_id, sms())
    texter.send(group_id)
    assert code(texter.send(group_id)) == (400, "ValidationError")
    assert code(texter.add(group_id, sms())) == (400, "ValidationError")
    assert len(sandbox.solapi.released()) == 1


def test_an_empty_or_unknown_group_cannot_be_released(texter: Texter) -> None:
    assert code(texter.send(texter.create())) == (404, "ResourceNotFound")
    assert code(texter.send("G4V-unknown")) == (404, "ResourceNotFound")
    assert code(texter.call("GET", "/messages/v5/x")) == (404, "ResourceNotFound")


def test_a_deleted_group_is_never_released(texter: Texter) -> None:
    group_id = texter.create()
    texter.add(group_id, sms())
    assert texter.call("DELETE", f"/messages/v4/groups/{group_id}").json()["status"] == "DELETED"
    assert code(texter.send(group_id)) == (400, "ValidationError")
    assert code(texter.call("DELETE", f"/messages/v4/groups/{group_id}")) == (400, "ValidationError")


def test_a_request_takes_ten_thousand_recipients(texter: Texter) -> None:
    group_id = texter.create()
    numbers = [f"010{number:08d}" for number in range(10_001)]
    assert code(texter.add(group_id, sms(to=numbers))) == (413, "RecipientsTooMany")
    assert texter.add(group_id, sms(to=numbers[1:])).json()["errorCount"] == 0


@pytest.mark.parametrize("body", [{}, {"messages": []}, {"messages": "all"}, ["messages"]])
def test_a_body_without_messages_is_refused(texter: Texter, body: object) -> None:
    path = f"/messages/v4/groups/{texter.create()}/messages"
    assert code(texter.call("PUT", path, body)) == (400, "ValidationError")


def test_a_body_over_15_megabytes_is_refused(texter: Texter) -> None:
    assert texter.add(texter.create(), sms(text="x" * (15 * 1024 * 1024))).status_code == 413


def test_the_messages_of_a_group_come_in_pages(texter: Texter) -> None:
    path = f"/messages/v4/groups/{texter.create()}/messages"
    texter.call("PUT", path, {"messages": [sms() for _ in range(25)]})
    first = texter.call("GET", path).json()
    rest = texter.call("GET", f"{path}?startKey={first['nextKey']}&limit=20").json()
    assert (len(first["messageList"]), len(rest["messageList"]), rest["nextKey"]) == (20, 5, None)
    assert not first["messageList"].keys() & rest["messageList"].keys()
    assert code(texter.call("GET", f"{path}?limit=0")) == (400, "ValidationError")


def test_messages_are_found_by_number_and_time_with_their_custom_fields(texter: Texter) -> None:
    group_id = texter.create()
    texter.add(group_id, sms(to="01000000001", customFields={"id": "7"}), sms(to="01000000002"))

    def found(query: str) -> list[str]:
        answer = texter.call("GET", f"/messages/v4/list?{query}").json()
        return [message["to"] for message in answer["messageList"].values()]

    assert found("to=01000000001") == ["01000000001"]
    assert found(f"groupId={group_id}&statusCode=2000&type=SMS") == ["01000000001", "01000000002"]
    assert found("from=0299998888") == []
    assert found("endDate=2020-01-01T00:00:00Z") == []
    assert found("startDate=2020-01-01T00:00:00Z&to=01000000002") == ["01000000002"]
    stored = texter.call("GET", "/messages/v4/list?to=01000000001").json()["messageList"]
    assert next(iter(stored.values()))["customFields"] == {"id": "7"}
    assert code(texter.call("GET", "/messages/v4/list?startDate=today")) == (400, "ValidationError")
    assert code(texter.call("GET", "/messages/v4/list?startDate=2026-11-23")) == (400, "ValidationError")


def test_send_many_names_what_failed_and_lists_the_rest_only_when_asked(
    texter: Texter, sandbox: Sandbox
) -> None:
    messages = [sms(customFields={"id": "1"}), sms(text="₩")]
    plain = texter.call("POST", "/messages/v4/send-many/detail", {"messages": messages}).json()
    assert [message["statusCode"] for message in plain["failedMessageList"]] == ["1029"]
    assert "messageList" not in plain
    assert len(sandbox.solapi.released()) == 1
    body = {"messages": messages, "showMessageList": True}
    listed = texter.call("POST", "/messages/v4/send-many/detail", body).json()["messageList"]
    assert [message["customFields"] for message in listed] == [{"id": "1"}]
    assert "to" not in listed[0]


def test_send_many_says_200_even_where_every_message_is_refused(texter: Texter, sandbox: Sandbox) -> None:
    reply = texter.call("POST", "/messages/v4/send-many/detail", {"messages": [sms(text="₩")]})
    count = reply.json()["groupInfo"]["count"]
    assert (reply.status_code, count["total"], count["registeredFailed"]) == (200, 1, 1)
    assert sandbox.solapi.released() == []
    nothing = texter.call("POST", "/messages/v4/send-many/detail", {})
    assert code(nothing) == (400, "ValidationError")


def test_the_book_hides_numbers_from_its_repr(texter: Texter, sandbox: Sandbox) -> None:
    group_id = texter.create()
    texter.add(group_id, sms(to="01099990000"))
    texter.send(group_id)
    assert "01099990000" not in repr(list(sandbox.solapi.book))
    assert [entry.endpoint for entry in sandbox.solapi.calls()] == ["create", "add", "send"]
