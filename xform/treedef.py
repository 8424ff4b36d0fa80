"""The structure of pytrees: the kinds of nodes, `TreeDef`, and taking a tree apart.

`xform.tree` is the public face; this file holds what flattening touches, and is written for speed:
a warm call of a compiled function flattens its arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from xform.errors import TreeError
from xform.treenode import KeyEntry, KeyPath, is_tree_node, keystr, node_of, nodes
from xform.typing import IsLeaf, PyTree

__all__ = [
    "LEAF",
    "TreeDef",
    "flatten",
    "flatten_one_level",
    "flatten_one_level_with_keys",
    "flatten_with_path",
]


class TreeDef:
    """The structure of a pytree: its containers, with the leaves left out.

    Two structures are equal when they put the same leaves together into equal containers. They are
    hashable where the data of registered classes are.

    Args:
        kind: the class of the container; None for a leaf.
        data: what tells it from others of its class, such as the keys of a dict.
        parts: the structures of its children.
    """

    __slots__ = ("_hash", "data", "kind", "num_leaves", "parts")

    kind: type | None
    data: Any
    parts: tuple[TreeDef, ...]
    num_leaves: int
    _hash: int | None

    def __init__(self, kind: type | None, data: Any, parts: tuple[TreeDef, ...]) -> None:
        self.kind = kind
        self.data = data
        self.parts = parts
        self.num_leaves = sum([part.num_leaves for part in parts]) if kind is not None else 1
        self._hash = None

    @property
    def num_nodes(self) -> int:
        """How many containers and leaves there are."""
        return 1 + sum([part.num_nodes for part in self.parts])

    def children(self) -> list[TreeDef]:
        """List the structures of the children."""
        return list(self.parts)

    def node_data(self) -> tuple[type, Any] | None:
        """Give the class of the container and what tells it from others; None for a leaf."""
        return None if self.kind is None else (self.kind, self.data)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, TreeDef):
            return NotImplemented
        return (
            self.kind is other.kind
            and self.num_leaves == other.num_leaves
            and bool(self.data == other.data)
            and self.parts == other.parts
        )

    def __hash__(self) -> int:
        if self._hash is None:
            try:
                self._hash = hash((self.kind, self.num_leaves, _hashable(self.data), self.parts))
            except TypeError:
                name = "" if self.kind is None else self.kind.__qualname__
                raise TreeError(
                    f"expected the static data of {name} to be hashable",
                    f"{self.data!r}",
                    why="programs are cached by the structure of their arguments",
                ) from None
        return self._hash

    def __repr__(self) -> str:
        return f"PyTreeDef({self._text()})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self.kind, self.data, self.parts)

    def _text(self) -> str:
        parts = [part._text() for part in self.parts]
        inside = ", ".join(parts)
        if self.kind is None:
            return "*"
        if self.kind is type(None):
            return "None"
        if self.kind is tuple:
            return f"({inside},)" if len(parts) == 1 else f"({inside})"
        if self.kind is list:
            return f"[{inside}]"
        if self.kind is dict:
            items = zip(self.data, parts, strict=True)
            return "{" + ", ".join([f"{key!r}: {part}" for key, part in items]) + "}"
        if _is_namedtuple(self.kind):
            return f"CustomNode(namedtuple[{self.kind.__name__}], [{inside}])"
        return f"CustomNode({self.kind.__name__}[{self.data}], [{inside}])"

    def unflatten(self, leaves: Iterable[Any]) -> PyTree:
        """Put a tree together from its leaves.

        Args:
            leaves: as many values as `num_leaves`.

        Raises:
            TreeError: there are too few or too many.
        """
        values = leaves if isinstance(leaves, list | tuple) else list(leaves)
        if len(values) != self.num_leaves:
            raise TreeError(
                f"expected {_count(self.num_leaves, 'leaf')} for {self}", f"{len(values)}"
            )
        return self._build(iter(values))

    def _build(self, values: Iterator[Any]) -> PyTree:
        if self.kind is None:
            return next(values)
        children = [next(values) if part is LEAF else part._build(values) for part in self.parts]
        if self.kind is list:
            return children
        node = node_of(self.kind)
        assert node is not None, "a structure was made of a class that is not a node"
        return node.unflatten(self.data, tuple(children))

    def flatten_up_to(self, tree: PyTree) -> list[Any]:
        """Take a tree apart as far as this structure goes.

        Args:
            tree: a tree of this structure, or one that goes on where this one has leaves.

        Returns:
            The part of the tree at each leaf of this structure.

        Raises:
            TreeError: the tree has another structure; names the place.

        >>> flatten((0, 0))[1].flatten_up_to(([1, 2], 3))
        [[1, 2], 3]
        """
        out: list[Any] = []
        if not self._take(tree, out):
            raise self._difference(tree, ())
        return out

    def _take(self, tree: PyTree, out: list[Any]) -> bool:
        """Append the parts of the tree; False when its structure differs."""
        if self.kind is None:
            out.append(tree)
            return True
        if type(tree) is not self.kind:
            return False
        children, data = _open(tree)
        if len(children) != len(self.parts) or not _same(data, self.data):
            return False
        for part, child in zip(self.parts, children, strict=True):
            if part is LEAF:
                out.append(child)
            elif not part._take(child, out):
                return False
        return True

    def _difference(self, tree: PyTree, path: KeyPath) -> TreeError:
        """Find the first place where a tree differs, and make the error that names it."""
        if self.kind is not None and type(tree) is self.kind:
            children, data = _open(tree)
            if len(children) == len(self.parts) and _same(data, self.data):
                keys = flatten_one_level_with_keys(tree)[0]
                for part, (key, child) in zip(self.parts, keys, strict=True):
                    if not part._take(child, []):
                        return part._difference(child, (*path, key))
        place = f"at {keystr(path)}" if path else "at the root of the tree"
        return TreeError(f"{place}: expected {self._describe()}", _describe(tree))

    def _describe(self) -> str:
        """Say in words what the outermost container is."""
        if self.kind is None:
            return "a leaf"
        return _words(self.kind, self.data, len(self.parts))

    def compose(self, inner: TreeDef) -> TreeDef:
        """Put a structure in the place of every leaf of this one.

        Args:
            inner: the structure to put there.

        >>> flatten((0, 0))[1].compose(flatten([0])[1])
        PyTreeDef(([*], [*]))
        """
        if self.kind is None:
            return inner
        return TreeDef(self.kind, self.data, tuple([part.compose(inner) for part in self.parts]))


LEAF = TreeDef(None, None, ())
"""The structure of a leaf; there is one, so that `is` can ask for it."""


def _restore(kind: type | None, data: Any, parts: tuple[TreeDef, ...]) -> TreeDef:
    """Make a pickled structure again."""
    return LEAF if kind is None else TreeDef(kind, data, parts)


def _is_namedtuple(kind: type) -> bool:
    return issubclass(kind, tuple) and hasattr(kind, "_fields")


def _hashable(data: Any) -> Any:
    """Lists are common as static data: hash them as tuples."""
    return tuple([_hashable(item) for item in data]) if isinstance(data, list) else data


def _same(data: Any, other: Any) -> bool:
    return data is other or bool(data == other)


def _open(tree: PyTree) -> tuple[Sequence[Any], Any]:
    """Give the children and data of a container."""
    node = node_of(type(tree))
    assert node is not None, "a leaf has no children"
    children, data = node.flatten(tree)
    return (children if isinstance(children, list | tuple) else tuple(children)), data


def _count(number: int, noun: str) -> str:
    plural = {"leaf": "leaves", "child": "children"}[noun]
    return f"{number} {noun if number == 1 else plural}"


def _words(kind: type, data: Any, size: int) -> str:
    """Say in words what a container is."""
    if kind is type(None):
        return "None"
    if kind is tuple or kind is list:
        return f"a {kind.__name__} of {size}"
    if kind is dict:
        keys = ", ".join([repr(key) for key in data])
        return f"a dict with the keys {keys}" if keys else "an empty dict"
    text = f"a {kind.__qualname__} of {_count(size, 'child')}"
    return text if data is None else f"{text} with the static data {data!r}"


def _describe(tree: PyTree) -> str:
    """Say in words what a tree's outermost container is, or what leaf it is."""
    if is_tree_node(type(tree)):
        children, data = _open(tree)
        return _words(type(tree), data, len(children))
    shape = getattr(tree, "shape", None)
    if isinstance(shape, tuple):
        inside = ", ".join([str(size) for size in shape])
        return f"a leaf {getattr(tree, 'dtype', type(tree).__name__)}[{inside}]"
    return f"a leaf {type(tree).__name__}"


# Taking apart


def flatten(tree: PyTree, is_leaf: IsLeaf | None = None) -> tuple[list[Any], TreeDef]:
    """Take a pytree apart.

    Args:
        tree: the pytree.
        is_leaf: called on every node; true makes it a leaf.

    Returns:
        The list of its leaves, and its structure.

    Raises:
        TreeError: a dict's keys cannot be sorted.

    >>> flatten([1, {"b": 2, "a": None}])
    ([1, 2], PyTreeDef([*, {'a': None, 'b': *}]))
    """
    out: list[Any] = []
    if is_leaf is None:
        return out, _flatten(tree, out)
    return out, _flatten_until(tree, out, is_leaf)


def _flatten(tree: PyTree, out: list[Any]) -> TreeDef:
    kind = type(tree)
    node = node_of(kind)
    if node is None:
        out.append(tree)
        return LEAF
    children, data = node.flatten(tree)
    parts = []
    get = nodes.get
    for child in children:
        # The common case, a leaf of a class met before, without another call.
        if get(type(child), LEAF) is None:
            out.append(child)
            parts.append(LEAF)
        else:
            parts.append(_flatten(child, out))
    return TreeDef(kind, data, tuple(parts))


def _flatten_until(tree: PyTree, out: list[Any], is_leaf: IsLeaf) -> TreeDef:
    kind = type(tree)
    if is_leaf(tree) or node_of(kind) is None:
        out.append(tree)
        return LEAF
    children, data = _open(tree)
    parts = tuple([_flatten_until(child, out, is_leaf) for child in children])
    return TreeDef(kind, data, parts)


def flatten_with_path(
    tree: PyTree,
    is_leaf: Callable[..., bool] | None = None,
    is_leaf_takes_path: bool = False,
) -> tuple[list[tuple[KeyPath, Any]], TreeDef]:
    """Take a pytree apart, with the path of every leaf.

    Args:
        tree: the pytree.
        is_leaf: called on every node; true makes it a leaf.
        is_leaf_takes_path: whether `is_leaf` takes the path before the node.

    Returns:
        The list of paths and leaves, and the structure.

    >>> flatten_with_path({"a": 5})
    ([((DictKey(key='a'),), 5)], PyTreeDef({'a': *}))
    """
    out: list[tuple[KeyPath, Any]] = []

    def stop(path: KeyPath, value: Any) -> bool:
        if is_leaf is None:
            return False
        return is_leaf(path, value) if is_leaf_takes_path else is_leaf(value)

    def visit(path: KeyPath, value: Any) -> TreeDef:
        if stop(path, value) or not is_tree_node(type(value)):
            out.append((path, value))
            return LEAF
        pairs, data = flatten_one_level_with_keys(value)
        parts = tuple([visit((*path, key), child) for key, child in pairs])
        return TreeDef(type(value), data, parts)

    return out, visit((), tree)


def flatten_one_level(tree: PyTree) -> tuple[list[Any], Any]:
    """Give the children of a container and the data that tell it from others of its class.

    Args:
        tree: the container.

    Raises:
        TreeError: it is a leaf.

    >>> flatten_one_level({"b": [1], "a": 2})
    ([2, [1]], ('a', 'b'))
    """
    if not is_tree_node(type(tree)):
        raise TreeError("expected a container", _describe(tree))
    children, data = _open(tree)
    return list(children), data


def flatten_one_level_with_keys(tree: PyTree) -> tuple[list[tuple[KeyEntry, Any]], Any]:
    """Give the children of a container with the steps to them, and its data.

    Args:
        tree: the container.

    Raises:
        TreeError: it is a leaf.

    >>> flatten_one_level_with_keys({"a": 2})
    ([(DictKey(key='a'), 2)], ('a',))
    """
    children, data = flatten_one_level(tree)
    node = node_of(type(tree))
    assert node is not None, "a container is a node"
    return list(zip(node.keys(tree), children, strict=True)), data
