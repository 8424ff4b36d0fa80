"""A runtime to trust: forks, threads, the end of the process, errors in callbacks."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from xform import lax
from xform.config import config
from xform.core.trace import BASE, current_trace
from xform.runtime import executable

ROOT = Path(__file__).resolve().parent.parent
FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
KINDS = pytest.mark.parametrize("native", ["1", "0"])


def run(script, timeout=120, **environment):
    """A script in a process of its own, which might die; a dead lock is a timeout."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, "-X", "faulthandler", "-W", "ignore::DeprecationWarning", "-c"]
    done = subprocess.run(
        [*command, script], env=environ, capture_output=True, text=True, timeout=timeout
    )
    return done.returncode, done.stdout, done.stderr


# -- forks --------------------------------------------------------------------------------------

FORK = """
import os, threading, warnings
import numpy as np, xform, xform.numpy as xnp
from xform import lax
from xform.config import config

f = xform.jit(lambda x: xnp.sum(xnp.sin(x) @ xnp.cos(x)))
x = xnp.ones((300, 300))
right = float(f(x))

def use():
    assert float(f(x)) == right  # compiled before the fork
    g = xform.jit(lambda x: lax.fori_loop(0, 5, lambda i, c: c * 1.5 + i, x))
    assert abs(float(g(1.0)) - float(sum_of(1.0))) < 1e-4
    assert float(xform.grad(lambda x: x ** 3)(2.0)) == 12.0
    with xform.enable_x64():
        assert f(np.ones((3, 3))).dtype == np.float64
    h = xform.vmap(lambda x: x + 1)
    assert h(xnp.ones(3)).tolist() == [2.0] * 3
    assert xnp.linalg.norm(x) == 300.0

def sum_of(c):
    for i in range(5):
        c = c * 1.5 + i
    return c

def in_child(what):
    child = os.fork()
    if child == 0:
        status = 1
        try:
            what()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0

in_child(use)
use()
in_child(lambda: in_child(use))  # a child of a child
"""

BUSY = """
stop = threading.Event()
def compile_always(number):
    k = number
    while not stop.is_set():
        k += 10
        xform.jit(lambda x: x * k + 1)(1.0)
        with config.scoped(enable_x64=k % 20 == number):
            f(np.ones((4, 4), np.float32))
busy = [threading.Thread(target=compile_always, args=(n,)) for n in range(3)]
for thread in busy:
    thread.start()
for _ in range(15):
    in_child(use)
stop.set()
for thread in busy:
    thread.join()
use()
"""


@FORKS
@KINDS
def test_children_call_compiled_and_new_functions(native):
    status, _, error = run(FORK, XFORM_NATIVE=native, XFORM_CACHE_DIR="")
    assert (status, error) == (0, "")


@FORKS
def test_forks_while_other_threads_compile(tmp_path):
    status, _, error = run(FORK + BUSY, XFORM_CACHE_DIR=str(tmp_path))
    assert (status, error) == (0, "")


LOCKED = """
import os, threading, xform
from xform.config import config

locked, leave = threading.Event(), threading.Event()

def hold():
    with config._lock:
        locked.set()
        leave.wait()

thread = threading.Thread(target=hold)
thread.start()
locked.wait()
child = os.fork()
if child == 0:
    with config.scoped(enable_x64=True):
        os._exit(0 if config.enable_x64 else 3)
status = os.waitpid(child, 0)[1]
leave.set()
thread.join()
assert status == 0
"""


@FORKS
def test_a_fork_while_another_thread_sets_an_option():
    """The child waited for a lock that nobody would release."""
    assert run(LOCKED, timeout=30)[0] == 0


MULTIPROCESSING = """
import multiprocessing
import xform, xform.numpy as xnp

@xform.jit
def f(x):
    return xnp.sum(x * x)

def work(n):
    return float(f(xnp.arange(float(n))))

if __name__ == "__main__":
    right = [work(n) for n in range(6)]
    with multiprocessing.get_context("fork").Pool(3) as pool:
        assert pool.map(work, range(6)) == right
"""


@FORKS
def test_a_pool_of_processes():
    status, _, error = run(MULTIPROCESSING)
    assert (status, error) == (0, "")


# -- threads ------------------------------------------------------------------------------------


@pytest.fixture
def compilations(monkeypatch):
    """The programs that are compiled, as they are."""
    made = []
    original = executable.Executable.__init__

    def counted(self, program, *args):
        made.append(program.name)
        original(self, program, *args)

    monkeypatch.setattr(executable.Executable, "__init__", counted)
    return made


def together(count, work):
    """Runs `work(k)` in threads that begin at once; the results, or the first error."""
    start = threading.Barrier(count)

    def begin(k):
        start.wait()
        return work(k)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


def test_eight_threads_share_one_compilation(compilations):
    @xform.jit
    def shared(x):
        return lax.fori_loop(0, 10, lambda i, c: xnp.sin(c) + i, x)

    for round_ in range(5):
        x = np.full((3, round_ + 1), 0.5, np.float32)
        results = together(8, lambda k, x=x: shared(x).tolist())
        assert all(result == results[0] for result in results)
        assert compilations.count("shared") == round_ + 1
        assert shared.trace_count() == round_ + 1
    assert len(xform.explain(shared).specializations) == 5


def test_eight_threads_call_a_warm_function():
    f = xform.jit(lambda x, y: {"sum": x + y, "rest": (x, [y * 2])})
    x = xnp.arange(1000.0)
    f(x, x)

    def work(k):
        y = xnp.full((1000,), float(k))
        for _ in range(300):
            result = f(x, y)
            assert float(result["sum"][999]) == 999.0 + k
            assert float(result["rest"][1][0][5]) == 2.0 * k
        return k

    assert together(8, work) == list(range(8))


def test_threads_differentiate_and_map_at_once():
    f = xform.jit(lambda x: xnp.sum(x**3))

    def work(k):
        for _ in range(10):
            x = xnp.full((k + 1,), 2.0)
            assert xform.grad(f)(x).tolist() == [12.0] * (k + 1)
            assert xform.vmap(xform.grad(lambda y: y**2))(x).tolist() == [4.0] * (k + 1)
        return k

    assert together(8, work) == list(range(8))


def test_an_error_while_one_thread_traces_is_not_that_of_others():
    f = xform.jit(lambda x, how: x + 1 if how == "right" else x.wrong, static_argnums=1)

    def work(k):
        if k % 2:
            with pytest.raises(AttributeError):
                f(1.0, "wrong")
        else:
            assert float(f(1.0, "right")) == 2.0
        return current_trace() is BASE

    assert together(8, work) == [True] * 8
    assert float(f(1.0, "right")) == 2.0


# -- the end of the process ---------------------------------------------------------------------

LONG = """
import sys, threading, time, numpy as np, xform, xform.numpy as xnp
from xform import lax
f = xform.jit(lambda x: lax.fori_loop(0, 10**9, lambda i, c: xnp.sin(c) + 1.0, x))
products = xform.jit(lambda x: x @ x @ x)
x = xnp.ones((1000, 1000))

def work():
    products(x)
    started.set()
    while True:
        KIND

started = threading.Event()
thread = threading.Thread(target=work, daemon=True)
thread.start()
started.wait()
time.sleep(0.3)
print("end", flush=True)
"""


@KINDS
@pytest.mark.parametrize(
    "kind",
    [
        "f(1.0)",
        "products(x)",
        "xform.jit(lambda x: x + time.time())(1.0)",
        "xform.pure_callback(lambda x: x, x, x)",
    ],
)
def test_the_interpreter_ends_while_a_thread_runs(kind, native):
    status, out, error = run(LONG.replace("KIND", kind), XFORM_NATIVE=native)
    assert (status, out) == (0, "end\n"), error


def test_errors_at_the_end_are_those_of_the_program():
    status, _, error = run(LONG.replace("KIND", "f(1.0)") + "raise KeyError('mine')\n")
    assert status == 1
    assert error.endswith("KeyError: 'mine'\n")


AT_EXIT = """
import atexit, xform, xform.numpy as xnp
f = xform.jit(lambda x: x * 2)
f(1.0)

class Late:
    def __del__(self):
        print(float(f(4.0)), flush=True)

@atexit.register
def last():
    print(float(f(2.0)), float(xform.jit(lambda x: x + 0.625)(1.0)), flush=True)

late = Late()
"""


def test_functions_run_at_exit():
    status, out, error = run(AT_EXIT)
    assert status == 0, error
    assert out.startswith("4.0 1.625\n")


@pytest.mark.skipif(not hasattr(signal, "SIGINT"), reason="needs signals")
def test_ctrl_c_ends_a_compiled_loop():
    script = LONG.split("def work")[0] + "print('on', flush=True)\nf(1.0)\n"
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script]
    process = subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "on\n"
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert error.endswith("KeyboardInterrupt\n")
    assert process.returncode != 0


# -- errors in callbacks ------------------------------------------------------------------------


class Fault(BaseException):
    """An error that no handler of Exception catches."""


def failing(error):
    def callback(x):
        if x > 2:
            raise error
        return x

    return lambda x: xform.pure_callback(callback, xform.ShapeDtypeStruct((), "float32"), x)


PROGRAMS = {
    "alone": lambda call: lambda x: call(x + 3),
    "in a loop": lambda call: lambda x: lax.fori_loop(0, 10, lambda i, c: call(c + 1), x),
    "in a while loop": lambda call: (
        lambda x: lax.while_loop(lambda c: c < 9, lambda c: call(c + 1), x)
    ),
    "in a scan": lambda call: lambda x: lax.scan(lambda c, _: (call(c + 1), c), x, None, 10)[0],
    "in a branch": lambda call: lambda x: lax.cond(x < 1, lambda: call(x + 5), lambda: x),
    "mapped": lambda call: lambda x: xform.vmap(call)(xnp.arange(5.0) + x),
    "nested": lambda call: lambda x: xform.jit(lambda y: call(y * 4))(x + 1),
}


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("error", [ValueError("mine"), Fault("mine"), KeyboardInterrupt("mine")])
def test_errors_in_callbacks(program, error):
    f = PROGRAMS[program](failing(error))
    for function in (f, xform.jit(f)):
        for _ in range(3):
            with pytest.raises(type(error), match="mine") as caught:
                function(xnp.float32(0.0))
            assert caught.value is error
            assert caught.traceback[-1].name == "callback"
    assert float(xform.jit(lambda x: x + 1)(1.0)) == 2.0


ERRORS = """
import sys, threading, xform
from xform import lax

sys.setswitchinterval(1e-6)

def callback(k):
    raise ValueError(int(k))

@xform.jit
def f(k):
    shape = xform.ShapeDtypeStruct((), "int32")
    # A loop of unknown length gives other threads the GIL while it runs.
    step = lambda c: (c[0] + 1, xform.pure_callback(callback, shape, c[1]))
    return lax.while_loop(lambda c: c[0] < 3, step, (0, k))

wrong = []

def work(k):
    for _ in range(1000):
        try:
            f(k)
        except ValueError as error:
            if error.args != (k,):
                wrong.append(error)

threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(wrong))
"""


def test_each_thread_gets_the_error_of_its_own_callback():
    """Threads shared a place for the error, and raised one that another had freed: a crash."""
    assert run(ERRORS) == (0, "0\n", "")


def test_callbacks_may_call_compiled_functions():
    inner = xform.jit(lambda x: x * 2)

    def callback(x):
        return np.float32(inner(x)) + np.float32(xform.grad(inner)(1.0))

    f = xform.jit(
        lambda x: xform.pure_callback(callback, xform.ShapeDtypeStruct((), "float32"), x) + 1
    )
    assert float(f(3.0)) == 9.0
    assert together(4, lambda k: float(f(float(k)))) == [2.0 * k + 3 for k in range(4)]


def test_options_of_a_callbacks_caller():
    seen = []

    def callback(x):
        seen.append(config.enable_x64)
        return x

    f = xform.jit(lambda x: xform.pure_callback(callback, x, x))
    f(xnp.float32(1))
    with xform.enable_x64():
        f(xnp.float32(1))
        f(xnp.float32(1))
    assert seen == [False, True, True]
