"""How Theano's modules get compiled: with a precompiled header, each once, several at a time."""

import json
import os
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from lsd_repro.runtime import precompiled
from lsd_repro.runtime.toolchain import find_compiler

CODE = """
import pathlib, shutil
from lsd_repro.runtime.load import T, theano
x, y = T.dvectors("xy")
for value in theano.function([x, y], [T.exp(x) * T.sin(y), T.dot(x, y), T.concatenate([x, y]).sum()])([1, 2], [3, 4]):
    print(value.sum())
print(theano.function([x], T.tan(x))([0])[0])
shutil.rmtree(next(pathlib.Path(theano.config.compiledir).glob("headers-*"), ""), ignore_errors=True)
print(theano.function([x], T.cos(x))([0])[0])
try:
    theano.function([x, y], [T.tanh(x), T.sinh(y)])
except Exception as error:
    print(error)
"""
# A compiler that says what it includes, with "!" before a precompiled header, and knows no hyperbolic functions.
# It writes down when it was called, with what, and what it said.
COMPILER = """#!{python}
import json, re, subprocess, sys, time
begun = time.time()
path = next((argument for argument in sys.argv if argument.endswith("mod.cpp")), None)
if path and re.search("sinh|tanh", open(path).read()):
    sys.exit("no such function")
if path and "-include" in sys.argv and "tan(" in open(path).read():
    sys.exit("cannot use the header")
done = subprocess.run([{compiler!r}, "-H", *sys.argv[1:]], stderr=subprocess.PIPE, text=True)
if path and "_ext/" not in path:  # a graph's, and not one that Theano itself needs
    call = dict(begun=begun, ended=time.time(), path=path, arguments=sys.argv, said=done.stderr)
    with open({log!r}, "a") as file:
        file.write(json.dumps(call) + "\\n")
sys.exit(done.returncode)
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory, python_in):
    """What comes of `CODE` with an empty cache: lines printed, calls of the compiler, folder of the cache."""
    folder = tmp_path_factory.mktemp("compiling")
    log, compiler = folder / "log", folder / "g++"
    compiler.write_text(COMPILER.format(python=sys.executable, compiler=find_compiler(), log=str(log)))
    compiler.chmod(0o755)
    done = python_in(folder, CODE, THEANO_FLAGS=f"base_compiledir={folder / 'cache'},cxx={compiler}")
    assert done.returncode == 0, done.stderr
    calls = [SimpleNamespace(**json.loads(line)) for line in log.read_text().splitlines()]
    return SimpleNamespace(printed=done.stdout.splitlines(), calls=calls, cache=folder / "cache")


def test_what_was_compiled_computes_what_numpy_does(run):
    x, y = np.array([1, 2]), np.array([3, 4])
    expected = (np.exp(x) * np.sin(y)).sum(), x @ y, x.sum() + y.sum()
    assert [float(line) for line in run.printed[:3]] == pytest.approx(expected)


@pytest.mark.skipif(not precompiled.is_gcc(find_compiler()), reason="only GCC is given a precompiled header")
def test_modules_have_the_precompiled_header_where_it_can_be_used_and_is_there(run):
    used = [call.said.startswith("! ") and "headers.h.gch" in call.said.splitlines()[0] for call in run.calls
            if "-O3" in call.arguments]
    assert used == [True] * (len(used) - 2) + [False] * 2 and len(used) >= 4
    assert "0.0" in run.printed and "1.0" in run.printed  # tangent and cosine


def test_each_module_is_compiled_once_and_nothing_else_is_left(run):
    made = [call.path for call in run.calls]
    assert len(made) == len(set(made)) == len(list(run.cache.glob("*/tmp*/key.pkl")))
    assert not list(run.cache.glob("*/ahead*"))


@pytest.mark.skipif(os.cpu_count() < 2, reason="one core compiles one after the other")
def test_modules_of_a_graph_are_compiled_at_the_same_time(run):
    calls = sorted(run.calls, key=lambda call: call.begun)
    assert any(second.begun < first.ended for first, second in zip(calls, calls[1:]))


def test_what_does_not_compile_is_said_as_theano_says_it(run):
    assert "Compilation failed (return status=1): no such function" in "".join(run.printed[5:])


def test_debugging_data_are_left_out_unless_asked_for():
    assert precompiled.without_debugging(["-O3"]) == ["-O3", "-g0"]
    assert precompiled.without_debugging(["-O3", "-ggdb"]) == ["-O3", "-ggdb"]
