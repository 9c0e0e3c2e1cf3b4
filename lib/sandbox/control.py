"""The control interface: JSON over HTTP, by which another process drives the simulators.

GET `/book/{toss,solapi,smtp}`, `/approvals`, `/released`, `/mails`; POST `/faults`, `/switches`, `/cards`,
`/clock`, `/reset`; DELETE `/faults/{toss,solapi,smtp}`. `lib.sandbox.client` speaks it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from lib.sandbox.book import entry_line
from lib.sandbox.clock import SettableClock
from lib.sandbox.faults import Fault, Faults, Strike
from lib.sandbox.server import Reply, Request, json_reply
from lib.sandbox.smtp import Smtp
from lib.sandbox.solapi import Solapi
from lib.sandbox.tosspayments import TossPayments
from lib.sandbox.tosspayments_rules import Card


def _entries(entries: Iterable[object]) -> list[Any]:
    return [json.loads(entry_line(entry)) for entry in entries]


class Control:
    """Reads the books and sets faults, switches, cards and the clock; wrong input is told with a 400."""

    def __init__(self, clock: SettableClock, toss: TossPayments, solapi: Solapi, smtp: Smtp) -> None:
        self.faults = Faults()
        self.port = 0
        self._clock = clock
        self._toss = toss
        self._solapi = solapi
        self._smtp = smtp
        self._posts: Mapping[str, Callable[[dict[str, Any]], None]] = {
            "/faults": self._add_faults,
            "/switches": self._switch,
            "/cards": lambda body: toss.register(*(_card(card) for card in body["cards"])),
            "/clock": lambda body: clock.set(datetime.fromisoformat(body["now"])),
            "/reset": lambda _: self.reset(),
        }

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}"

    def reset(self) -> None:
        """Empty every simulator and go back to real time; switches stay."""
        for simulator in (self._toss, self._solapi, self._smtp):
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
                return _entries(self._simulator(name).book)
            case "GET", "approvals":
                return _entries(self._toss.approvals())
            case "GET", "released":
                return _entries(self._solapi.released())
            case "GET", "mails":
                return _entries(self._smtp.book)
            case "DELETE", "faults", name:
                self._simulator(name).faults.clear()
                return {}
            case "POST", *_:
                self._posts[request.path](request.payload or {})
                return {}
        raise ValueError(f"no {request.method} {request.path} here")

    def _simulator(self, name: str) -> TossPayments | Solapi | Smtp:
        simulators: dict[str, TossPayments | Solapi | Smtp] = {
            "toss": self._toss,
            "solapi": self._solapi,
            "smtp": self._smtp,
        }
        return simulators[name]

    def _add_faults(self, body: dict[str, Any]) -> None:
        faults = self._simulator(body["service"]).faults
        faults.add(*(Fault(**fault) for fault in body.get("faults", [])))
        faults.latency_s = float(body.get("latency_s", faults.latency_s))

    def _switch(self, body: dict[str, Any]) -> None:
        simulator: Any = self._simulator(body["service"])  # each has switches of its own class
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in body.items()}
        del values["service"]
        simulator.switches = replace(simulator.switches, **values)


def _card(fields: dict[str, Any]) -> Card:
    return Card(**fields | {"script": tuple(fields.get("script", ("approve",)))})
