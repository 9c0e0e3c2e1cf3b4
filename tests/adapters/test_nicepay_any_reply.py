"""Whatever bytes come back from NICEPAY: an outcome, no exception, and no approval that was not said."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from lib.gateways import Approved, NotCharged, Outcome, Settled
from lib.gateways.nicepay import Nicepay
from tests.adapters.nicepay import ATTEMPT, CARD, FAILED, PAID, cancel_of, gateway, signed
from tests.adapters.servers import http_server, reply

EXAMPLES = 150
SOON = datetime.now(UTC) + timedelta(days=1)

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_fields = st.dictionaries(st.sampled_from([*PAID, "bid"]), _json, max_size=3)
_signed_fields = st.fixed_dictionaries(
    {},
    optional={
        "orderId": st.sampled_from([ATTEMPT.order_no, "ANOTHER1", ""]),
        "amount": st.sampled_from([12_900, 12_901, 0, -5]),
        "balanceAmt": st.sampled_from([12_900, 12_901, 0]),
        "status": st.sampled_from(["paid", "cancelled", "partialCancelled", "failed", "ready"]),
        "resultCode": st.sampled_from(["0000", "U107", "U112", "3095", "3001"]),
        "cancels": st.lists(st.sampled_from([cancel_of(12_900), cancel_of(900, 1)]), max_size=2),
    },
)
_records = (
    st.builds(lambda fields: PAID | fields, _fields)
    | st.builds(lambda fields: FAILED | fields, _fields)
    | st.builds(lambda fields: signed(**fields), _signed_fields)
)
_bodies = st.binary(max_size=200) | st.builds(lambda value: json.dumps(value).encode(), _records | _json)
_answers = st.tuples(st.sampled_from([200, 200, 200, 401, 404, 500]), _bodies)


def _said(body: bytes) -> tuple[object, object, object]:
    """Return what a reply says of order, amount and state, where it is a record at all."""
    record = json.loads(body)
    return record["orderId"], record["amount"], record["status"]


def _is_honest(outcome: Outcome | Settled, body: bytes) -> None:
    """Money is recorded as the signed reply tells it; so it counts for our order at our amount only."""
    if not isinstance(outcome, Approved | NotCharged):
        return
    (approval, *cancels) = outcome.evidence
    order_no, amount, state = _said(body)
    assert (approval.order_no, approval.amount_krw, approval.kind) == (order_no, amount, "approve")
    left = approval.amount_krw - sum(each.amount_krw for each in cancels)
    assert (left == approval.amount_krw) == (state == "paid")
    if isinstance(outcome, NotCharged):
        assert (order_no, left, state) == (ATTEMPT.order_no, 0, "cancelled")
    assert json.loads(body) == signed(**json.loads(body))


def _ask(answer: tuple[int, bytes], call: Callable[[Nicepay], Outcome | Settled]) -> Outcome | Settled:
    # Enough of the same answer: an inquiry that fails is repeated, and one that finds nothing goes on.
    with http_server(*[reply(*answer)] * 4) as server, gateway(server.url) as one:
        return call(one)


@effort(max_examples=EXAMPLES, deadline=None)
@given(answer=_answers)
def test_any_reply_to_a_charge_is_an_outcome(answer: tuple[int, bytes]) -> None:
    _is_honest(_ask(answer, lambda one: one.charge(ATTEMPT, CARD)), answer[1])


@effort(max_examples=EXAMPLES, deadline=None)
@given(answer=_answers)
def test_any_reply_to_an_inquiry_and_a_second_sending_is_an_outcome(answer: tuple[int, bytes]) -> None:
    def settle(one: Nicepay) -> Settled:
        attempt = replace(ATTEMPT, request_digest=one.digest(ATTEMPT, CARD))
        return one.settle(attempt, CARD, replay=lambda: SOON)

    _is_honest(_ask(answer, settle), answer[1])


@effort(max_examples=EXAMPLES, deadline=None)
@given(answer=_answers)
def test_any_reply_to_a_deletion_is_an_outcome(answer: tuple[int, bytes]) -> None:
    with http_server(*[reply(*answer)] * 6) as server, gateway(server.url) as one:
        assert one.forget(CARD).state in {"done", "already_gone", "failed", "unknown"}
