"""The tables of the formulas are those that the tool writes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_tables_are_reproducible(tmp_path: Path) -> None:
    tool = ROOT / "tools" / "fit_polynomials.py"
    subprocess.run([sys.executable, str(tool), str(tmp_path)], check=True)
    tables = sorted(path.name for path in (ROOT / "kernels" / "scalar").glob("*coefficients.py"))
    assert tables == sorted(path.name for path in tmp_path.iterdir())
    for name in tables:
        written = (tmp_path / name).read_text()
        assert written == (ROOT / "kernels" / "scalar" / name).read_text(), name
