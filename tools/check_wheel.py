"""Checks a wheel: its contents, and that it works in an empty environment.

    python tools/check_wheel.py dist/xform-0.1.0-py3-none-any.whl

A package called `kernels` exists elsewhere, so the only importable name must be `xform`; and as
there is nothing to build, the wheel must be for any platform.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

SMOKE = """
import numpy as np
import xform as xf
import xform.numpy as xnp

assert "site-packages" in xf.__file__, xf.__file__
f = xf.jit(xf.vmap(xf.grad(lambda x: xnp.sin(x) * x)))
x = np.linspace(-3, 3, 7, dtype=np.float32)
np.testing.assert_allclose(f(x), np.cos(x) * x + np.sin(x), rtol=1e-5, atol=1e-6)
print("wheel: installed, and f(x) is right")
"""


def names_outside(names: list[str], distribution: str) -> list[str]:
    """List the files that would install a top-level name other than `xform`."""
    heads = ("xform/", f"{distribution}.dist-info/")
    return [name for name in names if not name.startswith(heads)]


def sources(root: Path) -> set[str]:
    """List where the wheel must hold the files of the tree that programs need."""
    found = set()
    for folder, prefix in ((root / "xform", "xform"), (root / "kernels", "xform/kernels")):
        for path in folder.rglob("*"):
            if path.suffix in {".py", ".ll"} or path.name == "py.typed":
                found.add(f"{prefix}/{path.relative_to(folder).as_posix()}")
    return found


def check_contents(wheel: Path) -> None:
    """Fail unless the wheel holds all of xform, and nothing else."""
    assert wheel.name.endswith("-py3-none-any.whl"), f"{wheel.name} is for one platform only"
    names = zipfile.ZipFile(wheel).namelist()
    outside = names_outside(names, "-".join(wheel.name.split("-")[:2]))
    assert not outside, f"the wheel installs more than xform: {outside}"
    missing = sorted(sources(ROOT) - set(names))
    assert not missing, f"the wheel lacks {missing}"
    print(f"wheel: {len(names)} files, {wheel.stat().st_size / 1e6:.2f} MB, only xform")


def check_installed(wheel: Path) -> None:
    """Fail unless the wheel installs and runs in an empty environment."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = str(Path(folder) / ("Scripts" if sys.platform == "win32" else "bin") / "python")
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, str(wheel.resolve())], check=True)
        subprocess.run([python, "-I", "-c", SMOKE], check=True, cwd=folder)


if __name__ == "__main__":
    check_contents(Path(sys.argv[1]))
    check_installed(Path(sys.argv[1]))
