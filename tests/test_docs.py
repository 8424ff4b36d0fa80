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
import xform.debug
import xform.lax
import xform.nn
import xform.nn.initializers
import xform.numpy
import xform.numpy.linalg
import xform.random
import xform.sharding
import xform.tree
import xform.tree_util

ROOT = Path(__file__).resolve().parents[1]
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS

FACES = (
    xform,
    xform.ad_checkpoint,
    xform.checkpoint_policies,
    xform.custom_derivatives,
    xform.dtypes,
    xform.experimental.jet,
    xform.debug,
    xform.numpy,
    xform.numpy.linalg,
    xform.lax,
    xform.random,
    xform.nn,
    xform.nn.initializers,
    xform.tree,
    xform.tree_util,
    xform.sharding,
)


def public_values():
    """The documented functions and classes of the faces; those of NumPy document themselves."""
    for module in FACES:
        for name in module.__all__:
            value = getattr(module, name)
            ours = getattr(value, "__module__", "").startswith("xform")
            if ours and callable(value):
                yield module, name, value


def cases(values):
    return [
        pytest.param(module, value, id=f"{module.__name__}.{name}")
        for module, name, value in values
    ]


VALUES = list(public_values())
# Classes show what they are by their methods; those of dtypes need no example.
FUNCTIONS = [case for case in VALUES if not inspect.isclass(case[2])]


def stands_at_home(function):
    """Whether pytest finds a function, and so its example, in the module that defines it."""
    home = vars(sys.modules[function.__module__])
    scope = getattr(function, "__globals__", home)
    return scope is home and home.get(function.__name__) is function


# What a table makes in another module.
MADE = [case for case in FUNCTIONS if not stands_at_home(case[2])]


@pytest.mark.parametrize(("module", "value"), cases(VALUES))
def test_public_names_are_documented(module, value):
    assert (inspect.getdoc(value) or "").strip(), "write what it does"


@pytest.mark.parametrize(("module", "function"), cases(FUNCTIONS))
def test_public_functions_show_an_example(module, function):
    assert ">>> " in (inspect.getdoc(function) or ""), "add an example, with what it prints"


@pytest.mark.parametrize(("module", "function"), cases(MADE))
def test_examples_of_functions_made_by_a_table(module, function):
    scope = {"np": np, **vars(module)}
    (example,) = doctest.DocTestFinder().find(function, function.__name__, globs=scope)
    assert example.examples
    found = doctest.DocTestRunner(optionflags=FLAGS).run(example)
    assert not found.failed


def test_public_names_exist():
    for module in FACES:
        missing = [name for name in module.__all__ if not hasattr(module, name)]
        assert not missing, f"{module.__name__}.__all__ names what is not there: {missing}"


def blocks(page, language):
    """The code blocks of a page in a language."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


SHOWN = list(zip(blocks("README.md", "python"), blocks("README.md", "text"), strict=True))


@pytest.mark.parametrize(("code", "output"), SHOWN, ids=["first", "loops_and_devices"])
def test_the_examples_of_the_readme_print_what_they_say(code, output):
    assert code.count("\n") <= 25
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
    most = 100 if path.stem == "digits" else 200
    assert path.read_text(encoding="utf-8").count("\n") <= most


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
