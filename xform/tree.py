"""Pytrees: nested containers of leaves, taken apart into a list and put together again.

Containers are tuples, lists, dicts (in the order of their sorted keys), `OrderedDict`,
`defaultdict`, named tuples, None (a container of nothing), and the classes registered here.
Everything else is a leaf.

>>> leaves_, treedef = flatten({"b": (1, 2), "a": 3})
>>> leaves_
[3, 1, 2]
>>> treedef
PyTreeDef({'a': *, 'b': (*, *)})
>>> treedef.unflatten("xyz")
{'a': 'x', 'b': ('y', 'z')}
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from xform.errors import TreeError
from xform.treedef import (
    LEAF,
    TreeDef,
    flatten,
    flatten_one_level,
    flatten_one_level_with_keys,
    flatten_with_path,
)
from xform.treenode import (
    DictKey,
    FlattenedIndexKey,
    GetAttrKey,
    KeyEntry,
    KeyPath,
    Partial,
    SequenceKey,
    is_tree_node,
    keystr,
    register_dataclass,
    register_pytree_node,
    register_pytree_node_class,
    register_pytree_with_keys,
    register_pytree_with_keys_class,
    register_static,
    static,
)
from xform.typing import IsLeaf, PyTree

__all__ = [
    "DictKey",
    "FlattenedIndexKey",
    "GetAttrKey",
    "KeyEntry",
    "KeyPath",
    "Partial",
    "SequenceKey",
    "TreeDef",
    "all",
    "all_leaves",
    "broadcast",
    "broadcast_prefix",
    "flatten",
    "flatten_one_level",
    "flatten_one_level_with_keys",
    "flatten_with_path",
    "is_tree_node",
    "keystr",
    "leaves",
    "leaves_with_path",
    "map",
    "map_with_path",
    "reduce",
    "reduce_associative",
    "register_dataclass",
    "register_pytree_node",
    "register_pytree_node_class",
    "register_pytree_with_keys",
    "register_pytree_with_keys_class",
    "register_static",
    "static",
    "structure",
    "transpose",
    "treedef_children",
    "treedef_is_leaf",
    "treedef_tuple",
    "unflatten",
]

_Predicate: TypeAlias = Callable[..., bool] | None


class _Unset:
    """The type of a default that no caller can pass by accident."""


_UNSET = _Unset()


def unflatten(treedef: TreeDef, leaves: Iterable[Any]) -> PyTree:
    """Put a pytree together from its structure and its leaves.

    Args:
        treedef: the structure.
        leaves: as many values as the structure has leaves.

    Raises:
        TreeError: there are too few or too many leaves.

    >>> unflatten(structure((0, [0])), [1, 2])
    (1, [2])
    """
    return treedef.unflatten(leaves)


def leaves(tree: PyTree, is_leaf: IsLeaf | None = None) -> list[Any]:
    """List the leaves of a pytree.

    Args:
        tree: the pytree.
        is_leaf: called on every node; true makes it a leaf.

    >>> leaves({"b": 2, "a": [1, None]})
    [1, 2]
    """
    return flatten(tree, is_leaf)[0]


def structure(tree: PyTree, is_leaf: IsLeaf | None = None) -> TreeDef:
    """Give the structure of a pytree.

    Args:
        tree: the pytree.
        is_leaf: called on every node; true makes it a leaf.

    >>> structure([1, (2, None)])
    PyTreeDef([*, (*, None)])
    """
    return flatten(tree, is_leaf)[1]


def map(
    f: Callable[..., Any], tree: PyTree, *rest: PyTree, is_leaf: IsLeaf | None = None
) -> PyTree:
    """Apply a function to every leaf of a pytree.

    Args:
        f: takes a leaf of `tree` and, of each tree in `rest`, the part at the same place.
        tree: the pytree whose structure the result has.
        *rest: pytrees that have the structure of `tree`, or continue below its leaves.
        is_leaf: called on every node of `tree`; true makes it a leaf.

    Returns:
        A pytree of the structure of `tree` that holds what `f` returned.

    Raises:
        TreeError: a tree in `rest` does not have the structure of `tree`.

    >>> map(lambda x, y: x + y, {"a": 1, "b": (2,)}, {"a": 10, "b": (20,)})
    {'a': 11, 'b': (22,)}
    """
    first, treedef = flatten(tree, is_leaf)
    if not rest:
        return treedef.unflatten([f(leaf) for leaf in first])
    others = [treedef.flatten_up_to(other) for other in rest]
    return treedef.unflatten([f(*parts) for parts in zip(first, *others, strict=True)])


def map_with_path(
    f: Callable[..., Any],
    tree: PyTree,
    *rest: PyTree,
    is_leaf: _Predicate = None,
    is_leaf_takes_path: bool = False,
) -> PyTree:
    """Apply a function to the path and value of every leaf of a pytree.

    Args:
        f: takes a path (a tuple of keys), a leaf of `tree`, and the part of each tree in `rest`
            at the same place.
        tree: the pytree whose structure the result has.
        *rest: pytrees that have the structure of `tree`, or continue below its leaves.
        is_leaf: called on every node of `tree`; true makes it a leaf.
        is_leaf_takes_path: whether `is_leaf` takes the path before the node.

    Raises:
        TreeError: a tree in `rest` does not have the structure of `tree`.

    >>> map_with_path(lambda path, x: f"x{keystr(path)} = {x}", [1, {"a": 2}])
    ['x[0] = 1', {'a': "x[1]['a'] = 2"}]
    """
    pairs, treedef = flatten_with_path(tree, is_leaf, is_leaf_takes_path)
    others = [treedef.flatten_up_to(other) for other in rest]
    rows = zip(pairs, *others, strict=True)
    return treedef.unflatten([f(*pair, *parts) for pair, *parts in rows])


def leaves_with_path(
    tree: PyTree, is_leaf: _Predicate = None, is_leaf_takes_path: bool = False
) -> list[tuple[KeyPath, Any]]:
    """List the paths and leaves of a pytree.

    Args:
        tree: the pytree.
        is_leaf: called on every node; true makes it a leaf.
        is_leaf_takes_path: whether `is_leaf` takes the path before the node.

    >>> leaves_with_path({"a": [5]})
    [((DictKey(key='a'), SequenceKey(idx=0)), 5)]
    """
    return flatten_with_path(tree, is_leaf, is_leaf_takes_path)[0]


def all(tree: PyTree, *, is_leaf: IsLeaf | None = None) -> bool:
    """Say whether every leaf of a pytree is true.

    Args:
        tree: the pytree.
        is_leaf: called on every node; true makes it a leaf.

    >>> all({"a": True, "b": (1, 0)})
    False
    """
    return False not in [bool(leaf) for leaf in leaves(tree, is_leaf)]


def all_leaves(iterable: Iterable[Any], is_leaf: IsLeaf | None = None) -> bool:
    """Say whether every element is a leaf.

    Args:
        iterable: the elements.
        is_leaf: called on every element; true makes it a leaf.

    >>> all_leaves([1, 2.0]), all_leaves([1, None])
    (True, False)
    """
    return not [x for x in iterable if structure(x, is_leaf) is not LEAF]


def reduce(
    function: Callable[[Any, Any], Any],
    tree: PyTree,
    initializer: Any = _UNSET,
    is_leaf: IsLeaf | None = None,
) -> Any:
    """Combine the leaves of a pytree from the first to the last.

    Args:
        function: takes the result so far and a leaf.
        tree: the pytree.
        initializer: the result before the first leaf; without it, the first leaf.
        is_leaf: called on every node; true makes it a leaf.

    >>> reduce(lambda x, y: x + y, {"a": 1, "b": [2, 3]})
    6
    """
    values = leaves(tree, is_leaf)
    if isinstance(initializer, _Unset):
        if not values:
            raise TreeError(
                "expected a tree with at least one leaf",
                f"{structure(tree)}",
                instead="tree.reduce(f, x, 0)",
            )
        return functools.reduce(function, values)
    return functools.reduce(function, values, initializer)


def reduce_associative(
    operation: Callable[[Any, Any], Any],
    tree: PyTree,
    *,
    identity: Any = _UNSET,
    is_leaf: IsLeaf | None = None,
) -> Any:
    """Combine the leaves of a pytree in pairs, then the results in pairs, and so on.

    Args:
        operation: an associative function of two leaves.
        tree: the pytree.
        identity: the result for a tree without leaves.
        is_leaf: called on every node; true makes it a leaf.

    >>> reduce_associative(lambda x, y: f"({x}{y})", list("abcd"))
    '((ab)(cd))'
    """
    values = leaves(tree, is_leaf)
    if not values:
        if isinstance(identity, _Unset):
            raise TreeError(
                "expected a tree with at least one leaf, or an identity", f"{structure(tree)}"
            )
        return identity
    while len(values) > 1:
        last = values[-1:] if len(values) % 2 else []
        pairs = zip(values[::2], values[1::2], strict=False)
        values = [operation(x, y) for x, y in pairs] + last
    return values[0]


def transpose(
    outer_treedef: TreeDef, inner_treedef: TreeDef | None, pytree_to_transpose: PyTree
) -> PyTree:
    """Turn a tree of trees inside out.

    Args:
        outer_treedef: the structure of the outside.
        inner_treedef: the structure at each leaf of it; None takes that of the first.
        pytree_to_transpose: a tree of the structure ``outer_treedef.compose(inner_treedef)``.

    Returns:
        The same leaves, in the structure ``inner_treedef.compose(outer_treedef)``.

    Raises:
        TreeError: the tree does not have that structure.

    >>> transpose(structure([0, 0]), structure((0, 0)), [(1, 2), (3, 4)])
    ([1, 3], [2, 4])
    """
    parts = outer_treedef.flatten_up_to(pytree_to_transpose)
    if inner_treedef is None:
        if not parts:
            raise TreeError(
                "expected an outer structure with leaves, or the inner structure",
                f"{outer_treedef} and None",
            )
        inner_treedef = structure(parts[0])
    rows = [inner_treedef.flatten_up_to(part) for part in parts]
    if outer_treedef.num_leaves == 0:
        rows_by_inner: list[list[Any]] = [[] for _ in range(inner_treedef.num_leaves)]
    else:
        rows_by_inner = [list(column) for column in zip(*rows, strict=True)]
    return inner_treedef.unflatten([outer_treedef.unflatten(column) for column in rows_by_inner])


def broadcast_prefix(
    prefix_tree: PyTree, full_tree: PyTree, is_leaf: IsLeaf | None = None
) -> list[Any]:
    """Repeat each leaf of a prefix for every leaf that a full tree has below that place.

    Args:
        prefix_tree: a pytree that has a leaf where the full tree may go on.
        full_tree: the full tree.
        is_leaf: called on every node of either tree; true makes it a leaf.

    Returns:
        One leaf of the prefix for each leaf of the full tree.

    Raises:
        TreeError: `prefix_tree` is not a prefix of `full_tree`.

    >>> broadcast_prefix((0, None), ([7, 8], None))
    [0, 0]
    """
    values, treedef = flatten(prefix_tree, is_leaf)
    parts = treedef.flatten_up_to(full_tree)
    result: list[Any] = []
    for value, part in zip(values, parts, strict=True):
        result.extend([value] * structure(part, is_leaf).num_leaves)
    return result


def broadcast(prefix_tree: PyTree, full_tree: PyTree, is_leaf: IsLeaf | None = None) -> PyTree:
    """Give a prefix the structure of a full tree, repeating its leaves.

    Args:
        prefix_tree: a pytree that has a leaf where the full tree may go on.
        full_tree: the full tree.
        is_leaf: called on every node of either tree; true makes it a leaf.

    Raises:
        TreeError: `prefix_tree` is not a prefix of `full_tree`.

    >>> broadcast((0, 1), ([7, 8], 9))
    ([0, 0], 1)
    """
    values = broadcast_prefix(prefix_tree, full_tree, is_leaf)
    return structure(full_tree, is_leaf).unflatten(values)


def treedef_tuple(treedefs: Iterable[TreeDef]) -> TreeDef:
    """Give the structure of a tuple of trees.

    Args:
        treedefs: the structures of the elements.

    >>> treedef_tuple([structure(1), structure([1])])
    PyTreeDef((*, [*]))
    """
    return TreeDef(tuple, None, tuple(treedefs))


def treedef_children(treedef: TreeDef) -> list[TreeDef]:
    """List the structures of the trees directly inside a tree.

    >>> treedef_children(structure((1, [2])))
    [PyTreeDef(*), PyTreeDef([*])]
    """
    return treedef.children()


def treedef_is_leaf(treedef: TreeDef) -> bool:
    """Say whether a structure is that of a single leaf.

    >>> treedef_is_leaf(structure(1)), treedef_is_leaf(structure((1,)))
    (True, False)
    """
    return treedef.kind is None
