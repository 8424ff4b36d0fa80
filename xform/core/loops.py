"""The loop shapes: what an operator is to the compiler.

A row says which shape it has and fills in the shape's parts; emitters are written once per shape
and target. Index functions get indices that can be added, subtracted, multiplied, floor-divided and
reduced modulo by Python integers, and compared; whether those are Python integers, symbolic
expressions or machine values is the caller's affair.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .jaxpr import Jaxpr, Literal


@dataclass(frozen=True)
class Map:
    """`out[i] = scalar(x[i], y[i], ...)`: a scalar formula of `kernels.scalar`, by name.

    `params` are the equation parameters the formula gets. An operand without dimensions counts as
    the same value at every index.
    """

    scalar: str
    params: tuple[str, ...] = ()


@dataclass(frozen=True)
class Piece:
    """`operand[index]` where `condition` holds; `operand` is an input's position or a constant."""

    operand: int | Literal
    index: tuple[Any, ...]
    condition: Any = None


@dataclass(frozen=True)
class View:
    """`out[i]` = the first piece whose condition holds; the last one has none.

    `pieces(index, read, *avals, **params)` returns the pieces; `read(operand, index)` is an integer
    element of an operand, for indices that come from data. With one piece, no condition and no read
    it is a pure index map, and costs nothing.
    """

    pieces: Callable[..., Any]


@dataclass(frozen=True)
class Generate:
    """`out[i] = value(i)`: no inputs. `value(index, **params)` is an index expression."""

    value: Callable[..., Any]


@dataclass(frozen=True)
class Reduce:
    """A reduction over the parameter `axes` by an associative formula, or `argmax`/`argmin`."""

    combine: str


@dataclass(frozen=True)
class Scan:
    """A cumulative reduction along the parameter `axis`, from the end if `reverse`."""

    combine: str


@dataclass(frozen=True)
class Contract:
    """A sum of products: `dot_general`."""


@dataclass(frozen=True)
class Convolve:
    """Sums of products of windows: `conv_general_dilated`."""


@dataclass(frozen=True)
class Update:
    """A copy of operand 0 with elements of the updates combined into it.

    `target(index, read, *avals, **params)` returns the target index of the update at `index` and
    the condition under which it is written. `combine` is `set`, `add`, `mul`, `min` or `max`.
    """

    combine: str
    updates: int
    target: Callable[..., Any]


@dataclass(frozen=True)
class Inline:
    """The equation is the program in the named parameter, or that a function makes of them all."""

    param: str | Callable[..., Jaxpr]
    barrier: bool = False

    def program(self, params: Mapping[str, Any]) -> Jaxpr:
        """The program that an equation with these parameters is."""
        found: Jaxpr = self.param(**params) if callable(self.param) else params[self.param]
        return found


@dataclass(frozen=True)
class Loop:
    """Programs run again and again: `scan` if `counted`, else `while_loop`.

    Their parameters say what the inputs are; the compiler reads them by name.
    """

    counted: bool


@dataclass(frozen=True)
class Branch:
    """One of the programs in the parameter `branches`, chosen by the first input."""


@dataclass(frozen=True)
class Parallel:
    """A program that each device along the named axes in the parameter `axes` runs on its part.

    `whole(**params)` is the program of all devices together, which does the same in one thread;
    `apart(**params)` says whether devices are to run by themselves.
    """

    whole: Callable[..., Jaxpr]
    apart: Callable[..., bool]


@dataclass(frozen=True)
class Collective:
    """Communication between the devices of the named axes in the parameter `axes`.

    `kind` is what the devices do together: `add`, `max`, `min`, `gather`, `scatter_add`,
    `exchange`, `permute` or `index`.
    """

    kind: str


@dataclass(frozen=True)
class Opaque:
    """The row's `impl`, called back from compiled code: where a library is as good as a kernel."""
