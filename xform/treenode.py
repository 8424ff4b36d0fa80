"""The kinds of nodes in a pytree: the built-in containers and the classes registered as such.

`xform.tree` is the public face of what is here.
"""

from __future__ import annotations

import dataclasses
import functools
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from xform.errors import ArgumentError, TreeError

__all__ = [
    "DictKey",
    "FlattenedIndexKey",
    "GetAttrKey",
    "KeyEntry",
    "KeyPath",
    "Node",
    "Partial",
    "SequenceKey",
    "is_tree_node",
    "keystr",
    "node_of",
    "nodes",
    "register_dataclass",
    "register_pytree_node",
    "register_pytree_node_class",
    "register_pytree_with_keys",
    "register_pytree_with_keys_class",
    "register_static",
    "static",
]

_Class = TypeVar("_Class", bound=type)


# Keys


@dataclass(frozen=True)
class SequenceKey:
    """A place in a tuple or list."""

    idx: int

    def __str__(self) -> str:
        return f"[{self.idx!r}]"


@dataclass(frozen=True)
class DictKey:
    """A place in a dict."""

    key: Hashable

    def __str__(self) -> str:
        return f"[{self.key!r}]"


@dataclass(frozen=True)
class GetAttrKey:
    """A place in an object, reached by an attribute."""

    name: str

    def __str__(self) -> str:
        return f".{self.name}"


@dataclass(frozen=True)
class FlattenedIndexKey:
    """A place in an object whose class was registered without keys."""

    key: int

    def __str__(self) -> str:
        return f"[<flat index {self.key}>]"


KeyEntry: TypeAlias = Any
"""One step of a path: one of the keys above, or what a registered class gives."""

KeyPath: TypeAlias = tuple[KeyEntry, ...]
"""The steps from the root of a tree to a place in it."""


def keystr(keys: Iterable[KeyEntry], *, simple: bool = False, separator: str = "") -> str:
    """Write a path as the expression that reaches it.

    Args:
        keys: the path.
        simple: write only the bare key, index or name of each step.
        separator: what stands between steps.

    >>> path = (GetAttrKey("params"), DictKey("w"), SequenceKey(0))
    >>> keystr(path)
    ".params['w'][0]"
    >>> keystr(path, simple=True, separator="/")
    'params/w/0'
    """
    return separator.join([_bare(key) if simple else str(key) for key in keys])


def _bare(key: KeyEntry) -> str:
    match key:
        case SequenceKey(step) | DictKey(step) | GetAttrKey(step) | FlattenedIndexKey(step):
            return str(step)
    return str(key)


# Kinds of nodes


@dataclass(frozen=True)
class Node:
    """How one class of container is taken apart and put together.

    Args:
        flatten: gives a container's children, and the data that tell it from others of its class.
        unflatten: takes the data and the children, and makes the container.
        keys: gives the steps to the children of a container.
    """

    flatten: Callable[[Any], tuple[Sequence[Any], Any]]
    unflatten: Callable[[Any, tuple[Any, ...]], Any]
    keys: Callable[[Any], Sequence[KeyEntry]]


def _sequence_keys(value: Sequence[Any]) -> list[KeyEntry]:
    return [SequenceKey(i) for i in range(len(value))]


def _sorted_keys(value: dict[Any, Any]) -> tuple[Any, ...]:
    try:
        return tuple(sorted(value))
    except TypeError:
        raise TreeError(
            "expected a dict whose keys can be sorted",
            f"keys {', '.join(map(repr, value))}",
            why="a dict's leaves are taken in the order of its keys",
            instead="collections.OrderedDict(...)",
        ) from None


def _flatten_dict(value: dict[Any, Any]) -> tuple[list[Any], tuple[Any, ...]]:
    keys = _sorted_keys(value)
    return [value[key] for key in keys], keys


def _flatten_defaultdict(value: defaultdict[Any, Any]) -> tuple[list[Any], tuple[Any, Any]]:
    children, keys = _flatten_dict(value)
    return children, (value.default_factory, keys)


def _namedtuple_node(kind: Any) -> Node:
    return Node(
        flatten=lambda value: (value, None),
        unflatten=lambda _, children: kind(*children),
        keys=lambda value: [GetAttrKey(name) for name in value._fields],
    )


_DICT_NODE = Node(
    flatten=_flatten_dict,
    unflatten=lambda keys, children: dict(zip(keys, children, strict=True)),
    keys=lambda value: [DictKey(key) for key in _sorted_keys(value)],
)

# The registry: None marks a class known to be a leaf. Exact classes, as a subclass may hold more.
nodes: dict[type, Node | None] = {
    tuple: Node(lambda value: (value, None), lambda _, children: children, _sequence_keys),
    list: Node(lambda value: (value, None), lambda _, children: list(children), _sequence_keys),
    dict: _DICT_NODE,
    type(None): Node(lambda _: ((), None), lambda _, children: None, lambda _: ()),
    OrderedDict: Node(
        flatten=lambda value: (list(value.values()), tuple(value)),
        unflatten=lambda keys, children: OrderedDict(zip(keys, children, strict=True)),
        keys=lambda value: [DictKey(key) for key in value],
    ),
    defaultdict: Node(
        flatten=_flatten_defaultdict,
        unflatten=lambda data, children: defaultdict(data[0], zip(data[1], children, strict=True)),
        keys=_DICT_NODE.keys,
    ),
}
_registered: set[type] = set(nodes)


class _Unseen:
    """The type of the mark that the registry has not met a class."""


_UNSEEN = _Unseen()


def _classify(kind: type) -> Node | None:
    """Settle whether a class met for the first time is a node: a named tuple is."""
    node = None
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        node = _namedtuple_node(kind)
    return nodes.setdefault(kind, node)


def node_of(kind: type) -> Node | None:
    """Find how a class is taken apart; None when it is a leaf."""
    node = nodes.get(kind, _UNSEEN)
    return _classify(kind) if isinstance(node, _Unseen) else node


def _register(kind: type, node: Node) -> None:
    """Make a class a kind of node.

    Raises:
        ArgumentError: it is not a class, or is one already.
    """
    if not isinstance(kind, type):
        raise ArgumentError("expected a class to register as a pytree", repr(kind))
    if kind in _registered:
        raise ArgumentError(
            f"expected a class that is not yet a pytree, got {kind.__qualname__}",
            why="trees taken apart before would be put together differently",
        )
    _registered.add(kind)
    nodes[kind] = node


def is_tree_node(typ: type) -> bool:
    """Say whether a class is a kind of container, not of leaf.

    >>> is_tree_node(dict), is_tree_node(float)
    (True, False)
    """
    return node_of(typ) is not None


# Registration


def register_pytree_node(
    nodetype: type,
    flatten_func: Callable[[Any], tuple[Iterable[Any], Any]],
    unflatten_func: Callable[[Any, Any], Any],
    flatten_with_keys_func: Callable[[Any], tuple[Iterable[tuple[Any, Any]], Any]] | None = None,
) -> None:
    """Make a class a container.

    Args:
        nodetype: the class.
        flatten_func: takes an object; returns its children, and static data that are hashable.
        unflatten_func: takes the static data and the children; makes an object.
        flatten_with_keys_func: as `flatten_func`, with children as pairs of a key and a child.

    Raises:
        ArgumentError: it is not a class, or is a container already.

    >>> from xform import tree
    >>> class Interval:
    ...     def __init__(self, low, high):
    ...         self.low, self.high = low, high
    >>> register_pytree_node(Interval, lambda i: ((i.low, i.high), None), lambda _, c: Interval(*c))
    >>> tree.leaves(Interval(1, 2))
    [1, 2]
    """

    def open_(value: Any) -> tuple[tuple[Any, ...], Any]:
        children, data = flatten_func(value)
        return tuple(children), data

    def keys(value: Any) -> list[Any]:
        if flatten_with_keys_func is None:
            return [FlattenedIndexKey(i) for i in range(len(open_(value)[0]))]
        return [key for key, _ in flatten_with_keys_func(value)[0]]

    _register(nodetype, Node(open_, unflatten_func, keys))


def register_pytree_with_keys(
    nodetype: type,
    flatten_with_keys: Callable[[Any], tuple[Iterable[tuple[Any, Any]], Any]],
    unflatten_func: Callable[[Any, Any], Any],
    flatten_func: Callable[[Any], tuple[Iterable[Any], Any]] | None = None,
) -> None:
    """Make a class a container whose children have names.

    Args:
        nodetype: the class.
        flatten_with_keys: takes an object; returns pairs of a key and a child, and static data.
        unflatten_func: takes the static data and the children; makes an object.
        flatten_func: as `flatten_with_keys` with children only, where that is quicker.

    Raises:
        ArgumentError: it is not a class, or is a container already.

    >>> from xform import tree
    >>> class Span:
    ...     def __init__(self, low, high):
    ...         self.low, self.high = low, high
    >>> register_pytree_with_keys(
    ...     Span,
    ...     lambda s: ([(GetAttrKey("low"), s.low), (GetAttrKey("high"), s.high)], None),
    ...     lambda _, children: Span(*children),
    ... )
    >>> [tree.keystr(path) for path, _ in tree.leaves_with_path(Span(1, 2))]
    ['.low', '.high']
    """

    def children_only(value: Any) -> tuple[list[Any], Any]:
        pairs, data = flatten_with_keys(value)
        return [child for _, child in pairs], data

    register_pytree_node(nodetype, flatten_func or children_only, unflatten_func, flatten_with_keys)


def register_pytree_node_class(cls: _Class) -> _Class:
    """Make a class a container by its methods `tree_flatten` and `tree_unflatten` (a decorator).

    Args:
        cls: has a method ``tree_flatten()`` that returns children and static data, and a class
            method ``tree_unflatten(data, children)``.

    >>> from xform import tree
    >>> @register_pytree_node_class
    ... class Point:
    ...     def __init__(self, x, y):
    ...         self.x, self.y = x, y
    ...     def tree_flatten(self):
    ...         return (self.x, self.y), None
    ...     @classmethod
    ...     def tree_unflatten(cls, data, children):
    ...         return cls(*children)
    >>> tree.map(lambda x: 2 * x, Point(1, 2)).y
    4
    """
    kind: Any = cls
    register_pytree_node(kind, kind.tree_flatten, kind.tree_unflatten)
    return cls


def register_pytree_with_keys_class(cls: _Class) -> _Class:
    """Make a class a container by its methods `tree_flatten_with_keys` and `tree_unflatten`.

    Args:
        cls: has a method ``tree_flatten_with_keys()`` that returns pairs of keys and children, and
            static data; a class method ``tree_unflatten(data, children)``; and, where that is
            quicker, ``tree_flatten()``.

    >>> from xform import tree
    >>> @register_pytree_with_keys_class
    ... class Pair:
    ...     def __init__(self, left, right):
    ...         self.left, self.right = left, right
    ...     def tree_flatten_with_keys(self):
    ...         return [(GetAttrKey("left"), self.left), (GetAttrKey("right"), self.right)], None
    ...     @classmethod
    ...     def tree_unflatten(cls, data, children):
    ...         return cls(*children)
    >>> tree.map_with_path(lambda path, x: tree.keystr(path), Pair(1, 2)).right
    '.right'
    """
    kind: Any = cls
    register_pytree_with_keys(
        kind, kind.tree_flatten_with_keys, kind.tree_unflatten, getattr(kind, "tree_flatten", None)
    )
    return cls


def register_dataclass(
    nodetype: _Class,
    data_fields: Sequence[str] | None = None,
    meta_fields: Sequence[str] | None = None,
    drop_fields: Sequence[str] = (),
) -> _Class:
    """Make a dataclass a container (also a decorator).

    Args:
        nodetype: the dataclass, or any class made from keyword arguments of these names.
        data_fields: the fields that are children. Without them, all that `static` does not mark.
        meta_fields: the fields that are static data: hashable, and part of the structure.
        drop_fields: the fields that are left out, and get their default again.

    Returns:
        The class.

    Raises:
        ArgumentError: the fields are not those of the dataclass.

    >>> from xform import tree
    >>> @register_dataclass
    ... @dataclasses.dataclass
    ... class Layer:
    ...     w: float
    ...     name: str = static(default="dense")
    >>> tree.flatten_with_path(Layer(2.0))[0]
    [((GetAttrKey(name='w'),), 2.0)]
    """
    kind: Any = nodetype
    fields = _dataclass_fields(kind)
    if data_fields is None or meta_fields is None:
        if fields is None or data_fields is not None or meta_fields is not None:
            raise ArgumentError(
                "expected data_fields and meta_fields, or a dataclass and neither",
                f"{kind.__qualname__}, {data_fields}, {meta_fields}",
            )
        meta = tuple(
            [f.name for f in fields if f.metadata.get("static") and f.name not in drop_fields]
        )
        data = tuple([f.name for f in fields if f.name not in (*meta, *drop_fields)])
    else:
        data, meta = tuple(data_fields), tuple(meta_fields)
    given = {*data, *meta, *drop_fields}
    if fields is not None and given != {f.name for f in fields}:
        raise ArgumentError(
            f"expected the fields of {kind.__qualname__}: {', '.join([f.name for f in fields])}",
            ", ".join(sorted(given)),
        )

    def open_(value: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        return (
            tuple([getattr(value, name) for name in data]),
            tuple([getattr(value, name) for name in meta]),
        )

    def close(statics: tuple[Any, ...], children: tuple[Any, ...]) -> Any:
        return kind(
            **dict(zip(meta, statics, strict=True)), **dict(zip(data, children, strict=True))
        )

    keys = [GetAttrKey(name) for name in data]
    _register(kind, Node(open_, close, lambda _: keys))
    return nodetype


def _dataclass_fields(kind: type) -> list[dataclasses.Field[Any]] | None:
    """List the fields a dataclass's constructor takes; None when it is not a dataclass."""
    if not dataclasses.is_dataclass(kind):
        return None
    return [field for field in dataclasses.fields(kind) if field.init]


def static(**kwargs: Any) -> Any:
    """Mark a field of a dataclass as static data, for `register_dataclass`.

    Args:
        **kwargs: as for ``dataclasses.field``.

    >>> from xform import tree
    >>> @register_dataclass
    ... @dataclasses.dataclass
    ... class Scale:
    ...     factor: float
    ...     unit: str = static(default="m")
    >>> tree.leaves(Scale(2.0))
    [2.0]
    """
    metadata = {**kwargs.pop("metadata", {}), "static": True}
    return dataclasses.field(metadata=metadata, **kwargs)


def register_static(cls: _Class) -> _Class:
    """Make the objects of a class containers of nothing: static data (a decorator).

    Args:
        cls: a class whose objects are hashable and comparable.

    >>> from xform import tree
    >>> @register_static
    ... class Name(str):
    ...     pass
    >>> tree.leaves((1, Name("n")))
    [1]
    """
    kind: Any = cls
    _register(kind, Node(lambda value: ((), value), lambda value, _: value, lambda _: ()))
    return cls


class Partial(functools.partial[Any]):
    """A ``functools.partial`` that is a container: the function is static, its arguments children.

    Args:
        func: the function.
        *args: its first arguments.
        **kw: keyword arguments.

    >>> from xform import tree
    >>> add = Partial(lambda x, y: x + y, 1)
    >>> tree.leaves(add), add(2)
    ([1], 3)
    """

    def __new__(cls, func: Callable[..., Any], *args: Any, **kw: Any) -> Partial:
        # functools.partial would merge the arguments of an inner partial into ours, and so make
        # them children; that inner function is static.
        if isinstance(func, functools.partial) and not isinstance(func, Partial):
            return super().__new__(cls, _Opaque(func), *args, **kw)
        return super().__new__(cls, func, *args, **kw)


class _Opaque:
    """A ``functools.partial`` kept whole inside a `Partial`."""

    __slots__ = ("func",)

    def __init__(self, func: Callable[..., Any]) -> None:
        self.func = func

    def __call__(self, *args: Any, **kw: Any) -> Any:
        return self.func(*args, **kw)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Opaque) and self.func == other.func

    def __hash__(self) -> int:
        return hash(self.func)

    def __repr__(self) -> str:
        return repr(self.func)


register_pytree_with_keys(
    Partial,
    lambda value: (
        ((GetAttrKey("args"), value.args), (GetAttrKey("keywords"), value.keywords)),
        value.func,
    ),
    lambda func, children: Partial(func, *children[0], **children[1]),
)
