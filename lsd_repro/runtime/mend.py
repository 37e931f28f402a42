"""Fixes that keep Theano-PyMC 1.1.2 and Lasagne 0.1 running on newer Pythons and libraries."""

import contextlib
import functools
import hashlib
import importlib
import sys
import types
import warnings
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def numpy_of_their_time() -> Iterator[None]:
    """Import Theano inside of this: its modules then hold a numpy that has what numpy dropped since 1.20.

    numpy itself has those names only until the end, so that no other library takes it for an older one.
    """
    import numpy

    stand_in = _numpy_of_their_time()
    needed_while_importing = {name: python for name, python in _PYTHONS_TYPES.items() if name not in vars(numpy)}
    vars(numpy).update(needed_while_importing)
    distutils = sys.modules.get("numpy.distutils")
    sys.modules["numpy.distutils"] = stand_in.distutils
    try:
        yield
    finally:
        for name in needed_while_importing:
            del vars(numpy)[name]
        del sys.modules["numpy.distutils"]
        if distutils:
            sys.modules["numpy.distutils"] = distutils
        for name, module in list(sys.modules.items()):
            if name.partition(".")[0] == "theano":
                vars(module).update({alias: stand_in for alias in ("np", "numpy") if vars(module).get(alias) is numpy})


# numpy had them under its own name up to 1.23.  numpy 2 has a bool again, which does as well.
_PYTHONS_TYPES = {"bool": bool, "int": int, "complex": complex}


def _numpy_of_their_time():
    import numpy

    class Cast:
        """``np.cast[dtype](value)``."""

        def __getitem__(self, dtype):
            return functools.partial(numpy.asarray, dtype=getattr(dtype, "dtype", dtype))

    stand_in: Any = types.ModuleType("numpy")
    vars(stand_in).update({**_PYTHONS_TYPES, **vars(numpy)})
    # Gone in numpy 2.
    vars(stand_in).update(cast=Cast(), product=numpy.prod, sctype2char=lambda dtype: numpy.dtype(dtype).char)
    if is_numpy_2():
        complex_warning = importlib.import_module("numpy.exceptions").ComplexWarning
        vars(stand_in).update(core=vars(numpy)["_core"], ComplexWarning=complex_warning)
    # Deprecated, and left out for Python 3.12.  Theano asks it for headers alone, as lsd_repro tells it of a BLAS.
    stand_in.distutils = types.ModuleType("numpy.distutils")
    stand_in.distutils.misc_util = types.SimpleNamespace(get_numpy_include_dirs=lambda: [numpy.get_include()])
    return stand_in


NUMPY_2_FLAGS = (
    # What numpy's headers had to bridge Python 2 and 3, up to version 1.
    "-DNPY_PY3K", *(f"-DPyInt_{name}=PyLong_{name}" for name in ("Check", "AsLong", "FromLong")),
    "-DPyInt_AS_LONG=PyLong_AsLong",
    # What changed places in version 2 is hidden otherwise, and Theano's C code reads the size of an element.
    "-DNPY_TARGET_VERSION=NPY_2_0_API_VERSION",
)


def is_numpy_2() -> bool:
    import numpy

    return int(numpy.__version__.partition(".")[0]) >= 2


def patch_constant_autocast() -> None:
    """Have Theano find the smallest type for a Python number as it did with numpy 1.23.

    It compares the number with the array that it became.  numpy 2 rounds the number to the array's type before it
    compares, so that 0.1 seems to fit float32, and refuses to make an int8 of 300 at all; 1.24 warns of that.
    """
    import numpy
    from theano.configdefaults import config
    from theano.scalar.basic import NumpyAutocaster

    theirs = NumpyAutocaster.__call__

    def autocast(self, number):
        casts_to_floatx = isinstance(number, float) and config.floatX != "float64"
        if config.cast_policy != "custom" or casts_to_floatx or hasattr(number, "dtype"):
            return theirs(self, number)
        exact = numpy.asarray(number)
        for dtype in self.dtypes:
            with numpy.errstate(over="ignore"):
                array = exact.astype(dtype)
            if array.astype(exact.dtype) == exact and (dtype != "float16" or config.floatX == "float16"):
                break
        return array

    NumpyAutocaster.__call__ = autocast


def let_code_for_gpus_be_imported() -> None:
    """Let ``theano.gpuarray``, which Theano's DebugMode imports, too, find a module that numpy 2 keeps for itself."""
    import numpy

    if is_numpy_2():
        sys.modules["numpy.linalg.linalg"] = numpy.linalg


def restore_what_lasagne_needs() -> None:
    """Give Theano back the names that Lasagne 0.1 uses."""
    import theano
    from theano.graph import basic
    from theano.sandbox import rng_mrg
    from theano.tensor import signal
    from theano.tensor.signal import pool

    theano.gof = basic  # asked for gof.Variable by get_output(layer, expression)
    rng_mrg.MRG_RandomStreams = rng_mrg.MRG_RandomStream

    def max_pool_2d(input, ds, ignore_border=False, st=None, padding=(0, 0), mode="max"):
        return pool.pool_2d(input, ws=ds, ignore_border=ignore_border, stride=st, pad=padding, mode=mode)

    downsample: Any = types.ModuleType("theano.tensor.signal.downsample")
    downsample.max_pool_2d = max_pool_2d
    signal.downsample = sys.modules[downsample.__name__] = downsample


def fix_compile_cache_keys() -> None:
    """Fix two slips that make every process recompile some Ops, at a second or so each."""
    from theano.graph.op import COp, ExternalCOp

    def code_version(op):
        # Theano's has hash() in place of the digest: of strings, which Python salts in every process.
        digest = hashlib.sha256("".join(op.func_codes).encode()).hexdigest()
        return (digest, op.params_type.c_code_cache_version()) if hasattr(op, "params_type") else (digest,)

    ExternalCOp.c_code_cache_version = code_version

    # Theano counts __props__ as a part of the version, and an empty part as "don't keep".
    # After a class was made nothing else asks for it.
    classes = [COp]
    for cls in classes:
        classes += cls.__subclasses__()
        if vars(cls).get("__props__") == ():
            del cls.__props__


def silence_what_nobody_can_change() -> None:
    """Ignore these warnings for good: some appear only when a graph is built or compiled."""
    for message, category, module in (
            (r"The distutils", DeprecationWarning, r"theano\."),
            (r"Use shutil\.which instead of find_executable", DeprecationWarning, r"theano\."),
            # A C file that Theano reads and leaves for the garbage collector to close.
            (r"unclosed file .*\.c'", ResourceWarning, r"theano\."),
            (r"The `image_shape` keyword argument", UserWarning, r"lasagne\.")):
        warnings.filterwarnings("ignore", message, category, module)
