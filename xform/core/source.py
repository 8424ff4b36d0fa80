"""Where in the user's program an equation was made."""

from __future__ import annotations

import functools
import linecache
from collections.abc import Callable
from contextlib import ContextDecorator
from contextvars import ContextVar, Token
from typing import Any, NamedTuple

from ..errors import place_of, user_frame


class Source(NamedTuple):
    """A line of the user's program. `function` is its function, after the names of scopes."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{place_of(self.file, self.line)} ({self.function})"

    @property
    def text(self) -> str:
        """`file:line: the line itself`, as errors show it."""
        code = linecache.getline(self.file, self.line).strip()
        place = place_of(self.file, self.line)
        return f"{place}: {code}" if code else place


UNKNOWN = Source("<unknown>", 0, "?")


_given: ContextVar[Source | None] = ContextVar("xform_given_source", default=None)


class given:
    """Within the block, lines are those that `at` is told: equations are written from others."""

    __slots__ = ("token",)

    def __enter__(self) -> given:
        self.token: Token[Source | None] = _given.set(_given.get())
        return self

    def at(self, source: Source) -> None:
        _given.set(None if source is UNKNOWN else source)

    def __exit__(self, *exc: object) -> None:
        _given.reset(self.token)


_scope: ContextVar[str] = ContextVar("xform_scope", default="")


class scope(ContextDecorator):
    """Within the block, and in a function that it decorates, lines are told with a name in front
    of the function's: `name/function`. Scopes nest."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.tokens: list[Token[str]] = []

    def __enter__(self) -> scope:
        self.tokens.append(_scope.set(f"{_scope.get()}{self.name}/"))
        return self

    def __exit__(self, *exc: object) -> None:
        _scope.reset(self.tokens.pop())

    def _recreate_cm(self) -> scope:
        # Calls in several threads at a time do not share a block.
        return scope(self.name)


def current() -> Source:
    """The innermost line on the stack that is not xform's own, or the one that is given."""
    told = _given.get()
    if told is not None:
        return told
    frame = user_frame()
    if frame is None:
        return UNKNOWN
    return Source(frame.f_code.co_filename, frame.f_lineno, _scope.get() + frame.f_code.co_name)


def name_of(fun: Callable[..., Any]) -> str:
    """A function's name for programs and errors."""
    while isinstance(fun, functools.partial):
        fun = fun.func
    return getattr(fun, "__name__", type(fun).__name__)
