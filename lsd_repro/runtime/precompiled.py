"""Lets the compiler read the headers that all of Theano's modules begin with once, not once for each.

A graph becomes a hundred small C++ modules.  Each begins with the headers of Python, numpy and C++, and
reading these takes the compiler longer than the rest; so does writing down for a debugger what is in them.
"""

import contextlib
import functools
import hashlib
import os
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path

# In the order in which the modules name them.
HEADERS = """\
#include <Python.h>
#include <iostream>
#include "theano_mod_helper.h"
#include <math.h>
#include <numpy/arrayobject.h>
#include <numpy/arrayscalars.h>
#include <algorithm>
#include <vector>
"""
_one_at_a_time = threading.Lock()


def read_headers_once() -> None:
    """From now on have Theano compile with a precompiled header, where the compiler is GCC, and without debugging data.

    Debugging data are kept if ``gcc__cxxflags`` asks for any.  GCC takes a precompiled header only where
    that comes to the same as reading the headers, and else reads them.
    """
    from theano.link.c.cmodule import GCC_compiler

    compile_str = GCC_compiler.compile_str

    @functools.wraps(compile_str)
    def compile_faster(module_name, src_code, location=None, include_dirs=None, lib_dirs=None, libs=None, preargs=None,
                       **options):
        preargs = without_debugging(preargs or [])

        def compile_with(flags):
            return compile_str(module_name, src_code, location, include_dirs, lib_dirs, libs, preargs + flags,
                               **options)

        header = header_flags(preargs) if src_code.startswith(HEADERS[:HEADERS.index("\n")]) else []
        if header:
            # Whatever is wrong with the header, the rest can be right.
            with contextlib.suppress(Exception):
                return compile_with(header)
        return compile_with([])

    GCC_compiler.compile_str = staticmethod(compile_faster)


def without_debugging(flags: Sequence[str]) -> list[str]:
    """`flags` and one that takes back Theano's ``-g``, unless they ask for debugging data themselves."""
    return [*flags, *(["-g0"] if not any(flag.startswith("-g") for flag in flags) else [])]


def header_flags(flags: list[str]) -> list[str]:
    """The compiler's flags for the header precompiled, which is done if need be; none where it cannot be.

    Parameters
    ----------
    flags : list of str
        With which a module is to be compiled.
    """
    from theano.configdefaults import config
    from theano.link.c.cmodule import std_include_dirs

    # Few modules are not of graphs, and not optimised.  What clang has precompiled it refuses with other flags.
    if not any(flag.startswith("-O") for flag in flags) or not is_gcc(config.cxx):
        return []
    # A module with OpenMP cannot have the header of the others, and isn't worth one of its own.
    flags = [flag for flag in flags if flag != "-fopenmp" and not flag.startswith("-Wl,")]
    flags += [f"-I{folder}" for folder in std_include_dirs()]
    with _one_at_a_time:
        header = _precompiled(config.compiledir, config.cxx, tuple(flags))
    # Somebody may have emptied the folder.
    return ["-include", header] if header and os.path.exists(header) else []


@functools.cache
def is_gcc(compiler: str) -> bool:
    """Whether a C++ compiler is GCC, by whatever name it is called."""
    said = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout
    return "Free Software Foundation" in said


@functools.cache
def _precompiled(folder, compiler, flags):
    """Path of the header beside which its precompiled form lies, or None."""
    import numpy
    from theano.configdefaults import gcc_version_str

    # GCC checks its own version and the flags, and not whether headers have changed.
    made_of = [HEADERS, compiler, gcc_version_str, sys.version, numpy.__version__, *flags]
    header = Path(folder, "headers-" + hashlib.sha256("\n".join(made_of).encode()).hexdigest()[:16], "headers.h")
    result = Path(f"{header}.gch")
    if result.exists():
        return str(header)
    try:
        header.parent.mkdir(parents=True, exist_ok=True)
        header.write_text(HEADERS)
        handle, name = tempfile.mkstemp(dir=header.parent, suffix=".gch")
        os.close(handle)
        try:
            subprocess.run([compiler, *flags, "-x", "c++-header", str(header), "-o", name], check=True,
                           capture_output=True)
            os.replace(name, result)
        except BaseException:
            os.unlink(name)
            raise
    except (OSError, subprocess.CalledProcessError) as error:
        warnings.warn(f"compiling takes longer: {header} cannot be precompiled ({error})", stacklevel=2)
        return None
    return str(header)
