"""Pytrees: taking apart undoes putting together; structures, paths, registration, errors."""

import dataclasses
import functools
import json
from collections import OrderedDict, defaultdict, namedtuple
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from xform import tree, tree_util
from xform.errors import ArgumentError, TreeError

Point = namedtuple("Point", ["x", "y"])


@tree.register_pytree_node_class
class Box:
    """A container without keys."""

    def __init__(self, *content, tag="t"):
        self.content, self.tag = content, tag

    def tree_flatten(self):
        return self.content, self.tag

    @classmethod
    def tree_unflatten(cls, data, children):
        return cls(*children, tag=data)

    def __eq__(self, other):
        return (self.content, self.tag) == (other.content, other.tag)

    __hash__ = None


@tree.register_dataclass
@dataclasses.dataclass
class Layer:
    """A container with keys and static data."""

    w: object
    b: object = None
    name: str = tree.static(default="dense")


def containers(children):
    keys = st.text("abc", max_size=2)
    return (
        st.lists(children, max_size=3)
        | st.lists(children, max_size=3).map(tuple)
        | st.dictionaries(keys, children, max_size=3)
        | st.dictionaries(keys, children, max_size=3).map(OrderedDict)
        | st.dictionaries(keys, children, max_size=3).map(lambda d: defaultdict(list, d))
        | st.builds(Point, children, children)
        | st.builds(Box, children, children)
        | st.builds(Layer, children, children, st.sampled_from("nm"))
    )


trees = st.recursive(st.integers() | st.none(), containers, max_leaves=8)


@given(trees)
def test_putting_together_undoes_taking_apart(value):
    leaves, treedef = tree.flatten(value)
    assert tree.unflatten(treedef, leaves) == value
    assert treedef.num_leaves == len(leaves)
    assert tree.flatten(treedef.unflatten(leaves)) == (leaves, treedef)
    assert treedef == tree.structure(value)
    assert hash(treedef) == hash(tree.structure(value))


@given(trees)
def test_paths_lead_to_the_leaves(value):
    pairs, treedef = tree.flatten_with_path(value)
    assert treedef == tree.structure(value)
    assert [leaf for _, leaf in pairs] == tree.leaves(value)
    assert len({path for path, _ in pairs}) == len(pairs)
    for path, leaf in pairs:
        if not any(isinstance(key, tree.FlattenedIndexKey) for key in path):
            assert eval(f"value{tree.keystr(path)}", {"value": value}) == leaf


@given(trees, trees)
def test_composed_structures(outer, inner):
    first, second = tree.structure(outer), tree.structure(inner)
    whole = first.compose(second)
    assert whole.num_leaves == first.num_leaves * second.num_leaves
    assert whole == tree.structure(tree.map(lambda _: inner, outer))


@given(trees, trees)
def test_a_tree_has_another_structure_or_is_taken_apart(value, other):
    treedef = tree.structure(value)
    try:
        parts = treedef.flatten_up_to(other)
    except TreeError as error:
        assert error.expected.startswith("at ")
    else:
        assert treedef.unflatten(parts) == other


@given(trees)
def test_map_is_a_functor(value):
    assert tree.map(lambda x: x, value) == value
    twice = tree.map(lambda x: -x, tree.map(lambda x: x + 1, value))
    assert twice == tree.map(lambda x: -(x + 1), value)
    assert tree.map(lambda x, y: x - y, value, value) == tree.map(lambda x: 0, value)


@given(trees, trees)
def test_transposing_twice(outer, inner):
    first, second = tree.structure(outer), tree.structure(inner)
    value = first.compose(second).unflatten(range(first.num_leaves * second.num_leaves))
    turned = tree.transpose(first, second, value)
    assert tree.structure(turned) == second.compose(first)
    assert tree.transpose(second, first, turned) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "*"),
        (None, "None"),
        ((), "()"),
        ((1,), "(*,)"),
        ({"b": 1, "a": (2, [3, None])}, "{'a': (*, [*, None]), 'b': *}"),
        (Point(1, 2), "CustomNode(namedtuple[Point], [*, *])"),
        (Box(1), "CustomNode(Box[t], [*])"),
        (Layer(1, 2), "CustomNode(Layer[('dense',)], [*, *])"),
        (OrderedDict(b=1, a=2), "CustomNode(OrderedDict[('b', 'a')], [*, *])"),
        (
            defaultdict(list, b=1, a=2),
            "CustomNode(defaultdict[(<class 'list'>, ('a', 'b'))], [*, *])",
        ),
    ],
)
def test_structures_print_as_in_jax(value, text):
    assert repr(tree.structure(value)) == f"PyTreeDef({text})"


def test_structures():
    treedef = tree.structure({"a": 1, "b": (2, 3)})
    assert treedef.num_nodes == 5
    assert treedef.node_data() == (dict, ("a", "b"))
    assert treedef.children() == [tree.structure(0), tree.structure((0, 0))]
    assert tree.structure(0).node_data() is None
    assert tree.treedef_tuple(treedef.children()) == tree.structure((1, (2, 3)))
    assert tree.structure((1, 2)) != tree.structure([1, 2])
    assert tree.structure({"a": 1}) != tree.structure({"b": 1})
    assert tree.structure(Box(1)) != tree.structure(Box(1, tag="u"))
    assert treedef != "a structure"


def test_dicts_are_taken_in_the_order_of_their_keys():
    assert tree.leaves({"b": 1, "a": 2}) == [2, 1]
    assert tree.leaves(OrderedDict(b=1, a=2)) == [1, 2]
    with pytest.raises(TreeError, match="keys can be sorted"):
        tree.flatten({1: 2, "a": 3})


def test_subclasses_of_containers_are_leaves():
    class MyList(list):
        pass

    assert tree.all_leaves([MyList([1])])
    assert tree.is_tree_node(Point)
    assert not tree.is_tree_node(MyList)


def test_is_leaf():
    def pair(x):
        return isinstance(x, tuple)

    value = [(1, 2), {"a": (3, 4)}]
    assert tree.leaves(value, is_leaf=pair) == [(1, 2), (3, 4)]
    assert tree.map(len, value, is_leaf=pair) == [2, {"a": 2}]
    assert tree.leaves([None, 1], is_leaf=lambda x: x is None) == [None, 1]
    at_a = tree.leaves_with_path(
        value, is_leaf=lambda path, _: len(path) == 1, is_leaf_takes_path=True
    )
    assert [leaf for _, leaf in at_a] == value


def test_the_rest_may_go_on_below_the_leaves():
    assert tree.map(lambda x, y: (x, y), [1, 2], [(3, 4), None]) == [(1, (3, 4)), (2, None)]


@pytest.mark.parametrize(
    ("first", "second", "place", "expected", "got"),
    [
        ((1, 2), (1,), "the root of the tree", "a tuple of 2", "a tuple of 1"),
        ((1, 2), [1, 2], "the root of the tree", "a tuple of 2", "a list of 2"),
        (
            {"params": {"w": (1, 2)}},
            {"params": {"w": np.zeros(3, "f4")}},
            "['params']['w']",
            "a tuple of 2",
            "a leaf float32[3]",
        ),
        ([{"a": 1}], [{"b": 1}], "[0]", "a dict with the keys 'a'", "a dict with the keys 'b'"),
        ([Layer(1, (2,))], [Layer(1, 2)], "[0].b", "a tuple of 1", "a leaf int"),
        ((Box((1,)),), (Box(1),), "[0][<flat index 0>]", "a tuple of 1", "a leaf int"),
        (Point(None, 1), Point(0, 1), ".x", "None", "a leaf int"),
        (
            [Box(1, tag="s")],
            [Box(1)],
            "[0]",
            "a Box of 1 child with the static data 's'",
            "a Box of 1 child with the static data 't'",
        ),
    ],
)
def test_errors_name_the_place(first, second, place, expected, got):
    with pytest.raises(TreeError) as caught:
        tree.map(lambda x, y: x, first, second)
    assert caught.value.expected == f"at {place}: expected {expected}"
    assert caught.value.got == got


def test_wrong_numbers_of_leaves():
    for leaves in ([1], [1, 2, 3], iter([1])):
        with pytest.raises(TreeError, match="expected 2 leaves"):
            tree.structure((1, 2)).unflatten(leaves)


def test_static_data_must_be_hashable():
    treedef = tree.structure(Box(1, tag={}))
    with pytest.raises(TreeError, match="static data of Box to be hashable"):
        hash(treedef)


def test_reductions():
    assert tree.reduce(lambda x, y: x + y, {"a": "p", "b": ["q", "r"]}) == "pqr"
    assert tree.reduce(lambda x, y: x + y, (), 0) == 0
    assert tree.reduce(lambda x, y: [x, y], (1, 2), None) == [[None, 1], 2]
    assert tree.reduce_associative(lambda x, y: [x, y], [1, 2, 3]) == [[1, 2], 3]
    assert tree.reduce_associative(max, None, identity=0) == 0
    assert tree.all([True, (1, None)])
    for function in (tree.reduce, tree.reduce_associative):
        with pytest.raises(TreeError, match="at least one leaf"):
            function(max, ())


def test_transpose_infers_the_inner_structure():
    rows = [(1, 2), (3, 4)]
    assert tree.transpose(tree.structure([0, 0]), None, rows) == ([1, 3], [2, 4])
    with pytest.raises(TreeError):
        tree.transpose(tree.structure([0, 0]), tree.structure([0]), rows)


def test_prefixes():
    full = ([7, 8], {"a": 9})
    assert tree.broadcast_prefix((0, 1), full) == [0, 0, 1]
    assert tree.broadcast(5, full) == ([5, 5], {"a": 5})
    assert tree.broadcast_prefix((None, 0), (None, 1), is_leaf=lambda x: x is None) == [None, 0]
    with pytest.raises(TreeError, match=r"at \[1\]"):
        tree.broadcast_prefix((0, [1]), full)


def test_partial():
    bound = tree.Partial(pow, 2, mod=5)
    assert tree.leaves(bound) == [2, 5]
    doubled = tree.map(lambda x: x + 1, bound)
    assert (doubled.args, doubled.keywords, doubled.func) == ((3,), {"mod": 6}, pow)
    assert tree.leaves(tree.Partial(bound, 4)) == [2, 4, 5]
    plain = functools.partial(pow, 2)
    assert tree.leaves(tree.Partial(plain, 3)) == [3]
    assert tree.Partial(plain, 3)() == 8
    assert tree.structure(tree.Partial(plain, 3)) == tree.structure(tree.Partial(plain, 4))


def test_dataclasses():
    @dataclasses.dataclass
    class Plain:
        a: int
        b: int = 2
        c: int = 3

    with pytest.raises(ArgumentError, match="the fields of"):
        tree.register_dataclass(Plain, ["a"], ["b"])
    tree.register_dataclass(Plain, ["a"], ["b"], drop_fields=["c"])
    value = tree.map(lambda x: 10 * x, Plain(1, 5, 7))
    assert value == Plain(10, 5, 3)
    with pytest.raises(ArgumentError, match="not yet a pytree"):
        tree.register_dataclass(Plain, ["a"], ["b", "c"])


def test_a_class_may_be_registered_after_it_was_met():
    class Late:
        def __init__(self, x):
            self.x = x

    assert tree.all_leaves([Late(1)])
    tree.register_pytree_with_keys(
        Late, lambda v: (((tree.GetAttrKey("x"), v.x),), None), lambda _, c: Late(*c)
    )
    assert tree.leaves_with_path(Late(1)) == [((tree.GetAttrKey("x"),), 1)]


def test_one_level():
    assert tree.flatten_one_level({"b": [1], "a": 2}) == ([2, [1]], ("a", "b"))
    with pytest.raises(TreeError, match="a container"):
        tree.flatten_one_level(1)


def test_the_face_has_the_names_of_jax():
    names = json.loads((Path(__file__).parent / "data" / "tree_util.json").read_text())
    assert sorted(tree_util.__all__) == sorted(names)
    assert tree_util.tree_map is tree.map
