"""Builds CUDA libraries that need no GPU, from the sources in ``tests/fake_gpu``."""

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

SOURCES = Path(__file__).with_name("fake_gpu")


def build(folder, stem, name, **definitions):
    """Build a fake ``lib{stem}`` as ``folder/name``, with ``-D`` for each definition; returns its path."""
    library = Path(folder, name)
    library.parent.mkdir(parents=True, exist_ok=True)
    library.write_bytes(_compiled(stem, name, *sorted(definitions.items())))
    return library


@cache
def _compiled(stem, name, *definitions):
    compiler = shutil.which("g++") or shutil.which("clang++")
    options = [f"-D{key}={value}" for key, value in (*definitions, ("FAKE_KERNEL_H", f'"{SOURCES / "kernel.h"}"'))]
    with tempfile.NamedTemporaryFile(suffix=".so") as file:
        subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-w", *options, str(SOURCES / f"{stem}.cpp"),
                        f"-Wl,-soname,{name}", "-o", file.name], check=True)
        # The linker puts a new file in its place.
        return Path(file.name).read_bytes()


def build_all(folder, nvrtc=(12, 4), cublas=(12, 4), **definitions):
    """Build driver, NVRTC and cuBLAS into a folder for ``LD_LIBRARY_PATH``; returns it as a string.

    `nvrtc` and `cublas` are versions; `definitions` are those that the sources name.
    """
    build(folder, "cuda", "libcuda.so.1", **definitions)
    build(folder, "nvrtc", f"libnvrtc.so.{nvrtc[0]}", FAKE_NVRTC_MAJOR=nvrtc[0], FAKE_NVRTC_MINOR=nvrtc[1])
    build(folder, "cublas", f"libcublas.so.{cublas[0]}", FAKE_CUBLAS_MAJOR=cublas[0], **definitions)
    return str(folder)
