"""The tools that Theano finds on this machine: a C++ compiler, Python's headers, a BLAS.

===================  ==========================================================
`find_compiler`      the C++ compiler that Theano will call
`find_headers`       the folder of Python.h
`find_blas`          the BLAS that Theano will link against
===================  ==========================================================

Nothing old is imported here.  Whatever the user set in ``THEANO_FLAGS`` or ``.theanorc`` wins.
"""

import contextlib
import ctypes
import ctypes.util
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lsd_repro.errors import StackError
from lsd_repro.runtime.flags import user_flags
from lsd_repro.runtime.openblas import instruct_openblas


@dataclass(frozen=True)
class Blas:
    """A BLAS with ``sgemm_`` and ``dgemm_``, 32-bit integers.

    Attributes
    ----------
    kind : str
        Where it was found: ``"scipy wheel"``, ``"system"`` or ``"set by the user"``.
    path : str
        The library file, or the name by which the system finds it; empty where
        the user's own flags say which.
    flags : str
        What Theano's ``blas__ldflags`` needs beside the folder.
    folder : str
        Where the linker and the loader must look; empty where they look anyway.
    prefix : str
        What stands before the names of its functions: ``"scipy_"`` in scipy's wheels from 1.13 on.
    """

    kind: str
    path: str
    flags: str
    folder: str = ""
    prefix: str = ""


def find_compiler() -> str:
    """Find the C++ compiler that Theano will call.

    Returns
    -------
    str
        Its path.

    Raises
    ------
    StackError
        If there is none that runs, or the user set Theano's ``cxx`` to nothing.
    """
    chosen = user_flags().get("cxx")
    if chosen == "":
        raise StackError("cxx (THEANO_FLAGS or .theanorc) is set to nothing, and Theano can't compute convolutions without a C++ "
                         "compiler: take it out")
    # Theano calls g++ by itself on Linux, clang++ on macOS, where g++ misbehaves.
    names = ("clang++", "g++") if sys.platform == "darwin" else ("g++", "clang++")
    for name in (chosen,) if chosen else names:
        path = shutil.which(name)
        if path and _runs([path, "--version"]):
            return path
    raise StackError(
        (f"the C++ compiler {chosen!r} (cxx in THEANO_FLAGS or .theanorc) does not run: correct it, or install one"
         if chosen else "no C++ compiler (g++ or clang++) was found, and Theano needs one: install it")
        + " (Debian/Ubuntu: sudo apt install g++; Fedora: sudo dnf install gcc-c++; macOS: xcode-select --install)")


def find_headers() -> str:
    """Find the C headers of this Python.

    Returns
    -------
    str
        The folder that holds Python.h; empty if the user told Theano not to compile.

    Raises
    ------
    StackError
        If there is no Python.h.
    """
    # Theano asks distutils, which looks in one or the other, as old as it is.
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    folders = (os.path.join(sys.base_prefix, "include", f"python{version}"), sysconfig.get_path("include"))
    for folder in folders:
        if os.path.exists(os.path.join(folder, "Python.h")):
            return folder
    raise StackError(
        f"Python.h of Python {version} is not in {folders[0]}, and Theano needs it to compile: install Python's headers "
        f"(Debian/Ubuntu: sudo apt install python{version}-dev; Fedora: sudo dnf install python{version}-devel or "
        "python3-devel; pyenv, uv, python.org and Homebrew bring them along)")


def find_blas() -> Blas:
    """Find the BLAS that Theano will link against.

    Returns
    -------
    Blas
        The user's choice, else the one inside scipy's wheel, else the system's.

    Raises
    ------
    StackError
        If there is none.

    Notes
    -----
    Left to itself Theano-PyMC 1.1.2 asks numpy.distutils, which since numpy 1.22
    ends in ``AttributeError: blas_opt_info``.  scipy's wheels carry an OpenBLAS with
    32-bit integers, numpy's one with 64.  The one in scipy's wheels since 1.13 calls
    its functions ``scipy_sgemm_`` and so on: `lsd_repro.runtime.load` has Theano's C code
    call them so.
    """
    flags = user_flags()
    if "blas__ldflags" in flags:
        return Blas("set by the user", "", flags["blas__ldflags"])
    instruct_openblas()
    if sys.platform == "darwin":
        # Untried.  The OpenBLAS in macOS wheels cannot be found by what links against
        # it (its install name is a placeholder), and Accelerate is part of the system.
        path = ctypes.util.find_library("Accelerate")
        if path and _gemm_prefix(path) == "":
            return Blas("system", path, "-Wl,-framework,Accelerate")
    for path in _scipy_libraries():
        _load_what_lies_beside(path)
        prefix = _gemm_prefix(path)
        if prefix is not None:
            # lib<name>.so as -l<name>: spelled -l:<file>, Theano warns that it is not there.
            return Blas("scipy wheel", str(path), f"-l{path.stem[3:]}", str(path.parent), prefix)
    for name in ("openblas", "flexiblas", "blas"):
        path = ctypes.util.find_library(name)
        # By file name, as -l<name> needs the symbolic link of the -dev package.
        if path and _gemm_prefix(path) == "" and _links(f"-l:{path}"):
            return Blas("system", path, f"-l:{path}")
    raise StackError(
        "no BLAS library was found for Theano: install scipy's wheel (pip install --force-reinstall scipy, which brings "
        "one along) or a system one (Debian/Ubuntu: sudo apt install libopenblas0; Fedora: sudo dnf install "
        "openblas; or name yours in THEANO_FLAGS=blas__ldflags=...)")


def _scipy_libraries():
    """The BLAS libraries that scipy's wheel carries, found without importing scipy."""
    spec = importlib.util.find_spec("scipy")
    if spec is None or spec.origin is None:
        return []
    return sorted(Path(spec.origin).parent.parent.glob("scipy.libs/lib*blas*.so"))


def _load_what_lies_beside(library):
    """Load the libraries that `library` needs, and that only scipy's own modules would find."""
    others = [path for path in library.parent.glob("lib*.so*") if path != library]
    for _ in others:  # they need each other, in an order that the names do not tell
        for path in others:
            with contextlib.suppress(OSError):
                ctypes.CDLL(str(path))


def _gemm_prefix(path):
    """What stands before ``sgemm_`` and ``dgemm_`` in a library; None if it has neither."""
    try:
        library = ctypes.CDLL(str(path))
    except OSError:
        return None
    return next((prefix for prefix in ("", "scipy_") if all(hasattr(library, f"{prefix}{name}")
                                                            for name in ("sgemm_", "dgemm_"))), None)


def _links(flag):
    """Whether the compiler's linker finds what the loader found: their folders can differ."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "gemm.cpp")
        source.write_text('extern "C" void sgemm_(); int main() { sgemm_(); }\n')
        return _runs([find_compiler(), str(source), flag, "-o", str(Path(folder, "gemm"))])


def _runs(command):
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False
