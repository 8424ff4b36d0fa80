"""Where to put snapshots of a loop that is run again to be reversed.

Reverse mode takes the steps of a loop from the last to the first, and at each needs the values
before it. With room for s snapshots, steps are run again from the nearest one before; the schedule
below, binomial checkpointing, reverses the most steps for the number of times r that any of them is
run again: beta(s, r) = (s + r)! / (s! r!). (Griewank and Walther, Algorithm 799: Revolve, ACM
Transactions on Mathematical Software 26, 2000.)

The first of s snapshots holds the values before the first of d <= beta(s, r) steps. The next one
is m steps further on. It and the s - 2 free ones serve the d - m <= beta(s - 1, r) steps behind it,
then all serve the m <= beta(s, r - 1) steps before it, which have been run once more by then.
"""

from __future__ import annotations

from math import comb
from typing import Any

import numpy as np

from ..ops.arithmetic import lt, min_, sub
from ..ops.reduction import reduce_max
from ..ops.slicing import dynamic_slice
from ..ops.structural import broadcast_in_dim, select_n

UNBOUNDED = 2**31 - 1  # steps are counted in int32


def most_steps(snapshots: int, repeats: int) -> int:
    """How many steps can be reversed with so many snapshots, each run again so often at most."""
    return comb(snapshots + repeats, repeats)


def fewest_snapshots(steps: int, repeats: int) -> int:
    """How many snapshots are needed to reverse so many steps."""
    found = 1
    while most_steps(found, repeats) < steps:
        found += 1
    return found


def table(snapshots: int, steps: int) -> np.ndarray[Any, Any]:
    """beta(s, r) in row s and column r + 1, up to the r that reverses all steps.

    beta(s, -1) = 0 stands in the first column.
    """
    repeats = 0
    while most_steps(snapshots, repeats) < steps:
        repeats += 1
    rows = [
        [0, *(min(most_steps(s, r), UNBOUNDED) for r in range(repeats + 1))]
        for s in range(snapshots + 1)
    ]
    return np.asarray(rows, np.int32)


def distance(betas: Any, steps: Any, snapshots: Any) -> Any:
    """The m of the schedule: how far behind the first snapshot the next one is taken.

    Any m between d - beta(s - 1, r) and beta(s, r - 1) leaves r repetitions; this is the largest
    for which no more steps than needed are repeated r times.

    Args:
        betas: the `table`.
        steps: d, at least 2: the steps from the first snapshot on.
        snapshots: s, at least 1: the first one and the free ones.
    """
    shape = (1, betas.shape[1])
    row, above = (
        dynamic_slice(betas, s, np.int32(0), slice_sizes=shape)
        for s in (snapshots, sub(snapshots, np.int32(1)))
    )
    fewer = lt(row, broadcast_in_dim(steps, shape=shape, broadcast_dimensions=()))

    def last(values: Any) -> Any:
        """Of increasing values, that of r - 1, where r is the first with beta(s, r) >= d."""
        return reduce_max(select_n(fewer, np.zeros(shape, np.int32), values), axes=(0, 1))

    return min_(last(row), sub(steps, last(above)))
