"""Effects: what an equation does besides computing its outputs.

Effects are typed on equations and on jaxprs. An equation with an effect is never removed, merged or
reordered against another one with an ordered effect.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Effect:
    """One kind of effect. Equations with the same ordered effect keep their order."""

    name: str
    ordered: bool = True


Effects = frozenset[Effect]
NONE: Effects = frozenset()
