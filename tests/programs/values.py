"""The values and the text of a program that is being drawn, and what is claimed about them."""

import math
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import xform
import xform.numpy as xnp
from xform import lax
from xform.runtime.array import Array

GRID = 2.0**-6  # numbers on this grid, and smaller than LARGEST, are computed without rounding
LARGEST = 2.0**9
TAME = 1e4
MOST_ELEMENTS = 400
FLOATS = ("float64", "float32")
INTEGERS = ("int32", "int64", "uint8")


@xform.custom_jvp
def bent(x):
    """tanh, whose derivative is written by hand."""
    return xnp.tanh(x)


bent.defjvps(lambda t, y, x: t * (1.0 - y * y))

SPACE = {"xnp": xnp, "lax": lax, "np": np, "xform": xform, "bent": bent}


@dataclass
class Known:
    """A value of the program being drawn. An exact one is the same however it is computed."""

    name: str
    value: Any
    exact: bool
    smooth: bool

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.value.shape)

    @property
    def ndim(self) -> int:
        return len(self.value.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def dtype(self) -> str:
        return str(self.value.dtype)

    @property
    def is_float(self) -> bool:
        return self.dtype in FLOATS

    @property
    def is_bool(self) -> bool:
        return self.dtype == "bool"

    @property
    def is_index(self) -> bool:
        return self.dtype in INTEGERS and self.exact


@dataclass
class Line:
    """One line of a program, and the names that it gives to values."""

    text: str
    names: tuple[str, ...] = ()

    def indented(self) -> "Line":
        return Line("    " + self.text, self.names)


@dataclass
class Program:
    """The text of a function of some inputs, and the function."""

    inputs: list[np.ndarray]
    lines: list[Line]
    outputs: list[str]
    smooth: bool
    exact: list[bool] = field(default_factory=list)
    precision: str = "float64"  # the shortest float that any value of it goes through
    claims: frozenset[str] = frozenset()  # names of values said to be exact
    axes: tuple[tuple[str, int], ...] = ()  # the named axes it is run within

    def body(self, noted: bool = False) -> str:
        names = ", ".join(f"x{k}" for k in range(len(self.inputs)))
        body = [line.indented() for line in self.lines]
        text = [f"def f({names}):", *(t for line in body for t in written(line, noted))]
        text.append(f"    return ({', '.join(self.outputs)},)")
        return "\n".join(text)

    @property
    def text(self) -> str:
        return self.body()

    @property
    def function(self) -> Callable[..., Any]:
        return defined(self.text)

    def __repr__(self) -> str:
        given = [f"np.{np.array_repr(x)}" for x in self.inputs]
        return f"{self.text}\n\nf({', '.join(given)})"


def written(line: Line, noted: bool) -> list[str]:
    """The text of a line; where its values are noted, with calls of `note`."""
    if not (noted and line.names):
        return [line.text]
    indent = line.text[: len(line.text) - len(line.text.lstrip())]
    return [line.text, *(f"{indent}{n} = note('{n}', {n})" for n in line.names)]


def defined(text: str, **more: Any) -> Callable[..., Any]:
    """The function `f` that a text defines."""
    space = {**SPACE, **more}
    exec(compile(text, "<program>", "exec"), space)
    return space["f"]


def fixed(text: str, *inputs: np.ndarray, precision: str = "float64") -> Program:
    """A program from the text of its body, of inputs x0, x1, ..."""
    lines = textwrap.dedent(text).strip().splitlines()
    outputs = lines.pop().removeprefix("return ").split(", ")
    exact = [False] * len(outputs)
    return Program(list(inputs), [Line(x) for x in lines], outputs, False, exact, precision)


def numbers(shape: Sequence[int], dtype: str, seed: int) -> np.ndarray:
    """An array of small exact numbers, different for each seed."""
    rng = np.random.default_rng(seed)
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype == "uint8":
        return rng.integers(0, 6, shape).astype(dtype)
    whole = rng.integers(-8, 9, shape)
    return (whole / 4).astype(dtype) if dtype in FLOATS else whole.astype(dtype)


def on_grid(value: Any) -> bool:
    x = np.asarray(value)
    if x.dtype.kind != "f":
        return True
    scaled = np.asarray(x, np.float64) / GRID
    fine = np.isfinite(x) & (np.abs(x) <= LARGEST) & (scaled == np.round(scaled))
    return bool(np.all(fine))


def is_tame(value: Any) -> bool:
    """Whether a value leaves room for what may be computed from it."""
    x = np.asarray(value)
    if x.size > MOST_ELEMENTS:
        return False
    return x.dtype.kind != "f" or bool(np.all(np.isfinite(x) & (np.abs(x) <= TAME)))


class Notes:
    """Looks at all values of a run, and moves those that may be rounded by a few roundings.

    What a program makes of these shifts is what it makes of the roundings of compiled code.
    """

    def __init__(self, claims: frozenset[str], seed: int | None = None) -> None:
        self.claims = claims
        self.rng = None if seed is None else np.random.default_rng(seed)
        self.holds = True

    def __call__(self, name: str, value: Any) -> Any:
        if not isinstance(value, Array):
            return value  # a tracer: what is inside a mapped function has no numbers
        x = np.asarray(value)
        if name in self.claims:
            self.holds = self.holds and on_grid(x)
        elif not is_tame(x):
            self.holds = False
        elif self.rng is not None and x.dtype.kind == "f":
            shift = np.asarray(self.rng.integers(-2, 3, x.shape), x.dtype)
            return xnp.asarray(x * (1 + shift * np.finfo(x.dtype).eps), dtype=x.dtype)
        return value
