"""Hands the array type to the bottom of the trace stack."""

from __future__ import annotations

from ..core.trace import BASE
from .array import Array, view, wrap
from .executable import run_equation

BASE.array_type = Array
BASE.wrap = wrap
BASE.view = view
BASE.run_compiled = run_equation
