"""How large the programs of derivatives of high order are, in equations after simplification.

    python -m benchmarks.orders

A row is a function and a word of transformations; a column is the length of the function. What is
written behind the columns is how many equations one more step of the function adds: growth is
linear in the length if it is the same number throughout.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import xform
import xform.numpy as xnp
from xform.compiler.simplify import simplify
from xform.core.jaxpr import Jaxpr, hoist_constants, subprograms

Function = Callable[[Any], Any]

LENGTHS = (2, 4, 6, 8)


def polynomial(n: int) -> Function:
    """Products only."""

    def f(x: Any) -> Any:
        y = x
        for k in range(n):
            y = y * x + float(k + 1)
        return y

    return f


def elementary(n: int) -> Function:
    """Functions that are their own derivatives, or each other's."""

    def f(x: Any) -> Any:
        for _ in range(n):
            x = xnp.sin(x) * xnp.exp(-x)
        return x

    return f


def network(n: int) -> Function:
    """Layers with a sum at the end."""

    def f(x: Any) -> Any:
        h = x * xnp.ones((4,))
        w = xnp.full((4, 4), 0.25)
        for _ in range(n):
            h = xnp.tanh(w @ h)
        return xnp.sum(h * h)

    return f


def calls(n: int) -> Function:
    """One jitted function called again and again."""
    step = xform.jit(lambda x: xnp.sin(x) * x)

    def f(x: Any) -> Any:
        for _ in range(n):
            x = step(x)
        return x

    return f


def checkpoints(n: int) -> Function:
    """Steps that are computed again."""
    step = xform.checkpoint(lambda x: xnp.sin(x) * x)

    def f(x: Any) -> Any:
        for _ in range(n):
            x = step(x)
        return x

    return f


FUNCTIONS = {f.__name__: f for f in (polynomial, elementary, network, calls, checkpoints)}


def forward(f: Function) -> Function:
    """The derivative by forward mode."""
    return lambda x: xform.jvp(f, (x,), (1.0,))[1]


LETTERS: dict[str, Callable[[Function], Function]] = {"r": xform.grad, "f": forward}

# Words are read from the right: "fr" is forward mode over reverse mode.
WORDS = (
    "r",
    "rr",
    "rrr",
    "rrrr",
    "f",
    "ff",
    "fff",
    "ffff",
    "fr",
    "rf",
    "frr",
    "ffr",
    "fffr",
    "ffrr",
)


def derivative(word: str, f: Function) -> Function:
    """The function that a word of transformations makes."""
    for letter in reversed(word):
        f = LETTERS[letter](f)
    return f


def program(word: str, f: Function) -> Jaxpr:
    """The simplified program of a derivative of a function of one number."""
    return simplify(hoist_constants(xform.make_jaxpr(derivative(word, f))(0.5).jaxpr))


def size(jaxpr: Jaxpr) -> int:
    """Equations, those of programs within equations included."""
    inner = sum(size(p) for e in jaxpr.equations for p in subprograms(e.params))
    return len(jaxpr.equations) + inner


def sizes(word: str, family: Callable[[int], Function], lengths: Sequence[int]) -> list[int]:
    """The size of a derivative for functions of each length."""
    return [size(program(word, family(n))) for n in lengths]


def steps(counts: Sequence[int], lengths: Sequence[int]) -> list[float]:
    """How many equations one more step adds, between neighbouring lengths."""
    pairs = zip(counts, counts[1:], lengths, lengths[1:], strict=False)
    return [(b - a) / (n - m) for a, b, m, n in pairs]


def lines(families: Sequence[str], words: Sequence[str]) -> Iterator[str]:
    """The table, line by line."""
    yield f"{'function':12}{'word':6}" + "".join(f"{n:>8}" for n in LENGTHS) + "   per step"
    for name in families:
        for word in words:
            counts = sizes(word, FUNCTIONS[name], LENGTHS)
            more = ", ".join(f"{s:g}" for s in steps(counts, LENGTHS))
            yield f"{name:12}{word:6}" + "".join(f"{c:>8}" for c in counts) + f"   {more}"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--functions", nargs="*", default=list(FUNCTIONS), choices=list(FUNCTIONS))
    parser.add_argument("--words", nargs="*", default=list(WORDS))
    options = parser.parse_args()
    for line in lines(options.functions, options.words):
        print(line)


if __name__ == "__main__":
    main()
