"""Runs that somebody damaged: each is one line that names the file, never a traceback."""

import json
import shutil
import zipfile

import numpy as np
import pytest
from test_stream import PROGRAM, SCENES, Step, parameters

from lsd_repro.errors import InputError
from lsd_repro.film import run, stream


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    out = tmp_path_factory.mktemp("damaged") / "run"
    with pytest.raises(BaseException, match=r"^$"):
        stream.make_film(out, SCENES, PROGRAM, lambda: Step(break_at=3), parameters())
    return out


def latest(change):
    """What changes state/latest.npz, from what changes its arrays."""
    def damage(out):
        file = out / "state" / "latest.npz"
        with np.load(file) as state:
            arrays = change(dict(state))
        np.savez(file, **arrays)
    return damage


def becomes(data, name="state/latest.npz"):
    def damage(out):
        (out / name).write_bytes(data)
    return damage


def cut(out):
    file = out / "state" / "latest.npz"
    file.write_bytes(file.read_bytes()[:-300])


def flip(out):
    file = out / "state" / "latest.npz"
    data = bytearray(file.read_bytes())
    data[data.index(b"NUMPY") + 1000] ^= 1
    file.write_bytes(data)


def folder(out):
    (out / "state" / "latest.npz").unlink()
    (out / "state" / "latest.npz").mkdir()


def claims(shape):
    def damage(out):
        with zipfile.ZipFile(out / "state" / "latest.npz", "w") as archive, archive.open("x.npy", "w") as member:
            np.lib.format.write_array_header_1_0(member, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return damage


LATEST = {
    "cut": cut, "empty": becomes(b""), "text": becomes(b"frame 3"), "a folder": folder, "a bit flipped": flip,
    "pickled": latest(lambda arrays: {**arrays, "x": np.array([{}], object)}),
    "an array missing": latest(lambda arrays: {name: array for name, array in arrays.items() if name != "m"}),
    "no count": latest(lambda arrays: {name: array for name, array in arrays.items() if name != "done"}),
    "a count that is none": latest(lambda arrays: {**arrays, "done": np.array([1, 2])}),
    "a negative count": latest(lambda arrays: {**arrays, "done": -3}),
    "an array of another shape": latest(lambda arrays: {**arrays, "x": np.zeros((3, 2, 2), np.float32)}),
    "an array of another type": latest(lambda arrays: {**arrays, "x": arrays["x"].astype(complex)}),
    "an absurd shape": claims((1 << 40, 1 << 20)), "a negative shape": claims((-1,)),
}


@pytest.mark.parametrize("damage", LATEST.values(), ids=LATEST)
def test_a_damaged_state_is_named(interrupted, tmp_path, damage):
    assert "out=" in refused(interrupted, tmp_path, damage, "latest.npz can't be used")


def test_a_run_whose_state_was_deleted_begins_anew(interrupted, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(interrupted, out)
    (out / "state" / "latest.npz").unlink()
    stream.make_film(out, SCENES, PROGRAM, Step, parameters(), resume=True)
    assert (out / "film.mp4").exists()


FRAMES = {"text": b"no array", "empty": b"", "pickled": b"\x80\x04N."}


@pytest.mark.parametrize("data", FRAMES.values(), ids=FRAMES)
def test_a_damaged_frame_is_named(interrupted, tmp_path, data):
    refused(interrupted, tmp_path, becomes(data, "state/frame0000.npy"), "frame0000.npy can't be read")


@pytest.mark.parametrize("frame", [np.zeros((2, 2, 3), np.float32), np.zeros((36, 48), np.float32),
                                   np.zeros((36, 48, 3), np.int64), np.float32(3)])
def test_a_frame_of_another_shape_or_type_is_named(interrupted, tmp_path, frame):
    refused(interrupted, tmp_path, lambda out: np.save(out / "state" / "frame0000.npy", frame), "frame0000.npy can't be read")


def refused(interrupted, tmp_path, damage, words):
    """The message, of one line, of a run that is damaged and then resumed."""
    out = tmp_path / "run"
    shutil.copytree(interrupted, out)
    damage(out)
    with pytest.raises(InputError, match=words) as caught:
        stream.make_film(out, SCENES, PROGRAM, Step, parameters(), resume=True)
    assert "\n" not in str(caught.value)
    return str(caught.value)


RECORDS = {"nested without end": b"[" * 200_000, "latin-1": b'{"parameters": "\xe4"}', "a number": b"7",
           "a long number": b"9" * 5000, "empty": b"", "a list": b"[]", "parameters that are none": b'{"parameters": 3}',
           "a list of versions": b'{"parameters": {}, "versions": [1]}'}


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_with_and_without_resume_a_damaged_record_leads_out_not_in_circles(interrupted, tmp_path, record):
    said = refused(interrupted, tmp_path, becomes(record, "run.json"), "holds no run to resume")
    assert "delete it and leave out resume=True, or choose another out=" in said and "(run.json: " in said
    with pytest.raises(InputError, match="not an empty folder: choose another out=, or delete it") as caught:
        run.open_record(tmp_path / "run", parameters(), resume=False)
    assert "resume=True" not in str(caught.value)


def test_a_folder_of_something_else_is_not_offered_for_resuming(tmp_path):
    (tmp_path / "notes.txt").touch()
    for out in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(InputError, match="choose another out=$"):
            run.open_record(out, parameters(), resume=False)


def test_resuming_on_another_machine_says_so(interrupted, tmp_path, capsys):
    out = tmp_path / "run"
    shutil.copytree(interrupted, out)
    record = json.loads((out / "run.json").read_text())
    assert {"device", "BLAS", "BLAS kernels", "threads"} <= set(record["machine"])
    record["machine"]["BLAS kernels"] = "Prescott"
    (out / "run.json").write_text(json.dumps(record))
    stream.make_film(out, SCENES, PROGRAM, Step, parameters(), resume=True)
    assert "may differ by rounding" in (said := capsys.readouterr().err) and "BLAS kernels was \"Prescott\"" in said
    shutil.rmtree(out)
    shutil.copytree(interrupted, out)
    stream.make_film(out, SCENES, PROGRAM, Step, parameters(), resume=True)
    assert "may differ" not in capsys.readouterr().err
