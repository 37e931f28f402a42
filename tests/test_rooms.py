"""The rooms import only from those above them in the table of the package's docstring; so no circle can be.

Nor can one be inside a folder, whose own table names all of its modules.
"""

import ast
import re
from collections import namedtuple
from pathlib import Path

import pytest

import lsd_repro
from lsd_repro.cli import main
from lsd_repro.cli.words import TYPED

PACKAGE = Path(lsd_repro.__file__).parent
ROOMS = re.findall(r"^``(\w+)`` ", lsd_repro.__doc__, re.M)
# Its modules and folders.
THERE = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in PACKAGE.rglob("*.py")} - {"__init__"}

FOLDERS = {".".join(path.relative_to(PACKAGE).parent.parts): path.parent for path in PACKAGE.glob("*/**/__init__.py")}

Arrow = namedtuple("Arrow", "line room")


def imports(source, package=()):
    """The imports in a module's source, wherever in it they stand: line, and names from lsd_repro on.

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
            if name[0] == "lsd_repro":
                yield node.lineno, name


def arrows(source, package=()):
    """The imports of lsd_repro's rooms in a module's source."""
    for line, name in imports(source, package):
        # Otherwise something of the package itself, as its version.
        if name[1:] and name[1] in THERE:
            yield Arrow(line, name[1])


def room_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def upward(source, room, package=()):
    """Arrows to rooms below `room` in the table, as ``line: room``."""
    allowed = ROOMS[:ROOMS.index(room) + 1]
    return [f"{arrow.line}: {arrow.room}" for arrow in arrows(source, package) if arrow.room not in allowed]


def test_every_room_is_in_the_table():
    assert sorted(ROOMS) == sorted(THERE)


@pytest.mark.parametrize("room", ROOMS)
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


def modules_of(folder):
    """Modules, and folders with modules, in a folder: name -> sources."""
    found = {path.stem: [path] for path in folder.glob("*.py") if path.stem != "__init__"}
    found.update((path.parent.name, sorted(path.parent.rglob("*.py"))) for path in folder.glob("*/__init__.py"))
    return found


def circle(graph):
    """Nodes of a directed graph (a dict of sets) that lead back to themselves."""
    return {node for node in graph if node in reached(graph, node)}


def reached(graph, node):
    seen, to_see = set(), {node}
    while to_see:
        following = graph[to_see.pop()] - seen
        seen |= following
        to_see |= following
    return seen


@pytest.mark.parametrize("folder", FOLDERS)
def test_modules_of_a_folder_import_each_other_in_no_circle(folder):
    package = ["lsd_repro", *folder.split(".")]
    modules = modules_of(FOLDERS[folder])
    graph = {module: {name[len(package)] for path in paths
                      for _, name in imports(path.read_text("utf-8"), path.relative_to(PACKAGE).parent.parts)
                      if name[:len(package)] == package and name[len(package)] in modules} - {module}
             for module, paths in modules.items()}
    assert circle(graph) == set()


def test_a_circle_is_seen():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == {"b", "c"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_table_of_a_folder_names_all_of_its_modules(folder):
    docstring = ast.get_docstring(ast.parse((FOLDERS[folder] / "__init__.py").read_text("utf-8")))
    named = re.findall(r"^``(\w+)(?:\.py|/)?`` ", docstring, re.M)
    # Folders of other files may be in it, too.
    folders = {path.name for path in FOLDERS[folder].iterdir() if path.is_dir()}
    assert sorted(set(named) - (folders - modules_of(FOLDERS[folder]).keys())) == sorted(modules_of(FOLDERS[folder]))
    assert len(named) == len(set(named))


COMMANDS = ("frames", "live", "stills", "reproduce", "atlas a.toml", "classes", "prior fit photos", "prior show",
            "prior compare a.npz",
            "prior ablate", "prior denoise", "fetch", "convert a.h5 --out a.mat", "parity a.npz", "compare a.png", "transition",
            "bench step", "bench film", "doctor")


def options():
    """All options of the command line, as they are typed."""
    parser = main.parser()
    names = {name for command in COMMANDS for name in vars(parser.parse_args(command.split()))}
    return {f"--{TYPED.get(name, name)}".replace("_", "-") for name in names - {"run"}} | {"--help"}


def named(source, known):
    """Options that the strings of a source name."""
    return {option for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant) and isinstance(node.value, str)
            for option in re.findall(r"(?<![\w-])(?<!uv venv )--[a-z][a-z0-9-]*", node.value) if option in known}


def test_only_the_command_line_speaks_of_options_as_they_are_typed():
    known = options()
    assert {"--prior-kind", "--class", "--with", "--resume", "--sizes"} <= known
    for path in PACKAGE.rglob("*.py"):
        # Those that `python -m` runs have a command line of their own.
        if path.parent.name not in ("cli", "train") and path.name != "naming.py":
            assert not named(path.read_text("utf-8"), known), path
    source = 'def f(size):\n    """Take --size."""\n    raise ValueError(f"{size}: see --resume")'
    assert named(source, known) == {"--size", "--resume"}
