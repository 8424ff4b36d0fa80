"""Medians of interleaved measurements: what disturbs one disturbs all."""

from __future__ import annotations

import statistics
import timeit
from collections.abc import Callable, Mapping

# Long enough that reading the clock, about 50 ns, does not count.
SAMPLE_S = 2e-4


def _calls(function: Callable[[], object]) -> int:
    """How many calls last about as long as a sample."""
    calls = 1
    while True:
        elapsed = timeit.timeit(function, number=calls)
        if elapsed >= SAMPLE_S or calls >= 1_000_000:
            return max(1, round(calls * SAMPLE_S / max(elapsed, 1e-9)))
        calls *= 4


def medians(
    functions: Mapping[str, Callable[[], object]], seconds: float = 0.6, least: int = 9
) -> dict[str, float]:
    """The median time of one call of each function, in seconds.

    Args:
        functions: by name; they are called in turn, one sample each, again and again.
        seconds: how long to measure altogether.
        least: how many samples of each function to take even if that lasts longer.
    """
    calls = {name: _calls(function) for name, function in functions.items()}
    samples: dict[str, list[float]] = {name: [] for name in functions}
    end = timeit.default_timer() + seconds
    while timeit.default_timer() < end or len(next(iter(samples.values()))) < least:
        for name, function in functions.items():
            elapsed = timeit.timeit(function, number=calls[name])
            samples[name].append(elapsed / calls[name])
    return {name: statistics.median(times) for name, times in samples.items()}


def median_once(function: Callable[[int], float], repeats: int) -> float:
    """The median of what a function measures itself, for work that happens once."""
    return statistics.median(function(n) for n in range(repeats))
