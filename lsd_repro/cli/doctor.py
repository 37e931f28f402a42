"""What this installation runs on, what is missing, and what to do about it.

It works even if Theano does not start: that is when it is needed.  Nor does anything else that fails here, foreseen or
not, keep it from what there is to say of the rest.
"""

import importlib.metadata
import platform
import subprocess
import sys
from typing import Any, Callable

from lsd_repro import __version__
from lsd_repro.cli.words import as_typed
from lsd_repro.errors import InputError, StackError
from lsd_repro.material import fetch, shipped
from lsd_repro.runtime import check, device, load, openblas, toolchain

DISTRIBUTIONS = ("Theano-PyMC", "Lasagne", "numpy", "scipy", "scikit-image", "matplotlib", "Pillow", "setuptools",
                 "requests", "platformdirs", "filelock")
SHIPPED = (*shipped.NETWORKS.values(), shipped.PRIORS)


def report() -> str:
    """Describe the installation.

    Returns
    -------
    str
        One line for each thing found or missing, and after them what to do about
        each thing in `problems`.
    """
    rows = [("Python", f"{platform.python_version()} ({sys.executable})"), ("lsd_repro", __version__)]
    rows += [(name, _said(_version, name)) for name in DISTRIBUTIONS]
    rows += [("C++ compiler", _said(_compiler)), ("Python.h", _said(toolchain.find_headers)), ("BLAS", _said(_blas))]
    rows += _several("Theano", _theano_rows)
    rows += _several("GPU", device.rows)
    rows += [("ffmpeg", _said(_ffmpeg)), ("film's C code", _said(_film_code))]
    rows += [(name, _said(shipped.path, name)) for name in SHIPPED]
    rows += _several("fetched", _fetched_rows)

    width = max(len(name) for name, _ in rows)
    lines = [f"{name:{width}}  {value}" for name, value in rows]
    todo = problems()
    lines += ["", "What to do:", *(f"* {message}" for message in todo)] if todo else ["", "All is well."]
    return as_typed("\n".join(lines), ("verify_gpu",))


def problems() -> list[str]:
    """List what keeps lsd_repro from working here.

    Returns
    -------
    list of str
        One message for each problem, saying what to do; empty if all is well.
    """
    found: list[str] = []

    def attempt(function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except InputError as error:
            found.append(str(error))
        except Exception as error:  # nothing that fails is to keep the rest from being said
            found.append(_unforeseen(error))
        return None

    found += attempt(check.problems) or []
    if not found:  # otherwise it fails for a reason that is listed already
        attempt(load.load)
    for function in (_ffmpeg, _film_code):
        attempt(function)
    for name in SHIPPED:
        attempt(shipped.path, name)
    return found


def _fetched_rows():
    try:
        return [(f"fetched {what}", str(place) if there else f"not fetched (lsd-repro fetch {what})")
                for what, place, there in fetch.state()]
    except ImportError:  # platformdirs, which is listed above
        return []


def _said(find, *arguments):
    try:
        return str(find(*arguments))
    except InputError:
        return "MISSING"
    except Exception as error:
        return _unforeseen(error)


def _several(name, find):
    try:
        return find()
    except Exception as error:
        return [(name, _unforeseen(error))]


def _unforeseen(error):
    return f"can't be looked at ({type(error).__name__}: {' '.join(str(error).split())[:200]})"


def _version(distribution):
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "MISSING"


def _compiler():
    path = toolchain.find_compiler()
    return f"{path} ({_first_line(path, '--version')})"


def _blas():
    blas = toolchain.find_blas()
    if not blas.path:
        return f"{blas.kind}: {blas.flags or 'none'}"
    library = openblas.inspect(blas.path)
    if library is None or not library.kernels:
        return f"{blas.kind}: {blas.path}"
    return (f"{blas.kind}: {blas.path}, kernels for {library.kernels} (OPENBLAS_CORETYPE), "
            f"{library.threads} threads (OPENBLAS_NUM_THREADS)")


def _theano_rows():
    try:
        loaded = load.load()
    except StackError:
        return [("Theano", "cannot be brought up")]
    config = loaded.theano.config
    return [("floatX", config.floatX), ("device", loaded.device), ("fused Ops", _fused_ops(config)),
            ("compile cache", config.compiledir)]


def _fused_ops(config):
    from lsd_repro.ops import CONVOLUTION, PATCH_ENERGY, compiled

    if not load.runs_on_cpu():
        return "none, as they are for the CPU alone"
    excluded = config.optimizer_excluding.split(":")
    names = (CONVOLUTION, PATCH_ENERGY)
    used = [name for name in names if name not in excluded]
    if not used:
        return "none, as Theano's optimizer_excluding says"
    cores = "all cores (OMP_NUM_THREADS)" if compiled.has_openmp() else "one core, as the compiler lacks OpenMP"
    left = [f"{name} is off, as optimizer_excluding says" for name in names if name in excluded]
    return "; ".join([f"{' and '.join(used)} on {cores}", *left])


def _ffmpeg():
    try:
        from lsd_repro.film import encoder
    except ImportError as error:
        raise InputError(f"films can't be made: {error}; install lsd_repro again (in the checkout: make)") from error
    path = encoder.check()
    return f"{path} ({_first_line(path, '-version')})"


def _film_code():
    try:
        from lsd_repro.film import blend
    except ImportError as error:
        raise InputError(f"films can't be made: {error}; install lsd_repro again (in the checkout: make)") from error
    return blend._blend.__file__


def _first_line(*command):
    output = subprocess.run(command, capture_output=True).stdout.decode(errors="replace")
    return output.partition("\n")[0]
