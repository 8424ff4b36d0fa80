"""Donated arguments: when their memory is used again, and when it must not be."""

from __future__ import annotations

import numpy as np
import pytest

from tests.runtime.programs import F32, VECTOR, add, aval, calling, copy, failing
from xform.errors import DonatedBufferError
from xform.runtime.dispatch import ArrayLeaf, DictSpec, Plan, TupleSpec, add_plan

LEAVES = (ArrayLeaf(VECTOR, 0), ArrayLeaf(VECTOR, 1))


def slow(*args):
    return "the slow path", [arg.is_deleted() for arg in args]


def adding(kind, **options):
    keepalive, kernel = add(8)
    options = {"donated": (0,), "aliases": ((0, 0),)} | options
    f = kind.JitFunction(slow)
    add_plan(f, Plan(LEAVES, (), LEAVES[0], (VECTOR,), kernel, keepalive=keepalive, **options))
    return f


def pooled(kind, start=0.0):
    """An array in memory of its own that nothing has looked at."""
    return kind.from_numpy(np.arange(8, dtype=F32) + F32.type(start), VECTOR)


EXPECTED = [1.0 + 2 * i for i in range(8)]


def test_the_output_takes_the_memory_over(kind):
    f = adding(kind)
    x, y = pooled(kind), pooled(kind, 1.0)
    address = kind.address(x)
    z = f(x, y)
    assert x.is_deleted()
    assert not y.is_deleted()
    assert kind.address(z) == address
    assert z.tolist() == EXPECTED
    del x
    others = [pooled(kind, 9.0) for _ in range(5)]
    assert kind.address(z) not in [kind.address(other) for other in others]
    assert z.tolist() == EXPECTED


def test_a_training_loop_stays_in_place(kind):
    f = adding(kind)
    x, y = pooled(kind), pooled(kind, 1.0)
    address = kind.address(x)
    for _ in range(10):
        x = f(x, y)
    assert kind.address(x) == address
    assert x.tolist() == [i + 10.0 * (i + 1) for i in range(8)]


def test_using_a_donated_array(kind):
    f = adding(kind)
    x, y = pooled(kind), pooled(kind)
    f(x, y)
    with pytest.raises(DonatedBufferError, match="donated"):
        x.tolist()
    assert "deleted" in repr(x)
    assert f(x, y) == ("the slow path", [True, False])


def test_donating_without_an_alias(kind):
    f = adding(kind, aliases=())
    x, y = pooled(kind), pooled(kind, 1.0)
    address = kind.address(x)
    z = f(x, y)
    assert x.is_deleted()
    assert kind.address(z) != address
    assert z.tolist() == EXPECTED
    assert address in [kind.address(array) for array in [pooled(kind) for _ in range(300)]]


def test_memory_that_somebody_sees_is_not_written(kind):
    f = adding(kind)
    for see in (kind.view, np.asarray, kind.writable):
        x, y = pooled(kind), pooled(kind, 1.0)
        seen = see(x)
        z = f(x, y)
        assert x.is_deleted()
        assert z.tolist() == EXPECTED
        assert seen.tolist() == list(range(8))
        del x
        assert [pooled(kind, 9.0) for _ in range(5)]
        assert seen.tolist() == list(range(8))


def test_wrapped_memory_is_not_written(kind):
    f = adding(kind)
    source = np.arange(8, dtype=F32)
    x, y = kind.wrap(source, VECTOR), pooled(kind, 1.0)
    assert f(x, y).tolist() == EXPECTED
    assert x.is_deleted()
    assert source.tolist() == list(range(8))


def test_the_same_array_twice(kind):
    f = adding(kind)
    x = pooled(kind)
    assert f(x, x).tolist() == [2.0 * i for i in range(8)]
    assert not x.is_deleted()
    assert x.tolist() == list(range(8))


def test_both_donated_and_the_same(kind):
    f = adding(kind, donated=(0, 1))
    x = pooled(kind)
    assert f(x, x).tolist() == [2.0 * i for i in range(8)]
    assert not x.is_deleted()
    y, z = pooled(kind), pooled(kind)
    f(y, z)
    assert y.is_deleted()
    assert z.is_deleted()


def test_a_hidden_array_is_not_donated(kind):
    keepalive, kernel = add(8)
    x = pooled(kind)
    f = kind.JitFunction(slow)
    leaf = LEAVES[0]
    options = {"hidden": (x,), "donated": (0,), "aliases": ((0, 0),), "keepalive": keepalive}
    add_plan(f, Plan((leaf,), (), leaf, (VECTOR,), kernel, **options))
    assert f(x).tolist() == [2.0 * i for i in range(8)]
    assert not x.is_deleted()
    assert f(pooled(kind)).tolist() == [2.0 * i for i in range(8)]


def test_sizes_that_differ_are_not_aliased(kind):
    small, large = aval((8,)), aval((4096,))
    keepalive, kernel = copy((32,))
    f = kind.JitFunction(slow)
    options = {"donated": (0,), "aliases": ((0, 0),), "keepalive": keepalive}
    plan = Plan((ArrayLeaf(small, 0),), (), ArrayLeaf(large, 0), (large,), kernel, **options)
    add_plan(f, plan)
    x = pooled(kind)
    address = kind.address(x)
    y = f(x)
    assert kind.address(y) != address
    assert x.is_deleted()
    assert kind.view(y)[:8].tolist() == list(range(8))


def test_another_dtype_of_the_same_size_is_aliased(kind):
    out = aval((2, 4), np.int32)
    keepalive, kernel = copy((32,))
    f = kind.JitFunction(slow)
    options = {"donated": (0,), "aliases": ((0, 0),), "keepalive": keepalive}
    add_plan(f, Plan((LEAVES[0],), (), ArrayLeaf(out, 0), (out,), kernel, **options))
    x = pooled(kind)
    address = kind.address(x)
    y = f(x)
    assert kind.address(y) == address
    assert y.shape == (2, 4)
    assert np.asarray(y).tobytes() == np.arange(8, dtype=F32).tobytes()


@pytest.mark.parametrize("release_gil", [False, True])
def test_a_kernel_that_fails(kind, release_gil):
    keepalive, kernel = failing("fail")
    for aliases in ((), ((0, 0),)):
        f = kind.JitFunction(slow)
        options = {"donated": (0,), "aliases": aliases, "release_gil": release_gil}
        plan = Plan((LEAVES[0],), (), LEAVES[0], (VECTOR,), kernel, keepalive=keepalive, **options)
        add_plan(f, plan)
        x = pooled(kind)
        with pytest.raises(ValueError, match="from kernel"):
            f(x)
        # Memory that was taken over may be half written; it is not shown again.
        assert x.is_deleted() == bool(aliases)


def test_donating_an_array_that_a_running_call_uses(kind):
    inner = adding(kind)
    x, y = pooled(kind), pooled(kind, 1.0)
    results = []

    def kernel(address):
        results.append(inner(x, y))
        return 0

    keepalive, pointer = calling(kernel)
    outer = kind.JitFunction(slow)
    add_plan(outer, Plan((LEAVES[0],), (), LEAVES[0], (VECTOR,), pointer, keepalive=keepalive))
    outer(x)
    assert results[0].tolist() == EXPECTED
    assert not x.is_deleted()
    assert x.tolist() == list(range(8))


def test_donating_a_tree(kind):
    keys = tuple("abcdef")
    leaves = tuple(ArrayLeaf(VECTOR, i) for i in range(6))
    keepalive, kernel = copy((32,) * 6)
    options = {"donated": tuple(range(6)), "aliases": tuple((i, i) for i in range(6))}
    plan = Plan(
        (DictSpec(keys, leaves),),
        (),
        TupleSpec((DictSpec(keys, leaves), leaves[2])),
        (VECTOR,) * 6,
        kernel,
        keepalive=keepalive,
        **options,
    )
    f = kind.JitFunction(slow)
    add_plan(f, plan)
    tree = {key: pooled(kind, 10.0 * i) for i, key in enumerate(keys)}
    addresses = [kind.address(array) for array in tree.values()]
    for _ in range(3):
        before = tree
        tree, third = f(tree)
        assert third is tree["c"]
        assert all(array.is_deleted() for array in before.values())
        assert [kind.address(array) for array in tree.values()] == addresses
    assert [array.tolist()[0] for array in tree.values()] == [10.0 * i for i in range(6)]
