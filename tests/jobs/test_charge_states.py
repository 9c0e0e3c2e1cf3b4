"""The moves of a round and of its attempts: what late evidence, refusals and doubts make of every state."""

from __future__ import annotations

import json

import pytest

from lib.sandbox import Fault
from tests.homes import Home
from tests.jobs.charging import HARD, NOTICE_AT, SOFT, charge
from tests.jobs.street import neighbour, round_of, street, tries_of
from tests.rig import Rig

pytestmark = pytest.mark.rule(9, 10, 11)

FIRST = "2026-12-02T10:00"


CASES = {
    **dict.fromkeys(("charging", "due", "in_doubt", "paid"), "paid"),
    **dict.fromkeys(("void", "missed", "failed", "skipped", "held"), "held"),
}
"""What a round comes to, by the state in which its approval turns up."""


@pytest.fixture(scope="module")
def found(shared_pair: Home, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, list[str]]]:
    """Charge every round, lose the replies, bring it into its state, and let the approval turn up on disk."""
    with street(shared_pair, tmp_path_factory) as rig:
        for name in CASES:
            neighbour(rig, name)
        rig.run("notify_d2", "--as-of", NOTICE_AT)
        charge(rig, FIRST, "--subscription", "paid")
        rig.sandbox.toss.faults.add(Fault("drop", "charge", processed=True))
        charge(rig, FIRST)
        rig.sandbox.toss.faults.clear()
        rig.ours("UPDATE billing_round SET state = subscription_id")
        _turn_up(rig)
        charge(rig, FIRST, check=1)
        return {name: (round_of(rig, name)["state"], tries_of(rig, name)) for name in CASES}


def _turn_up(rig: Rig) -> None:
    """Leave every approval of the gateway in the spool, as a run that was killed would have."""
    lines = [
        {
            "pg_code": "tosspayments",
            "tid": made.payment_key,
            "order_no": made.order_no,
            "amount_krw": made.amount,
            "approval_no": "1",
        }
        for made in rig.sandbox.toss.approvals()
    ]
    path = rig.folder / "spool" / "approvals-left.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_evidence_of_money_counts_from_every_state_and_at_any_time(
    found: dict[str, tuple[str, list[str]]], name: str
) -> None:
    assert found[name] == (CASES[name], ["main approved"])


ANSWERS = {
    "approve": ("paid", "main approved"),
    SOFT: ("due", "main declined"),
    HARD: ("due", "main declined"),
    "NOT_MATCHES_CUSTOMER_KEY": ("held", "main not_charged"),
    "BELOW_MINIMUM_AMOUNT": ("held", "main not_charged"),
    "INVALID_REQUEST": ("held", "main not_charged"),
    "DUPLICATED_ORDER_ID": ("charging", "main unknown"),
    "PROVIDER_ERROR": ("charging", "main unknown"),
}


@pytest.fixture(scope="module")
def answered(shared_pair: Home, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    """Charge one round for each answer a gateway gives."""
    keys = {word: f"S-{number}" for number, word in enumerate(ANSWERS)}
    with street(shared_pair, tmp_path_factory) as rig:
        for word, key in keys.items():
            neighbour(rig, key, word)
        rig.run("notify_d2", "--as-of", NOTICE_AT)
        charge(rig, FIRST, check=1)
        return {
            word: (round_of(rig, key)["state"], " ".join(tries_of(rig, key))) for word, key in keys.items()
        }


@pytest.mark.parametrize("word", ANSWERS)
def test_every_answer_of_the_gateway_has_its_state(answered: dict[str, tuple[str, str]], word: str) -> None:
    assert answered[word] == ANSWERS[word]
