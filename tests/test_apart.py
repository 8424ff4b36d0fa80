"""Programs of `pmap` that devices run by themselves: when they do, and what they do then."""

from __future__ import annotations

import contextvars
import os
import signal
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from xform import errors, lax
from xform.config import config
from xform.higher_order import parallel_call
from xform.runtime.device_threads import threads

pytestmark = pytest.mark.skipif(threads() is None, reason="needs the native runtime")

X = np.arange(12, dtype=np.float32).reshape(4, 3) / 12


@pytest.fixture(autouse=True)
def _devices() -> Iterator[None]:
    with config.scoped(num_cpu_devices=4, cache_dir=""):
        yield


@pytest.fixture
def always(monkeypatch):
    monkeypatch.setattr(parallel_call, "LEAST_WORK", 0)


def loops(f, *args):
    return xform.pmap(f, "i").lower(*args).as_text("loops")


def test_devices_with_much_to_do_run_by_themselves():
    big = np.ones((4, 300_000), np.float32)
    assert "parallel_call" in loops(lambda x: lax.psum(xnp.sin(x), "i"), big)
    small = np.ones((4, 3), np.float32)
    assert "parallel_call" not in loops(lambda x: lax.psum(xnp.sin(x), "i"), small)


def test_loops_count_as_often_as_they_run():
    def f(x):
        return lax.fori_loop(0, 100_000, lambda k, c: xnp.sin(c) + lax.axis_index("i"), x)

    assert "parallel_call" in loops(f, X)


def test_devices_that_may_part_stay_together(always):
    def branches(x):
        return lax.cond(x[0] > 0, lambda y: lax.psum(y, "i"), lambda y: y, x)

    def steps(x):
        return lax.while_loop(lambda y: y[0] < 3, lambda y: y + lax.pmax(y, "i"), x + 1)

    for f in (branches, steps):
        assert "parallel_call" not in loops(f, X)
    # Without a collective inside, each may go its own way.
    assert "parallel_call" in loops(
        lambda x: lax.psum(lax.while_loop(lambda y: y[0] < 3, lambda y: y + 1, x), "i"), X
    )


def test_devices_that_print_stay_together(always):
    assert "parallel_call" not in loops(lambda x: xform.debug.print("{}", x) or x, X)


def test_complex_values_stay_together(always):
    z = X.astype(np.complex64)
    np.testing.assert_allclose(
        xform.pmap(lambda x: lax.psum(x * 1j, "i"), "i")(z),
        np.broadcast_to((z * 1j).sum(0), z.shape),
        rtol=1e-6,
    )
    assert "parallel_call" not in loops(lambda x: lax.psum(x, "i"), z)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "int8", "uint32", "bool"])
def test_dtypes(always, dtype):
    x = xnp.asarray(X * 12 > 5) if dtype == "bool" else xnp.asarray(X * 12).astype(dtype)

    def f(x):
        return lax.psum(x, "i"), lax.all_gather(x, "i"), lax.ppermute(x, "i", [(0, 2)])

    assert "parallel_call" in loops(f, x)
    for found, wanted in zip(xform.pmap(f, "i")(x), xform.vmap(f, axis_name="i")(x), strict=True):
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found, wanted)


def test_the_same_bits_every_time(always):
    x = np.random.default_rng(0).normal(size=(4, 1000)).astype(np.float32)
    f = xform.pmap(lambda x: lax.psum(xnp.exp(x), "i"), "i")
    first = np.asarray(f(x))
    assert all(np.array_equal(first, f(x)) for _ in range(20))


def test_values_of_two_collectives_do_not_mix(always):
    def f(x):
        for _ in range(30):
            x = lax.ppermute(x, "i", [(0, 1), (1, 2), (2, 3), (3, 0)]) + lax.pmean(x, "i")
            x = x / lax.pmax(x, "i")
        return x

    found = xform.pmap(f, "i")(X + 1)
    np.testing.assert_allclose(found, xform.vmap(f, axis_name="i")(X + 1), rtol=1e-5)


def test_collectives_in_a_compiled_loop(always):
    def f(x):
        return lax.fori_loop(0, 1000, lambda k, c: 0.5 * c + lax.pmean(c, "i") * 0.5, x)

    assert "parallel_call" in loops(f, X)
    found = xform.pmap(f, "i")(X)
    np.testing.assert_allclose(found, np.broadcast_to(X.mean(0), X.shape), rtol=1e-5)


def test_products_and_library_calls_on_devices(always):
    a = np.random.default_rng(1).normal(size=(4, 64, 64)).astype(np.float32)
    found = xform.pmap(lambda x: lax.psum(xnp.sort(x @ x, 0), "i"), "i")(a)
    wanted = np.sort(a @ a, 1).sum(0)
    np.testing.assert_allclose(found, np.broadcast_to(wanted, a.shape), rtol=2e-4, atol=1e-3)


def test_gradients(always):
    def loss(mapping, x):
        return (mapping(lambda y: xnp.sin(y) * lax.psum(y**2, "i"))(x) ** 2).sum()

    one = xform.grad(lambda x: loss(lambda f: xform.pmap(f, "i"), x))(X)
    other = xform.grad(lambda x: loss(lambda f: xform.vmap(f, axis_name="i"), x))(X)
    np.testing.assert_allclose(one, other, rtol=1e-5)


def test_a_call_that_fails_on_one_device_raises_its_error(always):
    def fail(x):
        if x[0] > 0.6:
            raise ValueError("one device only")
        return np.asarray(x)

    like = xform.ShapeDtypeStruct((3,), "float32")

    def f(x):
        return lax.psum(xform.pure_callback(fail, like, x), "i")

    with pytest.raises(Exception, match="one device only"):
        xform.pmap(f, "i")(X)
    np.testing.assert_allclose(xform.pmap(lambda x: lax.psum(x, "i"), "i")(X)[0], X.sum(0))


def test_threads_of_python_call_devices_at_the_same_time(always):
    f = xform.pmap(lambda x: lax.psum(x, "i"), "i")
    wanted = np.asarray(f(X))
    found = []

    def work():
        found.extend(np.array_equal(f(X), wanted) for _ in range(30))

    # A thread sees the options of the block that it was made in by this.
    running = [
        threading.Thread(target=contextvars.copy_context().run, args=(work,)) for _ in range(3)
    ]
    for t in running:
        t.start()
    for t in running:
        t.join()
    assert found == [True] * 90


def test_ctrl_c_ends_a_loop_with_collectives(always):
    f = xform.pmap(lambda x: lax.fori_loop(0, 10**9, lambda k, c: lax.pmean(c, "i") + 1e-6, x), "i")
    small = f.lower(X).as_text("loops")
    assert "parallel_call" in small
    main = threading.main_thread().ident
    timer = threading.Timer(0.5, lambda: signal.pthread_kill(main, signal.SIGINT))
    timer.start()
    start = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            f(X)
    finally:
        timer.join()
    assert time.monotonic() - start < 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning", "ignore:.*fork:RuntimeWarning")
def test_after_a_fork(always):
    f = xform.pmap(lambda x: lax.psum(x, "i"), "i")
    wanted = np.asarray(f(X))
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if np.array_equal(f(X), wanted) else 2
        finally:
            os._exit(status)
    deadline = time.monotonic() + 20
    done = 0
    while not done and time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        time.sleep(0.01)
    if not done:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert done, "the child waits for workers that it does not have"
    assert os.waitstatus_to_exitcode(status) == 0


def test_time_outs_name_the_collectives(always):
    def slow(x):
        if x[0] == 0:
            time.sleep(1.5)
        return np.asarray(x)

    like = xform.ShapeDtypeStruct((3,), "float32")
    f = xform.pmap(lambda x: lax.psum(xform.pure_callback(slow, like, x), "i"), "i")
    with (
        config.scoped(collective_timeout_s=0.2),
        pytest.raises(errors.CollectiveTimeoutError, match="device 1 waits at psum along 'i'"),
    ):
        f(X)
    assert np.allclose(f(X), X.sum(0))
