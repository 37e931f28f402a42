"""Theano-PyMC 1.1.2's GPU backend, mended: as released it cannot compute anything.

What is wrong with it, and mended here:

* ``theano.gpuarray.use`` fails after the GPU is initialised, as the submodule
  ``optdb`` has taken the place of the ``optdb`` that it needs.
* Rewrites got a first argument, ``fgraph``, that what calls them does not pass: those
  made by ``op_lifter``, and the one for ``Assert``.  ``GraphToGPU``, which does at
  once what these do one by one, and those for cuDNN have the same fault and are left out.
* ``HideC``, which hides the C code that GPU Ops inherit from CPU Ops, raises where
  Theano's linker has come to expect an empty answer.
* The fusion of elementwise Ops wants a value of each GPU variable, and treats it as numpy's.
* A sum over all of an array is left to one multiprocessor (so the source says).  On an H200 the one over the prior's
  maps took 0.105 s of the 0.131 s of a step of the full VGG-16.
"""

import functools
import importlib
import sys
import types
import warnings
from pathlib import Path
from typing import Any


def use(device: str) -> None:
    """Put Theano, imported for the CPU, on a GPU: new graphs and shared variables go there.

    Parameters
    ----------
    device : str
        ``"cuda"``, ``"cuda0"``, ...
    """
    import theano

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r".*\bpkg_resources\b")
        _mend_hide_c()
        _import_with_graphs_passed()
    _leave_out_what_is_broken()
    _mend_assert()
    _mend_fusion()
    _sum_maps_by_rows()
    theano.gpuarray.optdb = theano.compile.optdb
    theano.gpuarray.use(device)


def _mend_hide_c():
    from theano.link.c import interface

    raising = vars(interface.HideC)["_HideC__hide"]
    for name, method in list(vars(interface.HideC).items()):
        # That there is no c_code is what Theano still asks by an exception.
        if method is raising and name not in ("c_code", "_HideC__hide"):
            setattr(interface.HideC, name, getattr(interface.CLinkerOp, name))


def _import_with_graphs_passed():
    """Import theano.gpuarray with `op_lifter` replaced before the modules that use it are read."""
    import theano

    name = "theano.gpuarray"
    # A stand-in without the code of the package's __init__, which imports the users first.
    stand_in = types.ModuleType(name)
    stand_in.__path__ = [str(Path(theano.__file__).parent / "gpuarray")]
    sys.modules[name] = stand_in
    try:
        opt_util: Any = importlib.import_module(f"{name}.opt_util")
    finally:
        del sys.modules[name]
    opt_util.op_lifter = _passing_graphs(opt_util.op_lifter)
    package = importlib.import_module(name)
    for submodule, module in vars(stand_in).items():
        if isinstance(module, types.ModuleType):
            setattr(package, submodule, module)


def _passing_graphs(op_lifter):
    """`op_lifter` for makers whose first argument is the graph."""

    @functools.wraps(op_lifter)
    def mended(*arguments, **options):
        lift = op_lifter(*arguments, **options)

        def decorate(maker):
            graphs: list[Any] = []  # that are being rewritten; one rewrite can set off another

            @functools.wraps(maker)
            def without_graph(op, context_name, inputs, outputs):
                return maker(graphs[-1], op, context_name, inputs, outputs)

            rewrite = lift(without_graph)
            transform = rewrite.fn

            def noting_graph(fgraph, node):
                graphs.append(fgraph)
                try:
                    return transform(fgraph, node)
                finally:
                    graphs.pop()

            rewrite.fn = noting_graph
            return rewrite

        return decorate

    return mended


def _leave_out_what_is_broken():
    from theano.gpuarray import optdb

    optdb.gpu_seqopt.remove_tags("gpuarray_graph_optimization", "fast_compile", "fast_run", "gpuarray")
    for name in ("local_abstractconv_dnn", "local_abstractconv_gw_dnn", "local_abstractconv_gi_dnn"):
        optdb.abstractconv_groupopt.remove_tags(name, "conv_dnn", "fast_compile", "fast_run", "gpuarray", "cudnn")


def _mend_assert():
    from theano.gpuarray import opt

    opt.local_gpua_assert_graph = functools.partial(opt.local_gpua_assert_graph, None)  # it makes no use of the graph


def _mend_fusion():
    from theano.gpuarray.type import GpuArrayType
    from theano.graph.utils import TestValueError
    from theano.tensor import opt

    get_test_value = opt.get_test_value

    @functools.wraps(get_test_value)
    def of_cpu_variables(variable):
        if isinstance(variable.type, GpuArrayType):
            raise TestValueError("not for variables on a GPU")
        return get_test_value(variable)

    opt.get_test_value = of_cpu_variables


def _sum_maps_by_rows():
    """Have every row of a map summed by a block of its own, and then the sums."""
    from theano import tensor
    from theano.compile import optdb
    from theano.compile.ops import shape_i
    from theano.gpuarray.basic_ops import GpuReshape
    from theano.gpuarray.elemwise import GpuCAReduceCuda
    from theano.graph.opt import in2out, local_optimizer

    @local_optimizer([GpuCAReduceCuda])
    def rows_first(fgraph, node):
        op, maps = node.op, node.inputs[0]
        if not isinstance(op, GpuCAReduceCuda) or not all(op.reduce_mask) or maps.ndim < 3:
            return None
        rows = GpuReshape(2)(maps, tensor.stack([-1, shape_i(maps, maps.ndim - 1, fgraph)]))
        options = op._props_dict()
        sums = GpuCAReduceCuda(**{**options, "axis": (1,), "reduce_mask": (0, 1)})(rows)
        return [GpuCAReduceCuda(**{**options, "axis": (0,), "reduce_mask": (1,), "pre_scalar_op": None})(sums)]

    # Sums of sums have been made one before; arrays are overwritten, and not to be viewed as others, after.
    optdb.register("sum_maps_by_rows", in2out(rows_first), 49.3, "fast_run", "fast_compile")
