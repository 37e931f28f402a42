"""Every public function says what it takes and returns, and of arrays and functions what they hold and take."""

import ast
import re
from pathlib import Path

import pytest

import lsd_repro

PACKAGE = Path(lsd_repro.__file__).parent

MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))

# Whose hints are still to come.


def public(name):
    return not name.startswith("_") or (name.startswith("__") and name.endswith("__"))


def functions(body, of=""):
    """(qualified name, definition) of the public functions, and of public classes' public methods."""
    for node in body:
        if isinstance(node, ast.ClassDef) and public(node.name):
            yield from functions(node.body, f"{of}{node.name}.")
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and public(node.name):
            yield f"{of}{node.name}", node


def hints(body):
    """The hints of public functions and of public classes' fields."""
    for node in body:
        if isinstance(node, ast.AnnAssign):
            yield node.annotation
        elif isinstance(node, ast.ClassDef) and public(node.name):
            yield from hints(node.body)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and public(node.name):
            parameters = [*node.args.posonlyargs, *node.args.args, node.args.vararg, *node.args.kwonlyargs, node.args.kwarg]
            yield from filter(None, [*(one.annotation for one in parameters if one), node.returns])


def vague(source):
    """The hints in a module's source that name an array without what it holds, or a function without what it takes."""
    for hint in hints(ast.parse(source).body):
        text = ast.unparse(hint)
        if re.search(r"\bndarray\b|\bCallable\b(?!\[)", text):
            yield text


def unhinted(source):
    """What lacks a hint in a module's source, as ``function: parameter`` or ``function: return``."""
    lacking = []
    for name, node in functions(ast.parse(source).body):
        parameters = [*node.args.posonlyargs, *node.args.args]
        static = any(isinstance(mark, ast.Name) and mark.id == "staticmethod" for mark in node.decorator_list)
        if "." in name and not static:
            del parameters[0]  # self or cls
        lacking += [f"{name}: {one.arg}" for one in [*parameters, *node.args.kwonlyargs] if one.annotation is None]
        if node.returns is None:
            lacking.append(f"{name}: return")
    return lacking


@pytest.mark.parametrize("module", MODULES)
def test_public_functions_are_hinted(module):
    assert unhinted((PACKAGE / module).read_text("utf-8")) == []


@pytest.mark.parametrize("module", MODULES)
def test_hints_of_arrays_and_functions_say_more(module):
    assert list(vague((PACKAGE / module).read_text("utf-8"))) == []


@pytest.mark.parametrize("source, found", [
    ("def f(a: np.ndarray, *b: 'np.ndarray') -> Optional[ndarray]: ...", ["np.ndarray", "'np.ndarray'", "Optional[ndarray]"]),
    ("class C:\n a: Callable\n b: Callable[[int], str]", ["Callable"]),
    ("def f(a: dict[str, Callable]) -> NDArray[np.float32]: ...", ["dict[str, Callable]"]),
    ("def _f(a: np.ndarray): ...", []),
])
def test_what_says_too_little_is_found(source, found):
    assert list(vague(source)) == found


@pytest.mark.parametrize("source, lacking", [
    ("def f(a, /, b: int, *rest, c=1, **more) -> int: ...", ["f: a", "f: c"]),
    ("async def f(a: int): ...", ["f: return"]),
    ("class C:\n def m(self, a): ...", ["C.m: a", "C.m: return"]),
    ("class C:\n @staticmethod\n def m(a) -> int: ...", ["C.m: a"]),
    ("class C:\n def __init__(self): ...", ["C.__init__: return"]),
    ("def _f(a): ...\nclass _C:\n def m(self, a): ...", []),
    ("def f() -> int:\n def inner(a): ...", []),
])
def test_what_lacks_a_hint_is_found(source, lacking):
    assert unhinted(source) == lacking
