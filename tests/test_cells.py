"""Errors that come from a cell of a notebook name the cell."""

import sys
import types
from pathlib import Path

import pytest

import xform
import xform.numpy as xnp
from xform.errors import ShapeError, place_of


@pytest.fixture
def cells(monkeypatch):
    """An IPython that knows the code of a cell, as `CachingCompiler.format_code_name` tells it."""
    compiler = types.SimpleNamespace(
        format_code_name={"/tmp/ipykernel_7/33.py": ("Cell", "In[3]")}.get
    )
    shell = types.SimpleNamespace(compile=compiler)
    module = types.SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", module)


@pytest.mark.usefixtures("cells")
def test_the_line_of_an_error_is_one_of_a_cell():
    code = compile("x = ones\nx @ x[:2]", "/tmp/ipykernel_7/33.py", "exec")
    with pytest.raises(ShapeError) as caught:
        exec(code, {"ones": xnp.ones((3, 3))})
    assert "at: Cell In[3], line 2" in str(caught.value)


@pytest.mark.usefixtures("cells")
def test_equations_name_cells_too():
    code = compile("def f(x):\n    return x + 1", "/tmp/ipykernel_7/33.py", "exec")
    names = {}
    exec(code, names)
    (equation,) = xform.make_jaxpr(names["f"])(1.0).eqns
    assert str(equation.source) == "Cell In[3], line 2 (f)"


@pytest.mark.parametrize("module", [None, types.SimpleNamespace(get_ipython=lambda: None)])
def test_files_keep_their_names(monkeypatch, module):
    monkeypatch.setitem(sys.modules, "IPython", module)
    assert place_of("/elsewhere/a.py", 3) == "/elsewhere/a.py:3"


def test_a_notebook_names_its_cells(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parent.parent))
    nbformat = pytest.importorskip("nbformat", reason="needs the optional packages `notebook`")
    nbclient = pytest.importorskip("nbclient", reason="needs the optional packages `notebook`")
    pytest.importorskip("ipykernel", reason="needs the optional packages `notebook`")
    cell = nbformat.v4.new_code_cell("import xform.numpy as xnp\n\nxnp.ones(3) + xnp.ones(4)")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    client = nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3")
    with pytest.raises(nbclient.exceptions.CellExecutionError, match=r"Cell In\[1\], line 3: xnp"):
        client.execute()
