"""Graphs as the package writes them, and with the fused Ops in their place: both are to give the same."""

from lsd_repro.ops import REWRITES
from lsd_repro.ops.compiled import CompiledOp
from lsd_repro.ops.compiling import compile_function
from lsd_repro.runtime.load import theano

KINDS = "fused", "plain"


def compile_graph(kind, inputs, outputs, **options):
    """Compile, with all rewrites or with none."""
    mode = theano.compile.get_default_mode()
    return compile_function(inputs, outputs, mode=mode if kind == "fused" else mode.excluding(*REWRITES), **options)


def fused_ops(function):
    """The fused Ops of a compiled function, in the order of their computation."""
    return [node.op for node in function.maker.fgraph.toposort() if isinstance(node.op, CompiledOp)]
