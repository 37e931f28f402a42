"""The examples in the docstrings of what ``import lsd_repro`` offers are run as they stand."""

import doctest
import importlib

import pytest
from PIL import Image
from skimage import data

import lsd_repro


def examples():
    """All of them, by name; the methods' are with the function that returns their object."""
    # In one order for all of the processes that share the tests.
    for name in sorted({lsd_repro._MODULES[name] for name in lsd_repro.__all__}):
        module = importlib.import_module(f"lsd_repro.{name}")
        yield from (found for found in doctest.DocTestFinder().find(module) if found.examples)


@pytest.mark.parametrize("example", list(examples()), ids=lambda example: example.name)
def test_an_example_does_what_it_says(tmp_path, monkeypatch, example):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for name in ("coffee", "chelsea"):
        Image.fromarray(getattr(data, name)()).save(tmp_path / "photos" / f"{name}.png")
    assert doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example).failed == 0


def test_every_function_has_one():
    named = {example.name.rpartition(".")[2] for example in examples()}
    assert named >= {name for name in lsd_repro.__all__ if name != "InputError"}
