"""Derivatives of branches and loops, against the same loops in Python and central differences."""

from functools import cache
from math import comb

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from xform import lax, tree
from xform.config import config
from xform.core.avals import ShapedArray
from xform.core.trace import aval_of
from xform.errors import GradError, MemoryLimitError
from xform.higher_order import binomial, tape
from xform.higher_order.sums import sums_of
from xform.interpreters.reverse import transpose_flat
from xform.interpreters.staging import stage
from xform.ops.slicing import dynamic_update_slice
from xform.ops.structural import add, zeros


@pytest.fixture(autouse=True)
def _double():
    with config.scoped(enable_x64=True, check=True, cache_dir=""):
        yield


def close(found, wanted, tolerance=1e-11):
    assert tree.structure(found) == tree.structure(wanted)
    for a, b in zip(tree.leaves(found), tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=tolerance, atol=tolerance)


def difference(f, args, tangents, step=2.0**-12):
    """The directional derivative by a five-point formula."""

    def at(k):
        return f(*(x + k * step * t for x, t in zip(args, tangents, strict=True)))

    return (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * step)


W, X0 = np.array([0.7, -0.4]), np.array([1.2, 0.3])
ROWS = np.random.default_rng(1).uniform(-1, 1, (5, 2))


def with_scan(w, x, rows):
    def step(carry, row):
        ((y, count),) = (carry,)
        new = xnp.sin(w * y) + row * count
        return (new, count + 1), new * w

    (y, _), ys = lax.scan(step, (x, 0), rows)
    return xnp.sum(y**2) + xnp.sum(ys * xnp.cos(rows))


def without_scan(w, x, rows):
    total, y = 0.0, x
    for count, row in enumerate(rows):
        y = xnp.sin(w * y) + row * count
        total = total + xnp.sum(y * w * xnp.cos(row))
    return xnp.sum(y**2) + total


def with_while(w, x, limit):
    def going(state):
        return xnp.sum(state[1] ** 2) < limit

    def step(state):
        count, y, z = state
        return count + 1, 1.3 * y + 0.1 * xnp.sin(w * z), xnp.cos(y) * z * w

    _, y, z = lax.while_loop(going, step, (0, x, 2.0 * x))
    return xnp.sum(y * z) + xnp.sum(z)


def without_while(w, x, limit):
    y, z = x, 2.0 * x
    while float(xnp.sum(y**2)) < limit:
        y, z = 1.3 * y + 0.1 * xnp.sin(w * z), xnp.cos(y) * z * w
    return xnp.sum(y * z) + xnp.sum(z)


def with_cond(w, x, rows):
    def step(y, row):
        def moved(y):
            return y * w + row, xnp.sum(y)

        return lax.cond(xnp.sum(y) > 0, moved, lambda y: (xnp.exp(y) * row, 0.5), y)

    y, sums = lax.scan(step, x, rows)
    return xnp.sum(y) + xnp.sum(sums**2)


def without_cond(w, x, rows):
    y, total = x, 0.0
    for row in rows:
        if float(xnp.sum(y)) > 0:
            y, s = y * w + row, xnp.sum(y)
        else:
            y, s = xnp.exp(y) * row, 0.5
        total = total + s**2
    return xnp.sum(y) + total


def with_fori(w, x, rows):
    last = lax.fori_loop(0, 5, lambda i, y: xnp.tanh(w * y) + xnp.asarray(rows)[i] * i, x)
    return xnp.sum(last * last)


def without_fori(w, x, rows):
    for i in range(5):
        x = xnp.tanh(w * x) + rows[i] * i
    return xnp.sum(x * x)


PAIRS = {
    "scan": (with_scan, without_scan, ROWS),
    "while": (with_while, without_while, np.float64(40.0)),
    "cond": (with_cond, without_cond, ROWS),
    "fori": (with_fori, without_fori, ROWS),
}


@pytest.mark.parametrize("name", PAIRS)
def test_gradients_are_those_of_the_loop_in_python(name):
    looped, plain, last = PAIRS[name]
    args = (W, X0, last)
    numbers = (0, 1, 2) if name != "while" else (0, 1)
    wanted = xform.grad(plain, numbers)(*args)
    close(xform.grad(looped, numbers)(*args), wanted)
    close(xform.jit(xform.grad(looped, numbers))(*args), wanted)
    tangents = (np.array([0.3, -0.1]), np.array([-0.2, 0.5]))
    f = lambda w, x: looped(w, x, last)  # noqa: E731
    slope = xform.jvp(f, (W, X0), tangents)[1]
    close(slope, difference(f, (W, X0), tangents), 1e-9)
    close(xform.linearize(f, W, X0)[1](*tangents), slope)


@pytest.mark.parametrize("name", PAIRS)
def test_second_derivatives(name):
    looped, plain, last = PAIRS[name]

    def both_ways(f):
        g = lambda w, x: f(w, x, last)  # noqa: E731
        return (
            xform.hessian(g)(W, X0),
            xform.jacrev(xform.grad(g))(W, X0),
            xform.jvp(xform.grad(g, (0, 1)), (W, X0), (X0, W))[1],
            xform.grad(lambda w, x: xform.jvp(g, (w, x), (X0, W))[1], (0, 1))(W, X0),
        )

    close(both_ways(looped), both_ways(plain), 1e-10)


@pytest.mark.parametrize("name", PAIRS)
def test_gradients_under_vmap_and_vmap_under_gradients(name):
    looped, plain, last = PAIRS[name]
    ws = np.random.default_rng(2).uniform(-0.8, 0.8, (3, 2))
    rows = [xform.grad(plain, (0, 1))(w, X0, last) for w in ws]
    wanted = tree.map(lambda *ys: np.stack(ys), *rows)
    mapped = xform.vmap(xform.grad(looped, (0, 1)), (0, None, None))
    close(mapped(ws, X0, last), wanted)
    close(xform.jit(mapped)(ws, X0, last), wanted)
    summed = lambda w, x: xform.vmap(looped, (0, None, None))(w, x, last).sum()  # noqa: E731
    close(xform.grad(summed, (0, 1))(ws, X0), (wanted[0], wanted[1].sum(0)))


# -- the tape of while --------------------------------------------------------------------------


def counted(w, x, n, **bound):
    def step(state):
        i, y, z = state
        return i + 1, xnp.sin(w * y) + 0.9 * z, 0.5 * y + 0.3 * z

    _, y, z = lax.while_loop(lambda s: s[0] < n, step, (np.int32(0), x, x), **bound)
    return xnp.sum(y * z) + xnp.sum(y)


def counted_in_python(w, x, n):
    y = z = x
    for _ in range(int(n)):
        y, z = xnp.sin(w * y) + 0.9 * z, 0.5 * y + 0.3 * z
    return xnp.sum(y * z) + xnp.sum(y)


SMALL = 34 * 32  # 17 slots and 16 snapshots for `counted`, which keeps two arrays of 16 bytes


@pytest.mark.parametrize("steps", [0, 1, 16, 17, 18, 31, 33, 153, 154, 300])
def test_a_loop_of_more_steps_than_slots_is_run_again_from_snapshots(steps):
    """16 snapshots: up to 17 steps are run again once, up to 153 twice, up to 969 three times."""
    with config.scoped(tape_bytes=SMALL):
        found = xform.grad(counted, (0, 1))(W, X0, np.int32(steps))
    close(found, xform.grad(counted_in_python, (0, 1))(W, X0, steps))


@pytest.mark.parametrize(
    ("snapshots", "most"), [(1, 6), (2, 40), (3, 200), (5, 100), (16, 2000), (64, 5000)]
)
def test_snapshots_are_where_the_fewest_steps_are_run_again(snapshots, most):
    """Against the fewest there can be, by recursion for few steps and by formula for many."""
    betas = binomial.table(snapshots, most)
    distance = xform.jit(lambda d, s: binomial.distance(betas, d, s))

    @cache
    def repeated(d, s):
        """How many steps the schedule runs again to reverse d of them with s snapshots."""
        if d < 2:
            return 0
        m = int(distance(np.int32(d), np.int32(s)))
        assert 1 <= m < d
        return m + repeated(d - m, max(s - 1, 1)) + repeated(m, s)

    @cache
    def fewest(d, s):
        if d < 2:
            return 0
        if s == 1:
            return d * (d - 1) // 2
        return min(m + fewest(d - m, s - 1) + fewest(m, s) for m in range(1, d))

    for d in range(min(most, 25) + 1):
        assert repeated(d, snapshots) == fewest(d, snapshots), d
    repeats = 0
    while binomial.most_steps(snapshots, repeats) < most:
        repeats += 1
    assert repeated(most, snapshots) == repeats * most - comb(snapshots + repeats, repeats - 1)


def test_the_rows_of_a_bounded_loop_grow_with_the_root_of_the_bound():
    x = np.ones(1000)

    def f(x, n, **bound):
        return lax.while_loop(
            lambda s: s[0] < n, lambda s: (s[0] + 1, xnp.sin(s[1])), (0, x), **bound
        )[1].sum()

    def rows(most):
        g = xform.grad(lambda x, n: f(x, n, max_steps=most))
        program = xform.make_jaxpr(g)(x, 9)
        return max(v.aval.nbytes for e in program.eqns for v in e.outputs) // x.nbytes

    assert [rows(most) for most in (1, 7, 16, 1000, 100_000)] == [1, 7, 16, 44, 446]
    for n in (0, 3, 43, 44, 45, 600, 999, 1000, 1001):
        bounded = xform.grad(lambda x: f(x, n, max_steps=1000))(x)  # noqa: B023
        close(bounded, xform.grad(lambda x: f(x, min(n, 1000)))(x))  # noqa: B023


def test_tapes_that_vmap_makes_too_large_are_refused():
    step = lambda w: xform.grad(counted)(w, X0, np.int32(3))  # noqa: E731
    ws = np.ones((8, 2))
    with config.scoped(tape_bytes=SMALL), pytest.raises(MemoryLimitError) as caught:
        xform.vmap(step)(ws)
    assert 'config.update("tape_bytes", 278784)' in str(caught.value)
    assert "lax.map with a batch_size" in str(caught.value)
    with config.scoped(tape_bytes=278784):
        wanted = xform.vmap(step)(ws)
    with config.scoped(tape_bytes=SMALL):
        close(lax.map(step, ws), wanted)


def test_lanes_of_different_lengths_on_a_small_tape():
    steps = np.array([0, 3, 18, 1, 40], np.int32)
    ws = np.random.default_rng(3).uniform(-1, 1, (5, 2))
    rows = [xform.grad(counted_in_python, (0, 1))(w, X0, n) for w, n in zip(ws, steps, strict=True)]
    wanted = tree.map(lambda *ys: np.stack(ys), *rows)
    mapped = xform.vmap(xform.grad(lambda *a: counted(*a, max_steps=100), (0, 1)), (0, None, 0))
    close(mapped(ws, X0, steps), wanted)
    with config.scoped(tape_bytes=5 * SMALL):
        summed = lambda w, x: xform.vmap(counted, (0, None, 0))(w, x, steps).sum()  # noqa: E731
        close(xform.grad(summed, (0, 1))(ws, X0), (wanted[0], wanted[1].sum(0)))


@pytest.mark.parametrize("steps", [3, 20])
def test_second_derivatives_on_a_small_tape(steps):
    def twice(f):
        inner = lambda w, x: sum(xnp.sum(g * g) for g in xform.grad(f, (0, 1))(w, x, steps))  # noqa: E731
        return xform.grad(inner, (0, 1))(W, X0), xform.jvp(inner, (W, X0), (X0, W))[1]

    with config.scoped(tape_bytes=40 * SMALL):
        found = twice(counted)
    close(found, twice(counted_in_python), 1e-10)


def test_memory_of_the_tape_does_not_grow_with_the_steps():
    big = np.ones(1000)
    program = xform.make_jaxpr(xform.grad(lambda x, n: counted(0.5, x, n)))(big, np.int32(9))
    sizes = [v.aval.nbytes for e in program.eqns for v in e.outputs]
    assert max(sizes) == tape.MOST_SLOTS * big.nbytes
    with config.scoped(tape_bytes=40 * 2 * big.nbytes):
        program = xform.make_jaxpr(xform.grad(lambda x, n: counted(0.5, x, n)))(big, np.int32(9))
    sizes = [v.aval.nbytes for e in program.eqns for v in e.outputs]
    assert max(sizes) == 23 * big.nbytes


def test_a_tape_that_does_not_fit_says_which_option_to_change():
    with config.scoped(tape_bytes=SMALL - 1), pytest.raises(MemoryLimitError) as caught:
        xform.grad(counted)(W, X0, 3)
    assert isinstance(caught.value, MemoryError)
    assert f'config.update("tape_bytes", {SMALL})' in str(caught.value)


def test_the_tape_keeps_only_what_the_derivative_needs():
    """A linear loop keeps nothing but its factor's index; what it carries itself is not needed."""

    def f(x):
        return lax.while_loop(lambda s: s[0] < 5, lambda s: (s[0] + 1, 2.0 * s[1]), (0, x))[1].sum()

    with config.scoped(tape_bytes=34 * 4):
        close(xform.grad(f)(np.ones(100)), np.full(100, 32.0))


def test_max_steps_has_a_gradient():
    def f(x):
        return lax.while_loop(lambda y: y < 100.0, lambda y: y * x, 1.0, max_steps=3)

    close(xform.grad(f)(2.0), 12.0)
    close(xform.grad(f)(20.0), 40.0)


def test_lanes_that_have_ended_do_not_disturb_shared_gradients():
    """In the first lane the body's derivative is infinite where the lane has ended."""

    def f(w, x):
        def step(y):
            return w * xnp.sqrt(y - 1.0)

        return lax.while_loop(lambda y: y > 1.0, step, x)

    def plain(w, x):
        while float(x) > 1.0:
            x = w * xnp.sqrt(x - 1.0)
        return x

    xs = np.array([2.0, 2.5, 10.0])
    wanted = sum(float(xform.grad(plain)(1.0, x)) for x in xs)
    found = xform.grad(lambda w: xform.vmap(f, (None, 0))(w, xs).sum())(1.0)
    assert np.isfinite(found)
    close(found, wanted)


def test_fori_loop_with_traced_bounds_has_a_gradient():
    f = lambda x, n: lax.fori_loop(0, n, lambda i, y: xnp.sin(y) + i * x, x)  # noqa: E731
    g = lambda x: lax.fori_loop(0, 6, lambda i, y: xnp.sin(y) + i * x, x)  # noqa: E731
    close(xform.jit(xform.grad(f))(0.3, 6), xform.grad(g)(0.3))


# -- sums of what is zero but for a part ---------------------------------------------------------


def by_number(x, i):
    return xnp.sum(xnp.sin(x[i]) * x[i])


def by_numbers(x, i):
    return xnp.sum(x[xnp.stack([i, i, 0 * i])] ** 2)


def neighbours(x, i):
    return xnp.sum(xnp.tanh(lax.dynamic_slice(x, (i, 0), (2, 3))) * x[1:3])


def ends(x, i):
    return xnp.sum(x[0] * x[-1]) * i + xnp.sum(x[::2])


READS = {f.__name__: f for f in (by_number, by_numbers, neighbours, ends)}


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("kind", ["scan", "while"])
def test_gradients_of_what_steps_read_a_part_of(kind, name):
    """Each step adds to the part that it has read, not an array that is zero elsewhere."""
    rows = 60

    def f(x):
        step = lambda i, total: xnp.cos(total) + READS[name](x, i)  # noqa: E731
        if kind == "scan":
            return lax.fori_loop(0, rows, step, 0.1)
        state = (0, 0.1 * x[0, 0])
        return lax.while_loop(
            lambda s: s[0] < rows, lambda s: (s[0] + 1, step(s[0], s[1])), state, max_steps=rows
        )[1]

    def plain(x):
        total = 0.1 if kind == "scan" else 0.1 * x[0, 0]
        for i in range(rows):
            total = xnp.cos(total) + READS[name](x, i)
        return total

    x = np.random.default_rng(5).uniform(-1, 1, (rows, 3))
    close(xform.grad(f)(x), xform.grad(plain)(x))
    direction = lambda g: xform.jvp(xform.grad(g), (x,), (x[::-1],))[1]  # noqa: E731
    close(direction(f), direction(plain), 1e-10)
    close(
        xform.vmap(xform.grad(f))(np.stack([x, -x])),
        np.stack([xform.grad(plain)(x), xform.grad(plain)(-x)]),
    )


def test_steps_that_read_very_many_parts():
    """A sum of thousands of parts, none of which is looked at twice."""
    x = np.random.default_rng(6).uniform(-1, 1, 5)

    def f(x):
        def step(i, total):
            for k in range(1100):
                total = total + x[(i + k) % 5]
            return total

        return lax.fori_loop(0, 2, step, 0.0)

    close(xform.grad(f)(x), np.full(5, 440.0))


def test_a_sum_of_parts_that_is_used_twice_is_one_sum():
    """Doubled forty times: taken apart at each use, it would be 2^40 parts."""

    def program(x):
        total = dynamic_update_slice(zeros(aval_of(x)), x[:1], np.int32(0))
        for _ in range(40):
            total = add(total, total)
        return [total]

    jaxpr = stage(program, [ShapedArray((3,), np.dtype(np.float64))], "program").jaxpr
    found, rest = sums_of(jaxpr, 1).add([np.zeros(3)], [np.arange(1.0, 4.0)])
    assert not rest
    close(found, [np.array([2.0**40, 0, 0])])


@pytest.mark.parametrize("read", [by_number, by_numbers, neighbours])
def test_steps_do_not_add_whole_arrays(read):
    x = np.ones((60, 3))
    f = lambda x: lax.fori_loop(0, 60, lambda i, c: xnp.cos(c) + read(x, i), 0.1)  # noqa: E731
    backward = scans(xform.grad(f), x)[-1].params["jaxpr"]
    whole = [e for e in backward.eqns if e.outputs[0].aval.shape == x.shape]
    assert {e.primitive.name for e in whole} <= {"dynamic_update_slice", "scatter_add"}


# -- what partial evaluation and transposition leave out ------------------------------------------


def scans(f, *args):
    return [e for e in xform.make_jaxpr(f)(*args).eqns if e.primitive.name == "scan"]


def test_residuals_that_are_equal_in_all_steps_are_kept_once():
    def f(w, x):
        return xnp.sum(lax.scan(lambda c, r: (xnp.sin(w) * c * r, None), x, ROWS)[0])

    forward, backward = scans(xform.grad(f, (0, 1)), W, X0)
    stacked = [v.aval.shape for v in forward.outputs]
    assert stacked.count((5, 2)) <= 2, "sin(w) and the rows are not stacked"
    assert backward.params["reverse"] is True


def test_slices_that_the_backward_pass_needs_are_passed_on():
    f = lambda x: xnp.sum(lax.scan(lambda c, r: (c * r, None), x, ROWS)[0])  # noqa: E731
    forward, backward = scans(xform.value_and_grad(f), X0)
    assert all(v.aval.shape != ROWS.shape for v in forward.outputs)
    assert any(v.aval.shape == ROWS.shape for v in backward.inputs)


def test_what_has_no_derivative_costs_nothing():
    """The counter and the unused output have no place in the backward pass."""

    def f(x):
        (y, _), _ = lax.scan(lambda c, r: ((c[0] * r, c[1] + 1), (c[0], c[1])), (x, 0), ROWS)
        return xnp.sum(y)

    *_, backward = scans(xform.grad(f), X0)
    assert [v.aval.shape for v in backward.outputs] == [(2,)]
    assert all(v.aval.dtype == np.float64 for v in (*backward.outputs, *backward.inputs))


def test_a_linear_function_with_loops_is_transposed():
    """Loops with counters beside linear values, as a derivative of a derivative has them."""

    def f(x):
        a = lax.fori_loop(0, 4, lambda i, y: y * (i + 1.0) + x, x)
        b = lax.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, s[1] * 2.0 + x), (0, x))[1]
        return a + b

    _, push = xform.linearize(f, X0)
    matrix = np.stack([push(e) for e in np.eye(2)])
    _, pull = xform.vjp(f, X0)
    close(np.stack([pull(e)[0] for e in np.eye(2)]), matrix.T)
    once_more = xform.vjp(lambda t: xform.jvp(f, (X0,), (t,))[1], X0)[1]
    close(once_more(np.ones(2))[0], pull(np.ones(2))[0])


@pytest.mark.parametrize("inner", ["scan", "while", "cond", "fori"])
@pytest.mark.parametrize("outer", ["scan", "while", "cond", "fori"])
def test_every_kind_within_every_other(outer, inner):
    kinds = {
        "scan": lambda f, x: lax.scan(lambda c, _: (f(c), None), x, None, length=2)[0],
        "while": lambda f, x: lax.while_loop(
            lambda s: s[0] < 2, lambda s: (s[0] + 1, f(s[1])), (0, x)
        )[1],
        "cond": lambda f, x: lax.cond(xnp.sum(x) > -100.0, lambda y: f(f(y)), lambda y: y, x),
        "fori": lambda f, x: lax.fori_loop(0, 2, lambda i, y: f(y), x),
    }

    def nested(w, x):
        step = lambda y: xnp.sin(y * w) + x  # noqa: E731
        return xnp.sum(kinds[outer](lambda y: kinds[inner](step, y), x))

    def plain(w, x):
        y = x
        for _ in range(4):
            y = xnp.sin(y * w) + x
        return xnp.sum(y)

    wanted = xform.grad(plain, (0, 1))(W, X0)
    close(xform.grad(nested, (0, 1))(W, X0), wanted)
    close(xform.jit(xform.grad(nested, (0, 1)))(W, X0), wanted)
    forward = xform.jvp(xform.grad(nested), (W, X0), (X0, W))[1]
    close(forward, xform.jvp(xform.grad(plain), (W, X0), (X0, W))[1])


def test_closed_over_tracers_of_all_levels():
    def f(a):
        def g(b):
            return lax.fori_loop(0, 3, lambda i, y: y * b + a, xnp.float64(1.0))

        return xform.grad(g)(a) * xform.vmap(g)(xnp.stack([a, 2 * a]))[1]

    def plain(a):
        def g(b):
            y = 1.0
            for _ in range(3):
                y = y * b + a
            return y

        return xform.grad(g)(a) * g(2 * a)

    close(xform.grad(f)(0.7), xform.grad(plain)(0.7))


def test_custom_rules_and_checkpoints_within_loops():
    @xform.custom_vjp
    def halved(x):
        return x * 1.0

    halved.defvjp(lambda x: (halved(x), None), lambda _, ct: (ct / 2,))
    scale = xnp.asarray(3.0)

    @xform.custom_jvp
    def scaled(x):
        return x * 1.0

    scaled.defjvp(lambda p, t: (scaled(*p), scale * t[0]))

    def f(x):
        def step(y):
            return xform.checkpoint(lambda y: halved(scaled(y)) * 1.0)(y)

        a = lax.scan(lambda c, _: (step(c), None), x, None, length=2)[0]
        b = lax.while_loop(lambda s: s[0] < 2, lambda s: (s[0] + 1, step(s[1])), (0, x))[1]
        return a + b + lax.cond(x > 0, step, lambda y: y, x)

    close(xform.grad(f)(1.0), 1.5**2 + 1.5**2 + 1.5)
    close(xform.jit(xform.grad(f))(1.0), 1.5**2 + 1.5**2 + 1.5)


def test_transposition_by_what_decides_on_the_steps_is_refused():
    f = lambda x: [lax.while_loop(lambda y: y < 10.0, lambda y: y * 2.0, x)]  # noqa: E731
    program = stage(f, [ShapedArray((), "float64")]).jaxpr
    with pytest.raises(GradError, match="number of steps"):
        transpose_flat(program, [True], [None], [xnp.asarray(1.0)])
    close(xform.grad(lambda x: f(x)[0])(1.0), 16.0)
