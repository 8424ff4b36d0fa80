"""What holds of every program: all ways of running it agree, as do its derivatives and batches.

The reference is the program in Python, one operator and one step at a time, as `disable_jit` runs
it: there is no loop, branch or call in it that any part of the library would see.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

import xform
import xform.numpy as xnp
from tests.programs.values import Notes, Program, defined, is_tame, numbers
from xform.compiler import block, polling
from xform.compiler.simplify import simplify
from xform.config import config
from xform.core import dtypes
from xform.core.check import check
from xform.core.jaxpr import hoist_constants
from xform.core.trace import aval_of
from xform.interpreters.evaluate import evaluate_closed, evaluate_program

# Programs have few statements, on small numbers, and do not amplify roundings by much: what all
# their roundings add up to is less than this.
ROUNDINGS = 2.0**13
STEP = 2.0**-13  # of differences in float64, whose error is its fourth power
AWAY = 2.0**-8  # how far inputs move from where two of them are equal


@contextlib.contextmanager
def double() -> Iterator[None]:
    """Numbers of 64 bits, and no files: what programs are drawn and checked under."""
    with config.scoped(enable_x64=True, cache_dir=""):
        yield


@contextlib.contextmanager
def steps_in_memory() -> Iterator[None]:
    """Compiles small loops as large ones are compiled: none on registers, none in lanes."""
    before = block.in_registers
    block.in_registers = lambda node, module: None
    try:
        yield
    finally:
        block.in_registers = before


@contextlib.contextmanager
def polled_often() -> Iterator[None]:
    """Compiles loops that look for signals after every iteration."""
    before = polling._BETWEEN_POLLS_NS, polling._LONG_NS
    polling._BETWEEN_POLLS_NS = polling._LONG_NS = 0
    try:
        yield
    finally:
        polling._BETWEEN_POLLS_NS, polling._LONG_NS = before


def reference(f: Callable[..., Any], *args: Any) -> Any:
    with xform.disable_jit():
        return f(*args)


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


def keeps_its_claims(program: Program, inputs: Sequence[Any]) -> bool:
    """Whether what was drawn as exact is so for these inputs too, and nothing is too large."""
    notes = Notes(program.claims)
    reference(defined(program.body(noted=True), note=notes), *inputs)
    return notes.holds


# -- running ------------------------------------------------------------------------------------


def check_ways_of_running(program: Program) -> None:
    """The reference = staged = simplified = eager = compiled."""
    f, given = program.function, arrays(program.inputs)
    precision, exact = program.precision, program.exact
    wanted = reference(f, *given)
    staged = xform.make_jaxpr(f)(*given)
    check(staged)
    assert [a.strong() for a in staged.out_avals] == [aval_of(y).strong() for y in wanted]
    assert_same(reference(evaluate_closed, staged, given), wanted, "staged", precision, exact)
    simple = simplify(hoist_constants(staged.jaxpr))
    check(simple)
    found = reference(evaluate_program, simple, (), [*staged.consts, *given])
    assert_same(found, wanted, "simplified", precision, exact)
    assert_same(f(*given), wanted, "eager", precision, exact)
    jitted = xform.jit(f)
    for again in ("compiled", "called again"):
        assert_same(jitted(*given), wanted, again, precision, exact)
    with steps_in_memory():
        assert_same(xform.jit(f)(*given), wanted, "in memory", precision, exact)
    with polled_often():
        assert_same(xform.jit(f)(*given), wanted, "polled often", precision, exact)
    for x, before in zip(given, program.inputs, strict=True):
        np.testing.assert_array_equal(np.asarray(x), before, "an input has changed")


def check_donation(program: Program) -> None:
    """Inputs whose memory the outputs may take over give the same results."""
    f, given = program.function, arrays(program.inputs)
    wanted = reference(f, *given)
    jitted = xform.jit(f, donate_argnums=range(len(given)))
    copies = xform.jit(lambda *xs: xs)  # Only memory that a call has made can be taken over.
    for _ in range(2):
        found = jitted(*copies(*given))
        assert_same(found, wanted, "donated", program.precision, program.exact)


# -- derivatives --------------------------------------------------------------------------------


def on_floats(program: Program) -> tuple[Any, list[Any]]:
    """The program as a function of its floating inputs to its floating outputs, and the inputs."""
    f, given = program.function, arrays(program.inputs)
    at = [k for k, x in enumerate(given) if is_float(x)]

    def moving(*floats: Any) -> list[Any]:
        full = list(given)
        for k, x in zip(at, floats, strict=True):
            full[k] = x
        return [y for y in f(*full) if is_float(y)]

    return moving, [given[k] for k in at]


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
    """jvp = adjoint of vjp, compiled = eager = reference, and = differences where there are any."""
    f, at = on_floats(program)
    if not at or not reference(f, *at):
        return
    precision = program.precision
    tangents = directions(at, 100)
    outs, slopes = reference(xform.jvp, f, at, tangents)
    cts = directions(outs, 200)
    values, pullback = xform.vjp(f, *at)
    assert_same(values, outs, "the value of vjp", precision)
    pulled = pullback(cts)
    check_adjoint(slopes, cts, tangents, pulled, precision)
    assert_same(xform.jvp(f, at, tangents)[1], slopes, "jvp", precision)
    both = xform.jit(lambda xs, ts: xform.jvp(f, xs, ts))(at, tangents)
    assert_same(both[1], slopes, "jit(jvp)", precision)
    back = xform.jit(lambda xs, c: xform.vjp(f, *xs)[1](c))(at, cts)
    assert_same(back, pulled, "jit(vjp)", precision)
    if precision == "float64":
        check_differences(f, at, tangents)


def check_adjoint(
    slopes: Sequence[Any], cts: Sequence[Any], ts: Sequence[Any], pulled: Any, precision: str
) -> None:
    """<ct, J t> = <J^T ct, t>, up to the roundings of the terms."""
    forward, size = inner(slopes, cts)
    backward, size_too = inner(ts, pulled)
    tolerance = ROUNDINGS * float(np.finfo(precision).eps)
    assert abs(forward - backward) <= tolerance * (1 + size + size_too), (forward, backward)


def check_differences(f: Any, at: Sequence[Any], ts: Sequence[Any]) -> None:
    """The reference's tangents are five-point central differences, where there is no kink between.

    At a kink the differences to either side, of three points each, are not the same. Ties have
    derivatives by convention, so inputs are moved to where there are none.
    """
    rng = np.random.default_rng(len(at))
    at = [np.asarray(x) + rng.uniform(-AWAY, AWAY, x.shape) for x in at]
    slopes = reference(xform.jvp, f, [xnp.asarray(x) for x in at], ts)[1]
    points = [
        [xnp.asarray(x + k * STEP * np.asarray(t)) for x, t in zip(at, ts, strict=True)]
        for k in (-2, -1, 0, 1, 2)
    ]
    moved = [reference(f, *point) for point in points]
    for slope, *around in zip(slopes, *moved, strict=True):
        a, b, o, c, d = (np.asarray(y) for y in around)
        left, right = (3 * o - 4 * b + a) / (2 * STEP), (4 * c - 3 * o - d) / (2 * STEP)
        wanted = (8 * (c - b) - (d - a)) / (12 * STEP)
        largest = max(float(np.max(np.abs(y), initial=1.0)) for y in (a, d, np.asarray(slope)))
        smooth = np.abs(left - right) <= 1e-6 * np.abs(wanted) + 1e-7 * largest
        np.testing.assert_allclose(
            np.asarray(slope)[smooth],
            wanted[smooth],
            rtol=1e-6,
            atol=1e-7 * largest,
            err_msg="a difference",
        )


# -- batches ------------------------------------------------------------------------------------


def check_batches(program: Program) -> None:
    """vmap = a Python loop, with all of the inputs mapped, or one of them; compiled too.

    Sizes are those that fill a vector partly, wholly, and more than once.
    """
    f, shared, text = program.function, arrays(program.inputs), program.text
    count, size = len(shared), (3, 8, 3, 17)[len(text) % 4]
    stacks = [rows_like(x, size) for x in program.inputs]
    for pattern in {(True,) * count, tuple(k == len(text) % count for k in range(count))}:
        args = [
            [row[n] if m else x for n in range(size)]
            for row, x, m in zip(stacks, shared, pattern, strict=True)
        ]
        rows = [list(row) for row in zip(*args, strict=True)]
        # Another row that is not as exact as was claimed gives its place to the program's inputs.
        rows = [row if keeps_its_claims(program, row) else shared for row in rows]
        results = [reference(f, *row) for row in rows]
        wanted = [
            np.stack([np.asarray(y) for y in column]) for column in zip(*results, strict=True)
        ]
        axes = [k % (x.ndim + 1) if pattern[k] else None for k, x in enumerate(shared)]
        stacked = [
            x if axis is None else xnp.asarray(np.stack([np.asarray(v) for v in column], axis))
            for x, axis, column in zip(shared, axes, zip(*rows, strict=True), strict=True)
        ]
        mapped = xform.vmap(f, in_axes=tuple(axes))
        assert_same(mapped(*stacked), wanted, f"vmap {axes}", program.precision)
        with polled_often():
            found = xform.jit(mapped)(*stacked)
        assert_same(found, wanted, f"jit(vmap {axes})", program.precision)
        with steps_in_memory():
            found = xform.jit(mapped)(*stacked)
        assert_same(found, wanted, f"vmap {axes} in memory", program.precision)


def rows_like(x: np.ndarray, size: int) -> list[Any]:
    """The input and other numbers of its kind."""
    if x.dtype.kind == "f":
        others = [numbers(x.shape, str(x.dtype), 300 + n) for n in range(size - 1)]
    elif x.ndim:
        flat = x.reshape(-1)
        others = [np.roll(flat, n + 1).reshape(x.shape) for n in range(size - 1)]
    else:
        others = [numbers(x.shape, str(x.dtype), 310 + n) for n in range(size - 1)]
    return [xnp.asarray(y) for y in (x, *others)]


# -- named axes ---------------------------------------------------------------------------------


def check_positions(program: Program) -> None:
    """vmap with a name in Python = compiled = pmap, one device for each position; derivatives too.

    The program's named axis is one of two positions.
    """
    f, ((name, size),), precision = program.function, program.axes, program.precision
    stacks = [xnp.asarray(np.stack([np.asarray(y) for y in rows_like(x, size)]))
              for x in program.inputs]  # fmt: skip
    mapped, spread = (way(f, axis_name=name) for way in (xform.vmap, xform.pmap))
    wanted = reference(mapped, *stacks)
    if not all(is_tame(y) for y in wanted):
        return
    assert_same(mapped(*stacks), wanted, "vmap with a name", precision)
    assert_same(xform.jit(mapped)(*stacks), wanted, "jit(vmap with a name)", precision)
    with config.scoped(num_cpu_devices=size):
        assert_same(spread(*stacks), wanted, "pmap", precision)
    at = [k for k, x in enumerate(stacks) if is_float(x)]
    if not at:
        return

    def moving(run: Any) -> Any:
        def of_floats(*floats: Any) -> list[Any]:
            full = list(stacks)
            for k, x in zip(at, floats, strict=True):
                full[k] = x
            return [y for y in run(*full) if is_float(y)]

        return of_floats

    floats = [stacks[k] for k in at]
    tangents = directions(floats, 100)
    outs, slopes = reference(xform.jvp, moving(mapped), floats, tangents)
    if not outs:
        return
    cts = directions(outs, 200)
    pulled = reference(lambda: xform.vjp(moving(mapped), *floats)[1](cts))
    check_adjoint(slopes, cts, tangents, pulled, precision)
    back = xform.jit(lambda xs, c: xform.vjp(moving(mapped), *xs)[1](c))(floats, cts)
    assert_same(back, pulled, "jit(vjp(vmap with a name))", precision)
    with config.scoped(num_cpu_devices=size):
        found = xform.vjp(moving(spread), *floats)[1](cts)
        assert_same(found, pulled, "vjp(pmap)", precision)
        assert_same(xform.jvp(moving(spread), floats, tangents)[1], slopes, "jvp(pmap)", precision)


CHECKS: dict[str, Callable[[Program], None]] = {
    "run": check_ways_of_running,
    "donate": check_donation,
    "derive": check_derivatives,
    "batch": check_batches,
}
