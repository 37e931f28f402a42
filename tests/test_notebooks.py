"""The lessons: what is committed was run as it stands, and runs."""

import ast
import base64
import importlib.util
import io
import os
import re
import sys
from pathlib import Path

import nbformat
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
SPEC = importlib.util.spec_from_file_location("regenerate", ROOT / "notebooks" / "regenerate.py")
regenerate = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(regenerate)

PATHS = regenerate.paths()
LARGEST = 700_000  # bytes
COLUMN = 1150  # pixels: shown in a column of 900, letters are then still legible
LONGEST = 105  # characters of a line: more would have to be scrolled to
PRIVATE = re.compile(r"(?<![\w.])/(home|work|tmp|root|Users|usr|var)/|Traceback")

each_notebook = pytest.mark.parametrize("path", PATHS, ids=[path.stem for path in PATHS])


def outputs(notebook):
    return [output for cell in regenerate.code_cells(notebook) for output in cell.outputs]


def test_there_are_ten_and_the_readme_has_a_line_for_each():
    assert [path.stem[:2] for path in PATHS] == [f"{number:02d}" for number in range(1, 11)]
    readme = (ROOT / "README.md").read_text("utf-8")
    for path in PATHS:
        assert f"(notebooks/{path.name})" in readme


@each_notebook
def test_outputs_are_those_of_the_code(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert regenerate.faults(notebook) == [], "run: make notebooks"


@each_notebook
def test_outputs_can_be_read_on_a_page(path):
    assert path.stat().st_size < LARGEST
    shown = outputs(nbformat.read(path, as_version=4))
    pictures = [output["data"]["image/jpeg"] for output in shown if "image/jpeg" in output.get("data", {})]
    assert len(pictures) >= 3
    for picture in pictures:
        with Image.open(io.BytesIO(base64.b64decode(picture))) as image:
            assert image.width <= COLUMN
    for output in shown:
        assert set(output.get("data", {})) <= {"image/jpeg", "text/plain"}
        assert not PRIVATE.search(output.get("text", "") + output.get("data", {}).get("text/plain", ""))


@each_notebook
def test_lessons_define_nothing_and_draw_nothing_themselves(path):
    cells = [cell.source for cell in regenerate.code_cells(nbformat.read(path, as_version=4))]
    assert cells[0].startswith("%matplotlib inline\n")
    code = "\n".join(cells).replace("%matplotlib inline", "", 1)
    assert "matplotlib" not in code
    definitions = ast.FunctionDef, ast.ClassDef, ast.Lambda
    assert not [node for node in ast.walk(ast.parse(code)) if isinstance(node, definitions)]
    assert "shipped.path(shipped.NETWORK)" in code
    assert max(map(len, code.splitlines())) <= LONGEST


def edited(change):
    notebook = nbformat.read(PATHS[0], as_version=4)
    change(regenerate.code_cells(notebook))
    return regenerate.faults(notebook)


def test_an_edited_cell_is_found():
    def edit(cells):
        cells[1].source += "  # more"

    assert edited(edit) == ["its code was edited since it was run"]


def test_a_cell_run_by_itself_is_found():
    def edit(cells):
        cells[1].execution_count = 40

    assert edited(edit) == ["code cell 2 was not run in its turn"]


def test_errors_and_warnings_are_found():
    def edit(cells):
        cells[0].outputs = [nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=[]),
                            nbformat.v4.new_output("stream", name="stderr", text="a warning\n")]

    assert edited(edit) == ["code cell 1 fails: ValueError: no", "code cell 1 warns: a warning"]


@pytest.mark.slow
@each_notebook
def test_it_runs_from_top_to_bottom(path, monkeypatch):
    # The same lsd_repro as this process has, installed or not.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(entry for entry in sys.path if entry))
    assert regenerate.faults(regenerate.execute(path)) == []
