"""The digest of what a program means: it sees code, and nothing that only readers see."""

import ast

import pytest

from pipeline.run import meaning

PROGRAM = '''"""What it is."""

import math


class Circle:
    """A circle."""

    radius: float = 1.0

    def area(self, *, scaled=2):
        """Its area."""  # in square metres
        return f"{scaled * math.pi * self.radius**2:.3f}"
'''


def digest(text):
    return meaning.serialized(ast.parse(text))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"""What it is."""', '"""Something else."""'),
        ('"""A circle."""', '"""A round thing."""'),
        ('"""Its area."""  # in square metres', '"""Its area."""'),
        ('        """Its area."""  # in square metres\n', ""),
        ("import math\n", "import math  # why\n\n\n"),
        ("scaled=2):", "scaled=2,\n    ):"),
        ('f"{scaled', "f'{scaled"),
        ("1.0", "1.00"),
        ("self.radius**2", "(self.radius ** 2)"),
    ],
)
def test_what_only_readers_see_changes_nothing(before, after):
    changed = PROGRAM.replace(before, after)
    if "f'" in changed:
        changed = changed.replace(':.3f}"', ":.3f}'")
    assert changed != PROGRAM and digest(changed) == digest(PROGRAM)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("1.0", "1"),
        ("1.0", "1.1"),
        ("scaled=2", "scaled=3"),
        ("*, scaled", "scaled"),
        ("**2", "*2"),
        (".3f", ".4f"),
        ("float", "int"),
        ("self.radius", "self.size"),
        ("import math", "import numpy as math"),
        ("return f", "yield f"),
        ("    radius", "    pi = 'text'\n    radius"),
        ("scaled * math.pi", "math.pi * scaled"),
    ],
)
def test_what_a_program_does_changes_it(before, after):
    changed = PROGRAM.replace(before, after)
    assert digest(changed) != digest(PROGRAM)


def test_a_text_that_is_no_docstring_counts():
    assert digest("def f():\n    x = 1\n    'later'\n") != digest("def f():\n    x = 1\n")
    assert digest("x = 'a'") != digest("x = b'a'") != digest("x = 'b'")


def test_the_text_is_alike_in_every_version_of_python():
    """By hand: what a newer ast adds when it is empty must not show."""
    assert digest("def f(a):\n    return a + 1\n") == (
        "Module(body=[FunctionDef(name=str:'f' args=arguments(args=[arg(arg=str:'a')]) "
        "body=[Return(value=BinOp(left=Name(id=str:'a') op=Add() right=Constant(value=int:1)))])])"
    )


def test_files_that_came_went_or_changed_are_named(tmp_path):
    for name, text in (("a", "x = 1"), ("b", "x = 2"), ("c", "x = 3")):
        (tmp_path / name).write_text(text)
    before = meaning.digests(["a", "b"], tmp_path)
    (tmp_path / "a").write_text("x = 1  # a comment")
    assert meaning.changed(before, meaning.digests(["a", "b"], tmp_path)) == []
    (tmp_path / "b").write_text("x = 4")
    assert meaning.changed(before, meaning.digests(["a", "b", "c"], tmp_path)) == ["b", "c"]
    assert meaning.changed(before, meaning.digests(["b"], tmp_path)) == ["a", "b"]
