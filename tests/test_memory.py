"""Memory: what functions leave behind, what is kept, and requests that are too large."""

import contextlib
import gc
import os
import subprocess
import sys
import warnings
import weakref
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from xform.api.jit import jit
from xform.api.retention import Retention, retention
from xform.config import config
from xform.errors import OutOfMemoryError, RecompilationWarning
from xform.runtime import memory

ROOT = Path(__file__).resolve().parent.parent
LINUX = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")


def run(script, *arguments, **environment):
    environ = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


# -- functions that are made and dropped --------------------------------------------------------

MANY = """
import os, sys, xform, xform.numpy as xnp

x = xnp.ones(8)
kinds = [
    lambda k: xform.jit(lambda x: x * 2 + 1)(x),
    lambda k: xform.grad(lambda x: xnp.sum(xnp.sin(x)))(x),
    lambda k: xform.vmap(lambda x: xnp.sin(x) * 2)(x),
    lambda k: xform.grad(xform.jit(lambda x: xnp.sum(xnp.sin(x))))(x),
    lambda k: xform.jit(xform.vmap(lambda x: xnp.sin(x) * 2))(x),
    lambda k: xform.jit(lambda x, c=xnp.ones(100_000): c[0] * x)(x),
]

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

for k in range(1000):
    kinds[k % len(kinds)](k)
before = resident()
for k in range(10_000):
    kinds[k % len(kinds)](k)
print((resident() - before) / 2**20)
"""


@LINUX
def test_ten_thousand_functions_leave_nothing(tmp_path):
    grown_mib = float(run(MANY, XFORM_CACHE_DIR=str(tmp_path)))
    # One array of the last kind would add 4 GB if they stayed.
    assert grown_mib < 8


DISTINCT = """
import os, sys, xform, xform.numpy as xnp

x = xnp.ones(8)

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def compile(numbers):
    for k in numbers:
        xform.jit(lambda x: x * (2 + k) + 1)(x)

compile(range(400))
before = resident()
compile(range(400, 1600))
print((resident() - before) / 2**20)
"""


@LINUX
def test_programs_that_are_dropped_leave_little(tmp_path):
    """LLVM's linker remembered 9 KB of each program for ever, and the heap was full of holes."""
    grown_mib = float(run(DISTINCT, XFORM_CACHE_DIR=str(tmp_path)))
    assert grown_mib < 8  # of 1200 programs, 13 before


@pytest.mark.parametrize("made", ["called", "derived", "lowered", "explained"])
def test_functions_go_without_the_collector(made):
    array = xnp.ones(3)
    f = xform.jit(lambda x: x * array)
    match made:
        case "called":
            f(array), f(np.ones(3, np.float32)), f(2)
        case "derived":
            xform.grad(lambda x, f=f: f(x).sum())(array)
        case "lowered":
            f.lower(array).compile()(array)
        case "explained":
            f(array)
            xform.explain(f)
    gone = weakref.ref(f)
    gc.collect()
    gc.disable()
    try:
        del f
        assert gone() is None
    finally:
        gc.enable()


def test_callbacks_go_with_their_function():
    class Big:
        def __call__(self, x):
            return x

    def make():
        big = Big()
        f = xform.jit(lambda x: xform.pure_callback(big, x, x))
        f(xnp.ones(3))
        xform.pure_callback(big, xnp.ones(3), xnp.ones(3))
        return weakref.ref(big)

    with config.scoped(cache_dir=""):
        gone = make()
    gc.collect()
    assert gone() is None


# -- what is kept -------------------------------------------------------------------------------


@pytest.fixture
def little_room(monkeypatch):
    """Room for some programs, beside none of those that other tests may still let go."""
    monkeypatch.setattr(retention, "kept", OrderedDict())
    monkeypatch.setattr(retention, "nbytes", 0)
    monkeypatch.setattr(retention, "most_bytes", 400_000)


def test_programs_used_long_ago_go(little_room):
    f = xform.jit(lambda x: x + 1)
    first = np.ones(1, np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RecompilationWarning)
        for size in range(1, 60):
            assert f(np.ones(size, np.float32)).tolist() == [2.0] * size
            # Looked up each time, so it stays; its plan may go, which is made again.
            f.lower(first)
    assert 1 < f.trace_count() < 30
    before = f.trace_count()
    f(first)
    assert f.trace_count() == before
    f(np.ones(2, np.float32))
    newest = xform.explain(f).specializations[-1]
    assert newest.nearest is not None


def test_programs_of_other_functions_go(little_room):
    old = xform.jit(lambda x: x + 1)
    old(1.0)
    others = [xform.jit(lambda x, k=k: x + k) for k in range(30)]
    for other in others:
        other(1.0)
    assert old.trace_count() == 0
    assert old.plan_count() == 0
    assert others[-1].trace_count() == 1
    assert float(old(1.0)) == 2.0


def test_arrays_that_programs_close_over_count(monkeypatch):
    monkeypatch.setattr(retention, "most_bytes", retention.nbytes + 10_000_000)
    kept = []
    for k in range(5):
        array = xnp.full((1_000_000,), float(k))
        f = xform.jit(lambda i, array=array: array[i])
        f(1)
        kept.append(f)
    assert [f.trace_count() for f in kept] == [0, 0, 0, 1, 1]


class Owner:
    def __init__(self):
        self.dropped = []

    def drop(self, signature):
        self.dropped.append(signature)


class Program:
    """What `size_of` looks at."""

    def __init__(self, nbytes):
        self.consts = (self,)
        self.nbytes = nbytes
        self.program = self.executable = self.code = self
        self.equations = ()


def test_retention(monkeypatch):
    monkeypatch.setattr("xform.api.retention.size_of", lambda program: program.nbytes)
    kept, owner = Retention(100), Owner()
    programs = [Program(30) for _ in range(3)]
    for k, program in enumerate(programs):
        kept.keep(owner, k, program)
    assert (kept.nbytes, owner.dropped) == (90, [])
    kept.keep(owner, 0, programs[0])
    kept.used(programs[0])
    fourth = Program(30)
    kept.keep(owner, 3, fourth)
    assert (kept.nbytes, owner.dropped) == (90, [1])
    del programs[0], program
    gc.collect()
    fifth = Program(40)
    kept.keep(owner, 4, fifth)
    assert (kept.nbytes, owner.dropped) == (100, [1])
    sixth = Program(1000)  # One alone is never too many.
    kept.keep(owner, 5, sixth)
    assert (kept.nbytes, owner.dropped) == (1000, [1, 2, 3, 4])
    kept.used(Program(1))


def test_the_retained_programs_survive_a_fork():
    before = retention.lock
    retention.after_fork()
    assert retention.lock is not before


# -- requests that are too large ----------------------------------------------------------------

HUGE = 10**13


@pytest.mark.parametrize(
    "ask",
    [
        lambda: xnp.zeros(HUGE),
        lambda: xnp.full((10**6, 10**7), 1.0),
        lambda: xnp.arange(1e13),
        lambda: xnp.broadcast_to(xnp.ones(10), (10**12, 10)),
        lambda: xnp.outer(xnp.ones(10**6), xnp.ones(10**7)),
        lambda: xform.random.normal(xform.random.key(0), (HUGE,)),
        lambda: xform.jit(lambda x: xnp.outer(x, x))(xnp.ones(3 * 10**6)),
        lambda: xform.jit(lambda x: xnp.sort(xnp.outer(x, x)).sum())(xnp.ones(3 * 10**6)),
    ],
)
def test_too_large(ask):
    kept = xnp.ones((1234, 321))
    with pytest.raises(OutOfMemoryError) as caught:
        ask()
    error = caught.value
    assert isinstance(error, MemoryError)
    assert "TiB" in error.expected
    assert "bytes)" in error.expected
    assert f"{kept.aval}" in error.got
    assert "test_memory.py:" in error.where
    assert len(str(error).splitlines()) <= 12


def test_larger_than_what_is_free(monkeypatch):
    """Linux would have granted these, and ended the process at its first use of them."""
    monkeypatch.setattr(memory, "available_bytes", lambda: 100 << 20)
    size = (memory.LARGE_BYTES // 4) + 1
    with pytest.raises(OutOfMemoryError, match=r"100\.0 MiB are available"):
        xnp.ones(size)
    f = jit(lambda x: xnp.full((size,), x))
    with pytest.raises(OutOfMemoryError):
        f(1.0)
    small = xnp.ones(1000)
    assert xnp.reshape(small, (10, 100)).shape == (10, 100)


def test_views_of_large_arrays_ask_for_nothing(monkeypatch):
    x = xnp.ones(memory.LARGE_BYTES // 4)
    monkeypatch.setattr(memory, "available_bytes", lambda: 0)
    assert xnp.reshape(x, (2, -1)).shape[0] == 2
    with pytest.raises(OutOfMemoryError):
        x + x


def test_idle_memory_is_used_before_a_request_is_refused(monkeypatch):
    kept = xnp.ones(1 << 20)
    f = jit(lambda x: xnp.full((memory.LARGE_BYTES // 4,), x))
    f(1.0)
    monkeypatch.setattr(memory, "available_bytes", lambda: 0)
    with contextlib.suppress(OutOfMemoryError):
        jit(lambda x: xnp.full((memory.LARGE_BYTES // 2,), x))(1.0)
    assert xform.runtime.array.idle_bytes() == 0
    assert float(kept[0]) == 1.0


def test_live_arrays():
    first, second = (xnp.asarray(np.zeros((3, 5, 7, 11), np.float32)) for _ in range(2))
    kept = {"a": [first, (second, first)]}
    del second
    found = memory.live_arrays()
    assert found[first.aval] == 2
    gone = weakref.ref(kept["a"][1][0])
    del kept
    assert gone() is None  # Looking at the variables of this function keeps nothing.
    assert memory.live_arrays()[first.aval] == 1


def test_what_is_available(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "_CGROUPS", tmp_path)
    machine = memory.available_bytes()
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("500\n")
    assert memory._cgroup_bytes() is None
    (tmp_path / "memory.max").write_text("2000\n")
    assert memory.available_bytes() == 1500
    (tmp_path / "memory.stat").write_text("anon 3\ninactive_file 200\n")
    assert memory.available_bytes() == 1700
    (tmp_path / "memory.max").write_text(f"{1 << 60}\n")
    assert machine is None or memory.available_bytes() < 1 << 60
