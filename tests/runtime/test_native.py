"""The native runtime: leaks, threads, forks, and falling back to Python."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from tests.runtime.programs import F32, VECTOR, add, aval, calling, copy, failing
from xform.core.avals import ShapedArray
from xform.runtime import native
from xform.runtime.dispatch import (
    ArrayLeaf,
    DictSpec,
    ListSpec,
    NumpyLeaf,
    Plan,
    ScalarLeaf,
    StaticLeaf,
    TupleSpec,
    add_plan,
    clear_plans,
    guard_enter,
    guard_exit,
)

LEAVES = tuple(ArrayLeaf(VECTOR, i) for i in range(4))


def slow(*args, **kwargs):
    raise LookupError("the slow path")


def pooled(kind, start=0.0):
    return kind.from_numpy(np.arange(8, dtype=F32) + F32.type(start), VECTOR)


def rss_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def adding(kind, **options):
    keepalive, kernel = add(8)
    f = kind.JitFunction(slow)
    plan = Plan(LEAVES[:2], (), LEAVES[0], (VECTOR,), kernel, keepalive=keepalive, **options)
    add_plan(f, plan)
    return f


def everything(kind):
    """Functions of no arguments that walk every path, and what must keep its reference count."""
    x, y = pooled(kind), pooled(kind, 1.0)
    key, static, number = "".join(["ke", "y"]), ("static", 1), np.zeros(8, F32)
    pattern = DictSpec((key,), (ListSpec((LEAVES[0], TupleSpec((StaticLeaf(static),)))),))
    scalar = ScalarLeaf("float", F32, -1)
    ndarray = NumpyLeaf(F32, (8,), 1)
    arguments = (pattern, scalar, ndarray)
    result = TupleSpec((DictSpec((key,), (LEAVES[0],)), ListSpec((LEAVES[1],)), StaticLeaf(static)))
    keepalive, kernel = copy((32, 32))
    options = {"keepalive": keepalive, "workspace_bytes": 100, "release_gil": True}
    tree = kind.JitFunction(slow)
    add_plan(tree, Plan(arguments, (), result, (VECTOR, VECTOR), kernel, **options))
    fail = kind.JitFunction(slow)
    owner, broken = failing("fail")
    failing_plan = Plan((LEAVES[0],), (), result, (VECTOR, VECTOR), broken, keepalive=owner)
    add_plan(fail, failing_plan)
    plain, donating = adding(kind), adding(kind, donated=(0,), aliases=((0, 0),))
    hidden = kind.JitFunction(slow)
    owner, kernel = add(8)
    plan = Plan((LEAVES[0],), (), LEAVES[0], (VECTOR,), kernel, hidden=(y,), keepalive=owner)
    add_plan(hidden, plan)
    again = {"key": [x, (("static", 1),)]}

    def fails(function, *args, **kwargs):
        with pytest.raises((LookupError, ValueError)):
            function(*args, **kwargs)

    actions = [
        lambda: plain(x, y),
        lambda: tree(again, 1.5, number),
        lambda: fails(tree, again, 1.5, x),
        lambda: fails(tree, {"key": [x, (("static", 2),)]}, 1.5, number),
        lambda: fails(tree, {"key": [x, ()]}, 1.5, number),
        lambda: fails(tree, {"kez": [x, ()]}, 1.5, number),
        lambda: fails(plain, x, y, z=3),
        lambda: fails(fail, x),
        lambda: donating(pooled(kind), y),
        lambda: donating(x, x),
        lambda: hidden(x),
        lambda: kind.view(x).sum(),
        lambda: np.asarray(x),
        lambda: memoryview(x).release(),
        lambda: kind.wrap(number, VECTOR).delete(),
        lambda: kind.from_numpy(number[::-1], VECTOR),
        lambda: (x.shape, x.dtype, x.aval, x.weak_type, x.nbytes),
        lambda: add_plan(fail, failing_plan),
        lambda: clear_plans(adding(kind)),
        lambda: repr(x),
    ]
    counted = [x, y, key, static, number, VECTOR, VECTOR.shape, VECTOR.dtype]
    counted += [kind.Array, kind.JitFunction, plain, tree, keepalive, slow, "static"]
    return actions, counted


def test_references_are_balanced(native_kind):
    actions, counted = everything(native_kind)
    for action in actions:
        action()
    gc.collect()
    for number, action in enumerate(actions):
        before = [sys.getrefcount(each) for each in counted]
        for _ in range(50):
            action()
        after = [sys.getrefcount(each) for each in counted]
        # An expectation of pytest or an interned name may come or go; a leak counts by fifties.
        worst = max(abs(a - b) for a, b in zip(after, before, strict=True))
        assert worst < 10, (number, before, after)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_does_not_grow(native_kind):
    actions, _ = everything(native_kind)

    def run(times):
        for _ in range(times):
            for action in actions:
                action()
        gc.collect()

    run(50)
    before = rss_bytes()
    run(400)
    assert rss_bytes() - before < 4 << 20


def test_array_objects_are_freed(native_kind):
    f = adding(native_kind)
    x = pooled(native_kind)
    f(x, x)
    idle = native_kind.idle_bytes()
    for _ in range(1000):
        f(x, x)
    assert native_kind.idle_bytes() == idle


@pytest.mark.parametrize("release_gil", [False, True])
def test_threads(native_kind, release_gil):
    f = adding(native_kind, release_gil=release_gil)
    donating = adding(native_kind, donated=(0,), aliases=((0, 0),), release_gil=release_gil)
    shared, one = pooled(native_kind), pooled(native_kind)
    expected = [2.0 * i for i in range(8)]
    errors = []

    def work(seed):
        try:
            x = pooled(native_kind)
            for turn in range(300):
                assert f(shared, one).tolist() == expected
                x = donating(x, one)
                if turn % 50 == seed:
                    add_plan(f, Plan(LEAVES[:1], (), LEAVES[0], (VECTOR,), copy((32,))[1]))
                    other = native_kind.empty(aval((seed * 100 + turn,)))
                    native_kind.writable(other)[:] = 1
            assert x.tolist() == [301.0 * i for i in range(8)]
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


def test_other_threads_run_during_a_kernel(kind):
    entered, proceed = threading.Event(), threading.Event()

    def kernel(address):
        entered.set()
        return 0 if proceed.wait(20) else 1

    keepalive, pointer = calling(kernel)
    f = kind.JitFunction(slow)
    options = {"release_gil": True, "keepalive": keepalive}
    add_plan(f, Plan((ListSpec(LEAVES[:1]),), (), LEAVES[0], (VECTOR,), pointer, **options))
    argument = [pooled(kind)]
    thread = threading.Thread(target=f, args=(argument,))
    thread.start()
    assert entered.wait(20)
    argument[0].delete()
    argument.clear()
    clear_plans(f)
    proceed.set()
    thread.join()


def test_a_donated_array_in_use_by_another_thread(kind):
    entered, proceed = threading.Event(), threading.Event()
    x, seen = pooled(kind), []

    def kernel(address):
        entered.set()
        proceed.wait(20)
        pointer = np.ctypeslib.ctypes.c_int64.from_address(address).value
        seen.extend((np.ctypeslib.ctypes.c_float * 8).from_address(pointer))
        return 0

    keepalive, pointer = calling(kernel)
    reading = kind.JitFunction(slow)
    options = {"release_gil": True, "keepalive": keepalive}
    add_plan(reading, Plan(LEAVES[:1], (), LEAVES[0], (VECTOR,), pointer, **options))
    thread = threading.Thread(target=reading, args=(x,))
    thread.start()
    assert entered.wait(20)
    result = adding(kind, donated=(0,), aliases=((0, 0),))(x, x)
    others = [pooled(kind, 50.0) for _ in range(5)]
    proceed.set()
    thread.join()
    assert seen == list(range(8))
    assert result.tolist() == [2.0 * i for i in range(8)]
    assert len(others) == 5


def test_a_large_tree(kind):
    count = 400
    leaves = tuple(ArrayLeaf(VECTOR, i) for i in range(count))
    keepalive, kernel = copy((32,) * count)
    f = kind.JitFunction(slow)
    spec = ListSpec(leaves)
    add_plan(f, Plan((spec,), (), spec, (VECTOR,) * count, kernel, keepalive=keepalive))
    given = [pooled(kind, float(i)) for i in range(count)]
    found = f(given)
    assert [array.tolist()[0] for array in found] == list(range(count))
    with pytest.raises(LookupError):
        f(given[:-1])


def test_a_deep_tree(kind):
    spec, value = LEAVES[0], pooled(kind)
    for depth in range(150):
        wrap = depth % 3
        spec = (TupleSpec((spec,)), ListSpec((spec,)), DictSpec((depth,), (spec,)))[wrap]
        value = ((value,), [value], {depth: value})[wrap]
    keepalive, kernel = copy((32,))
    f = kind.JitFunction(slow)
    add_plan(f, Plan((spec,), (), spec, (VECTOR,), kernel, keepalive=keepalive))
    assert repr(f(value)) == repr(value)


def test_the_guard_is_shared(kind):
    f = adding(kind)
    x = pooled(kind)
    guard_enter()
    try:
        with pytest.raises(LookupError):
            f(x, x)
    finally:
        guard_exit()
    assert f(x, x).tolist() == [2.0 * i for i in range(8)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:.*fork.*JAX:RuntimeWarning")  # where tests compare with it
def test_forks_go_on_working(kind):
    f = adding(kind)
    x = pooled(kind)
    f(x, x)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            fresh = copy.__wrapped__((32,))
            g = kind.JitFunction(slow)
            add_plan(g, Plan(LEAVES[:1], (), LEAVES[0], (VECTOR,), fresh[1], keepalive=fresh))
            right = f(x, x).tolist() == [2.0 * i for i in range(8)]
            status = 0 if right and g(x).tolist() == x.tolist() else 2
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0


def run_python(code, **environment):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


_REPORT = """
import numpy as np
from xform.core.avals import ShapedArray
from xform.runtime import array, native
x = array.from_numpy(np.ones(2), ShapedArray((2,), np.dtype(float)))
print(array.is_native, native.reason() or "-", x.tolist())
"""


def test_switching_the_native_runtime_off():
    assert run_python(_REPORT, XFORM_NATIVE="0") == "False XFORM_NATIVE=0 [1.0, 1.0]"


def test_the_native_runtime_is_used_here(native_kind):
    assert run_python(_REPORT, XFORM_NATIVE="1", XFORM_CACHE_DIR="") == "True - [1.0, 1.0]"


@pytest.mark.parametrize(
    ("patch", "why"),
    [
        ("sys.implementation.name = 'pypy'", "the interpreter is pypy"),
        ("native._PASSES = ('no such pass',)", "no such pass"),
        ("sysconfig.get_config_vars()['Py_GIL_DISABLED'] = 1", "free-threaded"),
        ("native._NUMPY_NDARRAY = 3", "NumPy's table"),
        ("native._HEAD = 24", "the type of an object"),
        (
            "native.Plan = lambda *args: Plan(*args[:2], NoneLeaf(), *args[3:])",
            "expected an xform array",
        ),
    ],
)
def test_falling_back(patch, why):
    before = "import sys, sysconfig\nfrom xform.runtime import native\n"
    before += "from xform.runtime.plan import NoneLeaf, Plan\nnative.runtime.cache_clear()\n"
    after = "\nprint(native.runtime(), native.reason())"
    found = run_python(before + patch + after, XFORM_NATIVE="1")
    assert found.startswith("None")
    assert why in found


def test_there_is_a_reason_or_a_runtime():
    assert bool(native.reason()) == (native.runtime() is None)


@pytest.fixture
def impatient():
    """Threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.skipif(native.runtime() is None, reason="there is no native runtime")
@pytest.mark.usefixtures("impatient")
def test_threads_describe_a_type_once():
    """Arrays are compared by the address of what describes their type."""
    avals = [ShapedArray((3, k), np.dtype(np.float32)) for k in range(70_000, 70_400)]
    found = [[] for _ in avals]
    start = threading.Barrier(4)

    def describe():
        start.wait()
        for kind, addresses in zip(avals, found, strict=True):
            addresses.append(native.runtime().descriptor(kind))

    threads = [threading.Thread(target=describe) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(len(set(addresses)) == 1 for addresses in found)
