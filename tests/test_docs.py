"""What the documentation shows is true: examples, the README, the pages, the notebook."""

import contextlib
import doctest
import importlib
import importlib.util
import inspect
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import xform
import xform.lax
import xform.nn
import xform.nn.initializers
import xform.numpy
import xform.random

ROOT = Path(__file__).resolve().parents[1]
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS

FACES = (xform, xform.numpy, xform.lax, xform.random, xform.nn, xform.nn.initializers)


def public_values():
    """The documented functions and classes of the faces; those of NumPy document themselves."""
    for module in FACES:
        for name in module.__all__:
            value = getattr(module, name)
            ours = getattr(value, "__module__", "").startswith("xform")
            if ours and (inspect.isroutine(value) or inspect.isclass(value)):
                yield pytest.param(value, id=f"{module.__name__}.{name}")


@pytest.mark.parametrize("value", list(public_values()))
def test_public_names_are_documented(value):
    assert (inspect.getdoc(value) or "").strip(), "write what it does"


def test_public_names_exist():
    for module in FACES:
        missing = [name for name in module.__all__ if not hasattr(module, name)]
        assert not missing, f"{module.__name__}.__all__ names what is not there: {missing}"


def blocks(page, language):
    """The code blocks of a page in a language."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def test_the_example_of_the_readme_prints_what_it_says():
    (code,), (output,) = blocks("README.md", "python"), blocks("README.md", "text")
    assert code.count("\n") <= 20
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})
    assert printed.getvalue() == output


PAGES = sorted(
    str(path.relative_to(ROOT))
    for path in (ROOT / "docs").glob("**/*.md")
    if ">>> " in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("page", PAGES)
def test_examples_of_the_pages(page):
    failures, tried = doctest.testfile(str(ROOT / page), module_relative=False, optionflags=FLAGS)
    assert tried
    assert not failures


LINKS = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), ROOT / "CONTRIBUTING.md"]


@pytest.mark.parametrize("page", LINKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (page.parent / target).exists(), f"{page.name}: no {target}"


# Examples


def load(path):
    spec = importlib.util.spec_from_file_location(f"example_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.stem)
def test_examples_run(path):
    pytest.importorskip("sklearn", reason="the examples take their data from scikit-learn")
    done = subprocess.run(
        [sys.executable, str(path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert path.read_text(encoding="utf-8").count("\n") <= 100


def test_the_steps_of_the_demo_are_the_same():
    pytest.importorskip("sklearn", reason="the examples take their data from scikit-learn")
    demo = load(ROOT / "examples" / "digits.py")
    params = demo.init(xform.random.key(0))
    speeds = xform.tree.map(lambda w: w / 100, params)
    rng = np.random.default_rng(0)
    images = rng.random((16, 64), np.float32)
    labels = rng.integers(0, 10, 16).astype(np.int32)
    found = demo.step(params, speeds, images, labels)
    arrays = xform.tree.map(np.asarray, (params, speeds))
    wanted = demo.numpy_step(*arrays, images, labels)
    for ours, theirs in zip(xform.tree.leaves(found), xform.tree.leaves(wanted), strict=True):
        # Sums over at most 128 numbers near 1, in another order.
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


# The notebook


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda p: p.stem)
def test_notebooks_run(path):
    reason = "notebooks run with the optional packages `notebook`"
    for name in ("ipykernel", "matplotlib", "sklearn"):
        pytest.importorskip(name, reason=reason)
    nbformat = pytest.importorskip("nbformat", reason=reason)
    nbclient = pytest.importorskip("nbclient", reason=reason)
    with path.open(encoding="utf-8") as file:
        notebook = nbformat.read(file, as_version=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("MPLBACKEND", "Agg")
        nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
