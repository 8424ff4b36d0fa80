"""Branches and loops: what they compute, eagerly, compiled and mapped; and what they refuse."""

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from xform import lax, tree
from xform.config import config
from xform.core.trace import aval_of
from xform.errors import (
    ArgumentError,
    DtypeError,
    ShapeError,
    TreeError,
)

X = np.array([0.5, -1.0, 2.0, 0.25], np.float32)


def close(found, wanted, tolerance=1e-6):
    assert tree.structure(found) == tree.structure(wanted)
    for a, b in zip(tree.leaves(found), tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=tolerance, atol=tolerance)


def both(f, *args):
    """The result of a function, which is the same compiled."""
    found = f(*args)
    close(xform.jit(f)(*args), found)
    return found


def unrolled(f, init, xs, length=None, reverse=False):
    """What `scan` means."""
    count = tree.leaves(xs)[0].shape[0] if tree.leaves(xs) else length
    carry, ys = init, []
    for k in reversed(range(count)) if reverse else range(count):
        carry, y = f(carry, tree.map(lambda x, k=k: x[k], xs))
        ys.append(y)
    return carry, tree.map(lambda *parts: xnp.stack(parts), *(ys[::-1] if reverse else ys))


# -- branches -----------------------------------------------------------------------------------


@pytest.mark.parametrize("pred", [True, False, 2, 0, 0.0, -0.5, np.bool_(True)])
def test_cond_takes_the_branch(pred):
    found = both(lambda p: lax.cond(p, lambda x: x + 1, lambda x: x * 10, X), pred)
    close(found, X + 1 if pred else X * 10)


def test_cond_with_operand_by_name_and_without_operands():
    close(both(lambda p: lax.cond(p, lambda x: x + 1, lambda x: x - 1, operand=X), True), X + 1)
    close(both(lambda p: lax.cond(p, lambda x: 1.0, lambda x: 2.0, operand=None), False), 2.0)
    close(both(lambda p: lax.cond(p, lambda: {"a": (1.0, X)}, lambda: {"a": (2.0, -X)}), False),
          {"a": (2.0, -X)})  # fmt: skip


@pytest.mark.parametrize(("index", "wanted"), [(-3, 0), (0, 0), (1, 1), (2, 2), (9, 2)])
@pytest.mark.parametrize("dtype", ["int32", "uint8", "int8"])
def test_switch_clamps_its_index(index, wanted, dtype):
    branches = [lambda x: x, lambda x: 2 * x, lambda x: -x]
    if dtype == "uint8" and index < 0:
        pytest.skip("no negative index of that dtype")
    found = both(lambda i: lax.switch(i, branches, X), np.asarray(index, dtype))
    close(found, branches[wanted](X))


def test_switch_with_one_branch_and_more_than_an_int8_counts():
    close(both(lambda i: lax.switch(i, [lambda x: x + 1], X), 5), X + 1)
    many = [lambda k=k: k for k in range(200)]
    assert int(both(lambda i: lax.switch(i, many), np.int8(100))) == 100


def test_branches_close_over_values_and_tracers():
    def f(p, y):
        return lax.cond(p, lambda x: x + y, lambda x: x * xnp.asarray(X), X)

    close(both(f, True, 2.0), X + 2)
    close(both(f, False, 2.0), X * X)


def test_a_branch_that_is_not_taken_is_not_run():
    """Neither an endless loop nor a callback of the other branch matters."""
    endless = lambda x: lax.while_loop(lambda y: y == y, lambda y: y, x)  # noqa: E731
    f = lambda p, x: lax.cond(p, endless, lambda x: 2 * x, x)  # noqa: E731
    assert both(f, False, 1.0) == 2.0
    found = both(xform.vmap(f), np.zeros(3, bool), np.arange(3, dtype=np.float32))
    close(found, [0.0, 2.0, 4.0], 0) if isinstance(found, list) else close(
        found, np.array([0.0, 2.0, 4.0])
    )


@pytest.mark.parametrize("axes", [(0, 0), (0, None), (None, 0)])
def test_vmap_of_cond(axes):
    def f(p, x):
        return lax.cond(p > 0, lambda x: (xnp.sin(x), x), lambda x: (x * p, p), x)

    p = np.float32([1.0, -1.0, 0.5]) if axes[0] == 0 else np.float32(-2.0)
    x = np.float32([0.1, 0.2, 0.3]) if axes[1] == 0 else np.float32(0.7)
    wanted = [f(p if axes[0] is None else p[k], x if axes[1] is None else x[k]) for k in range(3)]
    close(both(xform.vmap(f, axes), p, x), tree.map(lambda *ys: xnp.stack(ys), *wanted))


def test_weak_and_strong_outputs_of_branches_make_a_strong_one():
    out = lax.cond(True, lambda: 1.0, lambda: np.float32(2.0))
    assert (out.dtype, out.weak_type) == (np.float32, False)
    out = lax.cond(True, lambda: 1.0, lambda: 2.0)
    assert out.weak_type


# -- scan ---------------------------------------------------------------------------------------


def recurrence(carry, x):
    total, count = carry
    new = xnp.sin(total) + x["a"] * x["b"]
    return (new, count + 1), {"new": new, "both": (count, x["a"])}


ROWS = {"a": np.arange(8, dtype=np.float32).reshape(4, 2) / 8, "b": X}


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("unroll", [1, 2, 3, True, False])
def test_scan_is_a_loop(reverse, unroll):
    init = (xnp.zeros(2), xnp.int32(5))
    found = both(lambda rows: lax.scan(recurrence, init, rows, None, reverse, unroll), ROWS)
    close(found, unrolled(recurrence, init, ROWS, reverse=reverse))


def test_scan_without_slices_without_outputs_without_a_carry():
    assert both(lambda: lax.scan(lambda c, _: (c * 2, None), 1.0, None, length=5)) == (32.0, None)
    close(both(lambda: lax.scan(lambda c, _: (c, c), 3, length=2)), (3, np.array([3, 3])))
    carry, ys = both(lambda x: lax.scan(lambda _, x: (None, x + 1), None, x), X)
    assert carry is None
    close(ys, X + 1)


def test_scan_of_no_steps_returns_what_it_started_from():
    empty = np.zeros((0, 2), np.float32)
    carry, ys = both(lambda x: lax.scan(lambda c, x: (c + x, (c, 1)), xnp.ones(2), x), empty)
    close(carry, np.ones(2))
    assert [y.shape for y in ys] == [(0, 2), (0,)]
    assert int(both(lambda: lax.fori_loop(3, 1, lambda i, x: x + 1, 7))) == 7
    assert int(both(lambda n: lax.fori_loop(3, n, lambda i, x: x + 1, 7), 1)) == 7
    assert int(both(lambda: lax.while_loop(lambda x: False, lambda x: x + 1, 7))) == 7


@pytest.mark.parametrize("axes", [(0, None, None), (None, 1, None), (None, None, 0), (0, 1, 0)])
def test_vmap_of_scan(axes):
    """A batched carry, slices or constant."""

    def f(init, xs, w):
        return lax.scan(lambda c, x: (c * w + x, (c, w)), init, xs)

    rng = np.random.default_rng(0)
    shapes = [(3,) if axes[0] == 0 else (), (4, 3) if axes[1] == 1 else (4,),
              (3,) if axes[2] == 0 else ()]  # fmt: skip
    args = [rng.normal(size=s).astype(np.float32) for s in shapes]

    def row(k):
        return [x if a is None else np.take(x, k, a) for x, a in zip(args, axes, strict=True)]

    wanted = tree.map(lambda *ys: xnp.stack(ys), *(f(*row(k)) for k in range(3)))
    close(both(xform.vmap(f, axes), *args), wanted)


def test_vmap_leaves_what_does_not_depend_on_it_alone():
    """The batch does not spread to values that are equal for all elements."""

    def f(x):
        return lax.scan(lambda c, _: ((c[0] + 1.0, c[1] * x), c[0]), (0.0, 1.0), None, length=3)

    program = xform.make_jaxpr(xform.vmap(f))(X)
    (scan,) = [e for e in program.eqns if e.primitive.name == "scan"]
    assert [v.aval.shape for v in scan.outputs] == [(), (4,), (3,)]


def test_nested_loops():
    def f(x):
        def outer(c, row):
            inner = lax.while_loop(lambda s: s[1] < 3, lambda s: (s[0] * row, s[1] + 1), (c, 0))
            return inner[0] + lax.fori_loop(0, 2, lambda i, y: y + i * row, 0.0), inner[1]

        return lax.scan(outer, 1.0, x)

    def plain(c, row):
        return c * row**3 + row, 3

    close(both(f, X), unrolled(plain, 1.0, X), 1e-5)


# -- while_loop and fori_loop -------------------------------------------------------------------


def collatz(n):
    def step(state):
        n, steps = state
        return xnp.where(n % 2 == 0, n // 2, 3 * n + 1), steps + 1

    return lax.while_loop(lambda s: s[0] != 1, step, (n, 0))[1]


COLLATZ = {1: 0, 2: 1, 3: 7, 6: 8, 7: 16, 27: 111}


def test_while_loop_counts():
    for n, steps in COLLATZ.items():
        assert int(both(collatz, np.int32(n))) == steps


def test_lanes_of_a_mapped_while_loop_end_by_themselves():
    found = both(xform.vmap(collatz), np.array(list(COLLATZ), np.int32))
    assert found.tolist() == list(COLLATZ.values())
    square = np.array([[1, 2, 3], [6, 7, 27]], np.int32)
    wanted = [[0, 1, 7], [8, 16, 111]]
    assert both(xform.vmap(xform.vmap(collatz)), square).tolist() == wanted
    assert both(xform.vmap(xform.vmap(collatz, 0), 1), square).T.tolist() == wanted


def test_vmap_of_a_loop_whose_condition_is_shared():
    def f(x, n):
        return lax.while_loop(lambda s: s[0] < n, lambda s: (s[0] + 1, s[1] * 2, s[2]), (0, x, 1))

    i, y, z = both(xform.vmap(f, (0, None)), X, 3)
    assert i.tolist() == [3] * 4 and z.tolist() == [1] * 4
    close(y, 8 * X)


def test_a_lane_that_has_ended_is_frozen_even_where_the_body_has_no_value():
    """The body divides by zero in lanes that have ended; their values stay."""

    def f(n):
        return lax.while_loop(lambda s: s[0] > 0, lambda s: (s[0] - 1, s[1] / s[0]), (n, 1.0))[1]

    close(both(xform.vmap(f), np.float32([0, 1, 3])), np.array([1, 1, 1 / 6]))


def test_max_steps_stops_a_loop():
    f = lambda x: lax.while_loop(lambda y: y < 100, lambda y: y * 2, x, max_steps=3)  # noqa: E731
    assert (int(both(f, 1)), int(both(f, 60)), int(both(f, 100))) == (8, 120, 100)
    assert int(lax.while_loop(lambda y: y < 100, lambda y: y * 2, 1, max_steps=0)) == 1
    for wrong in (-1, 1.5, "3"):
        with pytest.raises(ArgumentError, match="max_steps"):
            lax.while_loop(lambda y: y < 100, lambda y: y * 2, 1, max_steps=wrong)


@pytest.mark.parametrize("bounds", [(0, 4), (2, 5), (-2, 2), (3, 3)])
def test_fori_loop_with_known_and_traced_bounds(bounds):
    body = lambda i, s: (s[0] + i, s[1] * 2)  # noqa: E731
    wanted = (sum(range(*bounds)), 2 ** len(range(*bounds)))
    found = both(lambda: lax.fori_loop(*bounds, body, (0, 1)))
    assert tree.map(int, found) == wanted
    found = both(lambda a, b: lax.fori_loop(a, b, body, (0, 1)), *bounds)
    assert tree.map(int, found) == wanted
    found = lax.fori_loop(xnp.asarray(bounds[0]), np.int32(bounds[1]), body, (0, 1), unroll=2)
    assert tree.map(int, found) == wanted


def test_the_index_of_a_fori_loop_is_weak_so_that_it_follows_the_carry():
    assert lax.fori_loop(0, 3, lambda i, x: x + i, np.int8(0)).dtype == np.int8
    assert xform.jit(lambda n: lax.fori_loop(0, n, lambda i, x: x + i, np.int8(0)))(3).dtype == "i1"
    assert lax.fori_loop(np.int32(0), 3, lambda i, x: x + i, 0.0).dtype == np.float32


# -- weak types ---------------------------------------------------------------------------------


def test_a_weak_carry_takes_the_dtype_of_the_step():
    carry, ys = lax.scan(lambda c, x: (c * x, c), 1, X)
    assert (carry.dtype, carry.weak_type, ys.dtype) == (np.float32, False, np.float32)
    carry, _ = lax.scan(lambda c, x: (c * x, c), 1.0, X)
    assert not carry.weak_type
    out = lax.while_loop(lambda x: x < 3, lambda x: x + np.float32(1), 0)
    assert (out.dtype, out.weak_type) == (np.float32, False)
    assert lax.while_loop(lambda x: x < 3, lambda x: x + 1, 0).weak_type
    (a, b), _ = lax.scan(lambda c, x: ((c[1], c[0] * x), None), (1, 2), X)
    assert (a.dtype, b.dtype) == (np.float32, np.float32)


def test_numbers_of_numpy_in_64_bits_are_narrowed_in_a_step():
    carry, _ = lax.scan(lambda c, x: (np.float64(0.5), None), xnp.float32(1), X)
    assert carry.dtype == np.float32


# -- map and associative_scan -------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [None, 1, 2, 3, 4, 10])
def test_map_is_vmap(batch_size):
    f = lambda x: {"s": xnp.sin(x["a"]) * x["b"], "k": 1}  # noqa: E731
    found = both(lambda rows: lax.map(f, rows, batch_size=batch_size), ROWS)
    close(found, xform.vmap(f)(ROWS))


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8])
@pytest.mark.parametrize("reverse", [False, True])
def test_associative_scan_of_pairs(size, reverse):
    """The composition of affine maps: associative, and not commutative."""

    def compose(f, g):
        return {"a": f["a"] * g["a"], "b": f["b"] * g["a"] + g["b"]}

    rng = np.random.default_rng(size)
    elems = {k: rng.normal(size=(2, size)).astype(np.float32) for k in "ab"}
    found = both(lambda e: lax.associative_scan(compose, e, reverse=reverse, axis=1), elems)
    for j in range(2):
        order = range(size - 1, -1, -1) if reverse else range(size)
        held = None
        for k in order:
            here = {n: elems[n][j, k] for n in "ab"}
            held = here if held is None else compose(held, here)
            for n in "ab":
                np.testing.assert_allclose(found[n][j, k], held[n], rtol=2e-5, atol=1e-6)


def test_associative_scan_takes_about_two_levels_for_each_doubling():
    calls = []
    lax.associative_scan(lambda a, b: calls.append(1) or a + b, xnp.arange(1024))
    assert len(calls) <= 20


# -- without jit --------------------------------------------------------------------------------


def test_loops_run_as_python_without_jit():
    seen = []

    def look(x):
        seen.append(float(x))
        return x

    with config.scoped(disable_jit=True):
        lax.scan(lambda c, x: (look(c) + x, None), 0.0, X[:2], reverse=True)
        lax.while_loop(lambda x: x < 4.0, lambda x: look(x) * 2, 1.0)
        lax.fori_loop(0, 2, lambda i, x: look(i) + x, 0.0)
        lax.cond(True, lambda x: look(x), lambda x: x, 9.0)
        lax.switch(1, [lambda x: x, lambda x: look(x)], 8.0)
        grown = xform.vmap(lambda n: lax.while_loop(lambda x: x < n, lambda x: x * 2, 1))
        assert grown(xnp.array([1, 5])).tolist() == [1, 8]
    assert seen == [0.0, -1.0, 1.0, 2.0, 0.0, 1.0, 9.0, 8.0]


# -- refusals -----------------------------------------------------------------------------------

REFUSED = {
    "carry dtype": (DtypeError, lambda: lax.scan(lambda c, x: (c + x, c), np.int32(0), X)),
    "carry shape": (ShapeError, lambda: lax.scan(lambda c, x: (X * c, c), np.float32(0), X)),
    "carry structure": (TreeError, lambda: lax.scan(lambda c, x: ((c, c), c), np.float32(0), X)),
    "no pair": (ArgumentError, lambda: lax.scan(lambda c, x: c, 0.0, X)),
    "lengths": (ShapeError, lambda: lax.scan(lambda c, x: (c, c), 0.0, (X, X[:2]))),
    "length": (ShapeError, lambda: lax.scan(lambda c, x: (c, c), 0.0, X, length=3)),
    "no length": (ArgumentError, lambda: lax.scan(lambda c, x: (c, c), 0.0)),
    "scalar slices": (ShapeError, lambda: lax.scan(lambda c, x: (c, c), 0.0, 1.0)),
    "negative length": (ArgumentError, lambda: lax.scan(lambda c, x: (c, c), 0.0, length=-1)),
    "unroll": (ArgumentError, lambda: lax.scan(lambda c, x: (c, c), 0.0, X, unroll=0)),
    "while dtype": (DtypeError, lambda: lax.while_loop(lambda x: x < 1, lambda x: x / 2, X[0] > 0)),
    "while structure": (TreeError, lambda: lax.while_loop(lambda x: x < 1, lambda x: (x,), 0)),
    "no boolean": (DtypeError, lambda: lax.while_loop(lambda x: x, lambda x: x + 1, 0)),
    "two booleans": (TreeError, lambda: lax.while_loop(lambda x: (True, True), lambda x: x, 0)),
    "booleans": (ShapeError, lambda: lax.while_loop(lambda x: x < 1, lambda x: x + 1, X)),
    "predicate": (ShapeError, lambda: lax.cond(X > 0, lambda: 1, lambda: 2)),
    "text": (ArgumentError, lambda: lax.cond("yes", lambda: 1, lambda: 2)),
    "branch dtype": (DtypeError, lambda: lax.cond(True, lambda: 1, lambda: 2.0)),
    "branch shape": (ShapeError, lambda: lax.cond(True, lambda: X, lambda: X[0])),
    "branch structure": (TreeError, lambda: lax.cond(True, lambda: (X,), lambda: X)),
    "no function": (ArgumentError, lambda: lax.cond(True, 1.0, 2.0)),
    "float index": (DtypeError, lambda: lax.switch(1.0, [lambda: 1, lambda: 2])),
    "no branches": (ArgumentError, lambda: lax.switch(0, [])),
    "float bounds": (DtypeError, lambda: lax.fori_loop(0, 2.5, lambda i, x: x, 0)),
    "two dtypes": (DtypeError, lambda: lax.fori_loop(np.int8(0), np.int32(2), lambda i, x: x, 0)),
    "batch": (ArgumentError, lambda: lax.map(lambda x: x, X, batch_size=0)),
    "combination": (TreeError, lambda: lax.associative_scan(lambda a, b: (a, b), X)),
    "axis of none": (
        ShapeError,
        lambda: lax.associative_scan(lambda a, b: a, {"a": X, "b": X[:2]}),
    ),
    "bar": (ArgumentError, lambda: lax.scan(lambda c, x: (c, c), 0.0, X, progress=3)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusal(name):
    kind, call = REFUSED[name]
    with pytest.raises(kind) as caught:
        call()
    assert len(str(caught.value).splitlines()) <= 12


def test_errors_inside_of_a_step_name_its_values():
    def step(c, x):
        return c if c > 0 else x, None

    with pytest.raises(xform.errors.TracerBoolConversionError):
        lax.scan(step, 0.0, X)
    assert aval_of(lax.scan(lambda c, x: (c + x, None), 0.0, X)[0]).shape == ()
