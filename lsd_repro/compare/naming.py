"""The author's frames named by a network: how near its read-out comes to that of 2015.

The stream's own fc6 to fc8 drew these frames, so a read-out that is near to them must name what was dreamt of.  No teacher has a
say in it, and no photo::

    python -m lsd_repro.compare.naming FRAMES --weights F.mat --out F.json

FRAMES is the folder that ``lsd-repro fetch frames`` names.
"""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional

import numpy as np

from lsd_repro.compare.report import frame_paths
from lsd_repro.compare.statistics import halves
from lsd_repro.errors import InputError
from lsd_repro.hints import Floats
from lsd_repro.material import files, shipped
from lsd_repro.material.photos import read_photo
from lsd_repro.network import ilsvrc, matconvnet
from lsd_repro.network.classes import caption_name, resolve
from lsd_repro.network.weights import NetworkWeights
from lsd_repro.program2015 import BEFORE_1850, PUBLISHED

# The author left 5290 without a label; golf balls are our guess.
GUESSED = "golf-ball"
FIRST = 5


class Half(NamedTuple):
    """What a network makes of half a frame.

    Attributes
    ----------
    frame : str
        The file's name without its ending.
    half : {"bottom", "top"}
    label : str or None
        What it was dreamt for, as the chat called it; None where nobody wrote that down.
    place : int or None
        Of the label's class among all: 1 is the first. None if there is no label or no such class.
    first : tuple of str
        The five classes named first.
    """

    frame: str
    half: str
    label: Optional[str]
    place: Optional[int]
    first: tuple[str, ...]


def labels() -> dict[str, tuple[str, str]]:
    """What the bottom and the top of the author's frames were dreamt for, by the files' names without their ending.

    A label is what a half shows, whatever the order of the query was: in 5920 the clocks are below and the rabbits above,
    though the author's post and his program disagree on which half the chat's first subject gets.
    """
    found = {f"result{number:04d}": query for name, (number, query) in PUBLISHED.items() if name != GUESSED}
    found[BEFORE_1850] = found[f"result{PUBLISHED['pizza'][0]:04d}"]
    return {frame: (query.split("+")[0], query.split("+")[-1]) for frame, query in found.items()}


def place(means: Floats, wanted: int) -> int:
    """How many classes have at least the value of one, itself included: 1 is the first, and a tie is no victory.

    Parameters
    ----------
    means : array, shape (classes,)
        Not a number counts as larger than any.
    wanted : int
    """
    return int(np.count_nonzero(~(means < means[wanted])))


def name_frames(paths: Iterable[Path], network: NetworkWeights) -> list[Half]:
    """Let a network name both halves of frames, by the mean logits of each half of its map.

    Parameters
    ----------
    paths : iterable of path
        Pictures; those that are called as the author's are have labels.
    network : NetworkWeights
        Its classes are called as those of ILSVRC 2012; it need not have all.

    Returns
    -------
    list of Half
        Two for each frame, the bottom first.

    Raises
    ------
    InputError
        If a picture can't be read or is too small for the network.
    """
    # Not at the top: imports Theano.
    from lsd_repro.network.vgg16 import map_size
    from lsd_repro.step.evaluate import compile_logits

    known = labels()
    _, descriptions = ilsvrc.read()
    logits = compile_logits(network)
    found = []
    for path in paths:
        picture = read_photo(path)
        try:
            map_size(picture.shape[0], picture.shape[1], network.fc6_size)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
        for half, part, label in zip(("bottom", "top"), halves(logits(picture)), known.get(path.stem, (None, None))):
            means = part.mean(axis=(1, 2))
            # Looked up in the full list: among fewer classes a word may mean another.
            wanted = label and descriptions[resolve(label, descriptions)]
            ranked = np.argsort(-means, kind="stable")[:FIRST]
            found.append(Half(
                path.stem, half, label,
                place(means, network.descriptions.index(wanted)) if wanted in network.descriptions else None,
                tuple(caption_name(network.descriptions[index]) for index in ranked)))
    return found


def summary(found: Sequence[Half]) -> dict[str, int]:
    """How many halves have labels, the network's own classes among them, and how often these are named first, or in five."""
    places = [half.place for half in found if half.place]
    return {"labelled": sum(half.label is not None for half in found), "known": len(places),
            "first": sum(one == 1 for one in places), "in five": sum(one <= FIRST for one in places)}


def table(found: Sequence[Half]) -> str:
    """One line for each half, and the summary."""
    lines = [f"{'frame':24}{'half':8}{'dreamt for':16}{'place':>6}  named first"]
    lines += [f"{half.frame:24}{half.half:8}{half.label or '':16}{half.place or '':>6}  {', '.join(half.first)}"
              for half in found]
    count = summary(found)
    said = f"{count['first']} of {count['labelled']} labelled halves are named first, {count['in five']} among the first five"
    unknown = count["labelled"] - count["known"]
    return "\n".join([*lines, "", said + f"; the network lacks the class of {unknown}" * bool(unknown)])


def main(argv: Optional[Sequence[str]] = None) -> None:
    """``python -m lsd_repro.compare.naming``: see above."""
    parser = argparse.ArgumentParser(prog="python -m lsd_repro.compare.naming", description=__doc__.splitlines()[0])
    parser.add_argument("frames", nargs="+", help="pictures, or folders of them")
    parser.add_argument("--weights", metavar="F", help="a MatConvNet .mat file (default: the network that ships)")
    parser.add_argument("--out", metavar="F.json", help="where to write it, too")
    given = parser.parse_args(argv)
    try:
        path = shipped.network(given.weights)
        found = name_frames(frame_paths(given.frames), matconvnet.read(path))
        if given.out:
            numbers: dict[str, Any] = {"network": Path(path).name, **summary(found), "halves": [half._asdict() for half in found]}
            files.write_json(given.out, numbers)
    except InputError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    print(table(found))


if __name__ == "__main__":
    main()
