"""Loops and branches in compiled code: on registers, in lanes, and as steps in memory.

The reference is the row's `impl`, a loop in Python, which `disable_jit` runs.
"""

import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from xform import lax
from xform.compiler.fingerprint import fingerprint
from xform.compiler.simplify import simplify
from xform.config import config


@pytest.fixture(autouse=True)
def _double():
    with config.scoped(enable_x64=True, cache_dir=""):
        yield


def draw(*shape, seed=0):
    return np.random.default_rng(seed + 7 * len(shape)).uniform(-1, 1, shape)


def check(function, *arguments, ulp=16):
    """The compiled function gives what the loop in Python gives."""
    with xform.disable_jit():
        wanted = [np.asarray(x) for x in xform.tree.leaves(function(*arguments))]
    found = [np.asarray(x) for x in xform.tree.leaves(xform.jit(function)(*arguments))]
    assert len(found) == len(wanted)
    for x, y in zip(found, wanted, strict=True):
        assert (x.shape, x.dtype) == (y.shape, y.dtype)
        if y.dtype.kind == "f":
            tolerance = ulp * np.finfo(y.dtype).eps
            np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance)
        else:
            np.testing.assert_array_equal(x, y)


def text(function, *arguments, stage="llvm"):
    return xform.jit(function).lower(*arguments).as_text(stage)


def workspace(function, *arguments):
    return xform.jit(function).lower(*arguments).compile().memory_analysis()["workspace"]


def loop_of(llvm):
    """The lines of the function of a loop."""
    return re.search(r"define internal i32 @part_.*?\n}", llvm, re.DOTALL)[0]


# -- registers -------------------------------------------------------------------------------------


def recurrence(a, b):
    def step(x, ab):
        x = ab[0] * x + ab[1]
        return x, x

    return lax.scan(step, 0.5, (a, b))


def test_small_carry_stays_in_registers():
    inside = loop_of(text(recurrence, draw(50), draw(50, seed=1)))
    body = inside.partition("phi")[2]
    assert body.count("load") == 2  # the two slices
    assert body.count("store double") == 2  # the stacked result, and at the end what was carried
    assert "call" not in body
    check(recurrence, draw(50), draw(50, seed=1))


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("length", [0, 1, 2, 5])
def test_matrix_carry(length, reverse):
    def function(m, xs):
        def step(c, x):
            return m @ c + xnp.outer(x, x), (c.sum(), x * 2)

        return lax.scan(step, xnp.eye(3), xs, reverse=reverse)

    check(function, draw(3, 3), draw(length, 3))


def test_every_kind_of_element():
    def function(x, n):
        def step(carry, _):
            x, n = carry
            y = xnp.concatenate([x[1:], xnp.sin(x[:1])])
            y = xnp.where(y > 0, y, xnp.cumsum(y) * 0.3)
            y = y.at[n % 4].add(0.5).at[2].set(y[n % 4])
            peak = xnp.argmax(y).astype(n.dtype)
            return (y, (n * 3 + peak) % 7), (y[::-1], peak, xnp.max(y), n > 2)

        return lax.scan(step, (x, n), None, length=9)

    check(function, draw(4), np.int64(1))
    assert "nest_" not in loop_of(text(function, draw(4), np.int64(1)))


def test_loops_and_branches_within():
    def function(x, limits):
        def step(x, limit):
            x = lax.fori_loop(0, 3, lambda i, v: v + xnp.sin(v) * i, x)
            count, x = lax.while_loop(
                lambda s: (s[0] < limit) & (s[1] < 9.0), lambda s: (s[0] + 1, s[1] * 1.5), (0, x)
            )
            x = lax.switch(count % 3, [lambda v: v - 1, xnp.tanh, lambda v: lax.exp(-v)], x)
            return x, (x, count)

        return lax.scan(step, x, limits)

    limits = np.array([0, 3, 2, 7, 1, 4])
    check(function, 0.4, limits)
    inside = loop_of(text(function, 0.4, limits))
    assert "nest_" not in inside and "@part_" not in inside.partition("{")[2]


def test_inner_loop_that_stacks():
    def function(x):
        def step(x, _):
            last, rows = lax.scan(lambda c, k: (c * 0.9 + k, c), x, xnp.arange(4.0))
            return last, rows[::-1] + last

        return lax.scan(step, x, None, length=5)

    check(function, 0.3)


def test_large_carry_is_updated_in_place():
    def function(a):
        def step(carry, _):
            i, a = carry
            a = a.at[i + 1].set(0.5 * a[i] + 1).at[0].add(a[i + 1])
            return (i + 1, a), a[i]

        return lax.scan(step, (0, a), None, length=90)

    check(function, draw(1000))
    inside = loop_of(text(function, draw(1000)))
    assert inside.count("memcpy") == 1  # before the loop
    assert "memcpy" not in inside.partition("phi")[2]


def test_reads_come_before_writes():
    def function(a):
        def step(a, i):
            old = a[i]
            a = a.at[i].set(7.0).at[(i + 1) % 100].add(old)
            return a, old + a[i] * a[(i + 1) % 100]

        return lax.scan(step, a, xnp.arange(100))

    check(function, draw(100))


def test_out_of_bounds_updates_are_dropped():
    def function(a):
        return lax.fori_loop(0, 120, lambda i, a: a.at[i * 3 - 7].add(1.0, mode="drop"), a)

    check(function, draw(100))


# -- lanes -----------------------------------------------------------------------------------------


def newton(a):
    def goes_on(s):
        _, step, n = s
        return (xnp.abs(step) > 1e-12) & (n < 40)

    def improve(s):
        x, _, n = s
        step = (x * x - a) / (2 * x)
        return x - step, step, n + 1

    return lax.while_loop(goes_on, improve, (a, a, 0))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 8, 9, 16, 17, 31, 40, 100])
def test_batch_of_while_loops(size):
    values = 10.0 ** np.random.default_rng(size).uniform(-3, 3, size)
    check(xform.vmap(newton), values)
    one_by_one = [newton(v) for v in values]
    for found, wanted in zip(xform.jit(xform.vmap(newton))(values), zip(*one_by_one, strict=True),
                             strict=True):  # fmt: skip
        np.testing.assert_allclose(found, np.asarray(wanted), rtol=1e-14)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("size", [3, 4, 8, 16])
def test_long_loops_in_lanes_keep_what_they_carry(size, dtype):
    """Between iterations they look for signals, which must leave every part of every register."""

    def one(x, n):
        return lax.while_loop(lambda s: s[1] < n, lambda s: (s[0] * 0.5 + x, s[1] + 1), (x, 0))

    x, steps = np.linspace(0, 1, size).astype(dtype), np.arange(size) * 9000
    values, counts = xform.jit(xform.vmap(one))(x, steps)
    np.testing.assert_array_equal(counts, steps)
    tolerance = 4 * np.finfo(dtype).eps
    np.testing.assert_allclose(values[1:], 2 * x[1:], rtol=tolerance)


def test_a_batch_runs_in_lanes():
    inside = loop_of(text(xform.vmap(newton), np.linspace(1, 9, 64)))
    assert re.search(r"fdiv <\d+ x double>", inside)
    assert "nest_" not in inside


@pytest.mark.parametrize("shape", [(3, 3), (3, 4), (5, 3), (7, 7), (9, 2), (20, 3), (3, 20)])
def test_matrix_carries_of_many_sizes(shape):
    m = draw(shape[0], shape[0])

    def left(x):
        return lax.fori_loop(0, 5, lambda i, x: m @ x * 0.5 + i, x)

    def right(x):
        return lax.fori_loop(0, 5, lambda i, x: x @ m * 0.5 + x.sum(), x)

    check(left, draw(*shape))
    check(right, draw(*shape).T)


@pytest.mark.parametrize("axis", [0, 1])
def test_lanes_of_either_axis(axis):
    def one(y):
        def step(y, t):
            a, b = y
            return xnp.stack([a + 0.1 * b, b - 0.1 * xnp.sin(a) * t]), a * b

        return lax.scan(step, y, xnp.arange(6.0))

    batched = xform.vmap(one, in_axes=axis, out_axes=axis)
    check(batched, draw(2, 24) if axis else draw(24, 2))


def test_elements_that_read_each_other_do_not_run_in_lanes():
    def function(x):
        return lax.fori_loop(0, 4, lambda i, x: xnp.roll(x, 1) * 0.5 + x[::-1] + x.mean(), x)

    check(function, draw(64))


# -- memory ----------------------------------------------------------------------------------------


def test_large_bodies_run_as_steps():
    def function(w, x):
        def step(h, x):
            h = xnp.tanh(w @ h + x)
            return h, h * 2

        return lax.scan(step, xnp.zeros(40), x)

    check(function, draw(40, 40), draw(7, 40), ulp=64)
    assert "nest_" in loop_of(text(function, draw(40, 40), draw(7, 40)))


@pytest.mark.parametrize("length", [0, 1, 2, 3, 4])
def test_carries_that_change_places(length):
    def function(a, b, c):
        def step(s, _):
            a, b, c = s
            return (b, a + 1.0, c), xnp.concatenate([a, b])

        return lax.scan(step, (a, b, c), None, length=length)

    check(function, draw(300), draw(300, seed=1), draw(300, seed=2))


def test_products_of_blas_within():
    def function(w, x):
        return lax.scan(lambda h, _: (xnp.tanh(w @ h), h[0]), x, None, length=3)

    check(function, draw(70, 70), draw(70, 50), ulp=256)


def test_branches_with_large_operands():
    def function(i, a):
        def step(a, i):
            return lax.switch(i, [lambda a: a.at[3].set(1.0), lambda a: a, lambda a: a * 0.5], a), 0

        return lax.scan(step, a, i)[0], lax.cond(i[0] == 0, lambda a: a[::-1], xnp.sin, a)

    check(function, np.array([0, 1, 2, 0, 2]), draw(500))


def test_branch_in_place_inside_a_loop():
    def function(a, flips):
        def step(carry, flip):
            i, a = carry
            a = lax.cond(flip, lambda a, i: a.at[i].set(-a[i]), lambda a, i: a, a, i)
            return (i + 1, a), ()

        return lax.scan(step, (0, a), flips)[0][1]

    flips = np.arange(40) % 3 == 0
    check(function, draw(2000), flips)
    branch = re.search(r"switch i32.*?ret", text(function, draw(2000), flips), re.DOTALL)[0]
    assert "memcpy" not in branch


@pytest.mark.parametrize("shift", [0, -1, 1, 5])
@pytest.mark.parametrize("width", [1, 3, 64, 1003])
def test_a_block_made_from_the_block_it_replaces(width, shift):
    """The block is made in full before the first of its elements is replaced."""

    def f(x, starts):
        def step(x, at):
            old = lax.dynamic_slice(x, (at[0], at[1] + shift), (1, width))
            new = xnp.sin(old).mean() + 0.5 * old
            return lax.dynamic_update_slice(x, new, (at[0], at[1])), None

        return lax.scan(step, x, starts)[0]

    starts = np.random.default_rng(width).integers(0, 30, (20, 2))
    check(f, draw(20, width + 30), starts)
    if width == 1003 and shift == 0:
        assert workspace(f, draw(20, width + 30), starts) < 20 * 1033 * 8


def test_frozen_lanes_of_large_bodies():
    w = draw(30, 30)

    def one(x, n):
        return lax.while_loop(
            lambda s: s[1] > 0, lambda s: (xnp.tanh(w @ s[0]) + s[0], s[1] - 1), (x, n)
        )

    check(xform.vmap(one), draw(4, 30), np.array([3, 0, 5, 1]), ulp=256)


def test_complex_and_boolean_carries():
    def function(z, flag):
        def step(s, _):
            z, flag = s
            return (z * z * 0.5 + 0.1j, ~flag), (z.real, flag)

        return lax.scan(step, (z, flag), None, length=5)

    check(function, np.array([0.3 + 0.2j, -0.4j]), np.array([True, False, True]))


def test_empty_carries():
    check(lambda x: lax.scan(lambda c, _: (c + 1, c), x, None, length=3), np.zeros((0, 4)))
    check(lambda x: lax.while_loop(lambda c: c[1] < 3, lambda c: (c[0], c[1] + 1), (x, 0)),
          np.zeros((2, 0)))  # fmt: skip


# -- what is made smaller --------------------------------------------------------------------------


def loop_equations(function, *arguments):
    program = simplify(xform.make_jaxpr(function)(*arguments).jaxpr)
    (loop,) = [e for e in program.equations if e.primitive.name in ("scan", "while")]
    return program, loop


def test_what_does_not_change_goes_out_of_the_loop():
    def function(w, x):
        return lax.scan(lambda h, _: (h * xnp.exp(w).sum() + h, w), x, None, length=3)[0]

    _, loop = loop_equations(function, draw(100), 0.5)
    inside = [e.primitive.name for e in loop.params["jaxpr"].equations]
    assert "exp" not in inside and "reduce_sum" not in inside
    assert len(loop.outputs) == 1
    check(function, draw(100), 0.5)


def test_carries_that_nobody_needs_go_away():
    def function(x):
        def step(s, _):
            a, b, c = s
            return (a + 1, b * a, xnp.sin(c)), (a, xnp.exp(c))

        (_, b, _), (rows, _) = lax.scan(step, (x, x, x), None, length=3)
        return b, rows

    _, loop = loop_equations(function, 0.5)
    assert loop.params["carry"] == 2 and len(loop.outputs) == 3
    check(function, 0.5)


def test_products_with_slices_are_one_product():
    def function(w, u, xs):
        return lax.scan(lambda h, x: (xnp.tanh(w @ h + u @ x), None), xnp.zeros(20), xs)[0]

    program, loop = loop_equations(function, draw(20, 20), draw(20, 30), draw(8, 30))
    inside = [e.primitive.name for e in loop.params["jaxpr"].equations]
    assert inside.count("dot_general") == 1
    assert "dot_general" in [e.primitive.name for e in program.equations]
    check(function, draw(20, 20), draw(20, 30), draw(8, 30), ulp=64)


def test_sums_of_products_are_one_product():
    def loss(w, xs):
        hidden = lax.scan(lambda h, x: (xnp.tanh(w @ h + x),) * 2, xnp.zeros(20), xs)[1]
        return (hidden**2).sum()

    gradient = xform.grad(loss)
    program = simplify(xform.make_jaxpr(gradient)(draw(20, 20), draw(8, 20)).jaxpr)
    loops = [e for e in program.equations if e.primitive.name == "scan"]
    assert all(v.aval.shape != (20, 20) for e in loops for v in e.outputs)
    check(gradient, draw(20, 20), draw(8, 20), ulp=256)


def test_what_would_be_large_stays_inside():
    """Neither all differences of x, nor all steps of the products, are kept at once."""

    def invariant(x):
        def step(c, _):
            return c + (xnp.exp(x[:, None] - x) * c).sum(), None

        return lax.scan(step, 0.5, None, length=3)[0]

    def products(x, ts):
        def step(c, t):
            return c + xnp.sin(x * t)[:, None] @ xnp.cos(x * t)[None], None

        return lax.scan(step, xnp.zeros((100, 100)), ts)[0]

    assert workspace(invariant, draw(3000)) < 2**20
    assert workspace(products, draw(100), np.arange(1e5)) < 2**20
    check(products, draw(100), np.arange(50.0), ulp=256)


# -- eager, caches, signals ------------------------------------------------------------------------


def test_loops_have_fingerprints():
    def program(scale):
        f = lambda x: lax.scan(lambda c, _: (c * scale, c), x, None, length=3)  # noqa: E731
        return simplify(xform.make_jaxpr(f)(1.0).jaxpr)

    names = [fingerprint(program(s), ()) for s in (0.5, 0.5, 0.25)]
    assert None not in names
    assert names[0] == names[1] != names[2]


def test_errors_of_host_calls_end_the_loop():
    calls = []

    def look(i):
        calls.append(int(i))
        if i == 3:
            raise ValueError("three")
        return np.int64(i)

    def function(n):
        def step(i, _):
            aval = xform.ShapeDtypeStruct((), "int64")
            return xform.pure_callback(look, aval, i) + 1, None

        return lax.scan(step, n, None, length=100)[0]

    with pytest.raises(ValueError, match="three"):
        xform.jit(function)(0)
    assert calls == [0, 1, 2, 3]


@pytest.mark.parametrize("kind", ["registers", "memory"])
def test_interrupt(kind):
    def small(x):
        return lax.fori_loop(0, 10**11, lambda i, x: xnp.sin(x) + 0.1, x)

    def large(x):
        return lax.while_loop(
            lambda s: s[0] < 1e15, lambda s: (s[0] + 1, xnp.sin(s[1] @ s[1])), (x, xnp.eye(60))
        )

    function = xform.jit(small if kind == "registers" else large)
    function.lower(0.5).compile()
    sent = []

    def send():
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.3, send)
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            function(0.5)
        assert time.monotonic() - sent[0] < 5  # it would run for hours
    finally:
        timer.cancel()
    assert float(xform.jit(lambda x: lax.fori_loop(0, 10, lambda i, x: x + 1, x))(1.0)) == 11


def test_other_threads_run_meanwhile():
    function = xform.jit(lambda n: lax.while_loop(lambda i: i < n, lambda i: i + 1, 0))
    function(1)
    ticks = []
    done = threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(1)
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    function(200_000_000)
    done.set()
    thread.join()
    assert len(ticks) > 5


def test_progress_bar(capfd):
    def function(x):
        return lax.fori_loop(0, 50, lambda i, x: x * 0.5, x, progress="halving")

    with config.scoped(enable_x64=True):
        assert float(xform.jit(function)(1.0)) == 0.5**50
        lines = capfd.readouterr().err
    assert lines.startswith("\rhalving [")
    assert "100% 50/50" in lines
    assert lines.endswith("\n")


def test_a_loop_in_a_fresh_process_comes_from_the_cache(tmp_path):
    program = textwrap.dedent("""
        import xform, xform.numpy as xnp
        from xform import lax
        print(lax.scan(lambda c, x: (c * 0.5 + x, c), 0.0, xnp.arange(5.0))[0])
    """)
    environment = {**os.environ, "XFORM_CACHE_DIR": str(tmp_path)}
    counts = []
    for _ in range(2):
        subprocess.run([sys.executable, "-c", program], env=environment, check=True)
        counts.append(len(list(tmp_path.iterdir())))
    assert counts[0] == counts[1] > 0
