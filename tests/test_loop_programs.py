"""Random programs of nested loops and branches: every way of running them agrees.

`tests/programs/loops_grammar.py` draws the programs. The reference is the loop in Python that
`disable_jit` runs. Each fault that it found stays below as a test of its own.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings

import xform
import xform.numpy as xnp
from tests.programs.loops_grammar import LoopProgram, loop_programs
from xform.compiler import block
from xform.compiler.simplify import simplify
from xform.config import config
from xform.core.check import check
from xform.core.jaxpr import hoist_constants
from xform.interpreters.evaluate import evaluate_closed, evaluate_program

MANY = settings(max_examples=max(8, 6 * settings().max_examples // 10))
FEW = settings(max_examples=max(4, 2 * settings().max_examples // 10))

# Up to some hundred iterations of a few operations on numbers of size one.
ROUNDINGS = {"float64": 2.0**15, "float32": 2.0**11}


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    with config.scoped(enable_x64=True, cache_dir=""):
        yield


def assert_same(found: Any, wanted: Any, what: str, precision: str) -> None:
    """Equal shapes and dtypes; equal numbers up to the roundings of a program."""
    assert len(found) == len(wanted), what
    tolerance = ROUNDINGS[precision] * float(np.finfo(precision).eps)
    for k, (x, y) in enumerate(zip(found, wanted, strict=True)):
        got, want = np.asarray(x), np.asarray(y)
        assert (got.shape, got.dtype) == (want.shape, want.dtype), f"{what}: output {k}"
        scale = tolerance * max(1.0, float(np.max(np.abs(want), initial=0.0)))
        np.testing.assert_allclose(got, want, tolerance, scale, err_msg=f"{what}: output {k}")


def is_tame(values: Any) -> bool:
    """Whether numbers stayed small, so that roundings did too."""
    return all(bool(np.all(np.abs(np.asarray(v)) <= 1e3)) for v in values)


def arguments(program: LoopProgram) -> list[Any]:
    return [xnp.asarray(x) for x in program.inputs]


def referred(program: LoopProgram) -> list[Any]:
    """The outputs as loops in Python give them."""
    with xform.disable_jit():
        wanted = program.function(*arguments(program))
    return [np.asarray(y) for y in wanted]


def check_running(program: LoopProgram) -> None:
    """Loops in Python = staged = simplified = compiled."""
    f, args, wanted = program.function, arguments(program), referred(program)
    assume(is_tame(wanted))
    staged = xform.make_jaxpr(f)(*args)
    check(staged)
    assert_same(evaluate_closed(staged, args), wanted, "staged", program.precision)
    simple = simplify(hoist_constants(staged.jaxpr))
    check(simple)
    found = evaluate_program(simple, (), [*staged.consts, *args])
    assert_same(found, wanted, "simplified", program.precision)
    assert_same(xform.jit(f)(*args), wanted, "compiled", program.precision)


def check_batches(program: LoopProgram, size: int) -> None:
    """vmap = a Python loop: floats and the integer mapped, floats alone, the integer alone."""
    f, args = xform.jit(program.function), arguments(program)
    assume(is_tame(referred(program)))
    rng = np.random.default_rng(size)
    stacks = [
        np.stack([x, *(rng.uniform(-1, 1, x.shape).astype(x.dtype) for _ in range(size - 1))])
        for x in program.inputs[:-1]
    ]
    stacks.append(np.arange(size, dtype=program.inputs[-1].dtype) % 7)
    last = len(args) - 1
    for mapped in ({*range(last + 1)}, {*range(last)}, {last}):
        given_arrays = [xnp.asarray(stacks[n]) if n in mapped else x for n, x in enumerate(args)]
        rows = [
            f(*(x[b] if n in mapped else x for n, x in enumerate(given_arrays)))
            for b in range(size)
        ]
        wanted = [np.stack([np.asarray(y) for y in column]) for column in zip(*rows, strict=True)]
        assume(is_tame(wanted))
        axes = tuple(0 if n in mapped else None for n in range(last + 1))
        found = xform.jit(xform.vmap(program.function, in_axes=axes))(*given_arrays)
        assert_same(found, wanted, f"jit(vmap) {axes}", program.precision)


def weighted(program: LoopProgram) -> tuple[Any, list[Any], list[Any]]:
    """A number from the program's floats; the floats; a direction for each."""
    f, (*floats, k) = program.function, arguments(program)

    def loss(*xs: Any) -> Any:
        total = 0.0
        for n, y in enumerate(f(*xs, k)):
            weights = np.cos(np.arange(y.size) + n).reshape(y.shape).astype(program.precision)
            total = total + xnp.sum(y * weights)
        return total

    rng = np.random.default_rng(5)
    ways = [xnp.asarray(rng.uniform(-1, 1, x.shape).astype(x.dtype)) for x in floats]
    return loss, floats, ways


def check_derivatives(program: LoopProgram) -> None:
    """jit(jvp) = jvp of loops in Python; the same for grad; and each is the other's adjoint."""
    loss, floats, ways = weighted(program)
    assume(is_tame(referred(program)))
    with xform.disable_jit():
        slope = np.asarray(xform.jvp(loss, floats, ways)[1])
    assume(is_tame([slope]))
    compiled = xform.jit(lambda xs, ts: xform.jvp(loss, xs, ts)[1])(floats, ways)
    assert_same([compiled], [slope], "jit(jvp)", program.precision)
    if not program.reversible:
        return
    gradient = xform.grad(loss, argnums=tuple(range(len(floats))))
    with xform.disable_jit():
        wanted = [np.asarray(g) for g in gradient(*floats)]
    assume(is_tame(wanted))
    assert_same(xform.jit(gradient)(*floats), wanted, "jit(grad)", program.precision)
    terms = [np.asarray(g, np.float64) * np.asarray(t) for g, t in zip(wanted, ways, strict=True)]
    size = 1.0 + sum(float(np.sum(np.abs(t))) for t in terms)
    tolerance = ROUNDINGS[program.precision] * float(np.finfo(program.precision).eps)
    assert abs(sum(float(np.sum(t)) for t in terms) - float(slope)) <= tolerance * size


def check_places(program: LoopProgram) -> None:
    """pmap on two devices = compiled vmap = vmap of loops in Python; and their gradients."""
    args = arguments(program)
    axes = (*(0 for _ in args[1:]), None)
    mapped = xform.vmap(program.function, in_axes=axes, axis_name="d")
    spread = xform.pmap(program.function, in_axes=axes, axis_name="d")
    with xform.disable_jit():
        wanted = [np.asarray(y) for y in mapped(*args)]
    assume(is_tame(wanted))
    assert_same(xform.jit(mapped)(*args), wanted, "jit(vmap)", program.precision)
    assert_same(spread(*args), wanted, "pmap", program.precision)
    if not program.reversible:
        return
    *floats, k = args

    def gradient(run: Any) -> Any:
        def loss(xs: Any) -> Any:
            return sum(xnp.sum(xnp.sin(y)) for y in run(*xs, k))

        return xform.grad(loss)

    with xform.disable_jit():
        wanted = [np.asarray(g) for g in gradient(mapped)(floats)]
    assume(is_tame(wanted))
    found = xform.jit(gradient(mapped))(floats)
    assert_same(found, wanted, "jit(grad(vmap))", program.precision)
    assert_same(gradient(spread)(floats), wanted, "grad(pmap)", program.precision)


@MANY
@given(loop_programs())
def test_every_way_of_running_agrees(program):
    check_running(program)


@FEW
@given(loop_programs())
def test_steps_in_memory_agree(program):
    """Programs too small for it are compiled as large ones are: no loop runs on registers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block, "in_registers", lambda node, module: None)
        check_running(program)


@MANY
@given(loop_programs())
def test_vmap_is_a_loop(program):
    check_batches(program, (3, 8, 17, 40)[len(program.text) % 4])


@MANY
@given(loop_programs(reversible=True))
def test_derivatives_agree(program):
    check_derivatives(program)


@FEW
@given(loop_programs(reversible=True, collective=True))
def test_pmap_is_vmap(program):
    with config.scoped(num_cpu_devices=2):
        check_places(program)
