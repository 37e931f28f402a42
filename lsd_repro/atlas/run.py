"""From a plan to a folder: submits dreams, and writes what comes back.

Workers write nothing, so what is lost with one of them is what it was dreaming.  What is lost with the scheduler or
with this process is what all of them were dreaming, and what had not been sent back.
"""

import sys
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Union

from lsd_repro import __version__
from lsd_repro.atlas import page, store, worker
from lsd_repro.atlas.plan import Dream
from lsd_repro.errors import InputError
from lsd_repro.film import run
from lsd_repro.material.files import PathLike
from lsd_repro.material.lock import one_at_a_time
from lsd_repro.runtime.progress import tqdm

if TYPE_CHECKING:
    from distributed import Client

# Seconds from one page to the next, while there is more to come.
PAGE_EVERY = 20
# Of a dream that ended in an error which nobody foresaw.
RETRIES = 2


@one_at_a_time
def make(out: PathLike, dreams: Iterable[Dream], connect: "Callable[[], AbstractContextManager[Client]]",
         resume: bool = False) -> dict[str, str]:
    """Make an atlas of dreams; those that fail do not stop the others.

    Parameters
    ----------
    out : path
        Folder; must be empty or absent, unless resuming.
    dreams : iterable of Dream
    connect : callable
        `lsd_repro.atlas.cluster.local`, or `remote` with an address.
    resume : bool
        Keep the dreams of the atlas in `out` that are sound, whether asked for or not, and make those that are missing.

    Returns
    -------
    dict of str to str
        Why, of each dream that failed, by name.

    Raises
    ------
    InputError
        If `out` isn't empty or holds no atlas, can't be written to, or the scheduler can't be reached, goes away, or has a
        worker that cannot dream what is asked for.
    """
    out, dreams = Path(out), list(dreams)
    if not resume:
        run.check_empty(out)
    else:
        store.open_folder(out, resume)
    records = store.kept(out)
    missing = [dream for dream in dreams if dream.digest not in records]
    failed: dict[str, str] = {}
    if not missing:
        page.write(out, records.values(), len(dreams))
        return failed
    with connect() as client:
        if not resume:
            store.open_folder(out, resume)
        try:
            with _Progress(client, len(dreams), len(missing)) as progress:
                for dream, result in _results(client, missing, out):
                    if isinstance(result, worker.Dreamt):
                        records[dream.digest] = store.keep(out, dream, *result)
                    else:
                        failed[dream.name] = result.reason
                        progress.say(f"{dream.name}: {result.reason}")
                    progress.done(dream)
                    if progress.page_is_due():
                        page.write(out, records.values(), len(dreams), failed)
        finally:
            page.write(out, records.values(), len(dreams), failed)
    return failed


def _results(client, dreams, out) -> Iterator[tuple[Dream, Union[worker.Dreamt, worker.Failed]]]:
    """Dreams as they are done, in whatever order."""
    from distributed import as_completed

    own = uuid.uuid4().hex
    by_key = {}

    def submitted():
        for dream in dreams:
            task = worker.Task(dream.name, dream.spec, dream.scene, dream.parameters, __version__)
            future = client.submit(worker.dream, task, key=f"{dream.name}-{own}", pure=False, retries=RETRIES)
            by_key[future.key] = dream
            yield future

    # Nothing else keeps a future: a worker forgets its picture once it is here.
    for future in as_completed(submitted(), loop=client.loop):
        yield by_key[future.key], _result(client, future, out)


def _result(client, future, out):
    if future.status == "error":
        error = future.exception()
        return worker.Failed(f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]}")
    if future.status != "finished":
        raise InputError(f"the scheduler {client.scheduler.address} went away: what was done is in {out}; once there is one "
                         "again, the same with resume=True goes on")
    result = future.result()
    if isinstance(result, worker.Unfit):
        raise InputError(f"the worker {result.host} can't dream this: {result.reason}")
    return result


class _Progress:
    """A bar that shows how many are done, at what rate, and what is being dreamt."""

    def __init__(self, client: "Client", total: int, missing: int) -> None:
        self._client = client
        self._now: dict[str, str] = {}
        self._bar = tqdm(total=total, initial=total - missing, unit="dream", desc="dreaming")
        self._page_at = time.monotonic() + PAGE_EVERY

    def __enter__(self) -> "_Progress":
        workers = self._client.scheduler_info()["workers"]
        if not workers:
            # A client that is connected has a scheduler.
            self.say(f"no worker is at {self._client.scheduler.address} yet: waiting for one")  # type: ignore[union-attr]
        self._client.subscribe_topic(worker.TOPIC, self._begun)
        return self

    def __exit__(self, *_: Any) -> None:
        self._bar.close()

    def _begun(self, event):
        """Called in another thread."""
        _, message = event
        self._now[message["worker"]] = message["dream"]
        self._show()

    def done(self, dream: Dream) -> None:
        self._now = {place: name for place, name in self._now.items() if name != dream.name}
        self._bar.update()
        self._show()

    def say(self, text: str) -> None:
        self._bar.write(f"lsd-repro: {text}", file=sys.stderr)

    def page_is_due(self) -> bool:
        due = time.monotonic() > self._page_at
        if due:
            self._page_at = time.monotonic() + PAGE_EVERY
        return due

    def _show(self):
        self._bar.set_postfix_str(", ".join(sorted({name.split("_")[0] for name in self._now.values()}))[:60])
