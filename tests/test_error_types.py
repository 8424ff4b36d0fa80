"""What every error has in common: its message, the user's line, pickling, its built-in kind."""

import linecache
import pickle

import pytest

from xform import errors
from xform.tree import TreeDef, structure

CLASSES = sorted(
    (
        cls
        for cls in vars(errors).values()
        if isinstance(cls, type) and issubclass(cls, errors.XformError)
    ),
    key=lambda cls: cls.__name__,
)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_pickling(cls):
    error = cls("this", "that")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is cls
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_an_error_is_of_a_built_in_kind(cls):
    kinds = [base for base in cls.__mro__ if base.__module__ == "builtins"]
    assert kinds[0] is not Exception or cls in (errors.XformError, errors.UnexpectedTracerError)


def test_parts_come_in_order():
    error = errors.ShapeError("e", "g", why="y", instead="w", where="f.py:1: x")
    assert str(error) == "e\n  got: g\n  at: f.py:1: x\n  why: y\n  write: w"


def test_the_message_has_at_most_twelve_lines():
    long = "\n".join(map(str, range(40)))
    error = errors.ShapeError(long, long, why=long, instead=long)
    lines = str(error).splitlines()
    assert len(lines) == 12
    assert "2 ..." in lines[2]


def test_the_line_is_the_users():
    with pytest.raises(errors.TreeError) as caught:
        structure((1, 2)).unflatten([1])  # The user's line.
    assert caught.value.where.endswith("structure((1, 2)).unflatten([1])  # The user's line.")
    assert "test_error_types.py:" in caught.value.where


def test_frames_are_counted_from_the_innermost():
    def inner():
        return errors.user_frame(), errors.user_frame(1)

    first, second = inner()
    assert first.f_code.co_name == "inner"
    assert second.f_code.co_name == "test_frames_are_counted_from_the_innermost"


def test_a_line_that_cannot_be_read_is_named():
    scope = {"user_line": errors.user_line}
    exec(compile("line = user_line()", "<nowhere>", "exec"), scope)
    assert scope["line"] == "<nowhere>:1"


def test_source_typed_into_a_notebook_is_found():
    text = "line = user_line()\n"
    linecache.cache["<cell 1>"] = (len(text), None, [text], "<cell 1>")
    scope = {"user_line": errors.user_line}
    exec(compile(text, "<cell 1>", "exec"), scope)
    assert scope["line"] == "<cell 1>:1: line = user_line()"


def test_structures_pickle():
    treedef = structure({"a": (1, None), "b": [2]})
    copy = pickle.loads(pickle.dumps(treedef))
    assert isinstance(copy, TreeDef)
    assert copy == treedef
    assert hash(copy) == hash(treedef)
