"""The stages of the compiler one by one, and compiled code against eager on awkward shapes."""

import itertools
import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

import xform
import xform.numpy as xnp
from xform import lax
from xform.compiler.block import schedules
from xform.compiler.fuse import Fused, fuse
from xform.compiler.index import (
    Clamped,
    Condition,
    Expr,
    LoopVar,
    Quotient,
    Remainder,
    expr,
    linear_offset,
)
from xform.compiler.lower import lower
from xform.compiler.memory import plan_memory
from xform.compiler.nests import Kernel, Nest
from xform.compiler.schedule import schedule
from xform.compiler.simplify import simplify
from xform.config import config
from xform.core.check import check
from xform.core.jaxpr import Jaxpr, hoist_constants
from xform.core.loops import Map


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    with config.scoped(enable_x64=True, cache_dir="", check=True):
        yield


# -- index expressions --------------------------------------------------------------------------


def evaluated(e: Expr, env: dict[LoopVar, int]) -> int:
    """The value of an index expression, by its definition."""
    total = e.const
    for atom, c in e.terms:
        if isinstance(atom, LoopVar):
            value = env[atom]
        elif isinstance(atom, Quotient):
            value = evaluated(atom.of, env) // atom.by
        elif isinstance(atom, Remainder):
            value = evaluated(atom.of, env) % atom.by
        else:
            assert isinstance(atom, Clamped)
            value = min(max(evaluated(atom.of, env), atom.low), atom.high)
        total += c * value
    return total


VARIABLES = (LoopVar("i", 3), LoopVar("j", 4), LoopVar("k", 5), LoopVar("one", 1))
EVERYWHERE = [
    dict(zip(VARIABLES, values, strict=True))
    for values in itertools.product(*(range(v.extent) for v in VARIABLES))
]


class Formula:
    """An index expression, and the same as a Python function of the loop variables."""

    def __init__(self, of: Expr, text: str) -> None:
        self.of = of
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def at(self, env: dict[LoopVar, int]) -> int:
        values = {v.name: n for v, n in env.items()}
        return int(eval(self.text, {"clamp": lambda x, a, b: min(max(x, a), b)}, values))


_small = st.integers(-7, 7)
_by = st.integers(1, 12)
_atoms = st.one_of(
    st.sampled_from(VARIABLES).map(lambda v: Formula(expr(v), v.name)),
    _small.map(lambda n: Formula(expr(n), f"({n})")),
)


def _combined(inner: st.SearchStrategy[Formula]) -> st.SearchStrategy[Formula]:
    return st.one_of(
        st.tuples(inner, inner).map(lambda p: Formula(p[0].of + p[1].of, f"({p[0]} + {p[1]})")),
        st.tuples(inner, inner).map(lambda p: Formula(p[0].of - p[1].of, f"({p[0]} - {p[1]})")),
        st.tuples(inner, _small).map(lambda p: Formula(p[0].of * p[1], f"({p[0]} * {p[1]})")),
        st.tuples(inner, _by).map(lambda p: Formula(p[0].of // p[1], f"({p[0]} // {p[1]})")),
        st.tuples(inner, _by).map(lambda p: Formula(p[0].of % p[1], f"({p[0]} % {p[1]})")),
        st.tuples(inner, _small, st.integers(0, 9)).map(
            lambda p: Formula(
                p[0].of.clamp(p[1], p[1] + p[2]), f"clamp({p[0]}, {p[1]}, {p[1] + p[2]})"
            )
        ),
    )


formulas = st.recursive(_atoms, _combined, max_leaves=8)


@given(formulas)
def test_index_expressions_are_integer_arithmetic(formula):
    for env in EVERYWHERE:
        value = evaluated(formula.of, env)
        assert value == formula.at(env)
        assert formula.of.low <= value <= formula.of.high


@given(formulas, formulas)
def test_conditions_compare_index_expressions(a, b):
    pairs = [
        (a.of >= b.of, lambda x, y: x >= y),
        (a.of > b.of, lambda x, y: x > y),
        (a.of <= b.of, lambda x, y: x <= y),
        (a.of < b.of, lambda x, y: x < y),
        (a.of.equals(b.of), lambda x, y: x == y),
        ((a.of >= 0) & (b.of < 3), lambda x, y: x >= 0 and y < 3),
        ((a.of >= 0) | (b.of < 3), lambda x, y: x >= 0 or y < 3),
    ]
    for condition, wanted in pairs:
        for env in EVERYWHERE:
            assert holds(condition, env) == wanted(a.at(env), b.at(env))


def holds(condition: Condition, env: dict[LoopVar, int]) -> bool:
    return all(any(evaluated(e, env) >= 0 for e in clause) for clause in condition.clauses)


@given(formulas, _by)
def test_quotient_and_remainder_recombine(formula, by):
    again = (formula.of // by) * by + formula.of % by
    for env in EVERYWHERE:
        assert evaluated(again, env) == formula.at(env)


@given(st.permutations(range(3)), st.integers(0, 2))
def test_reshapes_there_and_back_are_no_change_of_offset(order, shift):
    """A reshape's indices recombine to the offset they came from: no divisions are left."""
    extents = [VARIABLES[k].extent for k in order]
    offset = linear_offset([expr(VARIABLES[k]) for k in order], extents) + shift
    size = math.prod(extents) + shift
    for columns in (2, 3, 4, 6):
        rows = -(-size // columns)
        assert linear_offset([offset // columns, offset % columns], [rows, columns]) == offset


def test_divisions_vanish_where_the_loops_decide_them():
    i, j = VARIABLES[0], VARIABLES[1]
    offset = linear_offset([expr(i), expr(j)], [i.extent, j.extent])
    assert offset // 4 == expr(i)
    assert offset % 4 == expr(j)
    assert (expr(j) < 4).is_true
    assert (expr(j) >= 4).is_false


# -- simplification -----------------------------------------------------------------------------


def program_of(f: Any, *args: Any) -> Jaxpr:
    return hoist_constants(xform.make_jaxpr(f)(*args).jaxpr)


def names(program: Jaxpr) -> list[str]:
    return [e.primitive.name for e in program.equations]


X = np.ones((4, 6), np.float32)
V = np.ones(6, np.float32)


@pytest.mark.parametrize(
    "f, wanted",
    [
        (lambda x: xnp.sin(x) + xnp.sin(x), ["sin", "add"]),
        (lambda x: xform.jit(xnp.sin)(x) + xnp.sin(x), ["sin", "add"]),
        (lambda x: x * 1.0, []),
        (lambda x: x / 1.0, []),
        (lambda x: x - 0.0, []),
        (lambda x: xnp.negative(-x), []),
        (lambda x: x.T.T, []),
        (lambda x: x.reshape(4, 6), []),
        (lambda x: x.astype("float32"), []),
        (lambda x: x + (xnp.sin(1.0) + 2.0), ["add"]),
        (lambda x: (xnp.cos(x), x)[1], []),
    ],
)
def test_simplify(f, wanted):
    found = [n for n in names(simplify(program_of(f, X))) if n != "broadcast_in_dim"]
    assert found == wanted


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x + 0.0,  # -0 + 0 is 0
        lambda x: x - (-0.0),
        lambda x: x * 0.0,  # inf * 0 is NaN
        lambda x: x / x,
        lambda x: x - x,
    ],
)
def test_simplify_keeps_what_does_not_hold_bit_for_bit(f):
    assert len(simplify(program_of(f, X)).equations) > 0
    awkward = np.array([0.0, -0.0, np.inf, np.nan, 1.0], np.float32)
    found, wanted = np.asarray(xform.jit(f)(awkward)), np.asarray(f(xnp.asarray(awkward)))
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(np.signbit(found), np.signbit(wanted))


def test_simplify_recomputes_in_a_checkpoint():
    def loss(x, wrap):
        return xnp.sum(wrap(lambda z: xnp.sin(xnp.sin(z)))(x))

    counts = [
        names(simplify(program_of(xform.value_and_grad(lambda x, w=wrap: loss(x, w)), X))).count(
            "sin"
        )
        for wrap in (lambda f: f, xform.checkpoint)
    ]
    assert counts == [2, 3]


def test_transposed_products_are_made_in_that_order():
    f = xform.grad(lambda w, x: xnp.sum(xnp.sin(x @ w)))
    simple = simplify(program_of(f, np.ones((6, 3), np.float32), X))
    check(simple)
    assert "transpose" not in names(simple)


# -- fusion -------------------------------------------------------------------------------------


def planned(steps, donated):
    return plan_memory(steps, schedules(steps, 64), donated)


def fused(f: Any, *args: Any) -> Fused:
    return fuse(lower(simplify(program_of(f, *args))))


def softmax(x: Any) -> Any:
    e = xnp.exp(x - xnp.max(x, axis=-1, keepdims=True))
    return e / xnp.sum(e, axis=-1, keepdims=True)


def test_softmax_is_one_nest_with_three_phases():
    (nest,) = fused(softmax, X).steps
    assert isinstance(nest, Nest)
    assert len(nest.phases) == 3


def test_layernorm_is_one_nest():
    def layernorm(x):
        centred = x - xnp.mean(x, axis=-1, keepdims=True)
        variance = xnp.mean(centred**2, axis=-1, keepdims=True)
        return centred / xnp.sqrt(variance + 1e-5)

    (nest,) = fused(layernorm, X).steps
    assert isinstance(nest, Nest)


def test_an_update_of_parameters_is_one_nest_per_shape():
    def sgd(params, grads):
        return [p - 0.1 * g for p, g in zip(params, grads, strict=True)]

    assert len(fused(lambda p, g, m: (p - 0.1 * (0.9 * m + g), 0.9 * m + g), X, X, X).steps) == 1
    assert len(fused(sgd, [X, V], [X, V]).steps) == 2


def test_views_have_no_steps_of_their_own():
    def f(x):
        return xnp.flip(x.T.reshape(2, 3, 4), 1)[:, ::2] * 2.0

    assert len(fused(f, X).steps) == 1


def test_sums_in_both_directions_of_one_matrix():
    steps = fused(lambda x: (xnp.sum(x, axis=0), xnp.sum(x, axis=1)), X).steps
    assert all(isinstance(s, Nest) for s in steps)


def test_reductions_share_a_nest_if_they_read_an_element_together():
    """The loops of a product with a matrix and of one with its transpose want other lanes."""
    x, y, w = (np.ones(s, np.float32) for s in ((4, 8, 20), (4, 8, 20), (4, 20, 20)))
    assert len(fused(lambda x, y, w: (x @ w, y @ w), x, y, w).steps) == 1
    assert len(fused(lambda x, y, w: (x @ w, y @ w.swapaxes(1, 2)), x, y, w).steps) == 2
    assert len(fused(lambda x: (xnp.sum(x, 2), xnp.sum(x**2, 2)), x).steps) == 1


def test_dear_values_are_computed_once_for_two_sums():
    """The second product reads each hyperbolic tangent twice."""
    x, v, w = (np.ones(s, np.float32) for s in ((5, 3), (3, 8), (8, 2)))
    found = fused(lambda x, v, w: xnp.tanh(x @ v) @ w, x, v, w)
    assert [n.loop.scalar for n in found.stored if isinstance(n.loop, Map)] == ["tanh"]


def test_large_products_are_kernels_small_ones_are_loops():
    large = np.ones((64, 64), np.float32)
    assert [type(s) for s in fused(lambda x: x @ x, large).steps] == [Kernel]
    assert [type(s) for s in fused(lambda x: x @ x.T, X).steps] == [Nest]


# -- memory and schedule ------------------------------------------------------------------------


def test_the_workspace_is_used_again():
    def chain(x):
        for _ in range(8):
            x = xnp.tanh(x @ x)
        return x

    large = np.ones((64, 64), np.float32)
    plan = planned(fused(chain, large), ())
    assert large.nbytes <= plan.workspace_bytes <= 3 * large.nbytes


def test_donated_inputs_give_their_memory_to_outputs():
    step = fused(lambda p, g: p - 0.1 * g, X, X)
    assert planned(step, (True, False)).aliases == ((0, 0),)
    assert planned(step, (False, False)).aliases == ()


def test_an_input_that_is_read_elsewhere_gives_no_memory():
    step = fused(lambda x: xnp.flip(x, 0) + x, X)
    assert planned(step, (True,)).aliases == ()


def test_products_read_matrices_along_their_rows():
    """However many rows they take: gathers of columns cost a load for every lane."""
    x, w = np.ones((4, 8, 20), np.float32), np.ones((4, 20, 20), np.float32)
    for count in (1, 2, 5):
        steps = fused(lambda w, *xs: [x @ w for x in xs], w, *[x] * count)
        (nest,) = steps.steps
        plan = schedule(nest, steps.stored, 64)
        assert plan.vector is nest.outer[-1]
        assert all(phase.vector is None for phase in plan.phases)


BY_RANGES = {
    "concatenated": (lambda x: xnp.concatenate([x, 2 * x[::-1], x[3:7]]), 3),
    "padded": (lambda x: xnp.pad(x, ((2, 1), (0, 3))), 4),
    "cut and padded": (lambda x: lax.pad(x, 1.0, ((-3, 2, 0), (1, -5, 0))), 3),
    "rolled": (lambda x: xnp.roll(x, (3, 5), (0, 1)), 4),
    "differences": (
        lambda x: xnp.pad(x[1:], ((0, 1), (0, 0))) - xnp.pad(x[:-1], ((1, 0), (0, 0))),
        3,
    ),
    "two results": (lambda x: (xnp.pad(x, ((1, 0), (0, 0))), xnp.pad(x, ((1, 0), (0, 0))) + 1), 2),
    "spread": (lambda x: lax.pad(x, 0.0, ((0, 0, 1), (2, 0, 0))), 2),
    "transposed": (lambda x: xnp.concatenate([x, x]).T, 2),
}


@pytest.mark.parametrize("name", BY_RANGES)
def test_loops_are_cut_where_conditions_change(name):
    """No condition on an index is left where it was on that index alone."""
    function, least = BY_RANGES[name]
    x = np.random.default_rng(0).normal(size=(31, 47)).astype(np.float32)
    found = xform.tree.leaves(xform.jit(function)(x))
    with xform.disable_jit():
        wanted = xform.tree.leaves(function(x))
    for y, z in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(y, z)
    lowered = xform.jit(function).lower(x)
    assert lowered.as_text("schedule").count("phase") >= least
    if name != "spread":
        assert not re.search(r"icmp|select", nests_of(lowered.as_text("llvm")))


def nests_of(llvm):
    """The functions of nests, without the tests at the ends of their loops."""
    lines = "\n".join(re.findall(r"define internal void @nest_.*?\n}", llvm, re.DOTALL))
    return re.sub(r"%t\d+ = icmp ult i64 %n\d+, .*", "", lines)


def test_short_loops_and_long_bodies_are_not_cut():
    x = np.ones(40, np.float32)
    text = xform.jit(lambda x: xnp.concatenate([x, x])).lower(x).as_text("schedule")
    assert text.count("phase") == 1
    many = xform.jit(lambda x: xnp.tanh(xnp.concatenate([x] * 80))).lower(x).as_text("schedule")
    assert many.count("phase") == 1


@pytest.mark.parametrize("size", [3, 16, 50, 1003])
def test_vectors_are_read_backwards(size):
    x = np.random.default_rng(size).normal(size=size).astype(np.float32)
    for f, exact in (
        (lambda x: x[::-1] * 2, x[::-1] * 2),
        (lambda x: (x * x[::-1]).max(), (x * x[::-1]).max()),
        (lambda x: xnp.pad(x[::-1], (2, 5)) + 1, np.pad(x[::-1], (2, 5)) + 1),
        (lambda x: xnp.stack([x, x])[::-1, ::-1].T, np.stack([x, x])[::-1, ::-1].T),
    ):
        np.testing.assert_array_equal(xform.jit(f)(x), exact)
    text = xform.jit(lambda x: x[::-1] * 2).lower(x).as_text("llvm")
    assert "gather" not in text


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "uint8", "bool", "bfloat16"])
@pytest.mark.parametrize("shape", [(1 << 19,), (600_000, 2), (3, 250_000), (524_289,), (10**6, 1)])
def test_reductions_of_many_elements_in_parts(shape, dtype):
    """Parts of one size, where the extent has such a divisor: 524289 = 3 * 174763 has none."""
    x = np.random.default_rng(0).integers(0, 3, shape).astype(dtype)
    reductions = [xnp.any, xnp.all] if dtype == "bool" else [xnp.sum, xnp.max, xnp.min]
    for reduce in reductions:
        for axis in (None, 0):
            found = xform.jit(lambda x: reduce(x, axis=axis))(x)  # noqa: B023
            exact = getattr(np, reduce.__name__)(x.astype(np.int64), axis=axis)
            np.testing.assert_array_equal(np.asarray(found, np.float64), exact.astype(found.dtype))
    text = xform.jit(xnp.sum).lower(x).as_text("loops")
    assert ("[64" in text or "[50" in text or "[40" in text) == (shape != (524_289,))


def test_contiguous_loops_become_one():
    (nest,) = fused(lambda x: xnp.sin(x) * 2, np.ones((3, 5, 7), np.float32)).steps
    plan = schedule(nest, fused(lambda x: x, X).stored | {w.node for _, w in nest.works()}, 32)
    (phase,) = plan.phases
    assert [plan.extent(v) for v in (*plan.outer, *phase.loops)] == [3 * 5 * 7]
    assert phase.lanes == 8


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("size", [1, 2, 5, 17, 100, 1000])
def test_extremes_of_special_numbers(size, dtype):
    """NaN of either sign wins, and zero is greater than minus zero."""
    rng = np.random.default_rng(size)
    numbers = np.array([0.0, -0.0, np.inf, -np.inf, 1.0, -1.0, 6e-8, np.nan, -np.nan], dtype)
    for count in (2, 7, 9):
        x = rng.choice(numbers[:count], (3, size))
        with config.scoped(enable_x64=True):
            high, low = (
                np.asarray(xform.jit(f)(x)) for f in (lambda x: x.max(1), lambda x: x.min(1))
            )
        nan = np.isnan(x).any(1)
        np.testing.assert_array_equal(np.isnan(high), nan)
        np.testing.assert_array_equal(np.isnan(low), nan)
        for row, top, bottom in zip(x[~nan], high[~nan], low[~nan], strict=True):
            keys = sorted(row.astype(np.float64), key=lambda v: (v, not np.signbit(v)))
            assert (top, np.signbit(top)) == (keys[-1], np.signbit(keys[-1]))
            assert (bottom, np.signbit(bottom)) == (keys[0], np.signbit(keys[0]))
