"""Effects: what an equation does besides computing its outputs.

Effects are typed on equations and on jaxprs. An equation with an effect is never removed, merged or
reordered against another one with an ordered effect. The names of axes are effects as well, which
say where a program makes sense; an equation with no other effect may be removed.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(frozen=True)
class Effect:
    """One kind of effect. Equations with the same ordered effect keep their order."""

    name: Hashable
    ordered: bool = True

    @property
    def removable(self) -> bool:
        """Whether an equation with no other effect may go when nothing needs its outputs."""
        return False


@dataclass(frozen=True)
class NamedAxis(Effect):
    """Communication along a named axis: a program with it makes sense inside that axis only."""

    ordered: bool = False

    @property
    def removable(self) -> bool:
        return True


Effects = frozenset[Effect]
NONE: Effects = frozenset()


def free(effects: Effects) -> Effects:
    """Those effects that do not keep an equation in its place."""
    return frozenset(e for e in effects if e.removable)


def pinned(effects: Effects) -> bool:
    """Whether an equation with these effects must stay."""
    return any(not e.removable for e in effects)
