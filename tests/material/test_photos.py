"""Photos as a viewer shows them: turned, in sRGB, on white; and a reason for each that can't be read."""

import io
import logging
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms
from skimage import data

from lsd_repro.errors import InputError
from lsd_repro.material.photos import find_photos, in_order, read_photo

COLOUR = data.coffee()[:60, :80]


def save(picture, path, **options):
    Image.fromarray(picture).save(path, **options)
    return path


def profile(primaries):
    """An ICC profile of sRGB's curve and white, with other primaries (CIE xy): by the matrix that the profile is to hold."""
    xyz = np.array([[x / y, 1, (1 - x - y) / y] for x, y in primaries]).T
    white = np.array([0.3127 / 0.3290, 1, (1 - 0.3127 - 0.3290) / 0.3290])
    d50 = np.array([0.9642, 1, 0.8249])
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    adapt = np.linalg.inv(bradford) @ np.diag((bradford @ d50) / (bradford @ white)) @ bradford
    columns = adapt @ (xyz * np.linalg.solve(xyz, white))

    def fixed(*values):
        return b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    curve = b"para" + bytes(4) + struct.pack(">HH", 3, 0) + fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    text = b"desc" + bytes(4) + struct.pack(">I", 5) + b"sRGB\0" + bytes(78)  # a name that lies
    tags = {b"desc": text, b"wtpt": b"XYZ " + bytes(4) + fixed(*d50), b"cprt": b"text" + bytes(4) + b"none\0"}
    tags.update({name + b"TRC": curve for name in (b"r", b"g", b"b")})
    tags.update({name + b"XYZ": b"XYZ " + bytes(4) + fixed(*column) for name, column in zip((b"r", b"g", b"b"), columns.T)})
    table, body, offset = b"", b"", 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        content += bytes(-len(content) % 4)
        table += name + struct.pack(">II", offset + len(body), len(content))
        body += content
    header = struct.pack(">I4sI4s4s4s12x4s", offset + len(body), b"    ", 0x02400000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    header += bytes(28) + fixed(*d50)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body, columns


SRGB = (0.64, 0.33), (0.30, 0.60), (0.15, 0.06)
DISPLAY_P3 = (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)


def converted(picture, given):
    """The same colours in sRGB, from the two matrices."""
    linear = np.where(picture <= 0.04045 * 255, picture / 255 / 12.92, ((picture / 255 + 0.055) / 1.055) ** 2.4)
    linear = np.clip(linear @ np.linalg.solve(profile(SRGB)[1], given).T, 0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def test_grey_and_cmyk_become_rgb(tmp_path):
    grey = COLOUR[..., 0]
    np.testing.assert_array_equal(read_photo(save(grey, tmp_path / "grey.png")), np.repeat(grey[..., None], 3, axis=2))
    Image.fromarray(COLOUR).convert("CMYK").save(tmp_path / "cmyk.jpg", quality=95)
    assert np.abs(read_photo(tmp_path / "cmyk.jpg").astype(int) - COLOUR).mean() < 8


def test_what_is_transparent_is_white(tmp_path):
    grey = COLOUR[..., 0]
    alpha = np.full_like(grey, 255)
    alpha[:, :30], alpha[:, 30:40] = 0, 128
    on_white = np.dstack([COLOUR, alpha])
    seen = read_photo(save(on_white, tmp_path / "a.png"))
    assert (seen[:, :30] == 255).all() and (seen[:, 40:] == COLOUR[:, 40:]).all()
    assert np.abs(seen[:, 30:40] - (127 + COLOUR[:, 30:40].astype(float) * 128 / 255)).max() <= 1
    # Of grey pictures, and of a palette with a transparent colour.
    assert (read_photo(save(np.dstack([grey, alpha]), tmp_path / "b.png"))[:, :30] == 255).all()
    palette = Image.fromarray(np.zeros((4, 4), np.uint8), "P")
    palette.putpalette([0, 200, 0, *[0] * 765])
    palette.save(tmp_path / "c.png", transparency=0)
    assert (read_photo(tmp_path / "c.png") == 255).all()


@pytest.mark.parametrize("transparent", [False, True])
def test_an_icc_profile_is_converted_from(tmp_path, transparent):
    icc, matrix = profile(DISPLAY_P3)
    picture = np.dstack([COLOUR, np.full(COLOUR.shape[:2], 255, np.uint8)]) if transparent else COLOUR
    seen = read_photo(save(picture, tmp_path / "p3.png", icc_profile=icc))
    assert np.abs(seen - converted(COLOUR, matrix)).max() < 2
    assert np.abs(seen.astype(int) - COLOUR).max() > 10
    assert read_photo(tmp_path / "p3.png", channels=1).shape == (*COLOUR.shape[:2], 1)


@pytest.mark.parametrize("icc", [profile(SRGB)[0], ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), b"broken"])
def test_srgb_and_a_broken_profile_change_nothing(tmp_path, icc):
    np.testing.assert_array_equal(read_photo(save(COLOUR, tmp_path / "a.png", icc_profile=icc)), COLOUR)


def test_photos_stand_the_way_up_they_were_taken(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by 90 degrees
    np.testing.assert_array_equal(read_photo(save(COLOUR, tmp_path / "turned.png", exif=exif)), np.rot90(COLOUR, -1))


def bomb(path, megapixels):
    """A PNG that claims to be so large."""
    save(np.zeros((1, 1), np.uint8), path)
    content = bytearray(path.read_bytes())
    content[16:24] = (1000 * megapixels).to_bytes(4, "big") + (1000).to_bytes(4, "big")
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    path.write_bytes(content)


@pytest.mark.parametrize("name, make, said", [
    ("absent.png", lambda path: None, "no such file; check the name"),
    ("folder.png", lambda path: path.mkdir(), "a folder or a device; name a file"),
    ("pipe.png", lambda path: os.mkfifo(path), "a folder or a device; name a file"),
    ("text.png", lambda path: path.write_text("no picture"), "no such format; convert it to .jpg or .png"),
    ("drawing.eps", lambda path: path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n"), "no such format"),
    ("empty.png", lambda path: path.write_bytes(b""), "no such format"),
    ("cut.jpg", lambda path: path.write_bytes(jpeg()[:1000]), "truncated.*save it as .jpg or .png"),
    ("deep.png", lambda path: save(np.full((20, 20), 40_000, np.uint16), path), "more than 8 bits.*convert it to an 8-bit"),
    ("large.png", lambda path: bomb(path, 200), "too large; scale it down to 178 megapixels"),
])
def test_each_cause_has_its_mend(tmp_path, name, make, said):
    make(tmp_path / name)
    with pytest.raises(InputError, match=f"{name}: not a usable photo: .*{said}"):
        read_photo(tmp_path / name)


def jpeg():
    file = io.BytesIO()
    Image.fromarray(COLOUR).save(file, "JPEG", quality=95)
    return file.getvalue()


@pytest.mark.filterwarnings("error")
def test_no_library_warns_about_a_large_photo(tmp_path):
    bomb(tmp_path / "large.png", 108)
    with pytest.raises(InputError, match="truncated|broken|image"):
        read_photo(tmp_path / "large.png")


def test_photos_are_found_in_the_folder_and_below_and_the_others_named(tmp_path, caplog):
    (tmp_path / "sub").mkdir()
    for name in ("b.JPG", "a.png", "sub/c.jpeg", "frame10.webp", "frame9.tif", "notes.txt", "photo.heic", ".DS_Store"):
        (tmp_path / name).write_bytes(b"")
    with caplog.at_level(logging.WARNING):
        found = find_photos(tmp_path)
    assert [path.name for path in found] == ["a.png", "b.JPG", "frame9.tif", "frame10.webp", "c.jpeg"]
    assert "left out, as Pillow reads no such photos: notes.txt, photo.heic" in caplog.text and "DS_Store" not in caplog.text


def test_folders_without_photos_are_an_error(tmp_path):
    with pytest.raises(InputError, match="no photos in it; give"):
        find_photos(tmp_path)
    for number in range(7):
        (tmp_path / f"{number}.cr2").write_bytes(b"")
    with pytest.raises(InputError, match=r"0.cr2, 1.cr2, 2.cr2, 3.cr2, 4.cr2 and 2 more"):
        find_photos(tmp_path)
    with pytest.raises(InputError, match="nowhere: not a folder"):
        find_photos(tmp_path / "nowhere")


def test_numbers_in_names_count(tmp_path):
    paths = [tmp_path / name for name in ("frame10000.png", "frame9999.png", "2.png", "10.png")]
    assert [path.name for path in sorted(paths, key=in_order)] == ["2.png", "10.png", "frame9999.png", "frame10000.png"]
