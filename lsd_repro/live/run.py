"""Starts the two processes, and ends them: `run`."""

import asyncio
import multiprocessing
import os
import tempfile
from argparse import Namespace
from typing import Any

from lsd_repro.live import dreamer
from lsd_repro.runtime import extras


def run(args: Namespace, prepared: dict[str, Any]) -> None:
    """Dream and serve until Ctrl-C.

    Parameters
    ----------
    args : argparse.Namespace
        Options of ``lsd-repro live``.
    prepared : dict
        What to dream: arguments of `lsd_repro.film.production.prepare`.

    Raises
    ------
    InputError
        For options that don't work, a port that is taken, a library of the extra ``live`` that is missing, or if the
        dream ends by itself.
    """
    extras.check("the live page", ("aiohttp", "irc") if args.irc else ("aiohttp",))
    from lsd_repro.live.server import Live, received

    channel = None
    if args.irc:
        from lsd_repro.live import irc

        channel = irc.parse_address(args.irc)
    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe()
    with tempfile.TemporaryDirectory(prefix="lsd-repro-") as folder:
        slot_path = os.path.join(folder, "slot")
        process = context.Process(target=dreamer.main, args=(args, prepared, slot_path, theirs), name="dreamer")
        process.start()
        theirs.close()
        try:
            dream = received(pipe)
            asyncio.run(Live(args, dream, slot_path, pipe).serve(channel))
        finally:
            pipe.close()
            process.join(5)
            process.kill()
