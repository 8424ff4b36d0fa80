"""Random programs: every way of running them agrees, and so do their derivatives and batches.

`tests/programs/grammar.py` draws the programs. Each fault that it found stays below as a test of
its own, with the program as hypothesis shrank it.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import xform
import xform.numpy as xnp
from tests.programs.grammar import Program, defined, numbers, programs
from xform.compiler.simplify import simplify
from xform.config import config
from xform.core import dtypes
from xform.core.check import check
from xform.core.jaxpr import hoist_constants
from xform.core.trace import aval_of
from xform.interpreters.evaluate import evaluate_closed, evaluate_program

MANY = settings(max_examples=3 * settings().max_examples)
SOME = settings(max_examples=settings().max_examples)

# Programs have at most twelve statements, on small numbers: their roundings add up to less.
ROUNDINGS = 2.0**13
STEP = 2.0**-13  # of differences in float64, whose error is its fourth power


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    with config.scoped(enable_x64=True, cache_dir=""):
        yield


def assert_same(
    found: Sequence[Any],
    wanted: Sequence[Any],
    what: str,
    precision: str = "float64",
    exact: Sequence[bool] | None = None,
) -> None:
    """Equal shapes and dtypes; equal numbers up to the roundings of a program."""
    assert len(found) == len(wanted), what
    tolerance = ROUNDINGS * float(np.finfo(precision).eps)
    for k, (x, y) in enumerate(zip(found, wanted, strict=True)):
        got, want = np.asarray(x), np.asarray(y)
        assert got.shape == want.shape, f"{what}: output {k}: {got.shape} for {want.shape}"
        assert got.dtype == want.dtype, f"{what}: output {k}: {got.dtype} for {want.dtype}"
        if want.dtype.kind != "f" or (exact is not None and exact[k]):
            np.testing.assert_array_equal(got, want, f"{what}: output {k}")
            continue
        scale = tolerance * max(1.0, float(np.max(np.abs(want), initial=0.0)))
        np.testing.assert_allclose(
            got, want, rtol=tolerance, atol=scale, err_msg=f"{what}: output {k}"
        )


def arrays(inputs: Sequence[np.ndarray]) -> list[Any]:
    return [xnp.asarray(x) for x in inputs]


def is_float(x: Any) -> bool:
    return dtypes.is_inexact(aval_of(x).dtype)


# -- running ------------------------------------------------------------------------------------


def check_ways_of_running(program: Program) -> None:
    """Eager = staged = simplified = compiled."""
    f, given_arrays = program.function, arrays(program.inputs)
    eager = f(*given_arrays)
    staged = xform.make_jaxpr(f)(*given_arrays)
    check(staged)
    assert [a.strong() for a in staged.out_avals] == [aval_of(y).strong() for y in eager]
    assert_same(evaluate_closed(staged, given_arrays), eager, "staged", exact=[True] * len(eager))
    simple = simplify(hoist_constants(staged.jaxpr))
    check(simple)
    found = evaluate_program(simple, (), [*staged.consts, *given_arrays])
    assert_same(found, eager, "simplified", program.precision, program.exact)
    jitted = xform.jit(f)
    for again in ("compiled", "called again"):
        assert_same(jitted(*given_arrays), eager, again, program.precision, program.exact)


@MANY
@given(programs())
def test_every_way_of_running_agrees(program):
    check_ways_of_running(program)


def check_donation(program: Program) -> None:
    """Inputs whose memory the outputs may take over give the same results."""
    f, given_arrays = program.function, arrays(program.inputs)
    jitted = xform.jit(f, donate_argnums=range(len(given_arrays)))
    copies = xform.jit(lambda *xs: xs)  # Only memory that a call has made can be taken over.
    for _ in range(2):
        found = jitted(*copies(*given_arrays))
        assert_same(found, f(*given_arrays), "donated", program.precision, program.exact)


@SOME
@given(programs())
def test_donation_changes_no_result(program):
    check_donation(program)


# -- derivatives --------------------------------------------------------------------------------


def on_floats(program: Program) -> tuple[Any, list[Any]]:
    """The program as a function of its floating inputs to its floating outputs, and the inputs."""
    f, given_arrays = program.function, arrays(program.inputs)
    at = [k for k, x in enumerate(given_arrays) if is_float(x)]

    def moving(*floats: Any) -> list[Any]:
        full = list(given_arrays)
        for k, x in zip(at, floats, strict=True):
            full[k] = x
        return [y for y in f(*full) if is_float(y)]

    return moving, [given_arrays[k] for k in at]


def directions(values: Sequence[Any], seed: int) -> list[Any]:
    """A small exact direction for each value."""
    found = [numbers(x.shape, "float64", seed + k) for k, x in enumerate(values)]
    return [xnp.asarray((t / 4).astype(x.dtype)) for t, x in zip(found, values, strict=True)]


def inner(xs: Sequence[Any], ys: Sequence[Any]) -> tuple[float, float]:
    """The inner product, and the sum of the sizes of its terms."""
    total = size = 0.0
    for x, y in zip(xs, ys, strict=True):
        terms = np.asarray(x, np.float64) * np.asarray(y, np.float64)
        total += float(np.sum(terms))
        size += float(np.sum(np.abs(terms)))
    return total, size


def check_derivatives(program: Program) -> None:
    """jvp = adjoint of vjp, compiled = eager, and = differences where the program is smooth."""
    f, at = on_floats(program)
    if not at or not f(*at):
        return
    tangents = directions(at, 100)
    outs, slopes = xform.jvp(f, at, tangents)
    cts = directions(outs, 200)
    values, pullback = xform.vjp(f, *at)
    assert_same(values, outs, "the value of vjp", program.precision)
    pulled = pullback(cts)
    forward, size = inner(slopes, cts)
    backward, size_too = inner(tangents, pulled)
    tolerance = ROUNDINGS * float(np.finfo(program.precision).eps)
    assert abs(forward - backward) <= tolerance * (1 + size + size_too), (forward, backward)

    both = xform.jit(lambda xs, ts: xform.jvp(f, xs, ts))(at, tangents)
    assert_same(both[1], slopes, "jit(jvp)", program.precision)
    back = xform.jit(lambda xs, c: xform.vjp(f, *xs)[1](c))(at, cts)
    assert_same(back, pulled, "jit(vjp)", program.precision)
    if program.smooth:
        check_differences(f, at, tangents, slopes)


def check_differences(f: Any, at: Sequence[Any], ts: Sequence[Any], slopes: Sequence[Any]) -> None:
    """The tangents are a five-point central difference."""
    moved = [
        f(*(np.asarray(x) + k * STEP * np.asarray(t) for x, t in zip(at, ts, strict=True)))
        for k in (-2, -1, 1, 2)
    ]
    for slope, *around in zip(slopes, *moved, strict=True):
        a, b, c, d = (np.asarray(y) for y in around)
        wanted = (8 * (c - b) - (d - a)) / (12 * STEP)
        largest = max(float(np.max(np.abs(y), initial=1.0)) for y in (a, d, np.asarray(slope)))
        np.testing.assert_allclose(
            slope, wanted, rtol=1e-6, atol=1e-7 * largest, err_msg="a difference"
        )


@SOME
@given(programs())
def test_forward_and_reverse_mode_are_adjoint(program):
    check_derivatives(program)


@SOME
@given(programs(most=9, smooth=True))
def test_derivatives_are_differences(program):
    check_derivatives(program)


# -- batches ------------------------------------------------------------------------------------


def check_batches(program: Program, size: int = 3) -> None:
    """vmap = a Python loop, with each of the inputs mapped, or all of them; compiled too."""
    f, shared = program.function, arrays(program.inputs)
    count = len(shared)
    stacks = [batch(x, size) for x in program.inputs]
    for pattern in {(True,) * count, *(tuple(k == j for k in range(count)) for j in range(count))}:
        args = [s if m else x for s, x, m in zip(stacks, shared, pattern, strict=True)]
        rows = [
            f(*(x[n] if m else x for x, m in zip(args, pattern, strict=True))) for n in range(size)
        ]
        wanted = [np.stack([np.asarray(y) for y in column]) for column in zip(*rows, strict=True)]
        mapped = xform.vmap(f, in_axes=tuple(0 if m else None for m in pattern))
        assert_same(mapped(*args), wanted, f"vmap {pattern}", program.precision)
        if all(pattern):
            assert_same(xform.jit(mapped)(*args), wanted, "jit(vmap)", program.precision)


def batch(x: np.ndarray, size: int) -> Any:
    """The input and other numbers of its kind, stacked. Indices stay within what the input has."""
    if x.dtype.kind == "f":
        others = [numbers(x.shape, str(x.dtype), 300 + n) for n in range(size - 1)]
    else:
        flat = x.reshape(-1)
        others = [np.roll(flat, n + 1).reshape(x.shape) for n in range(size - 1)]
    return xnp.asarray(np.stack([x, *others]))


@SOME
@given(programs())
def test_vmap_is_a_loop(program):
    check_batches(program)


# -- programs that once went wrong --------------------------------------------------------------


def fixed(text: str, *inputs: np.ndarray, precision: str = "float64") -> Program:
    statements = [line.strip() for line in text.strip().splitlines()]
    outputs = statements.pop().removeprefix("return ").split(", ")
    return Program(list(inputs), statements, outputs, False, [False] * len(outputs), precision)


def drawn(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, shape)


FOUND = {
    "inputs that are not used": fixed("v0 = xnp.sin(x1)\nreturn v0", drawn(), drawn(), drawn(3)),
    "results of a host call that are not used": fixed(
        "v0 = xnp.argsort(x0, axis=0)\nv1 = xnp.sort(v0, axis=0)\nreturn v1", drawn(17)
    ),
    "a reduction after a scan": fixed(
        "v0 = xnp.sin(x0) * 2\nv1 = xnp.cumsum(v0, axis=1)\nv2 = xnp.sum(v0, axis=0)\n"
        "return v1, v2",
        drawn(3, 4),
    ),
    "rows stored in another order than they are read": fixed(
        "v0 = xnp.sum(xnp.transpose(x0, (2, 1, 0)) ** 2, axis=2)\n"
        "v1 = v0 @ xnp.concatenate((v0, v0), axis=0)\nreturn v1",
        drawn(17, 4, 2),
    ),
    "a value that phases need at different places": fixed(
        "v0 = xnp.exp(x0)\nv1 = xnp.einsum('bij,cij->bc', v0, v0)\nreturn v1, v0", drawn(3, 4, 2)
    ),
    "an index from data, the same in all lanes, under a condition that is not": fixed(
        "v0 = xnp.concatenate((x0, x0 + 1), axis=0)\nv1 = lax.dynamic_slice_in_dim(v0, x1, 7)\n"
        "v2 = lax.dynamic_update_slice_in_dim(x0, x0[1:4], x1, 0)\nreturn v1, v2",
        drawn(5),
        np.array(2, np.uint8),
    ),
    "an index of 32 bits beside numbers of 64": fixed(
        "v0 = lax.dynamic_slice_in_dim(x0, x1, 2)\nreturn v0", drawn(8), np.array(2, np.int32)
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_found_before(name):
    program = FOUND[name]
    check_ways_of_running(program)
    check_donation(program)
    check_derivatives(program)
    check_batches(program)


def test_programs_are_text_that_can_be_read():
    program = FOUND["a reduction after a scan"]
    assert program.text.splitlines()[0] == "def f(x0):"
    first, second = defined(program.text)(*arrays(program.inputs))
    assert (first.shape, second.shape) == ((3, 4), (4,))
