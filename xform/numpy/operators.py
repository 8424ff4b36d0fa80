"""The element-wise operators under names that are short to read in formulas."""

from __future__ import annotations

from ..ops.arithmetic import (
    mul,
)
