"""Loops shared by threads: the same bits for any number of them, and a pool that can be trusted."""

import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from xform import lax
from xform.config import config
from xform.errors import ArgumentError
from xform.runtime import thread_pool

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _no_cache():
    with config.scoped(cache_dir=""):
        yield


def draw(*shape, dtype=np.float32):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(dtype)


def gelu(x):
    return 0.5 * x * (1 + xnp.tanh(0.79788456 * (x + 0.044715 * x**3)))


def softmax(x):
    e = xnp.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def in_steps(x):
    return lax.fori_loop(0, 3, lambda i, y: xnp.sin(y - y.mean(0)) * x, x)


PROGRAMS = {
    "elements": (gelu, draw(400_003)),
    "of 16 bits": (gelu, draw(400_003).astype(xnp.bfloat16)),
    "booleans": (lambda x: xnp.sin(x) > 0, draw(1_500_001)),
    "rows": (softmax, draw(500, 801)),
    "rows of few elements": (softmax, draw(40_000, 7)),
    "sums of rows": (lambda x: xnp.exp(x).sum(-1), draw(501, 803)),
    "sums of columns": (lambda x: xnp.exp(x).sum(0), draw(501, 803)),
    "transposed": (lambda x: xnp.exp(x).T, draw(701, 803)),
    "cumulative": (lambda x: xnp.cumsum(xnp.exp(x), axis=1), draw(500, 1003)),
    "gathered": (lambda x: xnp.sin(x)[::-1, np.arange(0, 800, 3)], draw(1200, 803)),
    "in a loop": (in_steps, draw(700, 803)),
    "two results": (lambda x: (xnp.sin(x), x.max(0)), draw(700, 803)),
}


def bits(tree):
    return [np.asarray(x).tobytes() for x in xform.tree.leaves(tree)]


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_same_bits_for_any_number_of_threads(name):
    function, x = PROGRAMS[name]
    compiled = xform.jit(function)
    assert "@threads_run" in compiled.lower(x).as_text("llvm")
    with xform.threads(1):
        wanted = bits(compiled(x))
    for count in (2, 3, 7):
        with xform.threads(count):
            for _ in range(5):
                assert bits(compiled(x)) == wanted
    with xform.disable_jit():
        plain = [np.asarray(y, np.float64) for y in xform.tree.leaves(function(x))]
    for found, reference in zip(xform.tree.leaves(compiled(x)), plain, strict=True):
        tolerance = 2e-2 if found.dtype.itemsize == 2 else 2e-4
        np.testing.assert_allclose(np.asarray(found, np.float64), reference, tolerance, tolerance)


def test_small_programs_wake_nobody():
    text = xform.jit(gelu).lower(draw(1000)).as_text("llvm")
    assert "threads_run" not in text


def test_an_updated_array_is_shared_too():
    """A nest that reads what it writes ends in a vector under a mask."""
    f = xform.jit(lambda x: xnp.sin(x) + xnp.exp(x), donate_argnums=0)
    with xform.threads(1):
        wanted = bits(f(xnp.asarray(draw(500_011))))
    with xform.threads(4):
        assert bits(f(xnp.asarray(draw(500_011)))) == wanted


@pytest.mark.skipif(thread_pool.pool() is None, reason="there is no native runtime")
def test_workers_are_made_when_they_are_needed():
    with xform.threads(3):
        xform.jit(gelu)(draw(400_003))
    assert thread_pool.pool().helpers() >= 2


def test_callers_do_not_disturb_each_other():
    """More callers at a time than the pool has places for jobs."""
    x = draw(200_003)
    compiled = xform.jit(gelu)
    wanted = bits(compiled(x))
    wrong = []

    def call():
        for _ in range(30):
            if bits(compiled(x)) != wanted:
                wrong.append(1)

    with xform.threads(4):
        callers = [threading.Thread(target=call) for _ in range(20)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
    assert not wrong


def run(program, **environment):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_child_makes_workers_of_its_own():
    run(
        """
        import os, numpy as np, xform, xform.numpy as xnp
        f = xform.jit(lambda x: xnp.sin(x) * xnp.exp(x))
        x = np.linspace(0, 1, 500_000, dtype=np.float32)
        with xform.threads(3):
            wanted = np.asarray(f(x))
            for _ in range(5):
                child = os.fork()
                if not child:
                    os._exit(not all((np.asarray(f(x)) == wanted).all() for _ in range(20)))
                assert os.waitpid(child, 0)[1] == 0
                assert (np.asarray(f(x)) == wanted).all()
        """
    )


def test_the_environment_says_how_many():
    program = """
        import xform
        from xform.runtime import thread_pool
        print(xform.config.num_threads, thread_pool.available())
    """
    assert run(program, XFORM_NUM_THREADS="1").split()[0] == "1"
    assert int(run(program).split()[1]) >= 1


def test_without_a_native_runtime_there_is_one_thread():
    program = """
        import numpy as np, xform, xform.numpy as xnp
        print(float(xform.jit(lambda x: xnp.sin(x) + xnp.cos(x))(np.zeros(500_000))[7]))
    """
    assert run(program, XFORM_NATIVE="0") == "1.0\n"


@pytest.mark.parametrize("count", [0, -1, 1.5, True, "2"])
def test_a_number_of_threads_is_positive(count):
    with (
        pytest.raises(ArgumentError, match="a number of threads, at least 1"),
        xform.threads(count),
    ):
        pass
