"""Einstein summation, by products of two operands at a time."""

from __future__ import annotations

import itertools
import math
import string
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.trace import aval_of
from ..errors import ArgumentError, ShapeError
from ..ops.structural import reduce_sum, reshape
from .contraction import contract
from .diagonals import diagonal
from .logic import truth
from .promotion import cast, promoted, refuse, user_dtype
from .shaping import transpose

# Labels of the axes an ellipsis stands for: small integers, which no letter equals.
Label = str | int


def einsum(
    subscripts: Any,
    /,
    *operands: Any,
    out: None = None,
    optimize: Any = "auto",
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Any:
    """Sums of products along named axes.

    Args:
        subscripts: an equation such as ``"ij,jk->ik"``: a letter for each axis of each operand,
            then those of the result in order; letters not in the result are summed over, `...`
            stands for the axes in front or between. Without an arrow, the result has the letters
            that occur once, in alphabetical order. Or, as in NumPy, operands and lists of integers
            in turn.
        *operands: the arrays.
        out: not supported, as arrays are immutable.
        optimize: False multiplies from left to right, anything else starts with the pair whose
            product is smallest.
        precision: accepted for compatibility; products have full precision.
        preferred_element_type: the dtype of the result.

    Raises:
        ArgumentError: the equation is malformed, or names more or fewer axes than an operand has.
        ShapeError: a letter stands for axes of different lengths.

    >>> einsum("i,i->", 2 * np.ones(3, np.float32), np.ones(3, np.float32))
    Array(6., dtype=float32)
    """
    refuse("einsum", out=out)
    if not isinstance(subscripts, str):
        subscripts, operands = _interleaved((subscripts, *operands))
    arrays = promoted(*operands)
    terms, result = _parse(subscripts, [aval_of(x).ndim for x in arrays])
    sizes = _sizes(terms, arrays)
    wanted = user_dtype(preferred_element_type)
    is_bool = dtypes.is_bool(aval_of(arrays[0]).dtype)
    if wanted is not None or is_bool:
        arrays = [cast(x, wanted or np.dtype("int32")) for x in arrays]
    pairs = [_once(x, term, sizes) for x, term in zip(arrays, terms, strict=True)]
    while len(pairs) > 1:
        i, j = (0, 1) if optimize is False else _cheapest(pairs, result, sizes)
        right, left = pairs.pop(j), pairs.pop(i)
        needed = set(result).union(*(term for _, term in pairs))
        product = _product(left, right, needed, precision)
        pairs.insert(0, product) if optimize is False else pairs.append(product)
    x, term = _summed(*pairs[0], set(result))
    x = transpose(x, [term.index(label) for label in result])
    return truth(x) if is_bool and wanted is None else x


Term = tuple[Label, ...]


def _interleaved(given: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    """The equation and the operands of the form with lists of integers."""
    count = len(given) // 2
    operands = tuple(given[2 * k] for k in range(count))
    lists = [given[2 * k + 1] for k in range(count)]
    inputs = ",".join(map(_letters, lists))
    if len(given) % 2:
        return f"{inputs}->{_letters(given[-1])}", operands
    return inputs, operands


def _letters(labels: Sequence[Any]) -> str:
    if not isinstance(labels, Sequence):
        raise ArgumentError(
            "expected an equation, or a list of integers after each operand", repr(labels)
        )
    return "".join("..." if n is Ellipsis else string.ascii_letters[n] for n in labels)


def _parse(equation: str, ranks: Sequence[int]) -> tuple[list[Term], Term]:
    """The labels of each operand and of the result."""
    text = equation.replace(" ", "")
    inputs, arrow, output = text.partition("->")
    names = inputs.split(",")
    if len(names) != len(ranks):
        raise ArgumentError(
            f"expected an equation with {len(ranks)} operands",
            f"{equation!r}, which has {len(names)}",
        )
    dots = max(
        (rank - len(name) + 3 for name, rank in zip(names, ranks, strict=True) if "..." in name),
        default=0,
    )
    terms = [_labels(name, rank, equation) for name, rank in zip(names, ranks, strict=True)]
    if arrow:
        result = _labels(
            output, len(output) - 3 + dots if "..." in output else len(output), equation
        )
        known = {label for term in terms for label in term}
        if len(set(result)) != len(result) or not set(result) <= known:
            raise ArgumentError(
                "expected a result whose letters differ and occur in the operands", repr(equation)
            )
        return terms, result
    counts = Counter(label for term in terms for label in term)
    letters = sorted(label for label, n in counts.items() if n == 1 and isinstance(label, str))
    return terms, (*range(-dots, 0), *letters)


def _labels(name: str, rank: int, equation: str) -> Term:
    head, dots, tail = name.partition("...")
    letters = head + tail
    missing = rank - len(letters)
    if not (letters.isalpha() or not letters) or missing < 0 or (missing and not dots):
        raise ArgumentError(
            f"expected a letter for each of {rank} axes, or letters and one ellipsis",
            f"{name!r} in {equation!r}",
        )
    return (*head, *range(-missing, 0), *tail)


def _sizes(terms: Sequence[Term], arrays: Sequence[Any]) -> dict[Label, int]:
    """The length each label stands for; axes of an ellipsis broadcast."""
    sizes: dict[Label, int] = {}
    for term, x in zip(terms, arrays, strict=True):
        for label, n in zip(term, aval_of(x).shape, strict=True):
            have = sizes.setdefault(label, n)
            if have == n or (n == 1 and isinstance(label, int)):
                continue
            if have != 1 or not isinstance(label, int):
                shown = f"the letter {label!r}" if isinstance(label, str) else "an ellipsis axis"
                raise ShapeError(f"expected one length for {shown}", f"{have} and {n}")
            sizes[label] = n
    return sizes


def _once(x: Any, term: Term, sizes: dict[Label, int]) -> tuple[Any, Term]:
    """An operand with every label once: diagonals taken, axes that broadcast removed."""
    for label in [a for a, n in Counter(term).items() if n > 1]:
        while term.count(label) > 1:
            first = term.index(label)
            second = term.index(label, first + 1)
            x = diagonal(x, 0, first, second)
            rest = [a for k, a in enumerate(term) if k not in (first, second)]
            term = (*rest, label)
    shape = aval_of(x).shape
    keep = [k for k, label in enumerate(term) if shape[k] == sizes[label]]
    if len(keep) < len(term):
        x = reshape(x, new_sizes=tuple(shape[k] for k in keep))
        term = tuple(term[k] for k in keep)
    return x, term


def _cheapest(
    pairs: Sequence[tuple[Any, Term]], result: Term, sizes: dict[Label, int]
) -> tuple[int, int]:
    """The pair of operands whose product grows least, of those the one with least work."""

    def count(labels: set[Label]) -> int:
        return math.prod(sizes[label] for label in labels)

    def cost(pair: tuple[int, int]) -> tuple[int, int]:
        i, j = pair
        one, two = set(pairs[i][1]), set(pairs[j][1])
        others = set(result).union(*(t for k, (_, t) in enumerate(pairs) if k not in pair))
        kept = (one | two) & others
        return count(kept) - count(one) - count(two), count(one | two)

    return min(itertools.combinations(range(len(pairs)), 2), key=cost)


def _summed(x: Any, term: Term, needed: set[Label]) -> tuple[Any, Term]:
    """An operand without the axes that nothing else needs."""
    axes = tuple(k for k, label in enumerate(term) if label not in needed)
    if not axes:
        return x, term
    return reduce_sum(x, axes=axes), tuple(label for label in term if label in needed)


def _product(
    left: tuple[Any, Term], right: tuple[Any, Term], needed: set[Label], precision: Any
) -> tuple[Any, Term]:
    """The product of two operands, summed over what nothing else needs."""
    x, one = _summed(*left, needed | set(right[1]))
    y, two = _summed(*right, needed | set(one))
    common = [label for label in one if label in two]
    batch = [label for label in common if label in needed]
    inner = [label for label in common if label not in needed]
    out = contract(
        x,
        y,
        ([one.index(a) for a in inner], [two.index(a) for a in inner]),
        ([one.index(a) for a in batch], [two.index(a) for a in batch]),
        precision,
    )
    free = [a for a in one if a not in common] + [a for a in two if a not in common]
    return out, (*batch, *free)
