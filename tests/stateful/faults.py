"""How the gateway, the mail server and the SMS provider behave, by name."""

from __future__ import annotations

from collections.abc import Mapping

from lib.sandbox import Fault

LATE_SECONDS = 1.2
"""A late approval comes this long after its request, when nobody waits for the reply any more."""
PATIENCE = 1.0
LEASE = 5
"""Seconds that a claim of a charge holds: a reset beside a killed run waits for its end, in real time."""

GATEWAY: Mapping[str, tuple[Fault, ...]] = {
    "well": (),
    "replies lost": (Fault("drop", "charge", processed=True),),
    "requests lost": (Fault("drop", "charge"),),
    "error after charging": (Fault("error", "charge", processed=True),),
    "error before charging": (Fault("error", "charge"),),
    "error for good": (Fault("error", "charge", processed=True, stored=True),),
    "half a reply": (Fault("truncated", "charge"),),
    "reset in the middle": (Fault("reset", "charge"),),
    "approves late": (Fault("delay", "charge", seconds=LATE_SECONDS, times=1),),
    "approves late, answers nobody": (
        Fault("delay", "charge", seconds=LATE_SECONDS, times=1),
        Fault("drop", "inquiry"),
    ),
    "silent after charging": (Fault("drop", "charge", processed=True), Fault("drop")),
    "keeps its keys": (Fault("error", "forget"),),
    "away": (Fault("drop", "accept"), Fault("drop")),
}
MAIL: Mapping[str, tuple[Fault, ...]] = {
    "well": (),
    "away": (Fault("drop", "accept"),),
    "accepts, answer lost": (Fault("drop", "dot", processed=True),),
    "text lost": (Fault("drop", "dot"),),
    "every other answer lost": (Fault("drop", "dot", processed=True, rate=0.5),),
    "later": (Fault("error", "rcpt", status=451),),
    "closing": (Fault("error", "mail", status=421),),
}
SMS: Mapping[str, tuple[Fault, ...]] = {
    "well": (),
    "away": (Fault("drop"),),
    "released, answer lost": (Fault("drop", "send", processed=True),),
    "not released, answer lost": (Fault("drop", "send"),),
    "nothing can be read back": (Fault("drop", "send", processed=True), Fault("drop", "group")),
    "errors": (Fault("error"),),
}
