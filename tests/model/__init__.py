"""The reference model: the rules of sealing, announcing, charging and resetting over a town, in plain Python.

It is written from the rules alone and shares nothing with the program: where the two differ, one of them is
wrong. In its world no answer is lost and no run is killed: what is sent is answered at once.
"""

from __future__ import annotations

from tests.model.arithmetic import Line
from tests.model.post import Chooser, Message, MessageKey, oldest_first
from tests.model.runs import Model
from tests.model.sealing import Round

__all__ = ["Chooser", "Line", "Message", "MessageKey", "Model", "Round", "oldest_first"]
