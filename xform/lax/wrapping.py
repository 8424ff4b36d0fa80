"""Functions of `xform.lax` from rows: what those of one and of two operands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.primitive import Primitive
from ..errors import ArgumentError
from .operands import agree, operand

_ARGS_ONE = """

Args:
    x: an array of {accepts}, or a number.
"""

_ARGS_TWO = """

Args:
    x, y: arrays of equal shapes and dtypes, of {accepts}; one may be a number.
"""

_RAISES = """
Raises:
    DtypeError: the dtype is another{or_differ}.
"""


def _document(
    function: Callable[..., Any], name: str, arguments: str, summary: str, accepts: str, shown: str
) -> Callable[..., Any]:
    call, _, result = shown.partition(" -> ")
    differ = ", or the dtypes differ" if arguments is _ARGS_TWO else ""
    function.__name__ = function.__qualname__ = name
    function.__module__ = "xform.lax"
    function.__doc__ = (
        summary
        + arguments.format(accepts=accepts)
        + _RAISES.format(or_differ=differ)
        + f"\n>>> import numpy as np\n>>> {call}\n{result}\n"
    )
    return function


def unary(name: str, row: Primitive, summary: str, accepts: str, shown: str) -> Any:
    """A function of one operand; `shown` is an example: a call, an arrow, and what it gives."""

    def function(x: Any) -> Any:
        return row(operand(x))

    return _document(function, name, _ARGS_ONE, summary, accepts, shown)


def accurate(name: str, row: Primitive, summary: str, accepts: str, shown: str) -> Any:
    """A function of one operand for which JAX lets the accuracy be chosen; here there is one."""

    def function(x: Any, *, accuracy: Any = None) -> Any:
        if accuracy is not None:
            raise ArgumentError(
                f"expected {name} without accuracy=, for there is one implementation",
                repr(accuracy),
            )
        return row(operand(x))

    return _document(function, name, _ARGS_ONE, summary, accepts, shown)


def binary(name: str, row: Primitive, summary: str, accepts: str, shown: str) -> Any:
    """A function of two operands that agree."""

    def function(x: Any, y: Any) -> Any:
        return row(*agree(x, y))

    return _document(function, name, _ARGS_TWO, summary, accepts, shown)


NUMBERS = "a numeric dtype"
REALS = "an integer or floating dtype"
FLOATS = "a floating dtype"
INEXACT = "a floating or complex dtype"
COMPLEX = "a complex dtype"
INTEGERS = "an integer dtype"
BITS = "an integer or boolean dtype"
ANY = "any dtype"
