"""The control interface: JSON over HTTP, by which another process drives the simulators.

GET `/book/{toss,nicepay,allat,solapi,smtp}`, `/approvals/{toss,nicepay,allat}`, `/released`, `/mails`; POST
`/faults`, `/switches`, `/cards`, `/clock`, `/reset`; DELETE `/faults/{toss,nicepay,allat,solapi,smtp}`.
`lib.sandbox.client` speaks it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lib.sandbox.allat import Allat
from lib.sandbox.allat_rules import AllatCard
from lib.sandbox.book import entry_line
from lib.sandbox.clock import SettableClock
from lib.sandbox.faults import Fault, Faults, Strike
from lib.sandbox.nicepay import Nicepay
from lib.sandbox.nicepay_rules import NicepayCard
from lib.sandbox.server import Reply, Request, json_reply
from lib.sandbox.smtp import Smtp
from lib.sandbox.solapi import Solapi
from lib.sandbox.tosspayments import TossPayments
from lib.sandbox.tosspayments_rules import Card

Simulator = TossPayments | Nicepay | Allat | Solapi | Smtp


@dataclass(frozen=True)
class Pgs:
    """The simulated PGs, each under the name by which it is driven."""

    toss: TossPayments
    nicepay: Nicepay
    allat: Allat

    def register(self, name: str, cards: Iterable[dict[str, Any]]) -> None:
        """Issue billing keys at one of them."""
        told = [fields | {"script": tuple(fields.get("script", ("approve",)))} for fields in cards]
        match name:
            case "nicepay":
                self.nicepay.register(*(NicepayCard(**fields) for fields in told))
            case "allat":
                self.allat.register(*(AllatCard(**fields) for fields in told))
            case _:
                self.toss.register(*(Card(**fields) for fields in told))


def _entries(entries: Iterable[object]) -> list[Any]:
    return [json.loads(entry_line(entry)) for entry in entries]


class Control:
    """Reads the books and sets faults, switches, cards and the clock; wrong input is told with a 400."""

    def __init__(self, clock: SettableClock, pgs: Pgs, solapi: Solapi, smtp: Smtp) -> None:
        self.faults = Faults()
        self.port = 0
        self._clock = clock
        self._pgs: Mapping[str, TossPayments | Nicepay | Allat] = vars(pgs)
        self._solapi = solapi
        self._smtp = smtp
        self._simulators: Mapping[str, Simulator] = {**self._pgs, "solapi": solapi, "smtp": smtp}
        self._posts: Mapping[str, Callable[[dict[str, Any]], None]] = {
            "/faults": self._add_faults,
            "/switches": self._switch,
            "/cards": lambda body: pgs.register(body["service"], body["cards"]),
            "/clock": lambda body: clock.set(datetime.fromisoformat(body["now"])),
            "/reset": lambda _: self.reset(),
        }

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}"

    def reset(self) -> None:
        """Empty every simulator and go back to real time; switches stay."""
        for simulator in self._simulators.values():
            simulator.reset()
        self._clock.reset()

    def identify(self, request: Request) -> tuple[str, str]:
        """Nothing here can be made to go wrong."""
        return "control", request.path

    def respond(self, request: Request, endpoint: str, subject: str, strike: Strike) -> Reply:  # noqa: ARG002 - the shape every service has
        """Read or change what was asked for."""
        try:
            return json_reply(200, self._act(request))
        except (KeyError, TypeError, ValueError) as error:
            return json_reply(400, {"error": f"{type(error).__name__}: {error}"})

    def error(self, status: int, code: str) -> Reply:
        """Return an error."""
        return json_reply(status, {"error": code or "unreadable request"})

    def _act(self, request: Request) -> object:
        match request.method, *request.path.split("/")[1:]:
            case "GET", "book", name:
                return _entries(self._simulators[name].book)
            case "GET", "approvals", name:
                return _entries(self._pgs[name].approvals())
            case "GET", "released":
                return _entries(self._solapi.released())
            case "GET", "mails":
                return _entries(self._smtp.book)
            case "DELETE", "faults", name:
                self._simulators[name].faults.clear()
                return {}
            case "POST", *_:
                self._posts[request.path](request.payload or {})
                return {}
        raise ValueError(f"no {request.method} {request.path} here")

    def _add_faults(self, body: dict[str, Any]) -> None:
        faults = self._simulators[body["service"]].faults
        faults.add(*(Fault(**fault) for fault in body.get("faults", [])))
        faults.latency_s = float(body.get("latency_s", faults.latency_s))

    def _switch(self, body: dict[str, Any]) -> None:
        simulator: Any = self._simulators[body["service"]]  # each has switches of its own class
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in body.items()}
        del values["service"]
        simulator.switches = replace(simulator.switches, **values)
