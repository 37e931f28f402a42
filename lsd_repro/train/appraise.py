"""How near dreams come to 2015's.

``python -m lsd_repro.train.appraise NAME=FRAMES... --prior DIR --out FILE.json`` measures it.

FRAMES is a folder of a run, or of the frames that the author published. What is measured of each
set of frames: energies under a prior, colourfulness, the share of values at 0 or 255, whether
EfficientNet-lite0 sees what was dreamt of, and how small a part of a frame it needs for that.  It taught the read-out that
ships, so of what that dreams it is a biased judge; `lsd_repro.compare.naming` asks the author's own frames instead.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Callable, Optional

import numpy as np
from PIL import Image

from lsd_repro.compare.statistics import colourfulness
from lsd_repro.errors import InputError
from lsd_repro.hints import Floats, Integers, Picture
from lsd_repro.material import files
from lsd_repro.material.files import PathLike
from lsd_repro.network import classes, ilsvrc
from lsd_repro.prior import store
from lsd_repro.prior.energy import patch_energy
from lsd_repro.program2015 import PUBLISHED, STREAM
from lsd_repro.runtime.progress import tqdm
from lsd_repro.step.evaluate import compile_energies
from lsd_repro.train import judge

SCALES = 1, 4, 8, 16
# Sides of the windows that the judge is shown, in pixels of a frame as wide as the stream's.
SIDES = np.geomspace(70, 472, 5).round().astype(int)
# A class counts as seen in a window if the judge gives it this probability at least.
SEEN = 0.5
BATCH = 32


def dreamt(folder: PathLike) -> list[tuple[Path, tuple[str, ...]]]:
    """Frames of a folder, with the names of what they show.

    Parameters
    ----------
    folder : path
        Of a run, whose start is left out, or of ``resultNNNN.png`` as the author published them.

    Returns
    -------
    list of (path, tuple of str)
    """
    folder = Path(folder)
    record = folder / "run.json"
    if record.exists():
        scenes = json.loads(record.read_text())["parameters"]["scenes"]
        return [(folder / "frames" / f"frame{index:04d}.png", tuple(caption.split(" & ")))
                for index, (_, _, caption) in enumerate(scenes, 1)]
    published = {f"result{number:04d}.png": tuple(query.split("+")) for number, query in PUBLISHED.values()}
    found = [(folder / name, names) for name, names in published.items() if (folder / name).exists()]
    if not found:
        raise InputError(f"{folder}: neither a run nor frames that the author published")
    return found


def squares(picture: Picture) -> Picture:
    """The square as high as a frame at its left, in its middle and at its right: (3, height, height, 3)."""
    height, width = picture.shape[:2]
    return np.stack([picture[:, left:left + height] for left in (0, (width - height) // 2, width - height)])


def corners(length: int, side: int) -> Integers:
    """Where windows begin along a length that they cover, each overlapping the next by half or more."""
    return np.linspace(0, length - side, 1 + int(np.ceil(2 * (length - side) / side))).round().astype(int)


def probabilities(look: judge.Look, pictures: Picture) -> Floats:
    """What the judge gives each class: (n, 1000)."""
    batches = np.split(pictures.transpose(0, 3, 1, 2), range(BATCH, len(pictures), BATCH))
    return np.concatenate([look(batch).softmax(1).numpy() for batch in batches])


def sizes(look: judge.Look, picture: Picture, wanted: Sequence[int]) -> list[float]:
    """How large objects are: sides of the smallest windows in which the judge sees a class.

    Parameters
    ----------
    look : function
        The judge.
    picture : uint8 array, shape (height, width, 3)
    wanted : sequence of int
        Any of these classes counts.

    Returns
    -------
    list of float
        In pixels of a frame as wide as the stream's. Smaller windows come first, of one size those
        that the judge is surer of; a window in whose middle half another that was counted lies, or
        whose middle lies in such a one, shows that object once more and is left out.
    """
    height, width = picture.shape[:2]
    counted = np.empty((0, 3))  # middle (row, column) and side
    found = []
    for side in SIDES:
        own = min(round(side * width / STREAM.width), height)
        corner = np.array([(top, left) for top in corners(height, own) for left in corners(width, own)])
        windows = np.stack([picture[top:top + own, left:left + own] for top, left in corner])
        seen = probabilities(look, windows)[:, wanted].max(1)
        for index in np.argsort(-seen, kind="stable")[:(seen >= SEEN).sum()]:
            middle = corner[index] + own / 2
            apart = np.abs(counted[:, :2] - middle).max(1)
            if np.all(apart > np.maximum(counted[:, 2] / 2, own / 4)):
                counted = np.vstack([counted, [*middle, own]])
                found.append(float(side))
    return found


def appraise(frames: Sequence[tuple[Path, tuple[str, ...]]], energies: Callable[[Picture], Floats],
             look: judge.Look) -> list[dict[str, Any]]:
    """Measure each of a set of frames.

    Parameters
    ----------
    frames : list of (path, tuple of str)
        From `dreamt`.
    energies : function
        From a picture to an array of one energy per scale.
    look : function
        From `lsd_repro.train.judge.load`.

    Returns
    -------
    list of dict
    """
    _, descriptions = ilsvrc.read()
    rows = []
    for path, names in tqdm(frames):
        with Image.open(path) as file:
            picture = np.asarray(file.convert("RGB"))
        wanted = [classes.resolve(name, descriptions) for name in names]
        overall = probabilities(look, squares(picture)).mean(0)
        found = sizes(look, picture, wanted)
        rows.append({
            "frame": path.name, "dreamt": " & ".join(names), "energies": energies(picture).round(3).tolist(),
            "colourfulness": round(colourfulness(picture), 1),
            "clipped, %": round(100 * float(np.mean((picture == 0) | (picture == 255))), 2),
            "judge": descriptions[overall.argmax()].split(",")[0], "judge agrees": int(overall.argmax()) in wanted,
            "object size": float(np.median(found)) if len(found) else None})
    return rows


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Medians over frames, and the share in which the judge agrees."""
    seen = [row["object size"] for row in rows if row["object size"]]
    return {"frames": len(rows), "energies": np.median([row["energies"] for row in rows], axis=0).round(2).tolist(),
            "colourfulness": round(float(np.median([row["colourfulness"] for row in rows])), 1),
            "clipped, %": round(float(np.median([row["clipped, %"] for row in rows])), 1),
            "object size": float(np.median(seen)) if seen else None, "frames with objects": len(seen),
            "judge agrees": sum(row["judge agrees"] for row in rows)}


def table(summaries: dict[str, dict[str, Any]]) -> str:
    """The summaries as a table in Markdown."""
    lines = ["| frames | " + " | ".join(f"energy at {scale}" for scale in SCALES)
             + " | colourfulness | clipped | object size | judge agrees |", "|---" * (len(SCALES) + 5) + "|"]
    for name, found in summaries.items():
        size = f"{found['object size']:.0f} px in {found['frames with objects']}" if found["object size"] else "none seen"
        lines.append(f"| {name} | " + " | ".join(f"{energy:.2f}" for energy in found["energies"])
                     + f" | {found['colourfulness']:.0f} | {found['clipped, %']:.1f} % | {size} | "
                       f"{found['judge agrees']} of {found['frames']} |")
    return "\n".join(lines)


def main(argv: Optional[Sequence[str]] = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m lsd_repro.train.appraise", description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", metavar="NAME=FRAMES")
    parser.add_argument("--prior", required=True,
                        help="whose energies to take: 2015's, as fetched, to compare with 2015's frames")
    parser.add_argument("--out", required=True, metavar="F.json")
    args = parser.parse_args(argv)
    energies = compile_energies(patch_energy(store.load_kind(args.prior, "student")), SCALES)
    look = judge.load()
    found = {name: appraise(dreamt(folder), energies, look)
             for name, folder in (argument.split("=", 1) for argument in args.sets)}
    summaries = {name: summary(rows) for name, rows in found.items()}
    files.write_json(args.out, {"summary": summaries, "frames": found})
    print(table(summaries))


if __name__ == "__main__":
    main()
