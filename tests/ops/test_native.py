"""The C++ for processors and compilers other than those that Theano is using here, and under sanitizers."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import native
import pytest

from lsd_repro.ops.compiled import has_openmp
from lsd_repro.runtime.load import theano

# What gcc is told of the processor, what that must have, and how wide its vectors are.
PROCESSORS = {"SSE2": ("x86-64", "sse2", 16), "AVX2": ("haswell", "avx2", 32), "AVX-512": ("skylake-avx512", "avx512f", 64)}
SANITIZE = ["-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]

OPENMP = ["-fopenmp"] if has_openmp() else []

pytestmark = pytest.mark.skipif(not theano.config.cxx, reason="needs a C++ compiler")


def has(feature):
    try:
        words = Path("/proc/cpuinfo").read_text().split()
    except OSError:
        return False
    return {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512cd"} <= set(words) if feature == "avx512f" else feature in words


@pytest.mark.parametrize("name", PROCESSORS)
def test_vectors_of_every_width_give_numpys_results(name, tmp_path):
    architecture, feature, width = PROCESSORS[name]
    if not has(feature):
        pytest.skip(f"this processor has no {name}")
    library = native.build(tmp_path / "ops.so", theano.config.cxx, *OPENMP, "-O1", f"-march={architecture}")
    assert native.Native(library, "float32").vector_bytes == width
    native.check(library)


@pytest.mark.slow
def test_clangs_give_numpys_results(tmp_path):
    if not shutil.which("clang++"):
        pytest.skip("clang is not installed")
    # With OpenMP, where libomp is installed as well.
    options = ["-fopenmp"] if subprocess.run(["clang++", "-fopenmp", "-x", "c++", "-", "-o", tmp_path / "none"],
                                             input=b"#include <omp.h>\nint main() {}").returncode == 0 else []
    native.check(native.build(tmp_path / "ops.so", "clang++", *options, "-O3", "-march=native"))


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["x86-64", "native"])
def test_no_memory_is_touched_that_is_not_ours_and_nothing_is_undefined(architecture, tmp_path):
    compiler = theano.config.cxx
    try:
        library = native.build(tmp_path / "ops.so", compiler, *OPENMP, *SANITIZE, f"-march={architecture}")
    except subprocess.CalledProcessError:
        pytest.skip("the compiler has no sanitizers")
    # Python is not built with them, so they come first; the C++ library with them, whose exceptions they look for.
    found = [subprocess.run([compiler, f"-print-file-name={name}"], capture_output=True, text=True).stdout.strip()
             for name in ("libasan.so", "libstdc++.so")]
    environment = {**os.environ, "LD_PRELOAD": " ".join(found), "ASAN_OPTIONS": "detect_leaks=0", "PYTHONMALLOC": "malloc",
                   "OMP_NUM_THREADS": "2", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

    def run(*arguments):
        return subprocess.run([sys.executable, native.__file__, library, *arguments], env=environment, capture_output=True,
                              text=True)

    assert "heap-buffer-overflow" in run("beyond").stderr
    result = run()
    assert result.returncode == 0, result.stderr
