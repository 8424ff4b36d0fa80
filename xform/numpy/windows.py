"""Window functions of signal processing: vectors of known length, computed in float64."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import dtypes
from .promotion import as_array, static_int


def _window(values: np.ndarray[Any, Any]) -> Any:
    return as_array(values.astype(dtypes.scalar_dtype(float)))


def bartlett(M: int) -> Any:
    """The triangular window of M points.

    >>> bartlett(3)
    Array([0., 1., 0.], dtype=float32)
    """
    return _window(np.bartlett(static_int(M, "the length of a window")))


def blackman(M: int) -> Any:
    """Blackman's window of M points, a sum of three cosines.

    >>> blackman(5)[1:4]
    Array([0.34, 1.  , 0.34], dtype=float32)
    """
    return _window(np.blackman(static_int(M, "the length of a window")))


def hamming(M: int) -> Any:
    """Hamming's window of M points, a raised cosine on a pedestal.

    >>> hamming(3)
    Array([0.08, 1.  , 0.08], dtype=float32)
    """
    return _window(np.hamming(static_int(M, "the length of a window")))


def hanning(M: int) -> Any:
    """Hann's window of M points, a raised cosine.

    >>> hanning(3)
    Array([0., 1., 0.], dtype=float32)
    """
    return _window(np.hanning(static_int(M, "the length of a window")))


def kaiser(M: int, beta: float) -> Any:
    """Kaiser's window of M points with the shape `beta`, known numbers both.

    >>> kaiser(3, 0.0)
    Array([1., 1., 1.], dtype=float32)
    """
    return _window(np.kaiser(static_int(M, "the length of a window"), float(beta)))
