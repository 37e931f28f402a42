import os
import platform

import pytest

from lsd_repro.runtime.openblas import core_type, instruct_openblas

AVX512 = "avx512f avx512cd avx512bw avx512dq avx512vl"


@pytest.mark.parametrize("vendor, flags, expected", [
    ("GenuineIntel", f"sse2 avx avx2 fma {AVX512} amx_tile", "SkylakeX"),
    ("AuthenticAMD", "sse2 avx avx2 fma", "Haswell"),
    ("GenuineIntel", "sse2 avx avx2 fma avx512f", "Haswell"),  # Knights Landing has no more
    ("GenuineIntel", "sse2 avx", None),
    ("Shanghai", f"sse2 avx avx2 fma {AVX512}", None),
])
def test_kernels_are_those_for_what_the_processor_has(vendor, flags, expected):
    assert core_type(f"processor\t: 0\nvendor_id\t: {vendor}\nmodel\t: 207\nflags\t\t: {flags}\n\n") == expected


def test_other_machines_are_left_alone(tmp_path, monkeypatch):
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    instruct_openblas(tmp_path / "missing")
    (tmp_path / "arm").write_text("processor\t: 0\nBogoMIPS\t: 243.75\nFeatures\t: fp asimd\n")
    instruct_openblas(tmp_path / "arm")
    assert "OPENBLAS_CORETYPE" not in os.environ


def test_what_the_user_chose_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Nehalem")
    (tmp_path / "cpuinfo").write_text("vendor_id\t: GenuineIntel\nflags\t: avx2 fma\n")
    instruct_openblas(tmp_path / "cpuinfo")
    assert os.environ["OPENBLAS_CORETYPE"] == "Nehalem"


def test_openblas_listens(python):
    code = "from lsd_repro.runtime import openblas, toolchain; print(openblas.kernels(toolchain.find_blas().path))"
    if python(code).stdout.strip() == "None" or platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("Theano's BLAS is no OpenBLAS for x86 here")
    assert python(code, OPENBLAS_CORETYPE="Nehalem").stdout.strip() == "Nehalem"


def test_a_library_is_known_by_any_name_and_says_its_threads(python, tmp_path):
    code = ("from lsd_repro.runtime import openblas, toolchain; import os; path = toolchain.find_blas().path; "
            "os.symlink(path, 'alias.so.0'); print(openblas.inspect('./alias.so.0') == openblas.inspect(path), "
            "openblas.inspect('').__class__.__name__, openblas.inspect(path).threads)")
    done = python("from lsd_repro.runtime import openblas, toolchain; print(openblas.inspect(toolchain.find_blas().path))")
    if done.stdout.strip() == "None" or not done.stdout:
        pytest.skip("Theano's BLAS here is none that says anything")
    assert python(code, OPENBLAS_NUM_THREADS="1").stdout.split() == ["True", "NoneType", "1"]


def test_threads_do_not_wait_for_long(monkeypatch):
    monkeypatch.delenv("OPENBLAS_THREAD_TIMEOUT", raising=False)
    instruct_openblas()
    assert int(os.environ["OPENBLAS_THREAD_TIMEOUT"]) < 20
    monkeypatch.setenv("OPENBLAS_THREAD_TIMEOUT", "26")
    instruct_openblas()
    assert os.environ["OPENBLAS_THREAD_TIMEOUT"] == "26"
