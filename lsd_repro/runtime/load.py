"""Theano-PyMC 1.1.2 and Lasagne 0.1, imported and mended: the one place that does.

Everyone else writes ``from lsd_repro.runtime.load import T, lasagne, theano``.  The three
names are made on first use (PEP 562), so importing this module imports nothing old.

===================  ==========================================================
`load`               checks the machine, sets Theano's flags, imports, mends
`runs_on_cpu`        whether graphs are computed on the CPU
===================  ==========================================================

Whatever the user set in ``THEANO_FLAGS`` or ``.theanorc`` wins over what is set here.
If they ask for a GPU, it is used, or an error says what it lacks; Theano by itself would fall back to the CPU.
"""

import contextlib
import functools
import hashlib
import importlib
import logging
import os
import re
import types
import warnings
from pathlib import Path
from typing import Any

from lsd_repro.errors import StackError
from lsd_repro.runtime import ahead, check, device, malloc, mend, precompiled, toolchain
from lsd_repro.runtime.flags import around, user_flags
from lsd_repro.runtime.gpu import cuda, gpuarray
from lsd_repro.runtime.symbolic import TensorVariable  # noqa: F401 (for everyone, beside T)

# Theano splits blas__ldflags at white space, and its flags at commas, quotes and '#'.
_PLAIN_PATH = re.compile(r"[\w./+@%=~-]+")

# Flags of the user's that can break compilation.
_DECISIVE = {"cxx", "mode", "optimizer", "linker", "floatX", "compiledir", "base_compiledir", "compiledir_format",
             "blas__ldflags", "gcc__cxxflags"}
_checked = False

# Those that Theano's C code calls, of a BLAS that may have other names for them.
BLAS_FUNCTIONS = tuple(f"{precision}{name}_" for precision in "sd" for name in ("gemm", "gemv", "ger", "dot", "axpy", "scal"))


def __getattr__(name: str) -> Any:
    if name in ("theano", "T", "lasagne"):
        return getattr(load(), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load() -> types.SimpleNamespace:
    """Import Theano and Lasagne, mended; the first call does the work.

    Returns
    -------
    types.SimpleNamespace
        With ``theano``, ``T`` (`theano.tensor`) and ``lasagne``, and the name of the ``device``.

    Raises
    ------
    StackError
        If the machine lacks something; the message says what to install.
    """
    global _checked
    loaded = _load()
    if not _checked:
        # Before the check, as what it compiles can import modules that ask for Theano again.
        _checked = True
        if _DECISIVE & set(user_flags()):
            _check_compiling(loaded.theano)
    return loaded


@functools.cache
def _load():
    for message in check.problems():
        raise StackError(message)
    mend.silence_what_nobody_can_change()
    malloc.keep_freed()
    asked = device.asked()
    # Told of a GPU, Theano would fail at it while it is imported, and go on without.
    with around(_our_flags(), {"device": "cpu", "gcc__cxxflags": _compiler_flags()}), mend.numpy_of_their_time():
        theano = _import("theano")
    mend.patch_constant_autocast()
    mend.fix_compile_cache_keys()
    precompiled.read_headers_once()
    ahead.compile_ahead()
    mend.let_code_for_gpus_be_imported()
    if asked != "cpu":
        _use_gpu(asked)
    mend.restore_what_lasagne_needs()
    with warnings.catch_warnings():
        # pkg_resources warns of its end, and of others' packages; setup.py keeps setuptools below 81.
        warnings.filterwarnings("ignore", r".*\bpkg_resources\b")
        # LaTeX in Lasagne's docstrings, when Python first compiles them: a SyntaxWarning from 3.12 on.
        warnings.filterwarnings("ignore", "invalid escape sequence", Warning)
        lasagne = _import("lasagne")
    return types.SimpleNamespace(theano=theano, T=theano.tensor, lasagne=lasagne, device=asked)


def _check_compiling(theano):
    """StackError if a convolution and a matrix product can't be compiled and run under the user's flags."""
    import numpy as np

    T = theano.tensor
    try:
        # Theano also prints what goes wrong, and logs it at length.
        with _quiet(), open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            picture, filters, matrix = T.tensor4(), T.tensor4(), T.matrix()
            convolved = T.nnet.conv2d(picture, filters, filter_flip=False)
            results = theano.function([picture, filters, matrix],
                                      [convolved, T.grad(convolved.sum(), picture), T.dot(matrix, matrix)])
            ones = np.ones((1, 1, 3, 3), theano.config.floatX)
            results(ones, ones, ones[0, 0])
    except Exception as error:  # of Theano, the compiler or the linker, and of hardly any type
        # Theano puts what went wrong behind what it was about to do, and before the graph.
        parts = [str(part).strip() for part in error.args]
        if len(parts) > 2 and parts[0].startswith("The following error happened"):
            parts = parts[3:4]
        why = "; ".join(filter(None, (parts or [""])[0].splitlines()))
        chosen = ", ".join(f"{name}={value}" for name, value in user_flags().items() if name in _DECISIVE)
        raise StackError(f"Theano can't compile with {chosen} (THEANO_FLAGS or .theanorc): {type(error).__name__}: "
                         f"{why[:200]}; correct the flags, or take them out") from error


@contextlib.contextmanager
def _quiet():
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def runs_on_cpu() -> bool:
    """Whether graphs are computed on the CPU, so that Ops written for the CPU alone may be put in."""
    return load().device == "cpu"


def _use_gpu(name):
    driver = cuda.find_driver()
    cuda.link_names(toolchain.find_compiler(), driver, cuda.find_nvrtc(driver), cuda.find_cublas(driver))
    try:
        gpuarray.use(name)
    except Exception as error:  # of the driver, the compiler or the memory of a GPU
        raise StackError(f"device={name}: the GPU cannot be used ({type(error).__name__}: {error}); "
                         f"lsd-repro doctor says more; device='cpu' computes without it") from error


def _our_flags():
    """The flags that Theano needs and the user did not set."""
    theirs = user_flags()
    blas = toolchain.find_blas()
    ldflags = f"-L{_plain_folder(blas.folder)} {blas.flags}" if blas.folder else blas.flags
    flags = {"floatX": "float32", "cxx": toolchain.find_compiler(), "blas__ldflags": ldflags,
             # Up to version 7 only, and none to be had for today's drivers.
             "dnn__enabled": "False", "print_active_device": "False",
             # How long to wait for the lock: a process keeps it while it compiles all that a graph needs.
             "compile__timeout": "3600"}
    return {name: value for name, value in flags.items() if name not in theirs}


def _compiler_flags():
    """``gcc__cxxflags``: the user's, and what the BLAS and numpy's headers need."""
    flags = [user_flags().get("gcc__cxxflags", "")]
    if toolchain.find_blas().prefix:
        flags += [f"-D{name}={toolchain.find_blas().prefix}{name}" for name in BLAS_FUNCTIONS]
    if mend.is_numpy_2():
        flags += mend.NUMPY_2_FLAGS
    return " ".join(filter(None, flags))


def _plain_folder(folder):
    """`folder`, or a symbolic link to it that can stand in Theano's flags."""
    if _PLAIN_PATH.fullmatch(folder):
        return folder
    cache = Path(os.getenv("XDG_CACHE_HOME") or Path.home() / ".cache", "lsd_repro")
    link = cache / hashlib.sha256(folder.encode()).hexdigest()[:16]
    if not _PLAIN_PATH.fullmatch(str(link)):
        raise StackError(
            f"Theano cannot link against libraries in {folder!r}, nor through {str(cache)!r}, as the names hold white "
            "space or other odd characters: set XDG_CACHE_HOME to a folder with a plain name, or move the environment")
    if not link.is_symlink():
        cache.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):  # another process was faster
            link.symlink_to(folder)
    return str(link)


def _import(name):
    try:
        return importlib.import_module(name)
    except Exception as error:  # with the wrong numpy or setuptools anything can come up
        # Theano checks its settings while it is imported.
        mending = ("correct THEANO_FLAGS or .theanorc" if isinstance(error, ValueError) and user_flags() else check.REINSTALL)
        raise StackError(
            f"{name} cannot be imported ({type(error).__name__}: {' '.join(str(error).split())}): {mending}") from error
