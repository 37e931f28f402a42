"""Files are whole or absent."""

import errno
import gc
import json
import os
import sys
import threading

import numpy as np
import pytest

from lsd_repro.errors import InputError
from lsd_repro.material import files


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_an_input_error(tmp_path):
    (tmp_path / f"a.npy.{os.getpid()}-{threading.get_ident()}.part").symlink_to("/dev/full")
    with pytest.raises(InputError, match="a.npy: .*[Nn]o space|a.npy: .*written"):
        files.write_array(tmp_path / "a.npy", np.zeros(100000))
    assert names(tmp_path) == []


def test_any_exception_keeps_the_old_file_and_removes_the_part(tmp_path):
    (tmp_path / "x").write_bytes(b"old")
    for error in (KeyboardInterrupt, ZeroDivisionError):
        with pytest.raises(error), files.write_whole(tmp_path / "x") as part:
            part.write_bytes(b"half")
            raise error
    with pytest.raises(InputError, match="x: No space left"), files.write_whole(tmp_path / "x") as part:
        part.write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert names(tmp_path) == ["x"] and (tmp_path / "x").read_bytes() == b"old"


def test_arrays_and_bytes_read_back(tmp_path):
    array = np.random.default_rng(0).uniform(size=(3, 4)).astype(np.float32)
    files.write_array(tmp_path / "a.npy", array)
    files.write_arrays(tmp_path / "a.npz", x=array, done=7)
    files.write_bytes(tmp_path / "a.json", b"{}")
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), array)
    with np.load(tmp_path / "a.npz") as stored:
        np.testing.assert_array_equal(stored["x"], array)
        assert stored["done"] == 7
    assert (tmp_path / "a.json").read_bytes() == b"{}"
    assert names(tmp_path) == ["a.json", "a.npy", "a.npz"]


def test_ctrl_c_amid_arrays_is_all_that_is_said(tmp_path, monkeypatch):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    complaints = []
    monkeypatch.setattr(np.lib.format, "write_array", interrupt)
    monkeypatch.setattr(sys, "unraisablehook", lambda complaint: complaints.append(complaint.exc_value))
    with pytest.raises(KeyboardInterrupt) as caught:
        files.write_arrays(tmp_path / "a.npz", x=np.zeros(3))
    # The traceback holds the archive.
    del caught
    gc.collect()
    assert complaints == [] and names(tmp_path) == []


def test_json_has_plain_numbers_and_null_for_what_is_not_finite(tmp_path):
    value = {"count": np.int64(3), 1: (np.float32(0.5), np.nan, -np.inf), "table": np.eye(2), "right": np.bool_(True),
             "text": "\u00e9", "none": None}
    files.write_json(tmp_path / "a.json", value)
    text = (tmp_path / "a.json").read_text("utf-8")
    assert json.loads(text, parse_constant=pytest.fail) == {
        "count": 3, "1": [0.5, None, None], "table": [[1.0, 0.0], [0.0, 1.0]], "right": True, "text": "\u00e9",
        "none": None}
    assert text.startswith('{\n "count": 3,\n') and text.endswith("}\n")


def test_json_is_rounded_to_significant_digits(tmp_path):
    files.write_json(tmp_path / "a.json", [1234567, 1234567.8, [np.pi * 1e-9]], digits=3)
    assert json.loads((tmp_path / "a.json").read_text()) == [1234567, 1230000.0, [3.14e-09]]


def test_a_folder_is_made_or_the_reason_given(tmp_path):
    files.make_folder(tmp_path / "a" / "b")
    files.make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="file"):
        files.make_folder(tmp_path / "file" / "b")


DAMAGED = {"empty": b"", "cut": b'{"a": {"b": 1}', "a list": b"[]", "a number": b"7", "no tables": b'{"a": 3}',
           "latin-1": b'{"\xe4": {}}',
           "nested without end": b"[" * 200_000}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_tables_that_are_damaged_are_named(tmp_path, data):
    path = tmp_path / "kept.json"
    assert files.read_tables(path) == {}
    files.write_json(path, {"a": {"b": 1.5}})
    assert files.read_tables(path) == {"a": {"b": 1.5}}
    path.write_bytes(data)
    with pytest.raises(InputError, match="kept.json: can't be read .* delete it, and resume=True makes it anew") as caught:
        files.read_tables(path)
    assert "\n" not in str(caught.value)
