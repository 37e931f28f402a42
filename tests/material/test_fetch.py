"""Downloads from a server on this machine that misbehaves on request."""

import hashlib
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import formats
import numpy as np
import pytest
from filelock import FileLock
from interruptible import heed_ctrl_c
from small_network import small_network

from lsd_repro.convert import downloaded
from lsd_repro.errors import InputError
from lsd_repro.material import fetch
from lsd_repro.network import matconvnet
from lsd_repro.prior import store

CONTENT = np.random.default_rng(1).bytes(300_000)
OTHER = np.random.default_rng(2).bytes(300_000)
THIRD = 100_000


class Site:
    """A server on this machine.

    Each request for a path takes the next entry off the path's plan: a status to answer
    with, or words for what goes wrong.  With no plan left, it serves as it should.
    """

    def __init__(self):
        self.contents = {}
        self.plans = {}
        self.requests = []
        self.over = threading.Event()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                site.requests.append((self.path, dict(self.headers)))
                plan = site.plans.get(self.path)
                site.answer(self, plan.pop(0) if plan else "")

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()

    def file(self, path, *plan, content=CONTENT, **fields):
        """Put a file on the site; returns its `fetch.File`."""
        self.contents[path], self.plans[path] = content, list(plan)
        fields = {"size": len(content), "digest": "sha256:" + hashlib.sha256(content).hexdigest(), **fields}
        return fetch.File(path.rpartition("/")[2], (self.base + path,), **fields)

    def ranges(self):
        return [headers.get("Range") for _, headers in self.requests]

    def answer(self, handler, trouble):
        if isinstance(trouble, int) or handler.path not in self.contents:
            return handler.send_error(trouble or 404)
        if trouble == "hangs up":
            return None
        content = self.contents[handler.path]
        if trouble == "another file":
            content = bytes(len(content))
        if trouble == "login page":
            content = b"<html>Welcome to our guest network!</html>"

        tag = '"' + hashlib.md5(content).hexdigest() + '"'
        asked = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        start = int(asked[1]) if asked else 0
        if handler.headers.get("If-Range") != tag and trouble not in ("ignores If-Range", "changed unsaid"):
            start = 0
        if trouble == "no Range":
            start = 0
        if trouble == "starts early" and start:
            start -= 1000
        if start >= len(content):
            return handler.send_error(416)
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if trouble not in ("no length", "no length, cut", "endless"):
            lie = {"too long": 1000, "too short": -1000}.get(trouble, 0)
            handler.send_header("Content-Length", str(len(content) - start + lie))
        if trouble == "changed unsaid":
            content = (OTHER + OTHER)[:len(content)]
        elif trouble != "no version":
            handler.send_header("ETag", tag)
        handler.end_headers()

        if trouble in ("cut", "no length, cut", "reset", "stall", "no version"):
            handler.wfile.write(content[start:start + THIRD])
        else:
            handler.wfile.write(content[start:])
        handler.wfile.flush()
        while trouble == "endless" and not self.over.is_set():
            handler.wfile.write(content)
        if trouble == "stall":
            self.over.wait(10)
        if trouble == "reset":
            # With nothing to linger for, closing sends a reset.
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.connection.close()
        return None


@pytest.fixture
def site(monkeypatch):
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(fetch, "TIMEOUTS", (2, 1))
    monkeypatch.setattr(fetch, "FIRST_PAUSE", 0.001)
    # A connection that is reset may lose what has come of a chunk.
    monkeypatch.setattr(fetch, "CHUNK", 4096)
    site = Site()
    yield site
    site.close()


@pytest.fixture
def cache(monkeypatch, tmp_path):
    folder = tmp_path / "cache"
    monkeypatch.setenv(fetch.CACHE_VARIABLE, str(folder))
    return folder


@pytest.fixture
def offer(monkeypatch):
    """Make files all that there is to fetch."""
    return lambda *files, what="starts": monkeypatch.setattr(fetch, "SETS", {what: files})


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# What is fetched, and where it goes.

def test_every_pinned_file_has_a_size_a_sum_and_two_addresses_or_a_commit():
    assert {what: len(files) for what, files in fetch.SETS.items()} == {
        "weights": 1, "priors": 4, "frames": 14, "starts": 2, "bsd68": 68, "cbsd68": 68, "bsds-train": 200}
    for what, files in fetch.SETS.items():
        for file in files:
            if len(file.urls) == 1:
                assert re.fullmatch(r"https://.*/[0-9a-f]{40}/img/post-dream-bg.png", file.urls[0])
            else:
                assert len(file.urls) == 2 and all(re.fullmatch(r"https://.*/" + file.name, url) for url in file.urls)
            if what != "weights":
                assert file.size and re.fullmatch("sha256:[0-9a-f]{64}", file.digest)


def test_every_other_road_has_a_size_or_a_sum_and_a_whole_sum_or_https():
    [weights] = fetch.SETS["weights"]
    assert len(weights.roads) == 4
    for road in weights.roads:
        assert road.size > 4 * 138_357_544 if road.size else road.digest
        assert all(re.fullmatch(r"https?://.*/" + road.name, url) for url in road.urls)
        assert re.fullmatch("(sha1:[0-9a-f]{40}|md5:[0-9a-f]{32})", road.digest) or \
            all(url.startswith("https") for url in road.urls)
        # torch.hub's names.
        beginning = re.search("-([0-9a-f]{8}).pth", road.name)
        assert not beginning or road.digest == f"sha256:{beginning[1]}"


def test_a_set_is_fetched_once_and_found_without_network(site, cache, offer):
    offer(site.file("/a.jpg"), site.file("/b.jpg", content=OTHER))
    assert fetch.fetched("starts") is None and fetch.state() == [("starts", cache / "starts", False)]
    assert not cache.exists()
    assert fetch.fetch("starts") == cache / "starts"
    assert names(cache / "starts") == ["a.jpg", "b.jpg"]
    assert (cache / "starts" / "a.jpg").read_bytes() == CONTENT
    assert fetch.fetch("starts") == fetch.fetched("starts") == cache / "starts"
    assert fetch.state() == [("starts", cache / "starts", True)]
    assert len(site.requests) == 2


def test_a_folder_named_goes_before_the_environment_and_that_before_the_user_s(monkeypatch, tmp_path):
    monkeypatch.setenv(fetch.CACHE_VARIABLE, str(tmp_path / "mine"))
    assert fetch.cache(tmp_path / "named") == tmp_path / "named"
    assert fetch.cache() == tmp_path / "mine"
    monkeypatch.delenv(fetch.CACHE_VARIABLE)
    assert fetch.cache().is_absolute() and fetch.cache().name.lower() in ("lsd_repro", "cache")


def test_an_unknown_set_is_an_input_error():
    with pytest.raises(InputError, match="colours: .* priors, starts, frames, weights, bsd68, cbsd68, bsds-train"):
        fetch.fetch("colours")


@pytest.mark.parametrize("damage", [CONTENT[:-1], OTHER, b""])
def test_a_damaged_file_is_fetched_anew(site, cache, offer, capsys, damage):
    offer(site.file("/a.jpg"))
    (cache / "starts").mkdir(parents=True)
    (cache / "starts" / "a.jpg").write_bytes(damage)
    fetch.fetch("starts")
    assert (cache / "starts" / "a.jpg").read_bytes() == CONTENT
    assert "a.jpg is damaged" in capsys.readouterr().err


def test_priors_are_where_the_store_finds_them(site, cache, offer):
    rng = np.random.default_rng(3)
    norms = np.geomspace(1, 1000, 192)
    arrays = {"student_prior_filters": rng.standard_normal((64 * 3, 192)), "student_prior_mean": np.zeros(192),
              "prior_filters": rng.standard_normal((64 * 3, 192)), "prior_mean": np.ones(192)}
    files = []
    for name, array in arrays.items():
        if name.endswith("filters"):
            array = array / np.linalg.norm(array, axis=0) * (norms if "student" in name else norms[::-1])
            array = array.reshape(8, 8, 3, 192)
        np.save(cache.parent / "array.npy", array)
        files.append(site.file(f"/{name}.npy", content=(cache.parent / "array.npy").read_bytes()))
    assert {file.name for file in files} == {file.name for file in fetch.SETS["priors"]}
    offer(*files, what="priors")
    assert set(store.load(fetch.fetch("priors"))) == {"student", "gaussian"}


# A connection that fails on the way.

@pytest.mark.parametrize("plan, ranges", [
    (("cut", ""), 1),
    (("reset", ""), 1),
    (("cut", 503, "stall", ""), 3),
    # What has no version can't be gone on with, nor what the server won't give in parts.
    (("no version", ""), 0),
    (("cut", "no Range"), 1),
    # The replacement is told by its version, by the server or by us; at the latest by its sum.
    (("cut", "changed unsaid", ""), 1),
    # The server doesn't know that it is out of order.
    (("hangs up", ""), 0),
    ((404, ""), 0),
    ((503, 503, 500, 429, ""), 0),
    (("no length",), 0),
    (("no length, cut", ""), 1),
])
def test_an_interrupted_download_arrives_whole(site, cache, offer, plan, ranges):
    offer(site.file("/a.jpg", *plan))
    fetch.fetch("starts")
    assert (cache / "starts" / "a.jpg").read_bytes() == CONTENT
    assert names(cache / "starts") == ["a.jpg"]
    assert len(site.requests) == len(plan)
    assert len([asked for asked in site.ranges() if asked]) == ranges
    assert all(headers["Accept-Encoding"] == "identity" for _, headers in site.requests)


def test_a_stall_is_noticed(site, cache, offer, capsys):
    offer(site.file("/a.jpg", "stall"))
    began = time.monotonic()
    fetch.fetch("starts")
    # The server would have waited for longer.
    assert time.monotonic() - began < 8
    assert "a.jpg: broke off after" in capsys.readouterr().err
    assert (cache / "starts" / "a.jpg").read_bytes() == CONTENT


def test_the_rest_is_asked_for_where_the_part_ends(site, cache, offer):
    offer(site.file("/a.jpg", "reset", *[503] * (fetch.TRIES - 1)))
    with pytest.raises(InputError, match="HTTP 503.*what has arrived is kept"):
        fetch.fetch("starts")
    size = (cache / "starts" / "a.jpg.part").stat().st_size
    assert 0 < size <= THIRD
    fetch.fetch("starts")
    assert site.ranges()[-1] == f"bytes={size}-"
    assert site.requests[-1][1]["If-Range"] == '"' + hashlib.md5(CONTENT).hexdigest() + '"'
    assert names(cache / "starts") == ["a.jpg"]


def test_a_part_that_was_complete_is_not_fetched_again(site, cache, offer, monkeypatch):
    offer(site.file("/a.jpg"))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(fetch, "_fault", lambda file, path: (_ for _ in ()).throw(KeyboardInterrupt))
        fetch.fetch("starts")
    assert not (cache / "starts" / "a.jpg").exists()
    fetch.fetch("starts")
    assert len(site.requests) == 1 and names(cache / "starts") == ["a.jpg"]


@pytest.mark.parametrize("trouble, now", [
    ("", OTHER),
    # Servers that heed Range alone; the second says no version, the third has nothing left to send.
    ("ignores If-Range", OTHER), ("changed unsaid", OTHER + OTHER), ("ignores If-Range", OTHER[:1000]),
    ("starts early", CONTENT)])
def test_only_what_follows_a_part_is_put_to_it(site, cache, offer, monkeypatch, trouble, now):
    # Neither size nor sum tells, as with another version of the weights.
    monkeypatch.setattr(fetch, "_fault", lambda file, path: "")
    offer(site.file("/a.jpg", "cut", *[503] * (fetch.TRIES - 1), size=None))
    with pytest.raises(InputError):
        fetch.fetch("starts")
    site.contents["/a.jpg"], site.plans["/a.jpg"] = now, [trouble] * 2
    fetch.fetch("starts")
    assert (cache / "starts" / "a.jpg").read_bytes() == now


def test_a_stitched_file_is_told_by_its_sum_and_fetched_whole(site, cache, offer):
    part = cache / "starts" / "a.jpg.part"
    offer(site.file("/a.jpg", "cut", *[503] * (fetch.TRIES - 1)))
    with pytest.raises(InputError):
        fetch.fetch("starts")
    part.write_bytes(OTHER[:THIRD])
    fetch.fetch("starts")
    assert (cache / "starts" / "a.jpg").read_bytes() == CONTENT
    assert site.ranges()[-2:] == [f"bytes={THIRD}-", None]


def test_tries_come_to_an_end_and_say_so(site, cache, offer, capsys):
    offer(site.file("/a.jpg", *[503] * 100))
    with pytest.raises(InputError, match=r"can't fetch a.jpg from http://\S+ \(HTTP 503\)"):
        fetch.fetch("starts")
    assert len(site.requests) == fetch.TRIES
    assert "trying again in 0.002 s" in capsys.readouterr().err


# Something else in its place.

@pytest.mark.parametrize("trouble, word", [
    ("another file", "sha256"), ("login page", "42 bytes and not 300,000"),
    ("too long", "301,000 bytes and not 300,000"), ("too short", "299,000 bytes and not 300,000")])
def test_a_wrong_file_is_refused_and_the_next_address_tried(site, cache, offer, trouble, word):
    file = site.file("/a.jpg", trouble, trouble)
    offer(file)
    with pytest.raises(InputError, match=re.escape(word)):
        fetch.fetch("starts")
    assert not {"a.jpg", "a.jpg.part"} & set(names(cache / "starts")) and len(site.requests) == 1
    second = site.file("/second/a.jpg")
    offer(file._replace(urls=file.urls + second.urls))
    fetch.fetch("starts")
    assert (cache / "starts" / "a.jpg").read_bytes() == CONTENT


@pytest.mark.parametrize("size", [len(CONTENT), None])
def test_an_answer_without_end_is_cut_off(site, cache, offer, monkeypatch, size):
    monkeypatch.setattr(fetch, "LARGEST", 2 * len(CONTENT))
    offer(site.file("/a.jpg", "endless", size=size))
    with pytest.raises(InputError, match=r"a.jpg \(another file: more than [36]00,000 bytes\)"):
        fetch.fetch("starts")
    assert names(cache / "starts") == []


def test_a_download_goes_on_at_the_address_where_it_began(site, cache, offer):
    first, second = site.file("/a.jpg", 404, 404), site.file("/second/a.jpg", "cut", *[503] * (fetch.TRIES - 1))
    offer(first._replace(urls=first.urls + second.urls))
    with pytest.raises(InputError, match=r"a.jpg \(HTTP 404\) or \S+second/a.jpg \(HTTP 503\)"):
        fetch.fetch("starts")
    site.requests.clear()
    fetch.fetch("starts")
    [(path, headers)] = site.requests
    assert path == "/second/a.jpg" and "Range" in headers


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    path = tmp_path_factory.mktemp("network") / "small.mat"
    matconvnet.write(path, small_network(np.random.default_rng(5)))
    return path.read_bytes()


def test_another_version_of_the_weights_is_taken_if_it_is_a_vgg16(site, cache, offer, network, capsys):
    offer(site.file("/w.mat", "cut", content=network, digest="md5:" + "0" * 32, size=None, other_versions=True),
          what="weights")
    assert fetch.fetch("weights", networks=downloaded) == cache / "weights" / "w.mat" == fetch.fetched("weights")
    assert hashlib.md5(network).hexdigest() in capsys.readouterr().err
    fetch.fetch("weights", networks=downloaded)
    assert len(site.requests) == 2
    matconvnet.read(fetch.fetched("weights"))


def test_weights_that_are_no_vgg16_are_refused(site, cache, offer):
    offer(site.file("/w.mat", "login page", digest="md5:" + "0" * 32, size=None, other_versions=True), what="weights")
    with pytest.raises(InputError, match="not a .mat file"):
        fetch.fetch("weights", networks=downloaded)
    assert fetch.fetched("weights") is None and names(cache / "weights") == []


# The same weights in other formats.

@pytest.fixture(scope="module")
def other_formats(tmp_path_factory):
    """Bytes of a small network by format, with Oxford's known entries and without."""
    folder, network = tmp_path_factory.mktemp("formats"), small_network(np.random.default_rng(5), classes=1000)
    pytest.importorskip("h5py")
    formats.write_keras(folder / "a.h5", formats.oxfords(network))
    formats.write_npz(folder / "a.npz", formats.oxfords(network))
    formats.write_npz(folder / "b.npz", network)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def by_roads(site, offer):
    """Offer weights that are not at their own place, but at these."""
    def by_roads(*roads):
        offer(site.file("/w.mat", 404, 404, digest="md5:" + "0" * 32, size=None, other_versions=True)._replace(roads=roads),
              what="weights")
    return by_roads


def test_weights_come_by_the_first_other_road_that_is_open(site, cache, by_roads, other_formats, capsys):
    by_roads(site.file("/a.caffemodel", 404, 404), site.file("/a.npz", "cut", content=other_formats["a.npz"], digest=""),
             site.file("/a.h5", content=other_formats["a.h5"]))
    assert fetch.fetch("weights", networks=downloaded) == cache / "weights" / "w.mat" == fetch.fetched("weights")
    said = capsys.readouterr().err
    assert "w.mat (HTTP 404)" in said and "trying a.caffemodel" in said and "trying a.npz" in said
    assert "a.npz: this is Oxford's VGG-16 of 2014" in said
    assert names(cache / "weights") == ["w.mat"]
    np.testing.assert_allclose(matconvnet.read(cache / "weights" / "w.mat").biases[0][:3], [0.73429835, 0.093403675, 0.06775674])
    count = len(site.requests)
    fetch.fetch("weights", networks=downloaded)
    assert len(site.requests) == count


def test_no_other_road_is_tried_where_the_first_is_open(site, cache, offer, network):
    file = site.file("/w.mat", content=network)
    offer(file._replace(roads=(site.file("/a.npz"),)), what="weights")
    fetch.fetch("weights", networks=downloaded)
    assert [path for path, _ in site.requests] == ["/w.mat"]


@pytest.mark.parametrize("content, word", [
    ("b.npz", "another training"), (b"PK\x03\x04", "can't be read"), ("cut", "can't be read")])
def test_what_comes_by_another_road_and_is_not_oxfords_is_refused(site, cache, by_roads, other_formats, content, word):
    content = other_formats.get(content, content)
    content = other_formats["a.npz"][:-1000] if content == "cut" else content
    by_roads(site.file("/b.npz", content=content, digest=""))
    with pytest.raises(InputError, match=f"w.mat from .*HTTP 404.*b.npz.*{word}") as caught:
        fetch.fetch("weights", networks=downloaded)
    assert "\n" not in str(caught.value)
    assert fetch.fetched("weights") is None and names(cache / "weights") == []


def test_what_has_the_right_sum_is_kept_though_it_can_t_be_used(site, cache, by_roads, other_formats):
    by_roads(site.file("/b.npz", content=other_formats["b.npz"]))
    for _ in range(2):
        with pytest.raises(InputError, match="another training"):
            fetch.fetch("weights", networks=downloaded)
    assert names(cache / "weights") == ["b.npz"]
    assert [path for path, _ in site.requests].count("/b.npz") == 1


def test_a_wrong_sum_by_another_road_is_refused(site, cache, by_roads, other_formats):
    by_roads(site.file("/a.npz", content=other_formats["a.npz"], digest="sha1:" + "0" * 40))
    with pytest.raises(InputError, match="a.npz .sha1 "):
        fetch.fetch("weights", networks=downloaded)
    assert names(cache / "weights") == []


@pytest.mark.parametrize("name, library", [("a.h5", "h5py"), ("a.pth", "torch")])
def test_a_road_that_lacks_its_library_is_not_downloaded(site, cache, by_roads, other_formats, monkeypatch, name, library):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", absent)
    by_roads(site.file(f"/{name}", content=other_formats["a.h5"]))
    with pytest.raises(InputError, match=f"pip install '{library}"):
        fetch.fetch("weights", networks=downloaded)
    assert f"/{name}" not in [path for path, _ in site.requests]


def test_the_beginning_of_a_sum_and_no_size_suffice_for_johnsons_port(site, cache, by_roads, tmp_path):
    pytest.importorskip("torch")
    network = formats.oxfords(small_network(np.random.default_rng(5), classes=1000))
    formats.write_johnsons(tmp_path / "a.pth", network)
    content = (tmp_path / "a.pth").read_bytes()
    begins = hashlib.sha256(content).hexdigest()[:8]
    road = site.file("/a.pth", content=content, digest=f"sha256:{begins}", size=None)
    by_roads(road._replace(digest="sha256:" + ("0" * 8 if begins != "0" * 8 else "1" * 8)))
    with pytest.raises(InputError, match=f"a.pth .sha256 {begins}"):
        fetch.fetch("weights", networks=downloaded)
    by_roads(road)
    np.testing.assert_array_equal(matconvnet.read(fetch.fetch("weights", networks=downloaded)).weights[0], network.weights[0])
    assert names(cache / "weights") == ["w.mat"]


def test_another_road_is_gone_on_with(site, cache, by_roads, other_formats):
    road = site.file("/a.npz", "cut", *[503] * (fetch.TRIES - 1), content=other_formats["a.npz"], digest="")
    by_roads(road)
    with pytest.raises(InputError, match="a.npz .HTTP 503.*what has arrived is kept"):
        fetch.fetch("weights", networks=downloaded)
    assert "a.npz.part" in names(cache / "weights")
    fetch.fetch("weights", networks=downloaded)
    assert site.ranges()[-1] is not None and names(cache / "weights") == ["w.mat"]


# No network, no room, no rights.

def test_offline_is_one_line_with_what_from_where_and_how_else(site, cache, offer):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/w.mat"
        offer(fetch.File("w.mat", (url,), "md5:" + "0" * 32), what="weights")
        with pytest.raises(InputError) as caught:
            fetch.fetch("weights", networks=downloaded)
    message = str(caught.value)
    for word in ("w.mat", url, "offline", str(cache / "weights" / "w.mat"), "weights="):
        assert word in message
    assert "\n" not in message


def test_a_file_put_there_by_hand_needs_no_network(cache, offer):
    offer(fetch.File("w.mat", ("http://127.0.0.1:1/w.mat",), "md5:" + hashlib.md5(CONTENT).hexdigest()), what="weights")
    (cache / "weights").mkdir(parents=True)
    (cache / "weights" / "w.mat").write_bytes(CONTENT)
    assert fetch.fetch("weights", networks=downloaded) == cache / "weights" / "w.mat"


def test_a_proxy_from_the_environment_is_asked(site, cache, offer, monkeypatch):
    monkeypatch.setenv("http_proxy", site.base)
    file = site.file("http://author.invalid/a.jpg")
    offer(file._replace(urls=("http://author.invalid/a.jpg",)))
    fetch.fetch("starts")
    assert site.requests[0][0] == "http://author.invalid/a.jpg"
    assert (cache / "starts" / "a.jpg").read_bytes() == CONTENT


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_an_input_error(site, cache, offer):
    offer(site.file("/a.jpg"))
    (cache / "starts").mkdir(parents=True)
    (cache / "starts" / "a.jpg.part").symlink_to("/dev/full")
    with pytest.raises(InputError, match="No space left on device; make room"):
        fetch.fetch("starts")


def test_a_folder_that_cannot_be_written_is_an_input_error(site, cache, offer):
    offer(site.file("/a.jpg"))
    cache.write_bytes(b"")
    with pytest.raises(InputError, match=f"{re.escape(str(cache))}.*to= or {fetch.CACHE_VARIABLE}"):
        fetch.fetch("starts")


def test_a_folder_in_the_place_of_a_file_is_an_input_error(site, cache, offer):
    offer(site.file("/a.jpg"))
    (cache / "starts" / "a.jpg").mkdir(parents=True)
    with pytest.raises(InputError, match="a.jpg"):
        fetch.fetch("starts")


# Other processes.

def script(file):
    """What another process runs to fetch a file."""
    return f"from lsd_repro.material import fetch; fetch.SETS = {{'starts': (fetch.{file!r},)}}; fetch.fetch('starts')"


def start(file):
    """Fetch a file in another process."""
    return subprocess.Popen([sys.executable, "-c", script(file)], stderr=subprocess.PIPE, text=True, preexec_fn=heed_ctrl_c,
                            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))})


def test_of_processes_at_once_one_fetches_and_the_others_wait(site, cache):
    file = site.file("/a.jpg")
    cache.mkdir()
    with FileLock(cache / ".lock"):
        processes = [start(file), start(file)]
        for process in processes:
            assert "waiting for it" in process.stderr.readline()
        assert site.requests == []
    for process in processes:
        _, messages = process.communicate(timeout=60)
        assert process.returncode == 0, messages
    assert len(site.requests) == 1
    assert (cache / "starts" / "a.jpg").read_bytes() == CONTENT


@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_process_leaves_a_part_to_go_on_with(site, cache, offer, kill):
    file = site.file("/a.jpg", "stall")
    part = cache / "starts" / "a.jpg.part"
    process = start(file)
    for _ in range(600):
        if part.exists() and part.stat().st_size >= fetch.CHUNK:
            break
        time.sleep(0.05)
    process.send_signal(kill)
    process.communicate(timeout=60)
    assert process.returncode != 0
    size = part.stat().st_size
    assert size >= fetch.CHUNK and not (cache / "starts" / "a.jpg").exists()
    offer(file)
    fetch.fetch("starts")
    assert site.ranges() == [None, f"bytes={size}-"]
    assert (cache / "starts" / "a.jpg").read_bytes() == CONTENT
