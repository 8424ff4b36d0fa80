"""Calls through plans: what hits, what misses, what comes back, on both kinds."""

from __future__ import annotations

import functools

import ml_dtypes
import numpy as np
import pytest

from tests.runtime.plans import MISSED, Rude, fail, identity, jitted, one, slow, vector
from tests.runtime.programs import F32, MATRIX, VECTOR, add, aval, calling
from xform.config import NO_SETTINGS, config
from xform.errors import ArgumentError
from xform.runtime.dispatch import (
    ArrayLeaf,
    DictSpec,
    ListSpec,
    NoneLeaf,
    NumpyLeaf,
    Plan,
    ScalarLeaf,
    StaticLeaf,
    TupleSpec,
    add_plan,
    clear_plans,
    plan_count,
)


def test_a_call(kind):
    keepalive, kernel = add(8)
    leaf = ArrayLeaf(VECTOR, 0)
    arguments = (leaf, ArrayLeaf(VECTOR, 1))
    f = jitted(kind, Plan(arguments, (), leaf, (VECTOR,), kernel, keepalive=keepalive))
    x, y = vector(kind), vector(kind, 10.0)
    for _ in range(3):
        z = f(x, y)
        assert type(z) is kind.Array
        assert z.aval is VECTOR
        assert z.tolist() == [10.0 + 2 * i for i in range(8)]
    assert f(x, x).tolist() == [2.0 * i for i in range(8)]
    wrapped = kind.wrap(np.ones(8, F32), VECTOR)
    assert f(wrapped, y).tolist() == [11.0 + i for i in range(8)]


def test_calls_that_miss(kind):
    f = jitted(kind, one(ArrayLeaf(VECTOR, 0)))
    x = vector(kind)
    assert f(x) is not MISSED
    weak = kind.from_numpy(np.zeros(8, F32), aval((8,), F32, True))
    other = kind.from_numpy(np.zeros(8), aval((8,), np.float64))
    for args, kwargs in [
        ((), {}),
        ((x, x), {}),
        ((x,), {"k": 1}),
        ((), {"x": x}),
        ((weak,), {}),
        ((other,), {}),
        ((vector(kind, of=MATRIX),), {}),
        ((np.zeros(8, F32),), {}),
        (([x],), {}),
        ((None,), {}),
        ((1.0,), {}),
    ]:
        assert f(*args, **kwargs) is MISSED


def test_the_slow_path_sees_the_arguments(kind):
    f = kind.JitFunction(lambda *args, **kwargs: (args, kwargs))
    assert f() == ((), {})
    assert f(1, [2], k=3) == ((1, [2]), {"k": 3})
    assert f(*range(9), a=1, b=2) == (tuple(range(9)), {"a": 1, "b": 2})


def test_keywords(kind):
    keepalive, kernel = add(8)
    arguments = (ArrayLeaf(VECTOR, 0), ArrayLeaf(VECTOR, 1), StaticLeaf("mode"))
    result = ArrayLeaf(VECTOR, 0)
    plan = Plan(arguments, ("y", "how"), result, (VECTOR,), kernel, keepalive=keepalive)
    f = jitted(kind, plan)
    x, y = vector(kind), vector(kind, 1.0)
    assert f(x, y=y, how="mode").tolist() == [1.0 + 2 * i for i in range(8)]
    names = ["".join(["h", "o", "w"]), "".join(["y"])]
    assert f(x, **{names[1]: y, names[0]: "mode"}) is not MISSED
    assert f(x, how="mode", y=y) is MISSED
    assert f(x, y, how="mode") is MISSED
    assert f(x, y=y, who="mode") is MISSED
    assert f(x, y=y) is MISSED
    assert f(x, y, "mode") is MISSED
    assert f(x, y=y, how="other") is MISSED


SCALARS = [
    ("float", np.float32, [0.0, -1.5, float("inf")], []),
    ("float", np.float64, [0.1, -0.0, 1e300], []),
    ("complex", np.complex64, [1 + 2j, 0j], []),
    ("complex", np.complex128, [0.1 + 0.2j], []),
    ("bool", np.bool_, [True, False], []),
    *[
        (
            "int",
            dtype,
            [0, 1, int(np.iinfo(dtype).min), min(int(np.iinfo(dtype).max), 2**63 - 1)],
            [int(np.iinfo(dtype).max) + 1, int(np.iinfo(dtype).min) - 1, 2**63, 2**200, -(2**200)],
        )
        for dtype in "bhilqBHILQ"
    ],
]


@pytest.mark.parametrize(("name", "dtype", "values", "misses"), SCALARS)
def test_scalars(kind, name, dtype, values, misses):
    out = aval((), dtype)
    f = jitted(kind, one(ScalarLeaf(name, np.dtype(dtype), 0), out))
    for value in values:
        expected = np.asarray(value).astype(dtype)
        assert np.asarray(f(value)).tobytes() == expected.tobytes()
    for value in misses:
        assert f(value) is MISSED
    others = {"float": 1.5, "complex": 1j, "bool": True, "int": 3}
    for other, value in others.items():
        assert (f(value) is MISSED) == (other != name)
    assert f(np.dtype(dtype).type(0)) is MISSED
    assert f(None) is MISSED


def test_a_float_that_does_not_fit_is_infinite(kind):
    f = jitted(kind, one(ScalarLeaf("float", F32, 0), aval(())))
    assert f(1e300).item() == float("inf")
    assert np.isnan(f(float("nan")).item())


def test_subclasses_of_numbers_miss(kind):
    class Mine(int):
        pass

    f = jitted(kind, one(ScalarLeaf("int", np.dtype(np.int32), 0), aval((), np.int32)))
    assert f(Mine(3)) is MISSED


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("float", np.float16),
        ("float", np.int32),
        ("float", np.longdouble),
        ("float", ml_dtypes.bfloat16),
        ("int", np.float32),
        ("int", np.bool_),
        ("complex", np.float32),
        ("bool", np.int8),
        ("str", np.float32),
    ],
)
def test_scalar_kinds_that_are_refused(name, dtype):
    with pytest.raises(ArgumentError, match=r"kind|bits"):
        ScalarLeaf(name, np.dtype(dtype), 0)


def test_numpy_arrays(kind):
    f = jitted(kind, one(NumpyLeaf(F32, (3, 4), 0), MATRIX))
    x = np.arange(12, dtype=F32).reshape(3, 4)
    assert f(x).tolist() == x.tolist()
    x[0, 0] = 9.0
    assert f(x).tolist() == x.tolist()
    readable = x.copy()
    readable.flags.writeable = False
    assert f(readable) is not MISSED

    class Mine(np.ndarray):
        pass

    misaligned = np.zeros(49, np.uint8)[1:].view(F32).reshape(3, 4)
    for other in (
        x.astype(np.float64),
        x.astype(">f4"),
        x[:2],
        x.reshape(12),
        x.reshape(4, 3).T,
        np.asfortranarray(x),
        np.repeat(x, 2, axis=1)[:, ::2],
        misaligned,
        x.view(Mine),
        x[0, 0],
        vector(kind, of=MATRIX),
    ):
        assert f(other) is MISSED


def test_numpy_arrays_without_dimensions_and_of_other_dtypes(kind):
    f = jitted(kind, one(NumpyLeaf(F32, (), 0), aval(())))
    assert f(np.asarray(3.0, F32)).item() == 3.0
    bfloat16 = np.dtype(ml_dtypes.bfloat16)
    g = jitted(kind, one(NumpyLeaf(bfloat16, (2,), 0), aval((2,), bfloat16)))
    assert g(np.asarray([1, 2], bfloat16)).tolist() == [1, 2]


def test_containers(kind):
    leaves = [ArrayLeaf(VECTOR, i) for i in range(4)]
    spec = DictSpec(
        ("a", "b"),
        (
            ListSpec((leaves[0], TupleSpec((leaves[1], NoneLeaf())))),
            DictSpec(("c",), (leaves[2],)),
        ),
    )
    result = ListSpec(
        (
            DictSpec(("z", "y"), (TupleSpec((leaves[0], ListSpec((leaves[1],)))), leaves[0])),
            leaves[2],
            NoneLeaf(),
            TupleSpec(()),
            StaticLeaf("text"),
            TupleSpec((leaves[3],)),
        )
    )
    f = jitted(kind, identity((spec, leaves[3]), result, [VECTOR] * 4))
    a, b, c, d = (vector(kind, 10.0 * i) for i in range(4))
    found = f({"a": [a, (b, None)], "b": {"c": c}}, d)
    assert type(found) is list
    assert list(found[0]) == ["z", "y"]
    assert found[0]["z"][0] is found[0]["y"]
    assert found[0]["z"][0].tolist() == a.tolist()
    assert type(found[0]["z"][1]) is list
    assert found[0]["z"][1][0].tolist() == b.tolist()
    assert found[1].tolist() == c.tolist()
    assert found[2:5] == [None, (), "text"]
    assert found[5][0].tolist() == d.tolist()
    assert f({"b": {"c": c}, "a": [a, (b, None)]}, d) is not MISSED
    for other in (
        {"a": [a, (b, None)], "b": {"d": c}},
        {"a": [a, (b, None)], "b": {"c": c, "d": c}},
        {"a": [a, (b, None)]},
        {"a": (a, (b, None)), "b": {"c": c}},
        {"a": [a, [b, None]], "b": {"c": c}},
        {"a": [a, (b, b)], "b": {"c": c}},
        {"a": [a, (b,)], "b": {"c": c}},
        {"a": [a, (b, None), a], "b": {"c": c}},
        {"a": [a, (b, None)], "b": {"c": None}},
        [a, b],
        a,
        None,
    ):
        assert f(other, d) is MISSED


def test_subclasses_of_containers_miss(kind):
    class Mine(dict):
        pass

    leaf = ArrayLeaf(VECTOR, 0)
    x = vector(kind)
    f = jitted(kind, one(DictSpec(("a",), (leaf,))))
    assert f({"a": x}) is not MISSED
    assert f(Mine(a=x)) is MISSED

    class Pair(tuple):
        __slots__ = ()

    g = jitted(kind, one(TupleSpec((leaf,))))
    assert g((x,)) is not MISSED
    assert g(Pair((x,))) is MISSED


def test_keys_are_compared_by_value(kind):
    leaf = [ArrayLeaf(VECTOR, i) for i in range(3)]
    keys = (("w", "1"), 2.0, "".join(["k", "ey"]))
    f = jitted(kind, identity((DictSpec(keys, tuple(leaf)),), leaf[0], [VECTOR] * 3))
    x = vector(kind)
    assert f({("w", "1"): x, 2: x, "key": x}) is not MISSED
    assert f({"key": x, 2.0: x, tuple("w1"): x}) is not MISSED
    assert f({("w", "2"): x, 2: x, "key": x}) is MISSED


def test_keys_that_fail_to_compare_miss(kind):
    f = jitted(kind, one(DictSpec((Rude(fail),), (ArrayLeaf(VECTOR, 0),))))
    assert f({Rude(fail): vector(kind)}) is MISSED


def test_static_values(kind):
    x = vector(kind)
    leaf = ArrayLeaf(VECTOR, 0)

    def function(value):
        plan = identity((leaf, StaticLeaf(value)), leaf, (VECTOR,))
        return functools.partial(jitted(kind, plan), x)

    assert function("relu")("".join(["re", "lu"])) is not MISSED
    assert function("relu")("tanh") is MISSED
    assert function((1, "a"))((1, "a")) is not MISSED
    assert function(1)(1) is not MISSED
    assert function(1)(True) is MISSED
    assert function(1)(1.0) is MISSED
    assert function(0.0)(-0.0) is MISSED
    assert function(0.5)(float("0.5")) is not MISSED
    nan = float("nan")
    assert function(nan)(nan) is not MISSED
    assert function(nan)(float("nan")) is MISSED
    assert function(len)(len) is not MISSED
    assert function(Rude())(Rude()) is not MISSED
    assert function(Rude(lambda: False))(Rude()) is MISSED
    assert function(Rude(fail))(Rude(fail)) is MISSED
    array = np.zeros(3)
    assert function(array)(np.zeros(3)) is MISSED
    assert function(array)(array) is not MISSED


def test_unused_arguments_are_checked(kind):
    leaf = ArrayLeaf(VECTOR, 0)
    arguments = (
        ArrayLeaf(MATRIX, -1),
        ScalarLeaf("float", F32, -1),
        leaf,
        NumpyLeaf(F32, (2,), -1),
    )
    f = jitted(kind, identity(arguments, leaf, (VECTOR,)))
    x, m, n = vector(kind), vector(kind, of=MATRIX), np.zeros(2, F32)
    assert f(m, 1.0, x, n).tolist() == x.tolist()
    assert f(x, 1.0, x, n) is MISSED
    assert f(m, 1, x, n) is MISSED
    assert f(m, 1.0, x, np.zeros(3, F32)) is MISSED


def test_no_arguments_and_no_outputs(kind):
    nothing = identity((), TupleSpec((NoneLeaf(), StaticLeaf(3))), ())
    assert jitted(kind, nothing)() == (None, 3)
    leaf = ArrayLeaf(VECTOR, -1)
    assert jitted(kind, identity((leaf,), NoneLeaf(), ()))(vector(kind)) is None


def test_hidden_arrays(kind):
    keepalive, kernel = add(8)
    leaf = ArrayLeaf(VECTOR, 0)
    constant = vector(kind, 100.0)
    plan = Plan((leaf,), (), leaf, (VECTOR,), kernel, hidden=(constant,), keepalive=keepalive)
    f = jitted(kind, plan)
    x = vector(kind)
    assert f(x).tolist() == [100.0 + 2 * i for i in range(8)]
    constant.delete()
    assert f(x) is MISSED
    bad = Plan((leaf,), (), leaf, (VECTOR,), kernel, hidden=(np.zeros(8),), keepalive=keepalive)
    with pytest.raises(ArgumentError, match="ndarray"):
        add_plan(f, bad)


def test_workspace_and_alignment(kind):
    seen = []

    def kernel(address):
        seen.append(np.ctypeslib.as_array((np.ctypeslib.ctypes.c_int64 * 4).from_address(address)))
        seen[-1] = seen[-1].copy()
        return 0

    keepalive, pointer = calling(kernel)
    leaf, number = ArrayLeaf(VECTOR, 0), ScalarLeaf("float", F32, 1)
    plan = Plan(
        (leaf, number), (), leaf, (VECTOR,), pointer, workspace_bytes=5000, keepalive=keepalive
    )
    f = jitted(kind, plan)
    x = vector(kind)
    y = f(x, 1.0)
    source, _, out, workspace = seen[0]
    assert source == kind.address(x)
    assert out == kind.address(y)
    assert out % 64 == workspace % 64 == 0
    assert workspace not in (source, out)


def test_many_plans(kind):
    avals = [aval((1 + i,)) for i in range(300)]
    f = kind.JitFunction(slow)
    plans = [one(ArrayLeaf(each, 0), each) for each in avals]
    for plan in plans:
        add_plan(f, plan)
    assert plan_count(f) == 256
    arrays = [vector(kind, of=each) for each in avals]
    for _ in range(3):
        for array in arrays[-256:]:
            assert f(array).tolist() == array.tolist()
    for array in arrays[:44]:
        assert f(array) is MISSED
    add_plan(f, plans[0])
    assert f(arrays[0]) is not MISSED
    assert plan_count(f) == 256
    clear_plans(f)
    assert plan_count(f) == 0
    assert f(arrays[0]) is MISSED


def test_the_least_recently_used_plan_is_dropped(kind):
    avals = [aval((1 + i,)) for i in range(257)]
    f = kind.JitFunction(slow)
    for each in avals[:256]:
        add_plan(f, one(ArrayLeaf(each, 0), each))
    oldest = vector(kind, of=avals[0])
    assert f(oldest) is not MISSED
    add_plan(f, one(ArrayLeaf(avals[256], 0), avals[256]))
    assert f(oldest) is not MISSED
    assert f(vector(kind, of=avals[1])) is MISSED


def test_adding_a_plan_again_keeps_one(kind):
    plan = one(ArrayLeaf(VECTOR, 0))
    f = jitted(kind, plan, plan, plan)
    assert plan_count(f) == 1
    assert f(vector(kind)) is not MISSED


def test_the_newest_plan_comes_first(kind):
    leaf = ArrayLeaf(VECTOR, 0)
    first = identity((leaf,), TupleSpec((StaticLeaf(1), leaf)), (VECTOR,))
    second = identity((leaf,), TupleSpec((StaticLeaf(2), leaf)), (VECTOR,))
    f = jitted(kind, first, second)
    assert f(vector(kind))[0] == 2
    add_plan(f, first)
    assert f(vector(kind))[0] == 1


def test_plans_of_settings(kind):
    leaf = ArrayLeaf(VECTOR, 0)
    with config.scoped(enable_x64=True):
        inside = config.settings

    def plan(number, settings):
        result = TupleSpec((StaticLeaf(number), leaf))
        return identity((leaf,), result, (VECTOR,), settings=settings)

    f = jitted(kind, plan(1, inside), plan(2, NO_SETTINGS))
    x = vector(kind)
    for _ in range(2):
        assert f(x)[0] == 2
        with config.scoped(enable_x64=True):
            assert f(x)[0] == 1
            with config.scoped(enable_x64=False):
                assert f(x) is MISSED
            with config.scoped(check=False):
                assert f(x)[0] == 1
        with config.scoped(tape_bytes=100):
            assert f(x) is MISSED
    add_plan(f, plan(3, None))
    assert f(x)[0] == 3
    with config.scoped(tape_bytes=100):
        assert f(x)[0] == 3


def test_guard(kind):
    f = jitted(kind, one(ArrayLeaf(VECTOR, 0)))
    x = vector(kind)
    kind.guard_enter()
    kind.guard_enter()
    try:
        assert f(x) is MISSED
        kind.guard_exit()
        assert f(x) is MISSED
    finally:
        kind.guard_exit()
    assert f(x) is not MISSED
