"""The errors xform raises: expected, got, the user's own line, why, and what to write instead.

Every error is a subclass of `XformError` and of the built-in exceptions a NumPy or JAX user would
already be catching, so ``except ValueError`` and ``except TypeError`` keep working.
"""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Callable
from types import FrameType

import numpy as np

__all__ = [
    "AbsentRuleError",
    "ArgumentError",
    "AxisError",
    "CacheWarning",
    "CheckError",
    "CollectiveError",
    "CollectiveTimeoutError",
    "CompileError",
    "ConcretizationTypeError",
    "DonatedBufferError",
    "DtypeError",
    "GradError",
    "IndexOutOfBoundsError",
    "IntegerRangeError",
    "MemoryLimitError",
    "MissingExtraError",
    "MutationError",
    "NaNError",
    "NarrowingWarning",
    "NonConcreteBooleanIndexError",
    "OutOfMemoryError",
    "RecompilationWarning",
    "ShapeError",
    "StaticArgumentError",
    "TracerArrayConversionError",
    "TracerBoolConversionError",
    "TracerIntegerConversionError",
    "TreeError",
    "UnexpectedTracerError",
    "UnknownAxisError",
    "XformError",
    "user_frame",
    "user_line",
]

_MAX_LINES = 12

# Lines each part keeps when the whole message is longer than _MAX_LINES; they add up to _MAX_LINES.
_BUDGET = {"expected": 3, "got": 3, "at": 1, "why": 2, "write": 3}

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep
# In a bare checkout the kernels lie beside the package; installed, they lie inside it.
_KERNELS = os.path.join(os.path.dirname(os.path.dirname(_PACKAGE)), "kernels") + os.sep
# NumPy's functions written in Python call ours when they are given our arrays.
_NUMPY = os.path.dirname(np.__file__) + os.sep
_INTERNAL = (_PACKAGE, _KERNELS, _NUMPY, "<frozen ")


def user_frame(skip: int = 0) -> FrameType | None:
    """Find the innermost frame that runs the user's code.

    Args:
        skip: how many user frames to pass over, counted from the innermost.

    Returns:
        The first frame whose file lies outside xform, its kernels and NumPy, or None when there is
        none.

    >>> user_frame().f_code.co_name
    '<module>'
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        filename = frame.f_code.co_filename
        if not filename.startswith(_INTERNAL) and not _is_generated(frame, filename):
            if skip == 0:
                return frame
            skip -= 1
        frame = frame.f_back
    return None


def _is_generated(frame: FrameType, filename: str) -> bool:
    """Say whether the frame runs a method that `dataclasses` generated for one of our classes."""
    return filename == "<string>" and str(frame.f_globals.get("__name__")).startswith("xform")


def user_line(skip: int = 0) -> str | None:
    """Describe the user's line that is running: ``path:line: source text``.

    Args:
        skip: how many user frames to pass over, counted from the innermost.

    Returns:
        The description, without the source text where it cannot be read; None when no user code
        is on the stack.
    """
    frame = user_frame(skip)
    if frame is None:
        return None
    filename = frame.f_code.co_filename
    source = linecache.getline(filename, frame.f_lineno, frame.f_globals).strip()
    place = place_of(filename, frame.f_lineno)
    return f"{place}: {source}" if source else place


def place_of(filename: str, line: int) -> str:
    """Name a line as its author knows it.

    Args:
        filename: of a file, or the name that a notebook gave to the code of a cell.
        line: its number, from 1.

    Returns:
        `path:line`, with a path relative to the working directory where that is shorter, or `Cell
        In[3], line 1`.

    >>> place_of("a.py", 7)
    'a.py:7'
    """
    cell = _cell(filename)
    if cell is not None:
        return f"{cell}, line {line}"
    try:
        root = os.getcwd() + os.sep
    except FileNotFoundError:  # The working directory has been removed.
        root = os.sep * 2
    return f"{filename.removeprefix(root)}:{line}"


def _cell(filename: str) -> str | None:
    """What IPython calls the code of a cell, None for a file."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    naming = getattr(getattr(shell, "compile", None), "format_code_name", None)
    words = None if naming is None else naming(filename)
    return None if words is None else " ".join(words)


def _render(parts: dict[str, str | None]) -> str:
    """Lay the parts of a message out in at most `_MAX_LINES` lines."""
    blocks = {name: text.splitlines() or [""] for name, text in parts.items() if text is not None}
    if sum(map(len, blocks.values())) > _MAX_LINES:
        blocks = {name: _clip(lines, _BUDGET[name]) for name, lines in blocks.items()}
    out: list[str] = []
    for name, lines in blocks.items():
        head = "" if name == "expected" else f"  {name}: "
        out.append(head + lines[0])
        indent = " " * (len(head) or 2)
        out.extend(indent + line for line in lines[1:])
    return "\n".join(out)


def _clip(lines: list[str], most: int) -> list[str]:
    """Keep the first `most` lines, marking a cut."""
    return lines if len(lines) <= most else [*lines[: most - 1], f"{lines[most - 1]} ..."]


class XformError(Exception):
    """An error of xform: what was expected, what came, where, why, and what to write instead.

    Args:
        expected: what the operation needs, in one sentence.
        got: what it was given.
        why: the reason behind the rule, where it is not plain.
        instead: the code to write instead.
        where: the user's line; found from the stack when not given.

    >>> print(XformError("expected 2 arrays", "3 arrays", instead="f(x, y)", where="a.py:1: f()"))
    expected 2 arrays
      got: 3 arrays
      at: a.py:1: f()
      write: f(x, y)
    """

    expected: str
    got: str | None
    why: str | None
    instead: str | None
    where: str | None

    def __init__(
        self,
        expected: str,
        got: str | None = None,
        *,
        why: str | None = None,
        instead: str | None = None,
        where: str | None = None,
    ) -> None:
        self.expected = expected
        self.got = got
        self.why = why
        self.instead = instead
        self.where = user_line() if where is None else where
        parts = {"expected": expected, "got": got, "at": self.where, "why": why, "write": instead}
        super().__init__(_render(parts))

    def __reduce__(self) -> tuple[Callable[..., XformError], tuple[object, ...]]:
        # The default would call the constructor with the rendered message and look for a new line.
        return _rebuild, (type(self), self.args, dict(self.__dict__))


def _rebuild(
    cls: type[XformError], args: tuple[object, ...], state: dict[str, object]
) -> XformError:
    """Make an error again from its pickled parts, without running its constructor."""
    # The constructor of the base in C: that of another base, such as MemoryError, refuses. OSError
    # has a layout of its own, and makes its own.
    base = OSError if issubclass(cls, OSError) else Exception
    error: XformError = base.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class ShapeError(XformError, TypeError, ValueError):
    """Shapes that do not fit together."""


class DtypeError(XformError, TypeError):
    """A dtype the operation does not take."""


class AxisError(XformError, ValueError, IndexError):
    """An axis outside the array's dimensions, or named twice."""


class IndexOutOfBoundsError(XformError, IndexError):
    """An index outside the array, known before the program runs."""


class TreeError(XformError, ValueError, TypeError):
    """Pytrees whose structures differ."""


class ArgumentError(XformError, TypeError, ValueError):
    """An argument of the wrong kind or value."""


class ConcretizationTypeError(XformError, TypeError):
    """A traced value where a known value is needed."""


class TracerBoolConversionError(ConcretizationTypeError):
    """A traced value used as the condition of Python control flow."""


class TracerIntegerConversionError(XformError, TypeError):
    """A traced value used as a Python integer, such as an index into a list."""


class TracerArrayConversionError(XformError, TypeError):
    """A traced value given to code that needs a NumPy array."""


class NonConcreteBooleanIndexError(XformError, IndexError):
    """A traced boolean mask used as an index: the size of the result is not known."""


class UnexpectedTracerError(XformError):
    """A tracer used after the transformation that made it has returned."""


class DonatedBufferError(XformError, RuntimeError):
    """An array used after its buffer was donated to a compiled function."""


class GradError(XformError, TypeError):
    """A function that cannot be differentiated as asked."""


class StaticArgumentError(XformError, ValueError, TypeError):
    """A static argument that is not hashable, or names no parameter."""


class MutationError(XformError, TypeError):
    """An assignment into an immutable array."""


class IntegerRangeError(XformError, OverflowError):
    """A Python or 64-bit integer that does not fit the dtype it would be narrowed to."""


class AbsentRuleError(XformError, NotImplementedError):
    """A transformation of an operation that has no rule for it."""


class UnknownAxisError(XformError, NameError):
    """A collective over an axis name that no enclosing transformation binds."""


class CollectiveError(XformError, RuntimeError):
    """Devices that do not meet at the same collectives, or one that failed."""


class CollectiveTimeoutError(CollectiveError, TimeoutError):
    """A device that waited too long for the others at a collective."""


class CheckError(XformError, AssertionError):
    """A program that breaks a rule of its intermediate representation."""


class CompileError(XformError, RuntimeError):
    """Native code could not be made for a program."""


class NaNError(XformError, FloatingPointError):
    """A NaN produced while the option `debug_nans` is on."""


class MemoryLimitError(XformError, MemoryError):
    """A computation that would need more memory than an option allows."""


class OutOfMemoryError(XformError, MemoryError):
    """A request for more memory than there is."""


class MissingExtraError(XformError, ImportError):
    """A feature whose optional packages are not installed.

    Args:
        feature: what needs them.
        extra: the name of xform's extra that brings them.

    >>> print(MissingExtraError("plotting a profile", "notebook").instead)
    pip install 'xform[notebook]'
    """

    def __init__(self, feature: str, extra: str, *, where: str | None = None) -> None:
        super().__init__(
            f"{feature} needs packages that are not installed",
            instead=f"pip install 'xform[{extra}]'",
            where=where,
        )


class NarrowingWarning(UserWarning):
    """A 64-bit array was narrowed to 32 bits because `enable_x64` is off."""


class RecompilationWarning(UserWarning):
    """A jitted function is compiled again and again, for calls that differ in one thing only."""


class CacheWarning(UserWarning):
    """The cache of compiled code on disk could not be read or written; the result is unaffected."""
