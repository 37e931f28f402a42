"""Theano-PyMC 1.1.2 and Lasagne 0.1 on today's Python: with `gpuarray`, what knows that they are old.

Everyone else writes ``from lsd_repro.stack import T, lasagne, theano``.  The three
names are made on first use (PEP 562), so importing this module imports nothing old.

===================  ==========================================================
`load`               checks the machine, sets Theano's flags, imports, mends
`find_compiler`      the C++ compiler that Theano will call
`find_headers`       the folder of Python.h
`find_blas`          the BLAS that Theano will link against
`problems`           what is missing here, as messages
`runs_on_cpu`        whether graphs are computed on the CPU
===================  ==========================================================

Whatever the user set in ``THEANO_FLAGS`` or ``.theanorc`` wins over what is set here.
A GPU that they ask for is used, or what it lacks is said: Theano alone would go on on the CPU.
"""

import contextlib
import ctypes
import ctypes.util
import functools
import hashlib
import importlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import types
import warnings
from dataclasses import dataclass
from pathlib import Path

from lsd_repro import cuda, device, gpuarray, memory
from lsd_repro.errors import StackError
from lsd_repro.processor import instruct_openblas
from lsd_repro.theano_flags import around, user_flags

# Theano-PyMC 1.1.2 was released for 3.7-3.9; 3.12 lacks the distutils that it imports.
OLDEST_PYTHON, NEWEST_PYTHON = (3, 9), (3, 11)

# Theano splits blas__ldflags at white space, and its flags at commas, quotes and '#'.
_PLAIN_PATH = re.compile(r"[\w./+@%=~-]+")

_REINSTALL = ("install lsd_repro again, which brings the versions that it needs "
              "(in the checkout: pip install --force-reinstall .)")


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
    """

    kind: str
    path: str
    flags: str
    folder: str = ""


def __getattr__(name):
    if name in ("theano", "T", "lasagne"):
        return getattr(load(), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@functools.lru_cache(maxsize=None)
def load():
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
    for message in problems():
        raise StackError(message)
    _silence_what_nobody_can_change()
    memory.keep_freed()
    asked = device.asked()
    # Told of a GPU, Theano would fail at it while it is imported, and go on without.
    with around(_our_flags(), {"device": "cpu"}):
        theano = _import("theano")
    _let_compiled_code_be_found_again()
    if asked != "cpu":
        _use_gpu(asked)
    _restore_what_lasagne_needs()
    with warnings.catch_warnings():
        # pkg_resources warns of its end, and of others' packages; setup.py keeps setuptools below 81.
        warnings.filterwarnings("ignore", r".*\bpkg_resources\b")
        # LaTeX in Lasagne's docstrings, when Python first compiles them.
        warnings.filterwarnings("ignore", "invalid escape sequence", DeprecationWarning)
        lasagne = _import("lasagne")
    return types.SimpleNamespace(theano=theano, T=theano.tensor, lasagne=lasagne, device=asked)


def runs_on_cpu():
    """Whether graphs are computed on the CPU, so that Ops that exist for it alone may be put in."""
    return load().device == "cpu"


def _use_gpu(name):
    driver = cuda.find_driver()
    cuda.link_names(find_compiler(), driver, cuda.find_nvrtc(driver), cuda.find_cublas(driver))
    try:
        gpuarray.use(name)
    except Exception as error:  # of the driver, the compiler or the memory of a GPU
        raise StackError(f"device={name}: the GPU cannot be used ({type(error).__name__}: {error}); "
                         f"see lsd-repro doctor --device {name}, or compute with --device cpu") from error


# ---------------------------------------------------------------- what the machine has


def problems():
    """List what keeps Theano from working here.

    Returns
    -------
    list of str
        One message for each missing thing, saying what to install; empty if all is there.
    """
    found = _failures(check_python, check_installed, user_flags, device.asked, find_compiler, find_headers, find_blas)
    return found or device.problems(device.asked(), find_compiler)


def problems_before_install():
    """List what would keep Theano from working whatever pip installs; the Makefile asks."""
    return _failures(check_python, user_flags, find_compiler, find_headers)


def _failures(*checks):
    messages = []
    for check in checks:
        try:
            check()
        except StackError as error:
            if str(error) not in messages:  # flags that cannot be parsed fail every check
                messages.append(str(error))
    return messages


def check_python():
    """Raise `StackError` on a Python that Theano-PyMC 1.1.2 does not run on."""
    if not OLDEST_PYTHON <= sys.version_info[:2] <= NEWEST_PYTHON:
        raise StackError(
            f"Python {sys.version_info[0]}.{sys.version_info[1]} cannot run Theano-PyMC 1.1.2: "
            "make a virtual environment with Python 3.9, 3.10 or 3.11 and install lsd_repro there "
            "(Debian/Ubuntu: python3.11-venv; Fedora: python3.11; macOS: brew install python@3.11; "
            "anywhere: uv venv --python 3.11)")


def check_installed():
    """Raise `StackError` where pip has not installed Theano and what it needs."""
    missing = [name for name in ("theano", "lasagne", "scipy", "pkg_resources") if not importlib.util.find_spec(name)]
    if missing:
        raise StackError(f"not installed here: {', '.join(missing)}; {_REINSTALL}")


def find_compiler():
    """Find the C++ compiler that Theano will call.

    Returns
    -------
    str
        Its path; empty if the user set Theano's ``cxx`` to nothing, in which case
        Theano computes in Python, slowly.

    Raises
    ------
    StackError
        If there is none that runs.
    """
    chosen = user_flags().get("cxx")
    if chosen == "":
        return ""
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


def find_headers():
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
    if user_flags().get("cxx") == "":
        return ""
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


def find_blas():
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
    ends in ``AttributeError: blas_opt_info``.  scipy's wheels before 1.13 carry an
    OpenBLAS with plain symbol names and 32-bit integers; numpy's, and scipy's since,
    carry one with other names.
    """
    flags = user_flags()
    if "blas__ldflags" in flags or flags.get("cxx") == "":
        return Blas("set by the user", "", flags.get("blas__ldflags", ""))
    instruct_openblas()
    if sys.platform == "darwin":
        # Untried.  The OpenBLAS in macOS wheels cannot be found by what links against
        # it (its install name is a placeholder), and Accelerate is part of the system.
        path = ctypes.util.find_library("Accelerate")
        if path and _has_gemm(path):
            return Blas("system", path, "-Wl,-framework,Accelerate")
    for path in _scipy_libraries():
        _load_what_lies_beside(path)
        if _has_gemm(path):
            # lib<name>.so as -l<name>: spelled -l:<file>, Theano warns that it is not there.
            return Blas("scipy wheel", str(path), f"-l{path.stem[3:]}", str(path.parent))
    for name in ("openblas", "flexiblas", "blas"):
        path = ctypes.util.find_library(name)
        # By file name, as -l<name> needs the symbolic link of the -dev package.
        if path and _has_gemm(path) and _links(f"-l:{path}"):
            return Blas("system", path, f"-l:{path}")
    raise StackError(
        "no BLAS library was found for Theano: install scipy's wheel (pip install 'scipy<1.13', which brings "
        "one along) or a system one (Debian/Ubuntu: sudo apt install libopenblas0; Fedora: sudo dnf install "
        "openblas; or name yours in THEANO_FLAGS=blas__ldflags=...)")


def _scipy_libraries():
    """The shared libraries that scipy's wheel carries, found without importing scipy."""
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


def _has_gemm(path):
    try:
        library = ctypes.CDLL(str(path))
    except OSError:
        return False
    return hasattr(library, "sgemm_") and hasattr(library, "dgemm_")


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


# ---------------------------------------------------------------- Theano's flags


def _our_flags():
    """The flags that Theano needs and the user did not set."""
    theirs = user_flags()
    blas = find_blas()
    ldflags = f"-L{_plain_folder(blas.folder)} {blas.flags}" if blas.folder else blas.flags
    flags = {"floatX": "float32", "cxx": find_compiler(), "blas__ldflags": ldflags,
             # Up to version 7 only, and none to be had for today's drivers.
             "dnn__enabled": "False", "print_active_device": "False"}
    return {name: value for name, value in flags.items() if name not in theirs}


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


# ---------------------------------------------------------------- what became of 2015's names


def _import(name):
    try:
        return importlib.import_module(name)
    except Exception as error:  # with the wrong numpy or setuptools anything can come up
        raise StackError(
            f"{name} cannot be imported ({type(error).__name__}: {error}): {_REINSTALL}") from error


def _restore_what_lasagne_needs():
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

    downsample = types.ModuleType("theano.tensor.signal.downsample")
    downsample.max_pool_2d = max_pool_2d
    signal.downsample = sys.modules[downsample.__name__] = downsample


def _let_compiled_code_be_found_again():
    """Mend two slips by which every process compiles some Ops anew, a second or so for each."""
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


def _silence_what_nobody_can_change():
    """Ignore these warnings for good: some come up only when a graph is built or compiled."""
    for message, category, module in (
            (r"\s*`numpy.distutils` is deprecated", DeprecationWarning, r"theano\."),
            (r"The distutils", DeprecationWarning, r"theano\."),
            (r"Use shutil\.which instead of find_executable", DeprecationWarning, r"theano\."),
            (r"`np\.\w+` is a deprecated alias", DeprecationWarning, r"theano\."),
            # A C file that Theano reads and leaves for the garbage collector to close.
            (r"unclosed file .*\.c'", ResourceWarning, r"theano\."),
            (r"The `image_shape` keyword argument", UserWarning, r"lasagne\.")):
        warnings.filterwarnings("ignore", message, category, module)
