"""Keys: the state that random functions take, and never change.

A key is two words of 32 bits. `PRNGKey` gives them as they are, as an array of dtype uint32 and
shape (2,); `key` gives a `KeyArray` around them, whose shape is that of the keys. All functions
take both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..config import config
from ..core import dtypes
from ..core.avals import ShapedArray
from ..core.jaxpr import Literal
from ..core.trace import BASE, Tracer, aval_of
from ..errors import ArgumentError, DtypeError, IntegerRangeError, ShapeError
from ..lax.logic import bitwise_and, shift_right_logical
from ..lax.shaping import (
    broadcast_in_dim,
    concatenate,
    convert_element_type,
    expand_dims,
    full,
    iota,
    reshape,
    squeeze,
)
from ..lax.slicing import slice_in_dim
from ..numpy.promotion import canonical_shape, operand
from ..ops.random_bits import threefry2x32
from ..tree import register_pytree_node

WORD = np.dtype(np.uint32)

IMPL = "threefry2x32"


class KeyArray:
    """Keys, as an array whose elements are keys.

    Args:
        data: the words, of dtype uint32 and shape (*shape, 2).

    >>> keys = split(key(0), 3)
    >>> keys.shape
    (3,)
    >>> keys[0]
    KeyArray((), dtype=key<fry>) overlaying:
    [1797259609 2579123966]
    """

    __slots__ = ("data",)

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, data: Any) -> None:
        self.data = data

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the keys, without the words inside."""
        return tuple(self.data.shape[:-1])

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a single key")
        return self.shape[0]

    def __iter__(self) -> Iterator[KeyArray]:
        if not self.shape:
            raise TypeError("iteration over a single key")
        return (self[k] for k in range(len(self)))

    def __getitem__(self, index: Any) -> KeyArray:
        places = index if isinstance(index, tuple) else (index,)
        return KeyArray(self.data[(*places, slice(None))])

    def reshape(self, *shape: Any) -> KeyArray:
        """The keys in another shape, one size of which may be -1."""
        wanted = tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else shape
        return KeyArray(reshape(self.data, (*wanted, 2)))

    def ravel(self) -> KeyArray:
        """The keys in one dimension."""
        return self.reshape(-1)

    def __repr__(self) -> str:
        # A tree of keys may hold anything in the place of their words.
        if not hasattr(self.data, "shape"):
            return f"KeyArray({self.data!r})"
        text = f"KeyArray({self.shape}, dtype=key<fry>)"
        if not isinstance(self.data, Tracer) and type(self.data) is BASE.array_type:
            return f"{text} overlaying:\n{BASE.view(self.data)}"
        return text


register_pytree_node(KeyArray, lambda keys: ((keys.data,), None), lambda _, data: KeyArray(data[0]))


def is_key_data(aval: ShapedArray) -> bool:
    """Whether an array has the dtype and the last dimension of the words of keys."""
    return aval.dtype == WORD and aval.ndim >= 1 and aval.shape[-1] == 2


def _words_of(keys: Any) -> Any:
    """The words of keys, of shape (..., 2)."""
    if isinstance(keys, KeyArray):
        return keys.data
    aval = aval_of(keys)
    if not is_key_data(aval):
        raise ArgumentError(
            "expected a key, or the words of one: uint32 of shape (2,)",
            str(aval),
            instead="key = xform.random.key(seed)",
        )
    return operand(keys)


def single(name: str, key: Any) -> Any:
    """The words of one key, of shape (2,)."""
    data = _words_of(key)
    shape = aval_of(data).shape
    if shape != (2,):
        raise ShapeError(
            f"expected a single key for {name}",
            f"keys of shape {shape[:-1]}",
            instead=f"xform.vmap({name})(keys)",
        )
    return data


def _like(key: Any, data: Any) -> Any:
    """Words as keys of the kind that a function was given."""
    return KeyArray(data) if isinstance(key, KeyArray) else data


def _check_impl(impl: Any) -> None:
    if impl not in (None, IMPL):
        raise ArgumentError(f"expected the generator {IMPL!r}, which is the only one", repr(impl))


def counters(shape: tuple[int, ...]) -> tuple[Any, Any]:
    """The numbers of the elements of a shape, in C order, as their high and low words."""
    size = int(np.prod(shape, dtype=object))
    if size < 2**32:
        low = reshape(iota(WORD, size), shape)
        return full(shape, 0, WORD), low
    wide = reshape(iota("uint64", size), shape)
    high = shift_right_logical(wide, Literal(32, ShapedArray((), np.dtype(np.uint64))))
    low = bitwise_and(wide, Literal(0xFFFFFFFF, ShapedArray((), np.dtype(np.uint64))))
    return convert_element_type(high, WORD), convert_element_type(low, WORD)


def hashed(data: Any, high: Any, low: Any) -> tuple[Any, Any]:
    """The two words that Threefry makes of counters under one key."""
    shape = aval_of(low).shape
    words = [squeeze(slice_in_dim(data, k, k + 1), (0,)) for k in range(2)]
    k0, k1 = (broadcast_in_dim(word, shape, ()) for word in words)
    first, second = threefry2x32(k0, k1, high, low)
    return first, second


def _joined(first: Any, second: Any) -> Any:
    """Two arrays of words as the words of keys."""
    axis = aval_of(first).ndim
    return concatenate([expand_dims(first, (axis,)), expand_dims(second, (axis,))], axis)


def _seeded(name: str, seed: Any) -> Any:
    """The words of the key of a seed."""
    if isinstance(seed, KeyArray):
        raise ArgumentError(f"expected a seed for {name}: an integer", "a key")
    if isinstance(seed, bool | np.bool_):
        raise DtypeError(f"expected a seed for {name}: an integer", repr(seed))
    if isinstance(seed, int | np.integer):
        value = int(seed)
        if not -(2**63) <= value < 2**63:
            raise IntegerRangeError("expected a seed of at most 64 bits", str(value))
        # With x64 off the seed counts as an int32, whose high word is zero.
        high = (value >> 32) & 0xFFFFFFFF if config.enable_x64 else 0
        words = np.array([high, value & 0xFFFFFFFF], WORD)
        return operand(words)
    x = operand(seed)
    aval = aval_of(x)
    if aval.shape:
        raise ShapeError(
            f"expected a seed for {name} of shape ()",
            str(aval),
            instead=f"xform.vmap({name})(seeds)",
        )
    if not dtypes.is_integer(aval.dtype):
        raise DtypeError(f"expected a seed for {name} of an integer dtype", str(aval))
    return _seed_words(x)


def _seed_words(x: Any) -> Any:
    dtype = aval_of(x).dtype
    low = convert_element_type(x, WORD)
    high = full((), 0, WORD)
    if dtype.itemsize == 8:
        amount = Literal(32, ShapedArray((), dtype))
        high = convert_element_type(shift_right_logical(x, amount), WORD)
    return _joined(high, low)


def key(seed: Any, *, impl: str | None = None, dtype: Any = None) -> KeyArray:
    """The key of a seed.

    Args:
        seed: an integer; with x64 off, its low 32 bits count.
        impl: the generator; there is one, "threefry2x32".
        dtype: another name for `impl`.

    Returns:
        a single key.

    Raises:
        DtypeError: the seed is no integer.

    >>> key(42)
    KeyArray((), dtype=key<fry>) overlaying:
    [ 0 42]
    """
    _check_impl(impl)
    _check_impl(dtype)
    return KeyArray(_seeded("key", seed))


def PRNGKey(seed: Any, *, impl: str | None = None) -> Any:
    """The words of the key of a seed, as an array of dtype uint32 and shape (2,).

    Arguments and errors are those of `key`.

    >>> PRNGKey(42)
    Array([ 0, 42], dtype=uint32)
    """
    _check_impl(impl)
    return _seeded("PRNGKey", seed)


def key_data(keys: Any) -> Any:
    """The words of keys, of dtype uint32 and shape (*shape, 2).

    >>> key_data(key(7))
    Array([0, 7], dtype=uint32)
    """
    return _words_of(keys)


def wrap_key_data(key_bits_array: Any, *, impl: str | None = None, dtype: Any = None) -> KeyArray:
    """The keys of words of dtype uint32 and shape (*shape, 2).

    >>> wrap_key_data(PRNGKey(7)).shape
    ()
    """
    _check_impl(impl)
    _check_impl(dtype)
    return KeyArray(_words_of(key_bits_array))


def key_impl(keys: Any) -> str:
    """The name of the generator of keys.

    >>> key_impl(key(0))
    'threefry2x32'
    """
    _words_of(keys)
    return IMPL


def clone(key: Any) -> Any:
    """The same key again, to say that its reuse is meant.

    >>> clone(key(7)).shape
    ()
    """
    return _like(key, _words_of(key))


def halves(data: Any) -> tuple[Any, Any]:
    """The words of the two keys that the words of a key split into."""
    pair = split(data)
    first, second = (squeeze(slice_in_dim(pair, k, k + 1), (0,)) for k in range(2))
    return first, second


def split(key: Any, num: int | Sequence[int] = 2) -> Any:
    """New keys from a key.

    Args:
        key: a single key; it should not be used again.
        num: how many, or the shape of the new keys.

    Returns:
        keys of that shape, of the kind given: a `KeyArray`, or words of shape (*num, 2).

    >>> a, b = split(key(0))
    >>> a
    KeyArray((), dtype=key<fry>) overlaying:
    [1797259609 2579123966]
    """
    data = single("split", key)
    return _like(key, _joined(*hashed(data, *counters(canonical_shape(num)))))


def fold_in(key: Any, data: Any) -> Any:
    """A new key from a key and an integer.

    Args:
        key: a single key.
        data: an integer of shape (), of which 32 bits count.

    >>> fold_in(key(0), 7)
    KeyArray((), dtype=key<fry>) overlaying:
    [2716826189  292468403]
    """
    words = single("fold_in", key)
    if isinstance(data, int | np.integer) and not isinstance(data, bool):
        if not 0 <= int(data) < 2**32:
            raise IntegerRangeError("expected data of 32 bits without a sign", str(data))
        number: Any = Literal(int(data), ShapedArray((), WORD))
    else:
        number = convert_element_type(data, WORD)
    aval = aval_of(number)
    if aval.shape:
        raise ShapeError(
            "expected data of shape () for fold_in",
            str(aval),
            instead="xform.vmap(fold_in, in_axes=(None, 0))(key, data)",
        )
    # The counter is the key of the data as a seed: its high word is zero.
    return _like(key, _joined(*hashed(words, full((), 0, WORD), number)))
