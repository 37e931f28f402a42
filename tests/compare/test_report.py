"""The comparison with 2015's frames: its numbers, its page, and the page in a browser."""

import base64
import html.parser
import io
import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import reference
from PIL import Image
from skimage import data
from small_network import small_network

from lsd_repro.compare import report
from lsd_repro.errors import InputError
from lsd_repro.material import files
from lsd_repro.network import matconvnet
from lsd_repro.prior import store
from lsd_repro.program2015 import STREAM, STUDENT_SCALE

HERE = Path(__file__).resolve()
GOLDEN = HERE.parents[1] / "golden" / "stream.npz"
BROWSERS = "chromium", "chromium-browser", "google-chrome", "chrome"


def write(path, picture):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)
    return path


@pytest.fixture
def theirs(tmp_path):
    """Four pictures of different sizes to stand in for 2015's frames."""
    photos = data.coffee()[:256, :300], data.coffee()[140:, 300:], data.chelsea()[:, :300], data.astronaut()[:300]
    return [write(tmp_path / "theirs" / f"{index}.png", photo) for index, photo in enumerate(photos)]


@pytest.fixture
def noise(tmp_path):
    return write(tmp_path / "noise.png", np.random.default_rng(0).integers(0, 256, (260, 300, 3), np.uint8))


class Images(html.parser.HTMLParser):
    """What a page refers to, and its pictures."""

    def __init__(self, text):
        super().__init__()
        self.pictures, self.tags, self.links = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [value for name, value in attributes if name in ("src", "href", "srcset", "data", "action")]
        if tag == "img":
            self.pictures.append(dict(attributes))


def test_one_of_2015s_own_is_judged_as_ours_would_be(theirs, noise, tmp_path):
    among = report.compare([noise], theirs, tmp_path / "among")
    alone = report.compare(theirs[:1], theirs[1:], tmp_path / "alone")
    assert "among themselves" not in (tmp_path / "alone" / "report.html").read_text()
    assert alone["frames"]["ours"][0]["outside"] == among["frames"]["2015"][0]["outside"]
    for name, one in alone["statistics"].items():
        assert one["ours"]["distances"][0] == pytest.approx(among["statistics"][name]["2015"]["distances"][0])


def test_noise_is_outside_and_its_own_copies_are_not(theirs, noise, tmp_path):
    found = report.compare([noise], theirs, tmp_path / "out")["statistics"]
    assert {found[name]["verdict"] for name in ("power spectrum", "spectral slope", "patch contrast")} == {"outside"}
    copies = [write(tmp_path / f"copy{index}.png", np.asarray(Image.open(noise))) for index in range(3)]
    found = report.compare([noise], copies, tmp_path / "out")["statistics"]
    assert {(one["verdict"], one["distance"]) for one in found.values()} == {("close", 0)}
    found = report.compare([noise, *copies], theirs, tmp_path / "out")["statistics"]
    assert {one["distance among ours"] for one in found.values()} == {0} and found["chroma"]["distance"] > 0
    assert "ours among themselves 0)" in (tmp_path / "out" / "report.html").read_text()
    assert found["spectral slope"]["ours"]["values"][0] == pytest.approx(0, abs=0.1)


def test_the_json_holds_every_number(theirs, noise, tmp_path):
    numbers = report.compare([noise, theirs[0]], theirs[1:], tmp_path / "out")

    def refuse(constant):
        raise AssertionError(constant)

    kept = json.loads((tmp_path / "out" / "report.json").read_text(), parse_constant=refuse)
    assert kept == files.plain(numbers, digits=6)
    assert [frame["name"] for frame in kept["frames"]["ours"]] == ["noise.png", "theirs/0.png"]
    assert kept["prior"] is None and kept["network"] is None
    spectrum = kept["vectors"]["power spectrum"]
    assert np.shape(spectrum["2015"]) == (3, len(kept["frequencies"]))
    for name, one in kept["statistics"].items():
        means = np.mean(kept["vectors"][name]["ours"], axis=1)
        np.testing.assert_allclose(means, one["ours"]["values"], rtol=1e-4, atol=1e-4)


def test_the_page_stands_alone(theirs, noise, tmp_path):
    report.compare([noise], theirs, tmp_path / "out")
    text = (tmp_path / "out" / "report.html").read_text()
    page = Images(text)
    assert not {"script", "link", "iframe", "object"} & set(page.tags) and "url(" not in text and "@import" not in text
    assert page.links == [picture["src"] for picture in page.pictures]
    assert len(page.pictures) == 3 + 2 * 5  # figures; five frames, whole and close up
    for picture in page.pictures:
        kind, encoded = picture["src"].split(";base64,")
        with Image.open(io.BytesIO(base64.b64decode(encoded))) as image:
            assert kind == f"data:image/{image.format.lower()}"
            assert image.size == (int(picture["width"]), int(picture["height"]))
        assert len(picture["alt"]) >= 5
    assert "outside" in text and "noise.png, 300x260" in text


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such file names")
def test_file_names_are_only_text(theirs, noise, tmp_path):
    name = '<img src=x onerror=alert(1)>&"\'.png'
    report.compare([shutil.copy(noise, tmp_path / name)], theirs, tmp_path / "out")
    page = Images((tmp_path / "out" / "report.html").read_text())
    assert any(picture["alt"] == name for picture in page.pictures)
    assert all(link.startswith("data:") for link in page.links)


def test_a_file_name_that_is_no_unicode_costs_nothing(theirs, noise, tmp_path):
    try:
        odd = shutil.copy(noise, os.fsencode(tmp_path) + b"/odd\xff.png")
    except OSError:
        pytest.skip("this file system has no such names")
    report.compare([os.fsdecode(odd)], theirs, tmp_path / "out")
    assert "odd?.png" in (tmp_path / "out" / "report.html").read_text()


def test_of_many_frames_only_some_are_shown(theirs, tmp_path):
    frame = np.asarray(Image.open(theirs[0]))
    ours = [write(tmp_path / "many" / f"{index:03}.png", np.roll(frame, index)) for index in range(20)]
    numbers = report.compare([tmp_path / "many"], theirs, tmp_path / "out")
    assert [one["name"] for one in numbers["frames"]["ours"]] == [path.name for path in ours]
    text = (tmp_path / "out" / "report.html").read_text()
    assert "(12 of 20)" in text and "000.png" in text and "019.png" in text and "001.png" not in text


def test_a_prior_brings_its_energies(theirs, noise, tmp_path):
    numbers = report.compare([noise], theirs, tmp_path / "out", prior=GOLDEN)
    z = reference.deviations(store.load_kind(GOLDEN, "student"), reference.mean_pool(np.asarray(Image.open(noise)), 8))
    expected = np.log(1 + z ** 2 / STUDENT_SCALE).mean()
    found = numbers["statistics"]["prior energy, scale 8"]["ours"]["values"][0]
    assert numbers["prior"] == "stream.npz" and found == pytest.approx(expected, rel=1e-5)
    assert {f"prior energy, scale {scale}" for scale in STREAM.prior_scales} < set(numbers["statistics"])
    page = Images((tmp_path / "out" / "report.html").read_text())
    assert any("Energy at each scale" in picture["alt"] for picture in page.pictures)


def test_a_network_brings_its_classes(theirs, noise, tmp_path):
    network = small_network(np.random.default_rng(0))
    matconvnet.write(tmp_path / "small.mat", network)
    numbers = report.compare([noise], theirs, tmp_path / "out", network=tmp_path / "small.mat")
    logits = reference.logits(network, np.asarray(Image.open(noise), np.float64))
    halves = logits[:, logits.shape[1] // 2:], logits[:, :logits.shape[1] // 2]
    expected = np.mean([half.mean(axis=(1, 2)).max() for half in halves]) - logits.mean()
    assert numbers["statistics"]["logit of the best class"]["ours"]["values"][0] == pytest.approx(expected, rel=1e-4)
    assert numbers["frames"]["ours"][0]["classes"] == [f"creature {half.mean(axis=(1, 2)).argmax()}" for half in halves]
    assert numbers["frames"]["ours"][0]["classes"][0] in (tmp_path / "out" / "report.html").read_text()


def test_of_a_run_the_optimised_frames_are_taken(noise, tmp_path):
    runs = tmp_path / "runs"
    for path in ("bee/frames/frame0000", "bee/frames/frame0001", "bee/contact", "pizza/frames/frame0000",
                 "pizza/frames/frame0001", "pizza/frames/frame0002"):
        write(runs / f"{path}.png", np.zeros((8, 8, 3), np.uint8))
    pizza = [runs / "pizza" / "frames" / f"frame000{index}.png" for index in (1, 2)]
    assert report.frame_paths([noise, runs / "pizza"]) == [noise, *pizza]
    assert report.frame_paths([runs]) == [runs / "bee" / "frames" / "frame0001.png", *pizza]
    assert report.names(report.frame_paths([runs]))[0] == "bee/frames/frame0001.png"


def test_what_cannot_be_compared_is_refused(theirs, noise, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(InputError, match="2 of 2015's frames make no yardstick: give at least 3"):
        report.compare([noise], theirs[:2], out)
    with pytest.raises(InputError, match="no frames of ours"):
        report.compare([], theirs, out)
    with pytest.raises(InputError, match="missing.png: not a usable photo"):
        report.compare([tmp_path / "missing.png"], theirs, out)
    thumbnail = write(tmp_path / "thumbnail.png", np.asarray(Image.open(noise))[:100])
    with pytest.raises(InputError, match="thumbnail.png: 300x100 is too small"):
        report.compare([thumbnail], theirs, out)
    small = write(tmp_path / "small.png", np.asarray(Image.open(noise))[:200])
    with pytest.raises(InputError, match="small.png: prior scale 32: a 300x200 picture"):
        report.compare([small], theirs, out, prior=GOLDEN)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty: no photos"):
        report.compare([noise], [tmp_path / "empty"], out)
    assert not list(out.glob("*"))


def test_without_prior_and_network_no_theano_is_needed(theirs, noise, tmp_path, python):
    done = python("import sys; from lsd_repro.compare import report; "
                  f"report.compare([{str(noise)!r}], {[str(path) for path in theirs]!r}, 'out'); "
                  "assert 'theano' not in sys.modules")
    assert done.returncode == 0, done.stderr


def test_2015s_own_frames_are_close_to_each_other(tmp_path, of_2015):
    genuine = sorted(of_2015("frames").glob("*.png"))
    numbers = report.compare(genuine[::2], genuine[1::2], tmp_path / "out", prior=GOLDEN)
    assert [name for name, one in numbers["statistics"].items() if one["verdict"] == "outside"] == []
    photo = write(tmp_path / "photo.png", data.coffee())
    found = report.compare([photo], genuine, tmp_path / "out")["statistics"]
    assert found["power spectrum"]["verdict"] == found["patch contrast"]["verdict"] == "outside"
    assert (tmp_path / "out" / "report.html").stat().st_size < 5e6


@pytest.fixture
def browse(tmp_path):
    """From a page to the widths of its images, as loaded, and what the browser logs."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    options = ["--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking",
               "--disable-component-update", "--disable-sync", "--enable-logging=stderr",
               f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--no-sandbox")  # Chromium refuses to run as root with one

    def browse(page):
        # Evaluated in the page; the report itself has no script.
        probe = ("<script>addEventListener('load', () => document.body.setAttribute('data-widths', JSON.stringify("
                 "[...document.images].map(image => image.naturalWidth))))</script>")
        copy = tmp_path / "probed.html"
        copy.write_text(page + probe)
        done = subprocess.run([browser, *options, copy.as_uri()], capture_output=True, text=True, timeout=120)
        widths = done.stdout.partition('data-widths="')[2].partition('"')[0]
        console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        return json.loads(widths or "null"), console, done.stderr

    # A page that has both faults: what finds none there would find none anywhere.
    widths, console, log = browse("<p>x<img src='data:image/png;base64,AAAA'><script>console.error('seen')</script>")
    if widths != [0] or len(console) != 1:
        pytest.skip(f"{browser} renders no page here: {log[-500:]}")
    return browse


def test_a_browser_shows_the_whole_page(theirs, noise, tmp_path, browse):
    report.compare([noise], theirs, tmp_path / "out", prior=GOLDEN)
    page = (tmp_path / "out" / "report.html").read_text()
    widths, console, _ = browse(page)
    assert widths == [int(picture["width"]) for picture in Images(page).pictures] and len(widths) == 4 + 2 * 5
    assert console == []
