"""Every word of at most three letters over jvp, vjp, vmap, pmap, jit and checkpoint.

A word is checked by its first letter: what it does to the function that the rest of the word makes
is compared with that letter's definition: vmap and pmap with a Python loop, jvp with central
differences,
vjp with the adjoint of jvp, jit and checkpoint with the function itself. The rest of a word is a
word of its own, so by induction each is right.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from xform import lax, tree
from xform.config import config
from xform.core import dtypes
from xform.core.trace import aval_of

Function = Callable[..., Any]


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    with config.scoped(enable_x64=True, cache_dir="", num_cpu_devices=8):
        yield


# -- programs -----------------------------------------------------------------------------------


def draw(*shape: int, seed: int = 0) -> Any:
    numbers = np.random.default_rng(seed + 10 * len(shape)).uniform(-1, 1, shape)
    return xnp.asarray(numbers, dtype="float64")


class Pair(NamedTuple):
    left: Any
    right: Any


MATRIX = np.random.default_rng(9).uniform(-1, 1, (3, 2))


def elementwise(x, y):
    return xnp.sin(x) * y + xnp.exp(-(x**2)) / (2 + xnp.cos(y))


def reduction(x):
    return xnp.sum(x * x, axis=0), xnp.mean(xnp.tanh(x)), xnp.prod(1.5 + x, axis=-1)


def matmul(x, w):
    return xnp.tanh(x @ w) @ w.T


def indexing(x, y):
    rows = x[np.array([2, 0, 2])]
    return rows[:, ::-1] * 2.0, x.at[np.array([0, 0])].add(xnp.sin(y)), x[-1, 1:]


def cumulative(x):
    return xnp.cumsum(xnp.sin(x), axis=0), xnp.cumprod(1.2 + x, axis=1)


def softmax(x):
    e = xnp.exp(x - lax.stop_gradient(xnp.max(x, axis=-1, keepdims=True)))
    return e / xnp.sum(e, axis=-1, keepdims=True)


def pytrees(params, scale):
    hidden = xnp.tanh(params["w"] * params["b"].left)
    return {"out": [hidden * scale, None], "pair": Pair(params["b"].right ** 2, scale)}


def integers(x, i):
    return x[i] * i, xnp.where(i > 1, x[0], x[1] * x[2]), i + 1


def closed_over(x):
    inner = xform.jit(lambda z: xnp.sin(z @ MATRIX))
    return inner(x) + MATRIX[0] * xnp.asarray(MATRIX)[1]


def conditional(x):
    positive = xnp.where(x > 0.0, x, 0.1 * x)
    return xnp.sort(positive, axis=0), xnp.max(x, axis=0), lax.pad(x, 0.5, ((1, 0, 1), (0, 1, 0)))


def scanned(x, w):
    def step(carry, row):
        total, count = carry
        new = xnp.tanh(total * w) + row
        return (new, count + 1), (new * row, count)

    (last, _), (rows, counts) = lax.scan(step, (x[0], 0), x[1:], reverse=True)
    return last, rows * (1.0 + counts[:, None])


def searched(x, limit):
    """A loop of as many steps as its values ask for."""

    def going(state):
        return xnp.sum(state[0] ** 2) < limit

    def step(state):
        y, count = state
        return 1.7 * y + 0.1 * xnp.sin(x), count + 1

    y, count = lax.while_loop(going, step, (x, 0))
    return y, count


def branched(x, i):
    def scaled(x):
        return {"y": xnp.sin(x) * x[0], "n": i[1]}

    return lax.switch(i[0], [scaled, lambda x: {"y": x * x, "n": i[1] + 1}], x), lax.cond(
        xnp.sum(x) > 0.1, xnp.cos, lambda x: x**3, x
    )


def branches_in_a_loop(x):
    def step(carry, row):
        return lax.cond(
            xnp.sum(row) > 0.0, lambda c: xnp.sin(c) * row, lambda c: c + row, carry
        ), carry

    return lax.scan(step, x[0], x)


def powers(x):
    matrix = xnp.asarray(MATRIX)
    return lax.fori_loop(0, 3, lambda i, y: xnp.tanh(matrix.T @ (matrix @ y)) + i * x, x)


PROGRAMS: dict[str, tuple[Function, tuple[Any, ...]]] = {
    "elementwise": (elementwise, (draw(3), draw(3, seed=1))),
    "reduction": (reduction, (draw(2, 3),)),
    "matmul": (matmul, (draw(2, 3), draw(3, 2))),
    "indexing": (indexing, (draw(3, 2), draw(2))),
    "cumulative": (cumulative, (draw(3, 2),)),
    "softmax": (softmax, (draw(2, 3),)),
    "pytrees": (
        pytrees,
        ({"w": draw(2), "b": Pair(draw(2, seed=3), draw(2, seed=4))}, draw(seed=5)),
    ),
    "integers": (integers, (draw(3), xnp.asarray(np.array([2, 0], np.int32)))),
    "closed_over": (closed_over, (draw(2, 3),)),
    "conditional": (conditional, (draw(3, 2),)),
    "scanned": (scanned, (draw(3, 2), draw(2))),
    "searched": (searched, (draw(2), xnp.asarray(20.0, dtype="float64"))),
    "branched": (branched, (draw(3), xnp.asarray(np.array([1, 0], np.int32)))),
    "branches_in_a_loop": (branches_in_a_loop, (draw(3, 2, seed=2),)),
    "powers": (powers, (draw(2),)),
}


# -- letters ------------------------------------------------------------------------------------
#
# Each takes a function and its arguments to another function and its arguments. Tangents and
# cotangents are lists with an entry for each floating leaf: integers have none.


def is_float(x: Any) -> bool:
    return dtypes.is_inexact(aval_of(x).dtype)


def floats(x: Any) -> list[Any]:
    return [y for y in tree.leaves(x) if is_float(y)]


def filled(x: Any, given: Sequence[Any]) -> Any:
    """The tree with its floating leaves replaced by what is given, the others by `float0`."""
    rest = iter(given)
    return tree.map(
        lambda leaf: next(rest) if is_float(leaf) else np.zeros(leaf.shape, dtypes.float0), x
    )


def directions(x: Any, seed: int) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [xnp.asarray(rng.uniform(-1, 1, y.shape)) for y in floats(x)]


def pushed(f: Function, args: Any) -> tuple[Function, Any]:
    def jvp(args, tangents):
        value, slope = xform.jvp(f, args, filled(args, tangents))
        return value, [t for t, y in zip(tree.leaves(slope), tree.leaves(value), strict=True)
                       if is_float(y)]  # fmt: skip

    return jvp, (args, directions(args, 1))


def pulled(f: Function, args: Any) -> tuple[Function, Any]:
    def vjp(args, cotangents):
        value, pullback = xform.vjp(f, *args)
        pulled_back = tree.leaves(pullback(filled(value, cotangents)))
        kept = zip(pulled_back, tree.leaves(args), strict=True)
        return value, [ct for ct, x in kept if is_float(x)]

    return vjp, (args, directions(f(*args), 2))


def stacked(f: Function, args: Any) -> tuple[Function, Any]:
    def others(x: Any) -> Any:
        # Integers are indices: their other rows must be indices too.
        y = x * 0.75 + 0.1 if is_float(x) else x[::-1]
        return xnp.stack([x, y])

    return xform.vmap(f), tree.map(others, args)


def spread(f: Function, args: Any) -> tuple[Function, Any]:
    """The rows on devices; a pmap in a pmap has the devices of both axes."""
    return xform.pmap(f), stacked(f, args)[1]


LETTERS = {
    "jvp": pushed,
    "vjp": pulled,
    "vmap": stacked,
    "pmap": spread,
    "jit": lambda f, args: (xform.jit(f), args),
    "checkpoint": lambda f, args: (xform.checkpoint(f), args),
}


def spelled(word: Sequence[str], f: Function, args: Any) -> tuple[Function, Any]:
    """The function that a word makes of `f`, the last letter applied first."""
    for letter in reversed(word):
        f, args = LETTERS[letter](f, args)
    return f, args


# -- what the letters mean ----------------------------------------------------------------------


def assert_close(found: Any, wanted: Any, what: str, tolerance: float = 1e-12) -> None:
    assert tree.structure(found) == tree.structure(wanted), what
    for x, y in zip(tree.leaves(found), tree.leaves(wanted), strict=True):
        got, want = np.asarray(x), np.asarray(y)
        assert (got.shape, got.dtype) == (want.shape, want.dtype), what
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance, err_msg=what)


def inner(xs: Sequence[Any], ys: Sequence[Any]) -> float:
    return sum(float(np.sum(np.asarray(x) * np.asarray(y))) for x, y in zip(xs, ys, strict=True))


STEP = 2.0**-10  # the error of the formula below is its fourth power times a fifth derivative


def check_jvp(f: Function, args: Any) -> None:
    jvp, (args, tangents) = pushed(f, args)
    value, slopes = jvp(args, tangents)
    assert_close(value, f(*args), "the value of jvp")

    def moved(step: float) -> list[np.ndarray]:
        rest = iter(tangents)
        at = tree.map(lambda x: x + step * next(rest) if is_float(x) else x, args)
        return [np.asarray(y) for y in floats(f(*at))]

    a, b, c, d = (moved(k * STEP) for k in (-2, -1, 1, 2))
    for slope, *y in zip(slopes, a, b, c, d, strict=True):
        difference = (8 * (y[2] - y[1]) - (y[3] - y[0])) / (12 * STEP)
        np.testing.assert_allclose(slope, difference, rtol=1e-7, atol=1e-7)


def check_vjp(f: Function, args: Any) -> None:
    vjp, (args, cotangents) = pulled(f, args)
    value, pulled_back = vjp(args, cotangents)
    assert_close(value, f(*args), "the value of vjp")
    assert [np.shape(x) for x in pulled_back] == [np.shape(x) for x in floats(args)]
    jvp, _ = pushed(f, args)
    for seed in (3, 4):
        tangents = directions(args, seed)
        forward = inner(jvp(args, tangents)[1], cotangents)
        assert forward == pytest.approx(inner(tangents, pulled_back), rel=1e-11, abs=1e-11)


def check_rows(f: Function, args: Any, letter: str) -> None:
    mapped, stacks = LETTERS[letter](f, args)
    rows = [f(*tree.map(lambda x, n=n: x[n], stacks)) for n in range(2)]
    wanted = tree.map(lambda *ys: xnp.stack(ys), *rows)
    assert_close(mapped(*stacks), wanted, letter)


def check_same(f: Function, args: Any, letter: str) -> None:
    same, args = LETTERS[letter](f, args)
    assert_close(same(*args), f(*args), letter)


def check(word: Sequence[str], program: str) -> None:
    f, args = spelled(word[1:], *PROGRAMS[program])
    match word[0]:
        case "jvp":
            check_jvp(f, args)
        case "vjp":
            check_vjp(f, args)
        case "vmap" | "pmap" as letter:
            check_rows(f, args, letter)
        case letter:
            check_same(f, args, letter)


SHORT = [w for n in (1, 2) for w in itertools.product(LETTERS, repeat=n)]
LONG = list(itertools.product(LETTERS, repeat=3))


@pytest.mark.parametrize("word", SHORT, ids=".".join)
@pytest.mark.parametrize("program", PROGRAMS)
def test_word(program, word):
    check(word, program)


@pytest.mark.parametrize("word", LONG, ids=".".join)
def test_long_word(word):
    """Each on all programs with control flow, and on two others: other ones for each word."""
    names, number = list(PROGRAMS), LONG.index(word)
    first = names.index("scanned")
    for program in (names[number % first], names[(number + 4) % first], *names[first:]):
        check(word, program)
