"""How long the stages from a function to its code take, for those who ask: reports and the log.

A `Clock` is of one program. While one is recording, `measured` credits the time within its block to
a stage; the time of stages and of other programs within is not counted twice.
"""

from __future__ import annotations

import sys
import time
from contextvars import ContextVar, Token
from typing import Any

from ..config import config
from .source import Source

STAGES = ("trace", "transform", "simplify", "cache", "load", "fuse", "emit", "llvm", "link")
"""From first to last. `transform` is the time in derivatives and batches of programs, `cache` that
of naming a program and looking for its code on the disk, `load` that of reading the compiler, which
happens once in a process."""


class Clock:
    """The seconds that each stage of a program took, and where its code came from.

    `origin` is "compiled", "disk", or "memory" for the code of an equal program of this process; it
    is empty as long as there is no code.
    """

    __slots__ = ("_since", "_stage", "origin", "seconds")

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.origin = ""
        self._stage: str | None = None
        self._since = 0.0

    def switch(self, stage: str | None) -> str | None:
        """Count for another stage from now on, or for none; what was counted for before."""
        now = time.perf_counter()
        before = self._stage
        if before is not None:
            self.seconds[before] = self.seconds.get(before, 0.0) + now - self._since
        self._stage, self._since = stage, now
        return before

    def stages(self) -> tuple[tuple[str, float], ...]:
        """The stages that took place, in their order, with their seconds."""
        return tuple([(name, self.seconds[name]) for name in STAGES if name in self.seconds])


_recording: ContextVar[Clock | None] = ContextVar("xform_clock", default=None)


class recording:
    """Within the block, stages are credited to a clock; the one before stands still."""

    __slots__ = ("before", "clock", "outer", "token")

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def __enter__(self) -> Clock:
        self.outer = _recording.get()
        self.before = None if self.outer is None else self.outer.switch(None)
        self.token: Token[Clock | None] = _recording.set(self.clock)
        return self.clock

    def __exit__(self, *exc: object) -> None:
        _recording.reset(self.token)
        if self.outer is not None:
            self.outer.switch(self.before)


class measured:
    """Within the block, the time counts for a stage, one of `STAGES`."""

    __slots__ = ("before", "clock", "stage")

    def __init__(self, stage: str) -> None:
        self.stage = stage

    def __enter__(self) -> None:
        self.clock = _recording.get()
        self.before = None if self.clock is None else self.clock.switch(self.stage)

    def __exit__(self, *exc: object) -> None:
        if self.clock is not None:
            self.clock.switch(self.before)


def note_origin(origin: str) -> None:
    """Say where the code of the program came from."""
    clock = _recording.get()
    if clock is not None:
        clock.origin = origin


def stages_text(stages: Any) -> str:
    """Stages with their milliseconds.

    >>> stages_text([("trace", 0.00123), ("llvm", 0.01)])
    'trace 1.2, llvm 10.0'
    """
    return ", ".join(f"{name} {1e3 * seconds:.1f}" for name, seconds in stages)


_ORIGINS = {
    "compiled": "compiled",
    "disk": "read from the disk",
    "memory": "shared with an equal program",
}


def origin_text(clock_origin: str) -> str:
    """Where code came from, in words."""
    return _ORIGINS.get(clock_origin, "traced as a part of other programs, not compiled alone")


def log(name: str, types: str, at: Source, clock: Clock) -> None:
    """Print a line about a program that got its code, where `config.log` asks for `compile`."""
    if "compile" in [event.strip() for event in config.log.split(",")]:
        stages = clock.stages()
        total = 1e3 * sum(seconds for _, seconds in stages)
        how = origin_text(clock.origin)
        line = f"xform: {name}({types}) {how} in {total:.1f} ms ({stages_text(stages)}) at {at}"
        print(line, file=sys.stderr)
