"""Files are whole or absent; films are read back; sheets hold what was put on them."""

import os
import subprocess

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from lsd_repro.errors import InputError
from lsd_repro.film import encoder, write

SIZE = (64, 36)


def film_frames(count=10):
    """Left half ever redder, right half steady blue."""
    for number in range(count):
        frame = np.zeros((36, 64, 3), np.uint8)
        frame[:, :32] = 20 * number, 40, 0
        frame[:, 32:] = 0, 40, 200
        yield frame


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def read_film(path):
    reader = imageio_ffmpeg.read_frames(str(path))
    meta = next(reader)
    width, height = meta["size"]
    return meta, [np.frombuffer(data, np.uint8).reshape(height, width, 3) for data in reader]


def test_film_reads_back_with_count_size_rate_and_colours(tmp_path):
    seen = []
    write.write_film(tmp_path / "a.mp4", film_frames(), SIZE, 25, progress=seen.append)
    meta, frames = read_film(tmp_path / "a.mp4")
    assert meta["codec"] == "h264" and meta["pix_fmt"].startswith("yuv420p")
    assert meta["size"] == SIZE and meta["fps"] == 25
    assert len(frames) == 10 and seen == list(range(1, 11))
    for ours, theirs in zip(film_frames(), frames):
        difference = np.abs(ours.astype(int) - theirs)
        assert difference[:, 4:28].max() < 12 and difference[:, 36:60].max() < 12
    assert names(tmp_path) == ["a.mp4"]


def test_a_film_says_its_colours_and_keeps_them(tmp_path):
    colours = np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (128, 128, 128), (200, 60, 60)],
                       np.uint8)
    for height in (360, 720):  # players that are not told take BT.601 for the first and BT.709 for the second
        frame = np.repeat(np.repeat(colours, 64, 0)[np.newaxis], height, 0)
        write.write_film(tmp_path / "a.mp4", [frame] * 2, (frame.shape[1], height), 25)
        said = subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-i", tmp_path / "a.mp4"], capture_output=True, text=True).stderr
        # One name if matrix, primaries and transfer are the same.
        assert "yuv420p(tv, bt709," in said
        seen = read_film(tmp_path / "a.mp4")[1][0][height // 2, 32::64]
        assert np.abs(seen.astype(int) - colours).max() <= 3


@pytest.mark.parametrize("name", ["2026-11-30T22:40", "run:1", "-x", "pipe:1", "concat:x", "data:x"])
def test_no_name_of_a_folder_is_a_protocol_or_an_option(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    os.mkdir(name)
    write.write_film(os.path.join(name, "film.mp4"), film_frames(2), SIZE, 25)
    write.write_film(f"{name}.mp4", film_frames(2), SIZE, 25)
    assert names(tmp_path / name) == ["film.mp4"] and names(tmp_path) == sorted([name, f"{name}.mp4"])


def program(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("text, said", [
    ("echo \"Unknown encoder 'libx264'\" >&2; exit 8", "Unknown encoder 'libx264'.*pip install imageio-ffmpeg"),
    ("exit 0", "can't encode a film .exit code 0"), (None, "No such file")])
def test_an_ffmpeg_that_makes_no_films_is_found_out_at_once(tmp_path, monkeypatch, text, said):
    path = program(tmp_path / "ffmpeg", text) if text else tmp_path / "absent"
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(path))
    with pytest.raises(InputError, match=rf"{path} \(IMAGEIO_FFMPEG_EXE\).*{said}"):
        encoder.check()


def test_same_frames_same_bytes(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (12, 36, 64, 3)).astype(np.uint8)
    for name in ("a.mp4", "b.mp4"):
        write.write_film(tmp_path / name, iter(noise), SIZE, 25)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_films_are_not_scaled_to_multiples_of_16(tmp_path):
    frames = [np.zeros((38, 70, 3), np.uint8)] * 2
    write.write_film(tmp_path / "a.mp4", frames, (70, 38), 25)
    assert read_film(tmp_path / "a.mp4")[0]["size"] == (70, 38)


@pytest.mark.parametrize("stop", [KeyboardInterrupt, RuntimeError, GeneratorExit])
def test_an_interrupted_film_leaves_what_was_there(tmp_path, monkeypatch, stop):
    (tmp_path / "a.mp4").write_bytes(b"the old film")
    processes = []
    popen = imageio_ffmpeg._io.subprocess.Popen
    monkeypatch.setattr(imageio_ffmpeg._io.subprocess, "Popen",
                        lambda *a, **k: processes.append(popen(*a, **k)) or processes[-1])

    def interrupted():
        yield from film_frames(3)
        raise stop

    with pytest.raises(stop):
        write.write_film(tmp_path / "a.mp4", interrupted(), SIZE, 25)
    assert names(tmp_path) == ["a.mp4"]
    assert (tmp_path / "a.mp4").read_bytes() == b"the old film"
    assert processes and all(process.poll() is not None for process in processes)


@pytest.mark.parametrize("size", [(63, 36), (64, 35)])
def test_odd_sizes_are_refused_before_a_frame_is_made(tmp_path, size):
    def never():
        raise AssertionError("a frame was asked for")
        yield

    with pytest.raises(InputError, match=f"even.*{size[0]}x{size[1]}"):
        write.write_film(tmp_path / "a.mp4", never(), size, 25)


def test_frames_of_another_size_or_dtype_are_refused(tmp_path):
    for frame in (np.zeros((64, 36, 3), np.uint8), np.zeros((36, 64, 3), np.float32)):
        with pytest.raises(ValueError, match=r"\(36, 64, 3\)"):
            write.write_film(tmp_path / "a.mp4", [frame], SIZE, 25)
    assert names(tmp_path) == []


def test_a_film_of_no_frames_is_refused(tmp_path):
    with pytest.raises(InputError, match="no frames"):
        write.write_film(tmp_path / "a.mp4", [], SIZE, 25)
    assert names(tmp_path) == []


def test_a_film_cut_short_by_the_encoder_is_refused(tmp_path, monkeypatch):
    # As on a full disk: ffmpeg ends with an error that imageio_ffmpeg keeps to itself.
    monkeypatch.setattr(encoder, "FILM_CRF", "no number")
    with pytest.raises(InputError, match="a.mp4"):
        write.write_film(tmp_path / "a.mp4", film_frames(2), SIZE, 25)
    assert names(tmp_path) == []


@pytest.mark.parametrize("put", [
    lambda path: write.write_png(path, np.zeros((4, 5, 3), np.uint8)),
    lambda path: write.write_film(path, film_frames(1), SIZE, 25),
])
def test_a_folder_that_is_not_there_is_named(tmp_path, put):
    with pytest.raises(InputError, match="absent.*No such file"):
        put(tmp_path / "absent" / "file")


def test_png_reads_back_and_must_be_bytes(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (7, 9, 3)).astype(np.uint8)
    write.write_png(tmp_path / "a.png", picture)
    with Image.open(tmp_path / "a.png") as image:
        assert image.format == "PNG"
        np.testing.assert_array_equal(np.array(image), picture)
    with pytest.raises(ValueError, match="float64"):
        write.write_png(tmp_path / "a.png", picture / 255)


def test_stills_are_clipped_then_rounded():
    picture = np.array([-3, 0.4, 0.6, 1.5, 100.49, 100.51, 254.4, 254.9, 255, 300])
    still = write.as_still(picture)
    assert still.dtype == np.uint8
    np.testing.assert_array_equal(still, [0, 0, 1, 2, 100, 101, 254, 255, 255, 255])


def colours(count):
    return [np.full((72, 128, 3), (30 * n, 255 - 30 * n, 90), np.uint8) for n in range(count)]


def test_contact_sheet_shows_every_picture_in_reading_order():
    pictures = colours(5)
    sheet = write.contact_sheet(pictures, list("abcde"), 3)
    assert sheet.dtype == np.uint8 and sheet.shape[1:] == (1280, 3)
    found = []
    for row in sheet:  # scan lines through the pictures, in order
        for colour in row[np.flatnonzero(np.any(np.diff(row.astype(int), axis=0), axis=1)) + 1]:
            colour = tuple(colour)
            if colour not in found and any((colour == p[0, 0]).all() for p in pictures):
                found.append(colour)
    assert found == [tuple(picture[0, 0]) for picture in pictures]


def test_contact_sheet_keeps_the_aspect_ratio_and_a_white_margin():
    sheet = write.contact_sheet(colours(1), ["pizza"], 1, width=640)
    picture = (sheet == colours(1)[0][0, 0]).all(axis=2)
    rows, columns = np.flatnonzero(picture.any(1)), np.flatnonzero(picture.any(0))
    assert (np.ptp(columns) + 1) / (np.ptp(rows) + 1) == pytest.approx(128 / 72, rel=0.01)
    for edge in (sheet[:4], sheet[-4:], sheet[:, :4], sheet[:, -4:]):
        assert (edge == 255).all()


def test_contact_sheet_scales_with_antialiasing():
    # Stripes finer than the sheet's pixels must come out grey, not as moire.
    stripes = np.zeros((300, 800, 3), np.uint8)
    stripes[:, ::2] = 255
    sheet = write.contact_sheet([stripes], [""], 1, width=160)
    assert np.abs(sheet[20:50, 20:140].astype(int) - 127).max() < 12


def test_contact_sheet_captions_stand_below_their_pictures():
    with_text = write.contact_sheet(colours(2), ["", "king penguin & gondola"], 2)
    without = write.contact_sheet(colours(2), ["", ""], 2)
    rows, columns = np.nonzero((with_text != without).any(axis=2))
    picture = (without == colours(2)[1][0, 0]).all(axis=2)
    assert rows.min() > np.flatnonzero(picture.any(1)).max()
    under = np.flatnonzero(picture.any(0))
    assert under.min() <= columns.min() and columns.max() <= under.max()
    assert np.ptp(rows) >= 12


@pytest.mark.parametrize("count, columns", [(1, 1), (2, 2), (4, 2), (5, 3), (9, 3)])
def test_contact_sheet_is_about_square_by_default(count, columns):
    np.testing.assert_array_equal(write.contact_sheet(colours(count), ["x"] * count),
                                  write.contact_sheet(colours(count), ["x"] * count, columns))


def test_contact_sheet_rejects_what_does_not_match():
    with pytest.raises(ValueError, match="2 pictures and 1 captions"):
        write.contact_sheet(colours(2), ["x"], 2)
    with pytest.raises(ValueError, match=r"\(72, 128, 3\)"):
        write.contact_sheet([colours(1)[0], np.zeros((5, 5, 3), np.uint8)], ["x", "y"], 2)
