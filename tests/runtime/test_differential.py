"""Random patterns and arguments: the native dispatcher must do what the Python one does."""

from __future__ import annotations

import numpy as np
from hypothesis import given, strategies as st

from tests.runtime.programs import aval, copy
from xform.runtime import array_python, dispatch_python, native
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
)

AVALS = [aval(()), aval((3,)), aval((2, 2)), aval((3,), np.int32), aval((3,), np.float32, True)]
SCALARS = [("float", "f4"), ("float", "f8"), ("int", "i4"), ("int", "u1"), ("bool", "?")]
VALUES = [0, 1, -1, 300, 2**40, True, False, 0.0, -0.0, 1.5, "a", (1, "b"), None]
KEYS = ["a", "b", "c", 1, (1, 2)]

# Values of both arguments and patterns: ("array", aval), ("numpy", aval), ("value", object), or
# a container of such.
leaves = st.one_of(
    st.tuples(st.just("array"), st.sampled_from(AVALS)),
    st.tuples(st.just("numpy"), st.sampled_from(AVALS[:4])),
    st.tuples(st.just("scalar"), st.sampled_from(SCALARS), st.sampled_from(VALUES)),
    st.tuples(st.just("static"), st.sampled_from(VALUES)),
    st.just(("none",)),
)
trees = st.recursive(
    leaves,
    lambda children: st.one_of(
        st.tuples(st.just("tuple"), st.lists(children, max_size=3)),
        st.tuples(st.just("list"), st.lists(children, max_size=3)),
        st.tuples(st.just("dict"), st.dictionaries(st.sampled_from(KEYS), children, max_size=3)),
    ),
    max_leaves=6,
)


def children_of(tree):
    return list(tree[1].values() if tree[0] == "dict" else tree[1])


def is_container(tree):
    return tree[0] in ("tuple", "list", "dict")


class Patterns:
    """Makes patterns of trees, numbering the inputs and collecting the outputs' abstract values."""

    def __init__(self):
        self.avals = []

    def index(self, of):
        self.avals.append(of)
        return len(self.avals) - 1

    def make(self, tree):
        name = tree[0]
        if is_container(tree):
            children = tuple(self.make(child) for child in children_of(tree))
            if name == "dict":
                return DictSpec(tuple(tree[1]), children)
            return (TupleSpec if name == "tuple" else ListSpec)(children)
        if name == "array":
            return ArrayLeaf(tree[1], self.index(tree[1]))
        if name == "numpy":
            return NumpyLeaf(tree[1].dtype, tree[1].shape, self.index(tree[1].strong()))
        if name == "scalar":
            kind, dtype = tree[1]
            return ScalarLeaf(kind, np.dtype(dtype), self.index(aval((), dtype)))
        return StaticLeaf(tree[1]) if name == "static" else NoneLeaf()


def result_of(spec, state):
    """A result pattern of the same shape, with the inputs' copies as its arrays."""
    if isinstance(spec, TupleSpec | ListSpec):
        return type(spec)(tuple(result_of(child, state) for child in spec.children))
    if isinstance(spec, DictSpec):
        return DictSpec(spec.keys, tuple(result_of(child, state) for child in spec.children))
    if isinstance(spec, StaticLeaf | NoneLeaf):
        return spec
    return ArrayLeaf(state.avals[spec.index], spec.index)


def argument_of(tree, make, seed):
    """The Python value a tree stands for, with arrays of one kind."""
    name = tree[0]
    if is_container(tree):
        children = [argument_of(child, make, seed) for child in children_of(tree)]
        if name == "dict":
            return dict(zip(tree[1], children, strict=True))
        return tuple(children) if name == "tuple" else children
    if name in ("array", "numpy"):
        seed.append(len(seed))
        x = np.full(tree[1].shape, len(seed), tree[1].dtype)
        return make(x, tree[1]) if name == "array" else x
    if name == "scalar":
        return tree[2]
    return tree[1] if name == "static" else None


def shown(value):
    """A value as data that compares exactly."""
    if isinstance(value, tuple | list):
        return type(value).__name__, [shown(child) for child in value]
    if isinstance(value, dict):
        return "dict", [(key, shown(child)) for key, child in value.items()]
    if type(value).__name__ == "Array":
        return value.aval, np.asarray(value).tobytes()
    return repr(value)


def outcome(arrays, functions, plans, arguments):
    function = functions.JitFunction(lambda *args: "the slow path")
    for plan in plans:
        add_plan(function, plan)
    found = []
    for trees_of_call in arguments:
        seed = []
        args = [argument_of(tree, arrays.from_numpy, seed) for tree in trees_of_call]
        found.append(shown(function(*args)))
    return found


def reordered(tree):
    """The same tree with every dict in the opposite order."""
    if not is_container(tree):
        return tree
    if tree[0] == "dict":
        return "dict", {key: reordered(tree[1][key]) for key in reversed(tree[1])}
    return tree[0], [reordered(child) for child in tree[1]]


@given(st.lists(st.lists(trees, max_size=3), min_size=1, max_size=6), st.data())
def test_both_dispatchers_agree(calls, data):
    plans = []
    for call in calls:
        state = Patterns()
        arguments = tuple(state.make(tree) for tree in call)
        result = TupleSpec(tuple(result_of(spec, state) for spec in arguments))
        keepalive, kernel = copy(tuple(each.nbytes for each in state.avals))
        plans.append(Plan(arguments, (), result, tuple(state.avals), kernel, keepalive=keepalive))
    others = data.draw(st.lists(st.lists(trees, max_size=3), max_size=3))
    mirrored = [[reordered(tree) for tree in call] for call in calls]
    everything = [*calls, *mirrored, *others, *calls]
    expected = outcome(array_python, dispatch_python, plans, everything)
    if native.runtime() is not None:
        found = outcome(native.runtime(), native.runtime(), plans, everything)
        assert found == expected
    # The calls that a plan was made from hit a plan, unless a scalar does not fit its dtype.
    assert len(expected) == len(everything)
