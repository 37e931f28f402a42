"""The author's fourteen frames as numbers, so that ours can be compared with them where the frames are not at hand.

The frames themselves are the author's; ``lsd-repro fetch frames`` brings them.  To measure them again::

    python -m lsd_repro.compare.genuine FRAMES data/gallery/frames-2015.json

Two of them are neighbours: the frame before 1850, and 1850.  As a yardstick (`lsd_repro.compare.statistics`) they
count as any two, since a distance is a median over frames, which a near twin hardly moves: leaving the one before
1850 out changes the yardstick less than leaving out any other frame does.
"""

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Optional

import numpy as np

from lsd_repro.compare import report
from lsd_repro.material import files, shipped


def measure(paths: Iterable[Path]) -> list[report.Frame]:
    """Measure frames, with the prior and the network that ship.

    Parameters
    ----------
    paths : iterable of Path

    Returns
    -------
    list of lsd_repro.compare.report.Frame
    """
    read = report.frame_reader(shipped.path(shipped.PRIORS), shipped.path(shipped.NETWORK))
    return [read(path.stem, path) for path in paths]


def write(out: files.PathLike, frames: Sequence[report.Frame]) -> None:
    """Write what was measured of frames, without their pictures.

    Parameters
    ----------
    out : path
        A JSON file.
    frames : sequence of lsd_repro.compare.report.Frame
    """
    kept = [{name: value for name, value in frame._asdict().items() if name != "pictures"} for frame in frames]
    files.write_json(out, {"prior": shipped.PRIORS, "network": shipped.NETWORK, "frames": kept}, files.DIGITS)


def read(path: files.PathLike) -> list[report.Frame]:
    """Read what `write` wrote.

    Parameters
    ----------
    path : path

    Returns
    -------
    list of lsd_repro.compare.report.Frame
        Without pictures.
    """
    frames = json.loads(Path(path).read_bytes())["frames"]
    none: Any = None  # what reads them asks for no pictures
    return [report.Frame(frame["name"], frame["width"], frame["height"],
                         {name: np.array(values) for name, values in frame["vectors"].items()},
                         tuple(frame["classes"]), none) for frame in frames]


def main(arguments: Optional[Sequence[str]] = None) -> None:
    """``python -m lsd_repro.compare.genuine``: see above."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("frames", help="the folder of the author's frames")
    parser.add_argument("out", help="the JSON file")
    given = parser.parse_args(arguments)
    write(given.out, measure(report.frame_paths([given.frames])))


if __name__ == "__main__":
    main()
