"""Einstein summation, by products of two operands at a time."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from ..core.trace import aval_of
from ..errors import ArgumentError, ShapeError
from ..ops.structural import reduce_sum, reshape
from .contraction import contract
from .indexing import getitem
from .promotion import cast, operand, promoted, refuse, user_dtype
from .reductions import sum as sum_over
from .shaping import diagonal_of, transpose

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
    if wanted is not None:
        arrays = [cast(x, wanted) for x in arrays]
    pairs = [_once(x, term, sizes) for x, term in zip(arrays, terms, strict=True)]
    while len(pairs) > 1:
        i, j = (0, 1) if optimize is False else _cheapest(pairs, result, sizes)
        right, left = pairs.pop(j), pairs.pop(i)
        needed = set(result).union(*(term for _, term in pairs))
        product = _product(left, right, needed, sizes, precision)
        pairs.insert(0, product) if optimize is False else pairs.append(product)
    x, term = _summed(*pairs[0], set(result))
    x, term = _squeezed_to(x, term, result, sizes)
    return transpose(x, [term.index(label) for label in result])
