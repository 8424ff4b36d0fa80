"""Jitted functions: errors, identity, lifetime, and code that meddles during a call."""

from __future__ import annotations

import functools
import gc
import inspect
import weakref

import numpy as np
import pytest

from tests.runtime.plans import MISSED, Rude, identity, jitted, one, slow, vector
from tests.runtime.programs import F32, MATRIX, VECTOR, add, aval, calling, copy, failing
from xform.errors import ArgumentError, DonatedBufferError
from xform.runtime.dispatch import (
    ArrayLeaf,
    DictSpec,
    ListSpec,
    NumpyLeaf,
    Plan,
    StaticLeaf,
    TupleSpec,
    add_plan,
    clear_plans,
    plan_count,
)


@pytest.mark.parametrize("release_gil", [False, True])
def test_failing_kernels(kind, release_gil):
    leaf = ArrayLeaf(VECTOR, 0)
    x = vector(kind)
    for name, error, message in [
        ("fail", ValueError, "from kernel"),
        ("fail_silently", RuntimeError, "without saying why"),
    ]:
        keepalive, kernel = failing(name)
        f = jitted(
            kind,
            Plan(
                (leaf,),
                (),
                TupleSpec((leaf, ArrayLeaf(VECTOR, 1))),
                (VECTOR, VECTOR),
                kernel,
                release_gil=release_gil,
                workspace_bytes=64,
                keepalive=keepalive,
            ),
        )
        for _ in range(3):
            with pytest.raises(error, match=message):
                f(x)
        assert not x.is_deleted()


def test_errors_of_the_slow_path(kind):
    f = kind.JitFunction(lambda *args: 1 // 0)
    with pytest.raises(ZeroDivisionError) as caught:
        f(3)
    assert caught.traceback[-1].name == "<lambda>"

    g = kind.JitFunction(lambda *args: g(*args))
    with pytest.raises(RecursionError):
        g(1)


def test_outputs_that_cannot_be_allocated(kind):
    huge = aval((2**44,), np.float32)
    keepalive, kernel = copy((8 * 4,))
    result = TupleSpec((ArrayLeaf(VECTOR, 0), ArrayLeaf(huge, 1)))
    plan = Plan((ArrayLeaf(VECTOR, 0),), (), result, (VECTOR, huge), kernel, keepalive=keepalive)
    with pytest.raises(MemoryError, match=str(2**46)):
        jitted(kind, plan)(vector(kind))


def test_a_deleted_argument_takes_the_slow_path(kind):
    f = jitted(kind, one(ArrayLeaf(VECTOR, 0)), slow=lambda x: x.tolist())
    x = vector(kind)
    x.delete()
    with pytest.raises(DonatedBufferError):
        f(x)


def test_a_jitted_function_is_a_function(kind):
    def python(self, x, *, mode=None):
        """Say what it does."""
        return "python", x

    f = kind.JitFunction(python)
    functools.update_wrapper(f, python)
    f.lower = "attribute"
    assert f.__name__ == "python"
    assert f.__doc__ == "Say what it does."
    assert f.__wrapped__ is python
    assert f.lower == "attribute"
    assert vars(f)["lower"] == "attribute"
    assert str(inspect.signature(f)) == "(self, x, *, mode=None)"
    assert callable(f)

    class Holder:
        method = f

    holder = Holder()
    assert Holder.method is f
    assert holder.method(3) == ("python", 3)
    assert holder.method.__self__ is holder
    assert f(None, 4) == ("python", 4)
    assert f.__call__(None, 4) == ("python", 4)
    assert f.__get__(holder)(5) == ("python", 5)
    assert f.__get__(None, Holder) is f
    assert weakref.ref(f)() is f
    del f.lower
    assert not hasattr(f, "lower")


@pytest.mark.parametrize("args", [(), (1,), (len, len)], ids=str)
def test_jitted_functions_are_made_of_callables(kind, args):
    with pytest.raises(TypeError):
        kind.JitFunction(*args)


def test_methods_hit_plans(kind):
    leaf = ArrayLeaf(VECTOR, 0)

    class Model:
        pass

    model = Model()
    Model.apply = jitted(kind, identity((StaticLeaf(model), leaf), leaf, (VECTOR,)))
    assert model.apply(vector(kind)) is not MISSED
    assert Model().apply(vector(kind)) is MISSED


@pytest.mark.parametrize("how", ["dict", "slow", "static", "keepalive", "result"])
def test_cycles_are_collected(kind, how):
    class Node:
        pass

    node = Node()
    node.array = vector(kind)
    leaf = ArrayLeaf(VECTOR, 0)
    bound = functools.partial(getattr, node) if how == "slow" else slow
    f = kind.JitFunction(bound)
    node.function = f
    keepalive, kernel = copy((32,))
    if how == "dict":
        f.node = node
    else:
        static = StaticLeaf(node if how == "static" else 0)
        result = StaticLeaf(node if how == "result" else 0)
        owner = (keepalive, node if how == "keepalive" else None)
        plan = Plan(
            (leaf, static), (), TupleSpec((leaf, result)), (VECTOR,), kernel, keepalive=owner
        )
        add_plan(f, plan)
        del static, result, owner, plan
    references = weakref.ref(f), weakref.ref(node), weakref.ref(node.array)
    del f, node, bound
    gc.collect()
    assert [reference() for reference in references] == [None, None, None]


def test_a_plan_keeps_what_it_needs(kind):
    constant = vector(kind, 5.0)
    keepalive, kernel = add(8)
    key = "".join(["ke", "y"])
    leaf = ArrayLeaf(VECTOR, 0)
    plan = Plan(
        (DictSpec((key,), (leaf,)),),
        (),
        DictSpec((key,), (leaf,)),
        (VECTOR,),
        kernel,
        hidden=(constant,),
        keepalive=keepalive,
    )
    f = jitted(kind, plan)
    reference = weakref.ref(constant)
    del constant, plan, key
    gc.collect()
    assert f({"key": vector(kind)})["key"].tolist() == [5.0 + 2 * i for i in range(8)]
    clear_plans(f)
    gc.collect()
    assert reference() is None


def test_comparisons_that_change_the_plans(kind):
    """A static value's comparison may drop the plan it is compared for, or add others."""
    leaf = ArrayLeaf(VECTOR, 0)
    x = vector(kind)
    f = kind.JitFunction(slow)
    outcome = True

    def meddle():
        clear_plans(f)
        add_plan(f, one(ArrayLeaf(MATRIX, 0), MATRIX))
        gc.collect()
        return outcome

    for outcome in (True, False):
        clear_plans(f)
        for _ in range(8):
            plan = identity((leaf, StaticLeaf(Rude(meddle))), leaf, (VECTOR,))
            add_plan(f, plan)
        del plan
        found = f(x, Rude())
        assert (found is MISSED) == (not outcome)
        assert plan_count(f) == 1
        if outcome:
            assert found.tolist() == x.tolist()


def test_comparisons_that_change_the_arguments(kind):
    leaf = ArrayLeaf(VECTOR, 0)
    nested = ListSpec((leaf, StaticLeaf(Rude(lambda: empty())), ListSpec((ArrayLeaf(VECTOR, 1),))))
    f = jitted(kind, identity((nested,), leaf, (VECTOR, VECTOR)))
    argument = []

    def empty():
        argument.clear()
        gc.collect()
        [vector(kind, 77.0) for _ in range(20)]
        return True

    for _ in range(20):
        argument[:] = [vector(kind), Rude(), [vector(kind)]]
        found = f(argument)
        assert found is MISSED or found.tolist() == list(range(8))


def test_kernels_that_change_the_plans(kind):
    leaf = ArrayLeaf(VECTOR, 0)

    def kernel(address):
        clear_plans(f)
        gc.collect()
        return 0

    for depth in (0, 10):
        keepalive, pointer = calling(kernel)
        plan = Plan((leaf,), (), leaf, (VECTOR,), pointer, keepalive=keepalive)
        f = jitted(kind, plan, *[one(ArrayLeaf(aval((i + 20,)), 0)) for i in range(depth)])
        del plan, keepalive
        assert f(vector(kind)) is not MISSED
        assert plan_count(f) == 0


def test_kernels_that_delete_their_input(kind):
    leaf = ArrayLeaf(VECTOR, 0)
    seen = []

    def kernel(address):
        x.delete()
        others.extend(vector(kind, 50.0) for _ in range(4))
        pointer = np.ctypeslib.ctypes.c_int64.from_address(address).value
        seen.extend((np.ctypeslib.ctypes.c_float * 8).from_address(pointer))
        return 0

    keepalive, pointer = calling(kernel)
    f = jitted(kind, Plan((leaf,), (), leaf, (VECTOR,), pointer, keepalive=keepalive))
    x, others = vector(kind), []
    f(x)
    assert seen == list(range(8))
    assert x.is_deleted()


def test_plans_that_make_no_sense():
    leaf = ArrayLeaf(VECTOR, 0)
    for arguments, result, out_avals, options in [
        ((leaf, leaf), leaf, (VECTOR,), {}),
        ((ArrayLeaf(VECTOR, 1),), leaf, (VECTOR,), {}),
        ((leaf,), ArrayLeaf(VECTOR, 1), (VECTOR,), {}),
        ((leaf,), ArrayLeaf(VECTOR, -1), (VECTOR,), {}),
        ((leaf,), NumpyLeaf(F32, (8,), 0), (VECTOR,), {}),
        ((leaf,), leaf, (VECTOR,), {"donated": (1,)}),
        ((NumpyLeaf(F32, (8,), 0),), leaf, (VECTOR,), {"donated": (0,)}),
        ((leaf,), leaf, (VECTOR,), {"aliases": ((0, 0),)}),
        ((leaf,), leaf, (VECTOR,), {"donated": (0,), "aliases": ((0, 1),)}),
        ((leaf,), leaf, (VECTOR,), {"donated": (0,), "aliases": ((0, 0), (0, 0))}),
        ((leaf,), leaf, (VECTOR,), {"kwnames": ("a", "b")}),
    ]:
        kwnames = options.pop("kwnames", ())
        with pytest.raises(ArgumentError):
            Plan(arguments, kwnames, result, out_avals, 0, **options)
    with pytest.raises(ArgumentError):
        DictSpec(("a",), ())
