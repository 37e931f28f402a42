from lsd_repro.ops import REWRITES
from lsd_repro.ops.compiling import register
from lsd_repro.runtime.load import theano


def test_importing_changes_no_graph_and_compiling_registers_every_rewrite(python):
    result = python("""
import lsd_repro.step.gradient, lsd_repro.ops.fuse, lsd_repro.ops.fuse_network
from lsd_repro.ops import REWRITES
from lsd_repro.ops.compiling import compile_function
from lsd_repro.runtime.load import theano
before = [name in theano.compile.mode.optdb for name in REWRITES]
compile_function([], [])
print(before, [name in theano.compile.mode.optdb for name in REWRITES])
""", THEANO_FLAGS=f"base_compiledir={theano.config.base_compiledir}")
    assert result.stdout == "[False, False] [True, True]\n", result.stderr


def test_registering_once_more_changes_nothing():
    register()
    register()
    assert all(name in theano.compile.mode.optdb for name in REWRITES)
