"""Every step of a SOLAPI group can lose its reply; the group then tells what happened."""

import pytest
import requests

from lib.sandbox import Fault, Sandbox
from tests.sandbox.talking import Texter, code, sms


@pytest.mark.parametrize("processed", [False, True])
def test_a_lost_reply_to_opening_a_group_sends_nothing(
    texter: Texter, sandbox: Sandbox, *, processed: bool
) -> None:
    sandbox.solapi.faults.add(Fault("drop", "create", processed=processed))
    with pytest.raises(requests.ConnectionError):
        texter.create()
    assert sandbox.solapi.released() == []


@pytest.mark.parametrize("processed", [False, True])
def test_a_lost_reply_to_filling_a_group_can_be_read_from_it(
    texter: Texter, sandbox: Sandbox, *, processed: bool
) -> None:
    sandbox.solapi.faults.add(Fault("drop", "add", processed=processed))
    group_id = texter.create()
    with pytest.raises(requests.ConnectionError):
        texter.add(group_id, sms())
    stored = texter.call("GET", f"/messages/v4/groups/{group_id}/messages").json()["messageList"]
    assert len(stored) == int(processed)


@pytest.mark.parametrize(("processed", "status"), [(False, "PENDING"), (True, "COMPLETE")])
def test_a_lost_reply_to_a_release_can_be_read_from_the_group(
    texter: Texter, sandbox: Sandbox, status: str, *, processed: bool
) -> None:
    group_id = texter.create()
    texter.add(group_id, sms())
    sandbox.solapi.faults.add(Fault("drop", "send", subject=group_id, processed=processed))
    with pytest.raises(requests.ConnectionError):
        texter.send(group_id)
    assert texter.status(group_id) == status
    assert len(sandbox.solapi.released()) == int(processed)


def test_an_internal_error_has_the_vendors_form(texter: Texter, sandbox: Sandbox) -> None:
    sandbox.solapi.faults.add(Fault("error", "send"))
    assert code(texter.send("G")) == (500, "InternalError")
