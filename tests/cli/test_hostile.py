"""Inputs meant to break it: each is one line that says what is wrong, status 2, and no traceback."""

import gzip
import io
import os
import socket
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from lsd_repro.chat import logs
from lsd_repro.cli.main import main

SMALL = ("--weights", "small", "--size", "264x256", "--frames", "1")


def header(shape, descr="<f4"):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": shape})
    return file.getvalue()


def npz(compression=zipfile.ZIP_STORED, **members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name + ".npy", data)
    return file.getvalue()


def arrays(**fields):
    file = io.BytesIO()
    np.savez(file, **fields)
    return file.getvalue()


def patched(data, offset, value):
    """Both headers of a zip archive's only member with two bytes replaced."""
    data = bytearray(data)
    for signature, shift in ((b"PK\x03\x04", 0), (b"PK\x01\x02", 2)):
        at = data.index(signature) + offset + shift
        data[at:at + 2] = value
    return bytes(data)


WHOLE = npz(student_prior_filters=header((8, 8, 3, 192)) + bytes(8 * 8 * 3 * 192 * 4))
PRIORS = {
    "empty": b"", "text": b"a prior", "a zip without arrays": npz(), "cut": WHOLE[:4000],
    "size 0": arrays(student_prior_filters=np.zeros((0, 0, 3, 0), np.float32), student_prior_mean=np.zeros(0, np.float32)),
    "a number": arrays(student_prior_filters=np.float32(8), student_prior_mean=np.float32(8)),
    "an absurd shape": npz(student_prior_filters=header((1 << 30, 1 << 30, 3, 192))),
    "a negative shape": npz(student_prior_filters=header((-8, 8, 3, 192))),
    "more than there is": npz(student_prior_filters=header((8, 8, 3, 192))),
    "a bomb": npz(zipfile.ZIP_DEFLATED, student_prior_filters=header((1 << 29, 1, 3, 1)) + bytes(1 << 20)),
    "encrypted": patched(WHOLE, 6, b"\x01\x00"), "of unknown compression": patched(WHOLE, 8, b"\x63\x00"),
    "a wrong checksum": patched(WHOLE, 14, b"\x00\x01"),
    "pickled": arrays(student_prior_filters=np.array([{}], object)),
    "a broken header": npz(student_prior_filters=b"\x93NUMPY\x01\x00\x10\x00{'descr': (((((("),
    "a header nested without end": npz(student_prior_filters=b"\x93NUMPY\x01\x00\x40\x1f" + b"(" * 8000),
    "a version of the future": npz(student_prior_filters=b"\x93NUMPY\x09\x00\x10\x00"),
    "structured": arrays(student_prior_filters=np.zeros((8, 8, 3, 192), [("a", "f4")]), student_prior_mean=np.zeros(192)),
}


@pytest.mark.parametrize("data", PRIORS.values(), ids=PRIORS)
def test_a_hostile_prior_is_one_line(tmp_path, monkeypatch, capsys, data):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.npz").write_bytes(data)
    refused(capsys, ["frames", *SMALL, "--prior", "bad.npz", "--out", "run"], "bad.npz")
    assert not (tmp_path / "run").exists()


LONG = "9" * 5000
ARGUMENTS = {
    "a class of 5,000 digits": (["--classes", LONG], "no class 99999"),
    "a class of 100,000 letters": (["--classes", "x" * 100_000], "no class is called"),
    "a class of 5,000 pluses": (["--classes", "+" * 5000], "at most two"),
    "frames that no run has": (["--frames", str(10 ** 12)], "too many"),
    "frames of 400 digits": (["--frames", "9" * 400], "at most"),
    "frames of 5,000 digits": (["--frames", LONG], "--frames"),
    "a size beyond memory": (["--size", "10000000x10000000"], "GiB of memory"),
    "a size of 400 digits": (["--size", "9" * 400 + "x300"], "at most"),
    "a size of 5,000 digits": (["--size", LONG + "x300"], "--size"),
    "a scale larger than the picture": (["--network-scales", "9" * 12], "too small"),
    "octaves of 400 digits": (["--octaves", "1:" + "9" * 12], "too many"),
    "a scale of 30 digits": (["--network-scales", "9" * 30], "at most"),
    "an objective of 5,000 letters": (["--objective", "layer:" + "x" * 5000], "no layer 'xxx"),
    "a channel of 5,000 digits": (["--objective", "layer:conv1_1:" + LONG], "channels 0 to 15"),
    "a guide that is a folder": (["--guide", "."], "--guide"),
    "a guide that is binary": (["--guide", "binary"], "--guide"),
    "a tile of 5,000 digits": (["--tile", LONG], "--tile"),
    "a strength beyond numbers": (["--prior-strength", "1e999"], "--prior-strength"),
    "a name too long": (["--out", "x" * 300], "--out"),
    "a path too long": (["--out", "/".join(["x"] * 3000)], "--out"),
    "a start image too long": (["--start", "y" * 300], "--start"),
    "weights too long": (["--weights", "y" * 300], "--weights"),
    "a NUL in a name": (["--out", "a\0b"], "NUL"),
    "a name that is not UTF-8": (["--out", "a\udcffb"], "UTF-8"),
    "a start that is a folder": (["--start", "."], "--start"),
    "a schedule that is a folder": (["--schedule", "."], "schedule"),
    "a schedule that is binary": (["--schedule", "binary"], "UTF-8"),
    "a schedule of more frames than a run has": (["--schedule", "long"], "frames"),
    "a schedule of 5,000 digits": (["--schedule", "digits"], "line 1"),
    "a schedule without end": (["--schedule", "giant"], "MiB"),
    "an out below a file": (["--out", "binary/run"], "binary"),
    "a schedule that is a device": (["--schedule", "/dev/zero"], "it is a device: name a file"),
    "a schedule that is a pipe": (["--schedule", "pipe"], "it is a pipe: name a file"),
    "a chat that is a device": (["--chat", "/dev/zero"], "it is a device: name a file"),
    "a chat that is a pipe": (["--chat", "pipe"], "it is a pipe: name a file"),
    "a chat that unpacks to more than memory": (["--chat", "bomb"], "unpacked it is larger than"),
    "weights that are a pipe": (["--weights", "pipe"], "it is a pipe: name a file"),
    "priors that are a device": (["--prior", "/dev/zero"], "it is a device: name a file"),
    "a start that is a pipe": (["--start", "pipe"], "name a file"),
    "a guide that is a device": (["--guide", "/dev/zero"], "name a file"),
}


@pytest.mark.parametrize("arguments, words", ARGUMENTS.values(), ids=ARGUMENTS)
def test_a_hostile_argument_is_one_line(tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    (tmp_path / "long").write_text("0 | 600000\n1 | 600000\n")
    (tmp_path / "digits").write_text("0 | " + LONG)
    os.mkfifo(tmp_path / "pipe")
    # Of gzip, several packed files in a row are one.
    (tmp_path / "bomb").write_bytes(gzip.compress(bytes(1 << 22), 9) * 4)
    monkeypatch.setattr(logs, "LARGEST", 1 << 23)
    with open(tmp_path / "giant", "wb") as giant:
        giant.truncate(1 << 40)  # takes no room
    # What is given twice counts as it was given last.
    out = [] if "--out" in arguments else ["--out", "run"]
    classes = [] if {"--schedule", "--chat"} & {*arguments} else ["--classes", "0"]
    refused(capsys, ["frames", *SMALL, *out, *classes, *arguments], words)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name, words", [(b"b\xc3\xa4r.png", "the locale's ascii can't spell this file's name: set PYTHONUTF8=1"),
                                         (b"b\xe4r.png", "rename the file")])
def test_a_name_that_the_locale_cannot_spell_is_not_the_files_fault(monkeypatch, capsys, name, words):
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: "ascii")
    refused(capsys, ["frames", *SMALL, "--start", name.decode("ascii", "surrogateescape")], words)


@pytest.mark.parametrize("arguments", [("--patches", "1" + 11 * "0"), ("--patch", "1" + 11 * "0"), ("--patches", "9" * 300)])
def test_a_fit_to_more_patches_than_memory_holds_is_refused(tmp_path, capsys, arguments):
    Image.new("RGB", (32, 32)).save(tmp_path / "photo.png")
    refused(capsys, ["prior", "fit", str(tmp_path), "--out", str(tmp_path / "prior.npz"), *arguments], "")
    assert not (tmp_path / "prior.npz").exists()


@pytest.mark.parametrize("command", [
    ["prior", "fit", "photos", "--out", "absent/prior.npz"], ["convert", "absent.h5", "--out", "absent/net.mat"],
    ["parity", "absent.npz", "--figure", "absent/drift.png"]])
def test_a_place_that_can_not_be_written_is_found_out_first(tmp_path, monkeypatch, capsys, command):
    monkeypatch.chdir(tmp_path)
    refused(capsys, command, f"can't write {command[-1]}: there is no folder {tmp_path / 'absent'}")


def test_a_port_that_is_taken_is_found_out_first(tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        # Not even the weights have been looked for.
        refused(capsys, ["live", "--weights", "absent.mat", "--port", port, "--out", str(tmp_path / "run")],
                f"can't serve at --host 127.0.0.1 --port {port}: Address already in use")
    assert not (tmp_path / "run").exists()


def refused(capsys, arguments, words):
    try:
        status = main(arguments)
    except SystemExit as error:  # argparse's own
        status = error.code
    said = capsys.readouterr().err
    assert status == 2
    assert words in said and "Traceback" not in said
    assert len(said.splitlines()[-1]) < 700
    assert said.startswith("usage: ") or said.splitlines()[-1].startswith("lsd-repro: ")
