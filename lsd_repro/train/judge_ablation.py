"""EfficientNet-lite0 as a judge of an ablation's dreams: ``python -m lsd_repro.train.judge_ablation DIR``.

DIR is what ``lsd-repro prior ablate`` wrote. EfficientNet-lite0 sees every dream, shrunk to its 224 pixels, and what it
thinks of the class dreamt of is kept in DIR/judged.json; ``lsd-repro prior ablate --resume`` takes it from there.
It taught the read-out of the shipped trunk, so of that network's dreams it is a biased judge; the small one never met it.
A command of its own, because it needs PyTorch and may well run in another environment.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

import numpy as np
from PIL import Image

from lsd_repro.errors import InputError
from lsd_repro.hints import Pixels
from lsd_repro.material import files
from lsd_repro.network import ilsvrc
from lsd_repro.runtime.progress import tqdm
from lsd_repro.train import judge


def evidence(look: judge.Look, pictures: Pixels, wanted: int) -> list[dict[str, float]]:
    """Log-probability of a class, and whether it comes first, for each of several pictures.

    Parameters
    ----------
    look : function
        From `lsd_repro.train.judge.load`.
    pictures : uint8 array, shape (n, height, width, 3)
    wanted : int

    Returns
    -------
    list of dict
    """
    scores = look(pictures.transpose(0, 3, 1, 2)).log_softmax(1).numpy()
    return [{"EfficientNet-lite0": float(row[wanted]), "EfficientNet-lite0, first": float(row.argmax() == wanted)}
            for row in scores]


def judge_folder(out: Path, look: judge.Look) -> None:
    """Judge the dreams of an ablation that were not judged yet.

    Parameters
    ----------
    out : Path
        Has ``pictures`` and ``classes.json``, as `lsd_repro.compare.ablation.dream_all` leaves them.
    look : function

    Raises
    ------
    InputError
        If it is no such folder.
    """
    try:
        descriptions = json.loads((out / "classes.json").read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"{out}: not a folder of 'lsd-repro prior ablate' ({error})") from error
    _, known = ilsvrc.read()
    kept = out / "judged.json"
    found = json.loads(kept.read_text()) if kept.exists() else {}
    for folder, description in tqdm(descriptions.items(), unit="class and seed"):
        paths = [path for path in sorted((out / "pictures" / folder).glob("*.png"))
                 if f"{folder}/{path.name}" not in found]
        if paths and description in known:
            pictures = np.stack([np.asarray(Image.open(path)) for path in paths])
            for path, values in zip(paths, evidence(look, pictures, known.index(description))):
                found[f"{folder}/{path.name}"] = values
            files.write_json(kept, found)


def main(argv: Optional[Sequence[str]] = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m lsd_repro.train.judge_ablation", description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, metavar="DIR")
    judge_folder(parser.parse_args(argv).out, judge.load())


if __name__ == "__main__":
    main()
