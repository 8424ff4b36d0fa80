"""Matrix products of our own: `kernels/product.py`, compiled once for each element type."""

from __future__ import annotations

import functools

from .._kernels import product
from ..compiler.target import host
from . import thread_pool
from .cache import cache_key, get_or_build
from .engine import Library, keep_for_ever, link

__all__ = ["symbols"]


@functools.cache
def _library(element: str) -> Library:
    """The functions for an element type, from the disk cache where they have been made before."""
    target = host()
    text = product.module_text(element, target.vector_bytes)
    code = get_or_build(cache_key(text, target), lambda: target.object_code(text))
    library = link(code, [product.entry(element)], thread_pool.symbols())
    keep_for_ever(library)
    return library


def symbols(*elements: str) -> dict[str, int]:
    """The addresses of the functions that multiply matrices.

    Args:
        *elements: LLVM's names of element types, "float" or "double".

    Returns:
        The addresses by the functions' names.

    >>> list(symbols("float"))
    ['product_float']
    """
    return {
        product.entry(element): _library(element)[product.entry(element)] for element in elements
    }
