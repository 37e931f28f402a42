"""What can be downloaded: 2015's weights, priors, start images and frames, and pictures to test denoising on.

===================  =======================================================
`SETS`               what can be fetched, from where, and how it is known to be right
`fetch`              download what is not there yet, resumed and checked
`fetched`, `state`   what is there already (no network)
===================  =======================================================

A file is downloaded to ``NAME.part``, checked, and then moved into place in one go.
``NAME.origin.part`` says which version of the file the ``.part`` is of: a download resumes
only from that version.

The weights exist in other formats, too (`ROADS`), which are converted if their own file can't be had.

`pooch` is not used because it cannot resume an interrupted download (version 1.9 deletes
the temporary file and starts over), which matters at 528 MiB.
"""

import hashlib
import json
import os
import re
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Optional, Union

from lsd_repro.errors import InputError
from lsd_repro.program2015 import BEFORE_1850

CACHE_VARIABLE = "LSD_REPRO_CACHE"

# Seconds to connect, and between two arrivals of bytes.
TIMEOUTS = (10, 30)
# How often a URL is tried that has shown that the file is there, and one that has not.
TRIES, TRIES_UNSEEN = 8, 2
# Seconds before the second try, doubled before each further one up to the longest.
FIRST_PAUSE, LONGEST_PAUSE = 1, 30
CHUNK = 1 << 16
LARGEST = 2 << 30  # bytes, of a file whose size nobody has said


class File(NamedTuple):
    """A file to fetch.

    Attributes
    ----------
    name : str
    urls : tuple of str
        Tried in this order.
    digest : str
        Such as ``"sha256:9f86..."``, or its beginning; empty where nobody published one.
    size : int or None
        In bytes; None: what the server says.
    other_versions : bool
        Whether there are others than the one of `digest`, which are taken if they hold
        a VGG-16.
    roads : tuple of File
        The same in other formats, in this order, where none of `urls` has the file.  What comes is
        converted, and taken only if it is Oxford's VGG-16 of 2014 by its known entries.
    networks : module, optional
        See `fetch`.
    """

    name: str
    urls: tuple[str, ...]
    digest: str
    size: Optional[int] = None
    other_versions: bool = False
    roads: "tuple[File, ...]" = ()
    networks: Any = None


def _files(bases, table):
    return tuple(File(name, tuple(base + name for base in bases), "sha256:" + sha256, size)
                 for name, size, sha256 in table)


def _titles(table):
    """Frames that were the title picture of the post of 2 July in a commit of the author's site; the names are ours."""
    return tuple(File(name + ".png", (f"{SITE}{commit}/img/post-dream-bg.png",), "sha256:" + sha256, size)
                 for name, size, sha256, commit in table)


def _pictures(what, bases):
    lines = (line.split("\t") for line in PICTURES.read_text("utf-8").splitlines())
    return _files(bases, [(name, int(size), sha256) for listed, name, size, sha256 in lines if listed == what])


# HEAD is whatever the default branch is called; after it come the commit of 2015 and
# the author's site, should he tidy up.
GITHUB = "https://raw.githubusercontent.com/317070/"
PROGRAM = (GITHUB + "Twitch-plays-LSD-neural-net/HEAD/",
           GITHUB + "Twitch-plays-LSD-neural-net/9ff4086bfa0925446a5410c2301003984e844064/")
SITE = GITHUB + "317070.github.io/"
BLOG = (SITE + "HEAD/img/dream/", "https://317070.github.io/img/dream/")
# The Berkeley Segmentation Data Set: the 68 test pictures that denoising is compared on (Roth & Black 2009), grey and,
# in the same order, in colour, and the 200 for training, none of which is among them.
BSD68 = tuple(f"https://raw.githubusercontent.com/cszn/DnCNN/{version}/testsets/BSD68/"
              for version in ("e93b27812d3ff523a3a79d19e5e50d233d7a8d0a", "HEAD"))
BSDS = tuple(f"https://raw.githubusercontent.com/BIDS/BSDS500/{version}/BSDS500/data/images/"
             for version in ("a04b7c6c3a9f0ace74bf205c72a43d32e1c72722", "HEAD"))
PICTURES = Path(__file__).with_name("pictures.tsv")

# Where the VGG-16 of 2014 lies in other formats: Oxford's own for Caffe (the sum is Caffe's model
# zoo's), Keras's (the sum is in its source), Davi Frossard's (no sum, hence by https alone), and Justin
# Johnson's port to PyTorch (the beginning of its sum is in the name, as torch.hub has it; by https, too).
ROADS = (
    File("VGG_ILSVRC_16_layers.caffemodel",
         ("https://www.robots.ox.ac.uk/~vgg/software/very_deep/caffe/VGG_ILSVRC_16_layers.caffemodel",
          "http://www.robots.ox.ac.uk/~vgg/software/very_deep/caffe/VGG_ILSVRC_16_layers.caffemodel"),
         "sha1:9363e1f6d65f7dba68c4f27a1e62105cdf6c4e24", 553_432_081),
    File("vgg16_weights_tf_dim_ordering_tf_kernels.h5",
         ("https://storage.googleapis.com/tensorflow/keras-applications/vgg16/vgg16_weights_tf_dim_ordering_tf_kernels.h5",
          "https://github.com/fchollet/deep-learning-models/releases/download/v0.1/"
          "vgg16_weights_tf_dim_ordering_tf_kernels.h5"),
         "md5:64373286793e3c8b2b4e3219cbf3544b", 553_467_096),
    File("vgg16_weights.npz", ("https://www.cs.toronto.edu/~frossard/vgg16/vgg16_weights.npz",), "", 553_436_134),
    File("vgg16-00b39a1b.pth",
         ("https://web.eecs.umich.edu/~justincj/models/vgg16-00b39a1b.pth",
          "https://s3-us-west-2.amazonaws.com/jcjohns-models/vgg16-00b39a1b.pth"),
         "sha256:00b39a1b"))

SETS = {
    # The names that lsd_repro.prior.store looks for in a folder.
    "priors": _files(PROGRAM, (
        ("prior_filters.npy", 294992, "b0573a8e7c8e9c5dfca276c69af1685f6d17d8e686ff5e7c46ea548ef175ee09"),
        ("prior_mean.npy", 1616, "c3248bc6bdbc5893d5b29a48c18262ce263317a7d4a1b02cc7b11e3e68cd8f6b"),
        ("student_prior_filters.npy", 294992, "b5f98356d54a68ce487479c192d2ff244dddb879221b2dda4caec440296dcdb4"),
        ("student_prior_mean.npy", 1616, "571b3272d8736bda9a9b3982f17a3b3a59505f1c3a2665c2eeeef246ec439b2b"))),
    # The stream's and the stills'.
    "starts": _files(PROGRAM, (
        ("image7.jpg", 145800, "a8c2d77f09c59f5320635e7cacda3939abd15415892de497bb35c9bb617ed116"),
        ("hd1.jpg", 234195, "3de9c3baae64e545173b9def31f08436f78a142422dec17801509d146707a391"))),
    "frames": _files(BLOG, (
        ("result0270.png", 955004, "92e260dd8dde5d4de8715b7dd33ee74900a6a177c0b012114298039a550e934b"),
        ("result0760.png", 959577, "5166d5aff1d2b0665a2f871cc361785091df8856eb4fc6b58fe2dae654bfd481"),
        ("result1710.png", 961409, "e7d363ea502d7d835bcdd9962c0edc4a1db2d1c8be883c2b358540de891f579c"),
        ("result1850.png", 953386, "2264ceed85297c18598b37c045ca1f74df98bfb16b70c36781a195f4e86755df"),
        ("result2070.png", 965942, "cdb076bb6d7974cb97ea270376fd02deaee7c9224fb7ea204e98f260689db075"),
        ("result2230.png", 945232, "8428261a04f67d83d433a728d8bed86a2cf1256e70e9fa812bbf849446d1a9c4"),
        ("result2540.png", 962032, "38d4a45bad96cac128159b38a7f5e3faf11afb9dbf66900efb04459d32302fbf"),
        ("result3110.png", 960192, "a4db664005ae5caef71ba73d242e31bc151fd2f00d13050d6167d3569cab9643"),
        ("result4260.png", 944009, "f8816866c8271b96b3fe8a67598b264c3799f51a940cfb41c2e9cdac5d55817d"),
        ("result5290.png", 963843, "a09eb84633a21a22f92af3f6369cb2efd3f88a52516382fa564888f4e1db065e"),
        ("result5920.png", 954181, "5b4c2bf0da681162fab3aedacd02962f8e3de4114f6af700a5d029584fcdaeb4"),
        ("result7270.png", 950081, "09463ea070cce38bdd7d8be1b08c921627a3be505a50ac517f9fceb38bfa5abb"))) + _titles((
            (BEFORE_1850, 952880, "27a6b60321a03a950c9d616c00397ef416a3faf5602f6cb0b7200d0e5499276a",
             "30174a3bed34dd2923c4af6ac81070cf8a209628"),
            ("blog-dam", 959082, "b41bea1313035dfe06d9f3f6b5f1e706fcdeb7a616d2e3df3b4d2749be999ab1",
             "95c1034fd485fbf7d30799da91ce5b96842145a5"))),
    "weights": (File("imagenet-vgg-verydeep-16.mat",
                     ("https://www.vlfeat.org/matconvnet/models/imagenet-vgg-verydeep-16.mat",
                      "https://www.vlfeat.org/matconvnet/models/beta16/imagenet-vgg-verydeep-16.mat"),
                     "md5:f72d927587ca4c97fbd165ec9cb9997f", other_versions=True, roads=ROADS),),
    "bsd68": _pictures("bsd68", BSD68),
    "cbsd68": _pictures("cbsd68", [base + "val/" for base in BSDS]),
    "bsds-train": _pictures("bsds-train", [base + "train/" for base in BSDS]),
}
# How the commands are told where a set lies, if not in the cache.
OPTIONS = {"weights": "weights=", "priors": "prior=", "starts": "start=", "bsd68": "pictures=", "cbsd68": "pictures="}


class _Failed(Exception):
    """A try that came to nothing: no answer, or no such file."""


class _Broken(_Failed):
    """The file is there but didn't come through: worth more tries."""


class _Wrong(_Failed):
    """Something else came in its place: no further try."""


def fetch(what: str, to: Union[str, Path, None] = None, networks: Any = None) -> Path:
    """Download a set of files, except those that are there and right.

    Progress goes to standard error where that is a terminal.  Another process that
    fetches into the same folder is waited for.

    Parameters
    ----------
    what : str
        A key of `SETS`.
    to : str or Path, optional
        Folder for all sets; default: environment variable LSD_REPRO_CACHE, or the
        user's cache folder.
    networks : module, optional
        `lsd_repro.convert.downloaded`, which checks other versions of the weights and converts
        other formats; without it neither is taken.

    Returns
    -------
    Path
        The .mat file of "weights"; of the other sets the folder of their files.

    Raises
    ------
    InputError
        If there is no such set, a file can't be had (the message says how to put it
        there by hand), or it can't be written.
    """
    files = [file._replace(networks=networks) for file in _set(what)]
    folder = cache(to) / what
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(cache(to)):
            for file in files:
                path = folder / file.name
                if path.is_file():
                    fault = _fault(file, path)
                    if not fault:
                        continue
                    _say(f"{path} is damaged ({fault}): fetching it again")
                _download(what, file, path)
    except OSError as error:
        raise InputError(f"{error.filename or folder}: {error.strerror or error}; make room and see that it can be "
                         f"written to, or name another folder with to= or {CACHE_VARIABLE}") from error
    return _place(what, to)


def fetched(what: str, to: Union[str, Path, None] = None) -> Optional[Path]:
    """Find what `fetch` has put there, without network.

    Parameters
    ----------
    what, to
        See `fetch`.

    Returns
    -------
    Path or None
        What `fetch` returns; None unless each file of the set is there in its size.
    """
    def there(file):
        path = cache(to) / what / file.name
        return os.path.isfile(path) and file.size in (None, path.stat().st_size)

    return _place(what, to) if all(there(file) for file in _set(what)) else None


def state(to: Union[str, Path, None] = None) -> list[tuple[str, Path, bool]]:
    """List what there is to fetch, without network.

    Returns
    -------
    list of (str, Path, bool)
        Name of the set, its place (see `fetch`), and whether it is there.
    """
    return [(what, _place(what, to), fetched(what, to) is not None) for what in SETS]


def cache(to: Union[str, Path, None] = None) -> Path:
    """The folder (Path) that holds a folder for each set, and need not exist; see `fetch`."""
    import platformdirs

    chosen = to or os.environ.get(CACHE_VARIABLE)
    return Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("lsd_repro", appauthor=False)


def _set(what):
    if what not in SETS:
        raise InputError(f"{what}: there is no such set to fetch; choose from {', '.join(SETS)}")
    return SETS[what]


def _place(what, to):
    folder = cache(to) / what
    return folder / SETS[what][0].name if what == "weights" else folder


@contextmanager
def _alone(folder):
    """Wait until no other process fetches into the folder, and keep others out."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        _say(f"another process is fetching into {folder}: waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _download(what, file, path):
    """Bring one file to `path`, whole and checked, or raise an InputError."""
    failed = reasons = _try(file, path)
    if not failed:
        return
    for road in file.roads if file.networks else ():
        _say(f"{'; '.join(failed)}: trying {road.name}, which has the same weights")
        failed = _by_road(road._replace(networks=file.networks), path)
        if not failed:
            return
        reasons = reasons + failed
    begun = any(_begun(_part(path.with_name(one.name)), url)[0] for one in (file, *file.roads) for url in one.urls)
    kept = "what has arrived is kept, and the same command continues from there; " if begun else ""
    option = f", or say where it is with {OPTIONS[what]}" if what in OPTIONS else ""
    raise InputError(f"can't fetch {file.name} from {' or '.join(reasons)}: {kept}"
                     f"if this machine is offline or the file has moved, get it elsewhere and put it at {path}{option}")


def _by_road(road, path):
    """Bring the weights in another format and convert them to `path`; returns why not, or nothing."""
    downloaded = path.with_name(road.name)
    try:
        road.networks.check_library(downloaded)
        # There already if it could be read, but not written.
        reasons = [] if downloaded.is_file() and not _fault(road, downloaded) else _try(road, downloaded)
        if reasons:
            return reasons
        finding = road.networks.convert(downloaded, path)
    except InputError as error:
        # With a sum that is right, it isn't the file's fault.
        if isinstance(error, road.networks.WrongContents) and not road.digest:
            downloaded.unlink()
        return [str(error)]
    downloaded.unlink()
    _say(f"{road.name}: {finding}; converted to {path}")
    return []


def _try(file, path):
    """Bring one file to `path` from one of its URLs; returns why not from each, or nothing."""
    part = _part(path)
    reasons = []
    # What was begun comes first: another URL may have another version.
    for url in sorted(file.urls, key=lambda url: not _begun(part, url)[0]):
        tries, patience, reason = 0, TRIES_UNSEEN, ""
        while tries < patience:
            if tries:
                pause = min(FIRST_PAUSE * 2 ** (tries - 1), LONGEST_PAUSE)
                if patience == TRIES:
                    _say(f"{file.name}: {reason}; trying again in {pause:g} s")
                time.sleep(pause)
            tries += 1
            try:
                _transfer(file, url, part)
                os.replace(part, path)
                _discard(part)
                return []
            except _Failed as error:
                reason = str(error)
                if isinstance(error, _Broken):
                    patience = TRIES
                if isinstance(error, _Wrong):
                    break
        reasons.append(f"{url} ({reason})")
    return reasons


def _transfer(file, url, part):
    """Bring a file, or what is missing of it, from one URL into `part`, and check it."""
    begun, version, total = _begun(part, url)
    if begun != total:
        begun = _receive(file, url, part, begun, version, total)
    fault = _fault(file, part)
    if fault:
        _discard(part)
        # In two pieces it may have come from two versions after all; in one, it won't change.
        raise (_Broken if begun else _Wrong)(fault)


def _receive(file, url, part, begun, version, total):
    """Write what a URL sends to `part`, after the `begun` bytes there if they can be kept; returns how many could."""
    import requests

    from lsd_repro.runtime.progress import tqdm

    # Compressed on the way, the lengths would not be those of the file.
    headers = {"Accept-Encoding": "identity"}
    if begun:
        headers.update({"Range": f"bytes={begun}-", "If-Range": version})
    try:
        answer = requests.get(url, headers=headers, stream=True, timeout=TIMEOUTS)
    except requests.RequestException as error:
        raise _Failed(f"no answer: {type(error).__name__}") from error
    with answer:
        begun, total = _check_answer(answer, file, part, begun, version, total)
        size, most = begun, LARGEST if total is None else total
        with open(part, "ab" if begun else "wb") as stream, tqdm(
                desc=file.name, total=total, initial=begun, unit="B", unit_scale=True, leave=False) as bar:
            if not begun:
                _origin(part).write_text(json.dumps([url, _version(answer), total]), "utf-8")
            try:
                for chunk in answer.iter_content(CHUNK):
                    stream.write(chunk)
                    bar.update(len(chunk))
                    size += len(chunk)
                    if size > most:
                        break
            except requests.RequestException as error:
                raise _Broken(f"broke off after {size:,} bytes") from error
    if size > most:
        _discard(part)
        raise _Wrong(f"another file: more than {most:,} bytes")
    # Not every version of requests notices.
    if total is not None and size < total:
        raise _Broken(f"broke off after {size:,} of {total:,} bytes")
    return begun


def _check_answer(answer, file, part, begun, version, total):
    """Where in the file the answer starts, and the size of the whole (None: not said)."""
    status = answer.status_code
    if status == 416 or (status == 206 and not _continues(answer, begun, version, total)):
        _discard(part)
        raise _Broken("the file has changed since the download began")
    if status in (408, 429) or status >= 500:
        raise _Broken(f"HTTP {status}")
    if status not in (200, 206):
        raise _Failed(f"HTTP {status}")
    if status == 206:
        return begun, total
    length = answer.headers.get("Content-Length", "")
    said = int(length) if length.isdecimal() else None
    if file.size and said not in (None, file.size):
        raise _Wrong(f"another file: {said:,} bytes and not {file.size:,}")
    return 0, file.size or said


def _continues(answer, begun, version, total):
    """Whether a partial answer continues where `part` ends, in the same version.

    Not every server heeds If-Range; one that does may leave out the version.
    """
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", answer.headers.get("Content-Range", ""))
    return bool(begun and found and int(found[1]) == begun and int(found[2]) == total
                and _version(answer) in ("", version))


def _version(answer):
    """What tells versions of a file apart byte for byte; empty if the server says nothing."""
    tag = answer.headers.get("ETag", "W/")
    return answer.headers.get("Last-Modified", "") if tag.startswith("W/") else tag


def _begun(part, url):
    """How many bytes are there to continue from, their version, and the size of the whole (or None)."""
    try:
        origin, version, total = json.loads(_origin(part).read_text("utf-8"))
        size = part.stat().st_size
    except (OSError, ValueError, TypeError):
        return 0, "", None
    if origin != url or total is None or not (version or size == total):
        return 0, "", None
    return size, version, total


def _part(path):
    return path.with_name(path.name + ".part")


def _origin(part):
    return part.with_name(part.name[:-len("part")] + "origin.part")


def _discard(part):
    for path in (part, _origin(part)):
        path.unlink(missing_ok=True)


def _fault(file, path):
    """What is wrong with a file that is there; empty if nothing."""
    if not file.digest:
        size = os.stat(path).st_size
        return "" if size == file.size else f"{size:,} bytes and not {file.size:,}"
    kind, wanted = file.digest.split(":")
    digest = hashlib.new(kind, usedforsecurity=False)
    size = 0
    with open(path, "rb") as stream:
        for chunk in iter(lambda: stream.read(CHUNK), b""):
            digest.update(chunk)
            size += len(chunk)
    if digest.hexdigest().startswith(wanted):
        return ""
    if file.size not in (None, size):
        return f"{size:,} bytes and not {file.size:,}"
    if not (file.other_versions and file.networks):
        return f"{kind} {digest.hexdigest()} and not {wanted}"
    try:
        file.networks.check(path)
    except InputError as error:
        return str(error)
    _say(f"{file.name} has {kind} {digest.hexdigest()} and not {wanted}: another version, but a VGG-16, so it is used")
    return ""


def _say(text):
    print(f"lsd-repro: {text}", file=sys.stderr)
