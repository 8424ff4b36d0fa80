"""Small loops on registers."""

from __future__ import annotations

from dataclasses import dataclass

from .loop_graph import Node
from .target import Target


@dataclass(frozen=True, eq=False)
class Written:
    """x"""

    pairs: tuple[tuple[int, int], ...] = ()


def in_registers(node: Node, target: Target) -> Written | None:
    """x"""
    return None
