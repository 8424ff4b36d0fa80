"""What may still change: `jet`, derivatives of high order."""

from __future__ import annotations

from . import jet

__all__ = ["jet"]
