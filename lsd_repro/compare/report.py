"""Our frames compared with 2015's: every number, and one page to read.

`lsd_repro.compare.statistics` defines "close", and the page repeats it.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional

import numpy as np

from lsd_repro.compare import report_page, report_parts, statistics
from lsd_repro.errors import InputError
from lsd_repro.hints import Floats
from lsd_repro.material import files
from lsd_repro.material.photos import find_photos, in_order, read_photo
from lsd_repro.network import matconvnet
from lsd_repro.prior import store
from lsd_repro.program2015 import STREAM
from lsd_repro.runtime.progress import tqdm


class Frame(NamedTuple):
    """What the report keeps of a frame.

    Attributes
    ----------
    name : str
    width, height : int
    vectors : dict of str to array
        See `lsd_repro.compare.statistics.measure`.
    classes : tuple of str, or None
        What the network sees most of in the bottom half and in the top half.
    pictures : lsd_repro.compare.report_parts.Pictures
    """

    name: str
    width: int
    height: int
    vectors: dict[str, Floats]
    classes: Optional[tuple[str, ...]]
    pictures: report_parts.Pictures


def compare(ours_paths: Sequence[files.PathLike], theirs_paths: Sequence[files.PathLike], out: files.PathLike,
            prior: Optional[files.PathLike] = None, network: Optional[files.PathLike] = None,
            made_with: Optional[str] = None) -> dict[str, Any]:
    """Write a report on how close our frames are to 2015's.

    Parameters
    ----------
    ours_paths, theirs_paths : sequence of path
        Pictures, and folders of them (see `frame_paths`); of 2015's at least three,
        which are the yardstick.  Sizes may differ.
    out : path
        Folder for ``report.html``, which needs no other file, and ``report.json``.
    prior : path, optional
        Whose energies are compared: the Student-t, if the file or folder has one (see
        `lsd_repro.prior.store.load`).
    network : path, optional
        MatConvNet's .mat file, whose class logits are compared.
    made_with : str, optional
        What to say of how ours were made.

    Returns
    -------
    dict
        The numbers, as ``report.json`` has them rounded to six digits.

    Raises
    ------
    InputError
        If 2015's frames are fewer than three, a file can't be read, or a frame is too
        small for a statistic.
    """
    ours_paths, theirs_paths = frame_paths(ours_paths), frame_paths(theirs_paths)
    if not ours_paths:
        raise InputError("no frames of ours to compare: name PNG files, or folders of runs")
    if len(theirs_paths) < statistics.LEAST_GENUINE:
        raise InputError(f"{len(theirs_paths)} of 2015's frames make no yardstick: give at least "
                         f"{statistics.LEAST_GENUINE}; 'lsd-repro fetch frames' brings fourteen")
    files.make_folder(out)
    read = frame_reader(prior, network)
    named = [pair for paths in (ours_paths, theirs_paths) for pair in zip(names(paths), paths)]
    frames = [read(name, path) for name, path in tqdm(named, "measuring", unit="frame")]
    ours, theirs = frames[:len(ours_paths)], frames[len(ours_paths):]
    numbers = {"prior": prior and names([prior])[0], "network": network and names([network])[0],
               "made with": made_with, **judged(ours, theirs)}
    files.write_json(Path(out) / "report.json", numbers, files.DIGITS)
    page = report_page.page(numbers, [frame.pictures for frame in ours], [frame.pictures for frame in theirs])
    # File names need not be valid Unicode.
    files.write_bytes(Path(out) / "report.html", page.encode(errors="replace"))
    return numbers


def frame_paths(paths: Sequence[files.PathLike]) -> list[Path]:
    """Pictures, and those in folders, in this order.

    Of the runs of ``lsd-repro frames`` in a folder the optimised frames are taken, and
    not the start image, which is no dream.

    Raises
    ------
    InputError
        If a folder has none.
    """
    found = []
    for path in map(Path, paths):
        runs = sorted((start.parent for start in path.rglob("frames/frame0000.png")), key=in_order)
        if runs:
            found += [frame for run in runs for frame in sorted(run.glob("frame*.png"), key=in_order)[1:]]
        else:
            found += find_photos(path) if path.is_dir() else [path]
    return found


def names(paths: Sequence[files.PathLike]) -> list[str]:
    """What files are called in the report: their paths from the folder that holds them all."""
    whole = [Path(os.path.abspath(path)) for path in paths]
    common = os.path.commonpath([path.parent for path in whole])
    return [path.relative_to(common).as_posix() for path in whole]


def frame_reader(prior_path: Optional[files.PathLike] = None,
                 network_path: Optional[files.PathLike] = None) -> Callable[[str, files.PathLike], Frame]:
    """Load prior and network, and compile what they say of a frame.

    Parameters
    ----------
    prior_path, network_path : path, optional

    Returns
    -------
    function
        From a name and a path to a `Frame`.
    """
    judges = []
    if prior_path is not None:
        judges.append(_energies(store.load(prior_path)))
    if network_path is not None:
        judges.append(_logits(matconvnet.read(network_path)))

    def read(name, path):
        picture = read_photo(path)
        statistics.check(name, picture)
        try:
            said = {key: value for judge in judges for key, value in judge(picture).items()}
        except InputError as error:
            raise InputError(f"{name}: {error}") from error
        classes = said.pop("classes", None)
        height, width = picture.shape[:2]
        return Frame(name, width, height, statistics.measure(picture, **said), classes, report_parts.pictures(picture))

    return read


def _energies(priors):
    # Not at the top: imports Theano, which the report can do without.
    from lsd_repro.prior.energy import check_scales, patch_energy
    from lsd_repro.step.evaluate import compile_energies

    prior = priors.get("student") or priors["gaussian"]
    energies = compile_energies(patch_energy(prior), STREAM.prior_scales)

    def judge(picture):
        check_scales(picture.shape[0], picture.shape[1], STREAM.prior_scales, prior.patch_size)
        return {"energies": dict(zip(STREAM.prior_scales, energies(picture)))}

    return judge


def _logits(network):
    from lsd_repro.network.vgg16 import map_size
    from lsd_repro.step.evaluate import compile_logits

    logits = compile_logits(network)

    def judge(picture):
        map_size(picture.shape[0], picture.shape[1], network.fc6_size)
        values = logits(picture)
        seen = statistics.best_classes(values).indices
        return {"logits": values, "classes": tuple(network.descriptions[index].split(",")[0] for index in seen)}

    return judge


def judged(ours: list[Frame], theirs: list[Frame]) -> dict[str, Any]:
    """All numbers of the comparison.

    Parameters
    ----------
    ours, theirs : list of Frame

    Returns
    -------
    dict
        Of text, numbers, and lists and dicts of them.
    """
    vectors = {name: tuple(np.array([frame.vectors[name] for frame in frames]) for frames in (ours, theirs))
               for name in ours[0].vectors}
    judgements = {name: statistics.judge(*pair) for name, pair in vectors.items()}
    outside = {"ours": np.array([one.outside for one in judgements.values()]),
               "2015": np.array([statistics.left_out(pair[1]) for pair in vectors.values()])}
    return {
        "frames": {whose: [{"name": frame.name, "width": frame.width, "height": frame.height,
                            "outside": int(count), "classes": frame.classes and list(frame.classes)}
                           for frame, count in zip(frames, outside[whose].sum(axis=0))]
                   for whose, frames in (("ours", ours), ("2015", theirs))},
        "statistics": {name: {"unit": report_page.unit(name), **_numbers(vectors[name], one)}
                       for name, one in judgements.items()},
        "frequencies": statistics.FREQUENCIES.tolist(), "quantiles": statistics.QUANTILES.tolist(),
        "vectors": {name: {"ours": pair[0].tolist(), "2015": pair[1].tolist()} for name, pair in vectors.items()}}


def _numbers(vectors, judgement):
    """What the report says of one statistic."""
    ours, theirs = vectors
    distance, usual, largest = map(float, (
        np.median(judgement.ours), np.median(judgement.theirs), judgement.theirs.max()))
    return {"ours": {"values": ours.mean(axis=1).tolist(), "distances": judgement.ours.tolist()},
            "2015": {"values": theirs.mean(axis=1).tolist(), "distances": judgement.theirs.tolist()},
            "distance": distance, "distance of 2015": usual, "largest distance of 2015": largest,
            "distance among ours": float(np.median(statistics.judge(ours, ours).theirs)) if len(ours) > 1 else None,
            "further than": int((judgement.theirs < distance).sum()),
            "verdict": "close" if distance <= usual else "within" if distance <= largest else "outside"}
