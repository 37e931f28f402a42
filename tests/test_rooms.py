"""The rooms import only from those above them in the table of the package's docstring; so no circle can be."""

import ast
import re
from collections import namedtuple
from pathlib import Path

import pytest

import lsd_repro

PACKAGE = Path(lsd_repro.__file__).parent
ROOMS = re.findall(r"^``(\w+)`` ", lsd_repro.__doc__, re.M)
# Its modules and folders.
THERE = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in PACKAGE.rglob("*.py")} - {"__init__"}

Arrow = namedtuple("Arrow", "line room")


def arrows(source, package=()):
    """The imports of lsd_repro's rooms in a module's source, wherever in it they stand.

    `package` are the names of the module's package below lsd_repro, from which relative imports start.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module.split(".") if node.module else []
            if node.level:
                here = ["lsd_repro", *package]
                module = here[:len(here) + 1 - node.level] + module
            names = [[*module, alias.name] for alias in node.names]
        else:
            continue
        for name in names:
            # Otherwise something of the package itself, as its version.
            if name[0] == "lsd_repro" and name[1:] and name[1] in THERE:
                yield Arrow(node.lineno, name[1])


def room_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def upward(source, room, package=()):
    """Arrows to rooms below `room` in the table, as ``line: room``."""
    allowed = ROOMS[:ROOMS.index(room) + 1]
    return [f"{arrow.line}: {arrow.room}" for arrow in arrows(source, package) if arrow.room not in allowed]


def test_every_room_is_in_the_table():
    assert sorted(ROOMS) == sorted(THERE)


# It takes from the command line what prepares a dream.
LIVE = pytest.param("live", marks=pytest.mark.xfail(reason="live/dreamer.py calls cli.commands.planned"))


@pytest.mark.parametrize("room", [LIVE if room == "live" else room for room in ROOMS])
def test_a_room_imports_only_from_those_above_it(room):
    paths = [path for path in PACKAGE.rglob("*.py") if room_of(path) == room]
    assert paths
    found = {}
    for path in paths:
        wrong = upward(path.read_text("utf-8"), room, path.relative_to(PACKAGE).parent.parts)
        if wrong:
            found[str(path.relative_to(PACKAGE))] = wrong
    assert found == {}


@pytest.mark.parametrize("source", [
    "import lsd_repro.bench.table", "from lsd_repro import bench", "from lsd_repro.bench import table as t",
    "def late():\n    from lsd_repro.bench.table import row", "from ..bench import table",
    "from .. import errors, bench"])
def test_an_upward_arrow_is_seen(source):
    assert [found.split(": ")[1] for found in upward(source, "figures", ("figures",))] == ["bench"]


@pytest.mark.parametrize("source", [
    "import numpy", "from lsd_repro import __version__", "from lsd_repro.errors import InputError",
    "from . import drawing", "from lsd_repro.network.receptive import seen"])
def test_what_goes_down_or_elsewhere_is_none(source):
    assert upward(source, "figures", ("figures",)) == []
