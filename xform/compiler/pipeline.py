"""The stages of compilation, in order."""

from __future__ import annotations

from typing import Any


def stages(program: Any, donated: Any, stage: str) -> str:
    return str(program)
