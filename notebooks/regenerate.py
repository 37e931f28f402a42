"""Runs the notebooks and keeps their outputs: ``python notebooks/regenerate.py [NAME.ipynb ...]``.

A notebook that was run keeps a digest of its code cells, so that the tests see a cell
that was edited and not run.
"""

import argparse
import hashlib
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent
SECONDS_PER_CELL = 1800
# Letters stay clean, and a notebook stays small.
JPEG = {"bbox_inches": "tight", "pil_kwargs": {"quality": 82, "optimize": True, "progressive": True}}


def paths():
    """The notebooks, in their order."""
    return sorted(HERE.glob("[0-9][0-9]_*.ipynb"))


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def digest(notebook):
    """SHA-256 of the sources of a notebook's code cells."""
    sources = "\0".join(cell.source for cell in code_cells(notebook))
    return hashlib.sha256(sources.encode()).hexdigest()


def execute(path):
    """Run a notebook from top to bottom in a fresh kernel.

    Parameters
    ----------
    path : Path

    Returns
    -------
    nbformat.NotebookNode
        With outputs; without anything that another run would have otherwise, such as times.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails.
    """
    notebook = nbformat.read(path, as_version=4)
    for cell in code_cells(notebook):
        cell.outputs, cell.execution_count, cell.metadata = [], None, {}
    client = NotebookClient(notebook, timeout=SECONDS_PER_CELL, kernel_name="python3", record_timing=False,
                            coalesce_streams=True, resources={"metadata": {"path": str(HERE)}},
                            extra_arguments=["--IPKernelApp.log_level=ERROR", "--InlineBackend.figure_formats=jpeg",
                                             f"--InlineBackend.print_figure_kwargs={JPEG}"])
    notebook = client.execute()
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "lsd_repro": {"code_cells": digest(notebook)}}
    return notebook


def faults(notebook):
    """What keeps a notebook's outputs from being fit to show: errors, warnings, cells that were not run.

    Returns
    -------
    list of str
        Empty if all is well.
    """
    found = []
    for index, cell in enumerate(code_cells(notebook), 1):
        if cell.execution_count != index:
            found.append(f"code cell {index} was not run in its turn")
        for output in cell.outputs:
            if output.output_type == "error":
                found.append(f"code cell {index} fails: {output.ename}: {output.evalue}")
            elif output.output_type == "stream" and output.name == "stderr":
                found.append(f"code cell {index} warns: {output.text.strip()}")
    if notebook.metadata.get("lsd_repro", {}).get("code_cells") != digest(notebook):
        found.append("its code was edited since it was run")
    return found


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="files to run (default: all)")
    chosen = parser.parse_args(arguments).notebooks or paths()
    failed = False
    for path in chosen:
        print(path.name, end=" ", flush=True)
        began = time.monotonic()
        notebook = execute(path)
        nbformat.write(notebook, path)
        print(f"{time.monotonic() - began:.0f} s")
        for fault in faults(notebook):
            failed = True
            print(f"  {fault}", file=sys.stderr)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
