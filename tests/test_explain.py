"""Reports on why functions were compiled, the log of compilations, the warning about many."""

import functools
import os
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from xform.api.explanation import MANY, Difference, Explanation
from xform.config import config
from xform.core.timing import STAGES, Clock, measured, recording
from xform.errors import ArgumentError, RecompilationWarning

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _no_cache():
    with config.scoped(cache_dir=""):
        yield


def differences(f, number=-1):
    return [(d.kind, d.name, d.before, d.now) for d in specialization(f, number).differences]


def specialization(f, number=-1):
    return xform.explain(f).specializations[number]


def test_each_kind_of_difference():
    f = xform.jit(lambda x, y, scale=1: (x, y), static_argnames="scale")
    f(xnp.ones(3), {"a": 1})
    assert specialization(f).nearest is None
    assert differences(f) == []
    f(xnp.ones(3), {"a": 2})
    assert len(xform.explain(f).specializations) == 1
    f(xnp.ones((3, 1)), {"a": 2})
    assert differences(f) == [("shape", "x", "(3,)", "(3, 1)")]
    f(xnp.ones(3, "int32"), {"a": 2})
    assert differences(f) == [("dtype", "x", "float32", "int32")]
    f(xnp.ones(3), {"a": xnp.int32(2)})
    assert differences(f) == [("weak type", "y['a']", "True", "False")]
    f(xnp.ones(3), {"a": 2, "b": 1.0})
    assert differences(f) == [("structure", "y['b']", "absent", "f32[]*")]
    f(xnp.ones(3), {"a": 1}, scale=5)
    assert differences(f) == [("static value", "scale", "absent", "5")]
    f(xnp.ones(3), {"a": 1}, scale=6)
    assert differences(f) == [("static value", "scale", "5", "6")]
    with config.scoped(tape_bytes=1000):
        f(xnp.ones(3), {"a": 1}, scale=6)
    assert differences(f) == [("configuration", "tape_bytes", "268435456", "1000")]
    assert [s.nearest for s in xform.explain(f).specializations] == [None, 1, 1, 1, 1, 1, 6, 7]


def test_structures_with_the_same_leaves():
    f = xform.jit(lambda x: 1)
    f([])
    f(())
    (found,) = specialization(f).differences
    assert (found.kind, found.name) == ("structure", "the arguments")
    assert found.before != found.now


def test_named_axes():
    f = xform.jit(lambda x: x * 2)
    f(1.0)
    xform.vmap(f, axis_name="i")(xnp.ones(3))
    assert ("named axes", "the surroundings", "()", "(('i', 3),)") in differences(f)


def test_static_values_that_look_alike():
    class Loud:
        def __repr__(self):
            return "LOUD"

    f = xform.jit(lambda how, x: x, static_argnums=0)
    f(Loud(), 1.0)
    f(Loud(), 1.0)
    (found,) = specialization(f).differences
    assert (found.name, found.before) == ("how", "LOUD")
    assert found.now == "another test_static_values_that_look_alike.<locals>.Loud that looks alike"


def test_static_values_that_cannot_be_shown():
    class Broken:
        def __repr__(self):
            return 1 // 0

    f = xform.jit(lambda how, x: x + 1, static_argnums=0)
    assert float(f(Broken(), 1.0)) == 2.0
    text = specialization(f).static[0][1]
    assert text.endswith("Broken whose repr raises ZeroDivisionError")


def test_static_values_are_not_kept_alive():
    f = xform.jit(lambda how, x: x, static_argnums=0)
    f(range(10**6), 1.0)
    assert specialization(f).static == (("how", "range(0, 1000000)"),)
    f("x" * 10**6, 1.0)
    assert len(specialization(f).static[0][1]) == 100


def test_the_users_line_and_the_definition():
    def called(x):
        return x

    f = xform.jit(called)
    f(1.0)  # the line
    at = specialization(f).at
    assert at.text.endswith("f(1.0)  # the line")
    assert at.function == "test_the_users_line_and_the_definition"
    found = xform.explain(f)
    assert found.name == "called"
    assert found.defined.endswith(f"test_explain.py:{called.__code__.co_firstlineno}")


def test_the_stages_and_the_origin(tmp_path):
    def f(x):
        return xnp.sum(xform.lax.fori_loop(0, 3, lambda i, c: c * 1.2345, x))

    with config.scoped(cache_dir=str(tmp_path)):
        first, second = xform.jit(f), xform.jit(f)
        first(xnp.ones(3)), second(xnp.ones(3))
    made = specialization(first)
    names = [name for name, _ in made.stages]
    assert names == [name for name in STAGES if name in names]
    assert {"trace", "simplify", "cache", "fuse", "emit", "llvm", "link"} <= set(names)
    assert all(seconds > 0 for _, seconds in made.stages)
    assert made.seconds == sum(seconds for _, seconds in made.stages)
    assert (made.origin, specialization(second).origin) == ("compiled", "memory")
    derived = xform.jit(xform.grad(f))
    derived(xnp.ones(3))
    assert "transform" in dict(specialization(derived).stages)


SCRIPT = """
import xform
f = xform.jit(lambda x: x * 1.5)
f(2.0)
(found,) = xform.explain(f).specializations
print(found.origin, *[name for name, _ in found.stages])
"""


def run(script, **environment):
    environ = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, "-c", script]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=True)


def test_the_disk(tmp_path):
    cache = {"XFORM_CACHE_DIR": str(tmp_path), "XFORM_LOG": "compile"}
    first, second = run(SCRIPT, **cache), run(SCRIPT, **cache)
    assert first.stdout == "compiled trace simplify cache load fuse emit llvm link\n"
    assert second.stdout == "disk trace simplify cache link\n"
    assert first.stderr.startswith("xform: <lambda>(f32[]*) compiled in ")
    assert second.stderr.startswith("xform: <lambda>(f32[]*) read from the disk in ")
    assert " ms (trace " in second.stderr
    assert second.stderr.endswith(" at <string>:4 (<module>)\n")


def test_the_log(capsys):
    f = xform.jit(lambda x: x)
    f(1.0)
    assert capsys.readouterr().err == ""
    with config.scoped(log="other,compile"):
        f(1.0)
        f(1)
        xform.lax.fori_loop(0, 3, lambda i, c: c * 1.125, 1.0)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("xform: <lambda>(i32[]*) ")
    assert lines[1].startswith("xform: scan(")


def test_within_other_programs():
    f = xform.jit(lambda x: x * 2)
    xform.jit(lambda x: f(x) + 1)(1.0)
    assert specialization(f).origin == ""
    assert "traced as a part of other programs, not compiled alone" in str(xform.explain(f))
    f(1.0)
    assert specialization(f).origin in ("compiled", "memory")


def test_values_of_a_running_transformation():
    def outer(x):
        f = outer.f = xform.jit(lambda y: x * y)
        return f(1.0) + f(1.0)

    xform.grad(outer)(3.0)
    found = specialization(outer.f)
    assert (found.nearest, found.differences) == (1, ())
    assert "the same as 1, which was not kept" in str(found)


def test_the_report():
    f = xform.jit(lambda x, y: x)
    f(xnp.ones(2), 1)
    f(xnp.ones((2, 1), "int32"), 1.5)
    head, *lines = str(xform.explain(f)).splitlines()
    assert head.endswith(": 2 specializations")
    assert lines[0] == "1. x: f32[2], y: i32[]*"
    assert lines[1].startswith("   called at ")
    assert " ms: trace " in lines[2]
    assert lines[3] == "2. x: i32[2,1], y: f32[]*"
    assert lines[5:8] == [
        "   unlike 1: the shape of x was (2,), is (2, 1)",
        "      the dtype of x was float32, is int32",
        "      the dtype of y was int32, is float32",
    ]
    assert repr(xform.explain(f)) == str(xform.explain(f))
    assert not hasattr(Explanation, "_repr_html_")
    with pytest.raises(AttributeError):
        Difference("shape", "x", "()", "(1,)").kind = "dtype"


def test_many_differences_are_cut():
    f = xform.jit(lambda *xs: 1)
    f(*[1] * 10)
    f(*[1.0] * 10)
    assert len(specialization(f).differences) == 10
    assert "and 4 more" in str(specialization(f))


def test_wrapped_functions_and_others():
    f = xform.jit(lambda x: x)

    @functools.wraps(f)
    def wrapper(x):
        return f(x)

    wrapper(1.0)
    assert len(xform.explain(wrapper).specializations) == 1
    for other in (len, lambda x: x, 3, xform.grad(f.__wrapped__)):
        with pytest.raises(ArgumentError, match=r"xform\.jit returned"):
            xform.explain(other)


def test_clear_cache_and_old_specializations():
    f = xform.jit(lambda x: x + 1, static_argnums=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RecompilationWarning)
        for k in range(300):
            f(k)
    found = xform.explain(f)
    assert (found.forgotten, len(found.specializations)) == (44, 256)
    assert "300 specializations, of which the first 44 are not listed" in str(found)
    f.clear_cache()
    assert xform.explain(f).specializations == ()
    f(1)
    assert specialization(f).number == 1


# -- the warning --------------------------------------------------------------------------------


def warned(calls):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        calls()
    return [w for w in caught if w.category is RecompilationWarning]


def test_one_warning_for_many_shapes():
    f = xform.jit(lambda x, y: x)

    def call(sizes):
        for size in sizes:
            f(np.ones(size, np.float32), 1)  # this line

    assert warned(lambda: call(range(MANY))) == []
    (found,) = warned(lambda: call(range(MANY, 40)))
    assert found.filename == __file__
    assert "# this line" in str(found.message)
    assert "the shape of x" in str(found.message)
    assert warned(lambda: call(range(40, 80))) == []


def test_no_warning_for_calls_that_differ_in_several_things():
    f = xform.jit(lambda x, size: x, static_argnames="size")

    def call():
        for size in range(30):
            f(xnp.ones(size), size=size)

    assert warned(call) == []


def test_no_warning_for_the_same_call_traced_again():
    def outer(x):
        f = xform.jit(lambda y: x * y)
        for _ in range(30):
            f(1.0)
        return x

    assert warned(lambda: xform.grad(outer)(1.0)) == []


def test_a_static_argument_of_another_hash_for_each_call():
    f = xform.jit(lambda function, x: function(x), static_argnums=0)

    def call(make):
        for _ in range(30):
            f(make(), 1.0)

    (found,) = warned(lambda: call(lambda: lambda x: x))
    assert "made once, outside of the loop" in str(found.message)


# -- clocks -------------------------------------------------------------------------------------


def test_no_time_is_counted_twice(monkeypatch):
    now = iter(range(100))
    monkeypatch.setattr("xform.core.timing.time.perf_counter", lambda: next(now))
    outer, inner = Clock(), Clock()
    with recording(outer), measured("trace"):  # from 1 on: entering recorded nothing
        with measured("transform"), recording(inner), measured("llvm"):
            pass
        with pytest.raises(KeyError), measured("simplify"):
            raise KeyError
    assert outer.stages() == (("trace", 3), ("transform", 2), ("simplify", 1))
    assert inner.stages() == (("llvm", 1),)


def test_clocks_are_of_one_thread():
    clock = Clock()

    def work():
        with measured("llvm"):
            pass

    with recording(clock):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert clock.stages() == ()
