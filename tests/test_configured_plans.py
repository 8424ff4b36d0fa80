"""Plans of jitted functions and the configuration: fast within blocks, and never of another one."""

import contextvars
import threading

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from xform.api.jit import Jitted
from xform.config import config
from xform.runtime.guarding import moment, teach
from xform.runtime.plan import NoneLeaf, Plan


@pytest.fixture
def slow_calls(monkeypatch):
    """A list with an entry for every call that takes its slow path."""
    calls = []
    original = Jitted.__call__

    def counted(self, *args, **kwargs):
        calls.append(self)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(Jitted, "__call__", counted)
    return calls


def number(x):
    """A function whose result tells the configuration: arange is of 32 or of 64 bits."""
    return x + xnp.arange(3)[1]


def test_calls_within_a_block_use_plans(slow_calls):
    f = xform.jit(number)
    for _ in range(3):
        assert f(1).dtype == np.int32
        with xform.enable_x64():
            for _ in range(3):
                assert f(1).dtype == np.int64
            with config.scoped(log="", cache_dir=""):
                assert f(1).dtype == np.int64
            with xform.enable_x64(False):
                assert f(1).dtype == np.int32
    # One for each of: outside, on, and off within on.
    assert len(slow_calls) == 3
    assert f.plan_count() == 3


def test_blocks_end_with_exceptions():
    f = xform.jit(number)
    for _ in range(3):
        with pytest.raises(KeyError), xform.enable_x64():
            assert f(1).dtype == np.int64
            raise KeyError
        assert f(1).dtype == np.int32


def test_an_update_of_the_process_drops_all_plans(slow_calls):
    f = xform.jit(number)
    f(1)
    with config.scoped(tape_bytes=1000):
        f(1)
        assert f.plan_count() == 2
        try:
            config.update("enable_x64", True)
            assert f.plan_count() == 0
            assert f(1).dtype == np.int64
        finally:
            config.update("enable_x64", False)
        assert f(1).dtype == np.int32
    assert f(1).dtype == np.int32
    config.update("log", config.log)
    assert f.plan_count() == 2
    assert len(slow_calls) == 5


def test_threads_have_their_own_configuration():
    f = xform.jit(number)
    wrong = []
    start = threading.Barrier(4)

    def work(on):
        start.wait()
        for _ in range(500):
            with xform.enable_x64(on):
                if f(1).dtype != (np.int64 if on else np.int32):
                    wrong.append(on)
            if f(1).dtype != np.int32:
                wrong.append("outside")

    threads = [threading.Thread(target=work, args=(k % 2 == 0,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_generators_that_leave_their_blocks_late():
    f = xform.jit(number)

    def values():
        with xform.enable_x64():
            yield f(1)
            yield f(1)

    running = values()
    assert next(running).dtype == np.int64
    assert f(1).dtype == np.int64  # The block of a generator is open until it ends, as in Python.
    with config.scoped(tape_bytes=12345):
        assert f(1).dtype == np.int64
        running.close()
        assert f(1).dtype == np.int32
    assert f(1).dtype == np.int32


def test_contexts():
    f = xform.jit(number)
    with xform.enable_x64():
        copied = contextvars.copy_context()
        f(1)
        assert copied.run(f, 1).dtype == np.int64
    with xform.enable_x64(False):
        assert copied.run(f, 1).dtype == np.int32
    assert contextvars.Context().run(f, 1).dtype == np.int32


def test_disable_jit_has_no_plans():
    seen = []
    f = xform.jit(lambda x: seen.append(1) or x * 2)
    f(1.0)
    with xform.disable_jit():
        f(1.0)
        f(1.0)
        with xform.disable_jit(False):
            f(1.0)
            f(1.0)
        f(1.0)
    f(1.0)
    assert len(seen) == 4


def test_operators_within_blocks():
    x = xnp.ones(3)
    for _ in range(40):
        assert (x + 1).dtype == np.float32
    with xform.enable_x64():
        wide = xnp.ones(3)
        for _ in range(40):
            assert (wide + 1).dtype == np.float64
            assert (x + np.float64(2)).dtype == np.float64
    assert (x + 1).dtype == np.float32


def test_derived_programs_depend_on_options():
    """The tape of a derivative was that of the first configuration it was made under."""
    f = xform.jit(lambda x: xform.lax.while_loop(lambda c: c < 50.0, lambda c: c * c, x))
    derivative = xform.jit(xform.grad(f))
    first = float(derivative(2.0))
    with config.scoped(tape_bytes=16), pytest.raises(xform.errors.MemoryLimitError):
        derivative(2.0)
    assert float(derivative(2.0)) == first


def test_plans_of_another_moment_are_refused():
    f = xform.jit(number)
    f(1)
    kept = f.plan_count()
    made = moment()
    plan = Plan((NoneLeaf(),), (), NoneLeaf(), (), 1, settings=made.settings)
    with config.scoped(enable_x64=True):
        teach(f, plan, made)
        assert f.plan_count() == kept
        with pytest.raises(ValueError, match="enable_x64"):
            teach(f, plan, moment())
    try:
        config.update("enable_x64", True)
    finally:
        config.update("enable_x64", False)
    teach(f, plan, made)
    assert f.plan_count() == 0
