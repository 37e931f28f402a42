"""An atlas on disk.

::

    run.json                  that this is an atlas; versions and machine
    pictures/NAME.png         the dreams
    thumbnails/NAME.jpg       the same, small, for the page
    records/NAME.json         what each is, and what computed it
    index.html                the page

Every file is written whole or not at all, a dream's record last: what has a sound one is done.
"""

import hashlib
import io
import json
from pathlib import Path
from typing import Any, Optional

from PIL import Image

from lsd_repro.atlas.plan import Dream, digest
from lsd_repro.film import run
from lsd_repro.material import files
from lsd_repro.material.photos import BROKEN

FORMAT = {"atlas": 1}
FOLDERS = "pictures", "thumbnails", "records"
THUMBNAIL = 320  # pixels, of the longer side
QUALITY = 85


def open_folder(out: Path, resume: bool) -> None:
    """Make an empty or absent folder ready, or see that it holds an atlas.

    Parameters
    ----------
    out : Path
    resume : bool
        Whether there must be an atlas, or must be nothing.

    Raises
    ------
    InputError
        As `lsd_repro.film.run.open_record`.
    """
    run.open_record(out, FORMAT, resume)
    for folder in FOLDERS:
        files.make_folder(out / folder)


def keep(out: Path, dream: Dream, picture: bytes, facts: dict[str, Any]) -> dict[str, Any]:
    """Write a dream's files, and return its record.

    Parameters
    ----------
    out : Path
    dream : Dream
    picture : bytes
        A PNG.
    facts : dict
        To be recorded with it.

    Returns
    -------
    dict
    """
    picture_file, thumbnail, record_file = _paths(out, dream.name)
    files.write_bytes(picture_file, picture)
    _write_thumbnail(thumbnail, picture)
    record = {"name": dream.name, "digest": dream.digest, "settings": dream.settings, "descriptions": dream.descriptions, **facts,
              "picture": {"sha256": hashlib.sha256(picture).hexdigest(), "size": Image.open(io.BytesIO(picture)).size},
              "parameters": dream.parameters}
    files.write_json(record_file, record)
    return files.plain(record)


def kept(out: Path) -> dict[str, dict[str, Any]]:
    """The records of all dreams that are there and sound, by digest; thumbnails that are missing are made."""
    found = {}
    for path in sorted((out / "records").glob("*.json")):
        record = _sound(out, path.stem)
        if record:
            found[record["digest"]] = record
    return found


def _sound(out, name) -> Optional[dict[str, Any]]:
    """A dream's record; None if anything of it is damaged."""
    picture_file, thumbnail, record_file = _paths(out, name)
    try:
        record = json.loads(record_file.read_text("utf-8"))
        picture = picture_file.read_bytes()
        known = (record["name"] == name, record["digest"] == digest(record["parameters"]),
                 record["picture"]["sha256"] == hashlib.sha256(picture).hexdigest())
        # What the page shows of it.
        numbers = [record["seconds"], record["terms"]["target"], record["terms"]["prior_term"], *record["picture"]["size"]]
        texts = [record["settings"]["classes"], *record["descriptions"]]
        shown = (len(numbers) == 5 and all(isinstance(number, (int, float)) for number in numbers),
                 all(isinstance(text, str) for text in texts),
                 all(isinstance(value, (str, int, float)) for value in record["settings"].values()))
        if not all((*known, *shown)):
            return None
        if not thumbnail.exists():
            _write_thumbnail(thumbnail, picture)
        return record
    except (*BROKEN, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _paths(out, name):
    return [out / folder / f"{name}{suffix}" for folder, suffix in zip(FOLDERS, (".png", ".jpg", ".json"))]


def _write_thumbnail(path, picture):
    with Image.open(io.BytesIO(picture)) as whole:
        whole.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
        file = io.BytesIO()
        whole.convert("RGB").save(file, "JPEG", quality=QUALITY)
    files.write_bytes(path, file.getvalue())
