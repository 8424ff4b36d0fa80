"""Where programs take their choices from: from hypothesis, from a seed, or from a list of numbers.

Every choice is a number below another one, and the smaller number is the simpler choice: so both
hypothesis and `shrunk` make programs smaller by making numbers smaller and lists of them shorter.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st


class Draw:
    """Choices from a function that gives a number below another one."""

    def __init__(self, below: Callable[[int], int]) -> None:
        self._below = below

    def below(self, count: int) -> int:
        return self._below(count) if count > 1 else 0

    def between(self, low: int, high: int) -> int:
        """A number of a range with both ends; the low one is the simplest."""
        return low + self.below(high - low + 1)

    def pick(self, options: Sequence[Any]) -> Any:
        """One of the options; the first is the simplest."""
        return options[self.below(len(options))]

    def recent(self, options: Sequence[Any]) -> Any:
        """One of the options, most often of the last ones: programs become deep, not wide."""
        latest = options[::-1]
        return self.pick(latest[:4] if self.below(3) else latest)

    def flag(self) -> bool:
        return bool(self.below(2))

    def several(self, most: int, least: int = 0) -> range:
        """As many numbers as it draws reasons to go on; fewer are simpler."""
        count = least
        while count < most and self.below(5):
            count += 1
        return range(count)

    def order(self, count: int) -> tuple[int, ...]:
        left = list(range(count))
        return tuple(left.pop(self.below(len(left))) for _ in range(count))

    def some_of(self, count: int) -> tuple[int, ...]:
        """At least one of the numbers below `count`, in order."""
        kept = [k for k in range(count) if self.flag()]
        return tuple(kept) if kept else (self.below(count),)


def by_hypothesis(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Draw:
    return Draw(lambda count: draw(st.integers(0, count - 1)))


class Tape:
    """A record of choices that can be played again: past its end all choices are the simplest."""

    def __init__(self, numbers: Sequence[int] = (), rng: random.Random | None = None) -> None:
        self.given = list(numbers)
        self.rng = rng
        self.used: list[int] = []

    def below(self, count: int) -> int:
        position = len(self.used)
        if position < len(self.given):
            number = self.given[position] % count
        else:
            number = self.rng.randrange(count) if self.rng else 0
        self.used.append(number)
        return number


def shrunk(numbers: Sequence[int], fails: Callable[[Sequence[int]], bool]) -> list[int]:
    """A shorter list of smaller numbers for which `fails` still holds."""
    best = list(numbers)
    improved = True
    while improved:
        improved = False
        size = max(1, len(best) // 2)
        while size:
            at = len(best) - size
            while at >= 0:
                shorter = best[:at] + best[at + size :]
                if fails(shorter):
                    best, improved = shorter, True
                at -= size
            size //= 2
        for at in range(len(best)):
            for smaller in (0, best[at] // 2, best[at] - 1):
                if not 0 <= smaller < best[at]:
                    continue
                changed = [*best[:at], smaller, *best[at + 1 :]]
                if fails(changed):
                    best, improved = changed, True
                    break
    return best
