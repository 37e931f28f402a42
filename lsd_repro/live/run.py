"""Starts the two processes, and ends them: `run`."""

import asyncio
import multiprocessing
import os
import socket
import tempfile

from lsd_repro.errors import InputError
from lsd_repro.live import dreamer
from lsd_repro.live.options import Options
from lsd_repro.runtime import extras


def run(options: Options) -> None:
    """Dream and serve until Ctrl-C.

    Parameters
    ----------
    options : Options

    Raises
    ------
    InputError
        For options that don't work, a port that is taken, a library of the extra ``live`` that is missing, or if the
        dream ends by itself.
    """
    extras.check("the live page", ("aiohttp", "irc") if options.irc else ("aiohttp",))
    from lsd_repro.live.server import Live, received

    channel = None
    if options.irc:
        from lsd_repro.live import irc

        channel = irc.parse_address(options.irc)
    check_port(options.host, options.port)
    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe()
    with tempfile.TemporaryDirectory(prefix="lsd-repro-") as folder:
        slot_path = os.path.join(folder, "slot")
        process = context.Process(target=dreamer.main, args=(options, slot_path, theirs), name="dreamer")
        process.start()
        theirs.close()
        try:
            dream = received(pipe)
            asyncio.run(Live(options, dream, slot_path, pipe).serve(channel))
        finally:
            pipe.close()
            process.join(5)
            process.kill()


def check_port(host: str, port: int) -> None:
    """InputError if the page can't be served there: asked before anything is read, compiled or written."""
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM,
                                                                     flags=socket.AI_PASSIVE):
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind(address)
    except (OSError, OverflowError) as error:
        raise InputError(f"can't serve at host={host} port={port}: {getattr(error, 'strerror', None) or error}") from error
