"""The page, its WebSocket, the films: `Live`."""

import asyncio
import contextlib
import json
import os
import queue
import signal
import sys
import threading
import time
import webbrowser
from collections import deque
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np
from aiohttp import WSCloseCode, web
from PIL import Image

from lsd_repro.chat.messages import Message, message
from lsd_repro.chat.vocabulary import candidates, vocabulary
from lsd_repro.errors import InputError
from lsd_repro.live import guard, journal, saving
from lsd_repro.live.options import Options
from lsd_repro.live.player import Player, jpeg
from lsd_repro.live.slot import Slot
from lsd_repro.live.viewers import FILM, NOTE, PREVIEW, STATE, Viewer, open_socket
from lsd_repro.material.files import PathLike
from lsd_repro.network.classes import terms

if TYPE_CHECKING:  # it imports irc
    from lsd_repro.live.irc import Channel

PAGE = Path(__file__).parent / "page"
LOOKS = 20  # a second, at what the dreamer left
STATES, PREVIEWS = 5, 2  # a second, at most
PREVIEW_WIDTH = 240
HISTORY = 1000  # steps shown in the plot
OUTBOX = 200  # messages on their way to the dreamer
BETWEEN_FILMS = 60  # seconds, so that nobody fills the disk
FAREWELL_SECONDS = 3
IDLE_SECONDS = 15  # of a connection that asks nothing
STRONGEST, FASTEST = 50.0, 4.0  # prior and zoom


class Live:
    """The serving process.

    Parameters
    ----------
    options : Options
    dream : dict
        The dreamer's first message.
    slot_path : path
        Of the Slot that the dreamer fills.
    pipe : multiprocessing.Connection
        To it.

    Attributes
    ----------
    url : str or None
        Where the page is, once it is up.
    """

    def __init__(self, options: Options, dream: dict[str, Any], slot_path: PathLike, pipe: Connection) -> None:
        self.options, self.dream, self.slot_path, self.pipe = options, dream, slot_path, pipe
        self.words = vocabulary(dream["descriptions"])
        self.viewers: set[Viewer] = set()
        self.history: deque[list[float]] = deque(maxlen=HISTORY)
        self.state: dict[str, Any] = {"phase": "compiling", "done": 0}
        self.film: dict[str, Any] = {}
        self.next_film = 0.0
        self.channel: Optional[Channel] = None
        self.outbox: queue.Queue[dict[str, Any]] = queue.Queue(OUTBOX)
        self.url: Optional[str] = None

    async def serve(self, address: Optional[tuple[str, int, str]]) -> None:
        """Serve until the dream ends, and listen to the channel at `address` (see `lsd_repro.live.irc`) unless it is None."""
        with guard.quiet():
            await self._serve(address)

    async def _serve(self, address):
        loop = asyncio.get_running_loop()
        self.ended = loop.create_future()
        loop.add_reader(self.pipe.fileno(), self.on_end)
        threading.Thread(target=self.deliver, daemon=True).start()
        with contextlib.suppress(NotImplementedError):  # on Windows
            loop.add_signal_handler(signal.SIGTERM, self.end)

        def show(picture):
            with contextlib.suppress(RuntimeError):  # the loop has just ended
                loop.call_soon_threadsafe(self.offer, FILM, picture)

        self.player = Player(self.options.out, self.dream["video"], show, lambda: self.viewers)
        self.player.start()
        app = web.Application(middlewares=[guard.middleware(guard.own_names(self.options.host))])
        app.on_response_prepare.append(guard.add_headers)
        app.add_routes([
            web.get("/", self.page), web.get("/{name:live\\.(?:css|js)}", self.page),
            web.get("/vocabulary.json", self.vocabulary), web.get("/ws", self.socket),
            web.get("/snapshot.png", self.snapshot), web.get("/films/{last:\\d{1,9}}.mp4", self.saved)])
        runner = web.AppRunner(app, access_log=None, keepalive_timeout=IDLE_SECONDS, shutdown_timeout=FAREWELL_SECONDS)
        await runner.setup()
        tasks = [asyncio.ensure_future(self.watch())]
        if address:
            from lsd_repro.live.irc import Channel

            self.channel = Channel(address, self.hear, self.options.irc_nick)
            tasks.append(asyncio.ensure_future(self.channel.stay()))
        server = None
        try:
            server = await self.listen(runner)
            done, _ = await asyncio.wait([self.ended, *tasks], return_when=asyncio.FIRST_COMPLETED)
            done.pop().result()
        finally:
            loop.remove_reader(self.pipe.fileno())
            for task in tasks:
                task.cancel()
            if server:
                server.close()
            farewells = [asyncio.ensure_future(viewer.socket.close(code=WSCloseCode.GOING_AWAY)) for viewer in self.viewers]
            if farewells:
                await asyncio.wait(farewells, timeout=FAREWELL_SECONDS)
            await runner.cleanup()

    async def listen(self, runner: web.AppRunner) -> asyncio.Server:
        """Open the port, and say where."""
        host, port = self.options.host, self.options.port
        gated: Any = runner.server  # which is there once it is set up
        try:
            server = await asyncio.get_running_loop().create_server(lambda: guard.Gate(gated), host, port)
        except OSError as error:  # taken since `lsd_repro.live.run` tried
            raise InputError(f"can't serve at host={host} port={port}: {error.strerror or error}") from error
        port = server.sockets[0].getsockname()[1]
        name = "localhost" if host in ("127.0.0.1", "::1") else f"[{host}]" if ":" in host else host
        url = f"http://{name}:{port}/"
        self.url = url
        print(f"the dream is at {url} (Ctrl-C ends it)", flush=True)
        # Without a desktop, a text browser in the terminal might open.
        if self.options.open and (sys.platform in ("darwin", "win32") or {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ)):
            webbrowser.open(url)
        return server

    def end(self) -> None:
        """As if the dreamer had ended."""
        if not self.ended.done():
            self.ended.set_result(None)

    def on_end(self) -> None:
        """The dreamer sent something: that means it has ended."""
        with contextlib.suppress(asyncio.InvalidStateError):
            try:
                self.ended.set_result(received(self.pipe))
            except InputError as error:
                self.ended.set_exception(error)

    def deliver(self) -> None:
        """In a thread: hand what is in the outbox to the dreamer."""
        with contextlib.suppress(OSError):
            while True:
                self.pipe.send(self.outbox.get())

    def send(self, **said) -> None:
        """Send something to the dreamer, unless it is flooded."""
        with contextlib.suppress(queue.Full):
            self.outbox.put_nowait(said)

    def hear(self, user: str, text: str) -> Optional[Message]:
        """Take what was said in the chat; returns the Message, or None if nothing is in it."""
        heard = message(0, user, text)
        if heard:
            self.send(say=[heard.user, heard.text])
        return heard

    def offer(self, kind: int, content: Union[str, bytes]) -> None:
        for viewer in self.viewers:
            viewer.offer(kind, content)

    async def watch(self) -> None:
        """Look at what the dreamer left, and pass it on."""
        loop = asyncio.get_running_loop()
        slot, seen, state_due, preview_due, last_text, told = None, 0, 0.0, 0.0, "", None
        while True:
            await asyncio.sleep(1 / LOOKS)
            if slot is None and os.path.exists(self.slot_path):
                with contextlib.suppress(ValueError):  # not filled yet
                    slot = Slot(self.slot_path, self.dream["size"])
            left = slot and slot.read(seen)
            if left:
                seen, self.state, picture = left
                newest = self.history[-1][0] if self.history else 0
                self.history.extend(point for point in self.state.pop("trace") if point[0] > newest)
                self.player.add(journal.Segment(*segment) for segment in self.state.pop("segments"))
                (self.player.playing.clear if self.state["phase"] == "paused" else self.player.playing.set)()
                if self.viewers and loop.time() >= preview_due:
                    preview_due = loop.time() + 1 / PREVIEWS
                    self.offer(PREVIEW, _thumbnail(picture))
                caption = self.state["scene"][2]
                if self.channel and self.options.irc_tell and caption and caption != told:
                    told = caption
                    self.channel.tell(f"now dreaming of {caption}")
            if self.viewers and loop.time() >= state_due:
                text = self.described(list(self.history)[-20:])
                if text != last_text:
                    last_text, state_due = text, loop.time() + 1 / STATES
                    self.offer(STATE, text)

    def described(self, history: Sequence[Sequence[float]]) -> str:
        """The state as the page gets it."""
        state = dict(self.state, viewers=len(self.viewers), history=history, film=self.film, steps=self.dream["steps"])
        if self.channel:
            state["irc"] = f"{self.channel.channel}: {self.channel.state}"
        return json.dumps({"state": state})

    async def page(self, request: web.Request) -> web.FileResponse:
        return web.FileResponse(PAGE / request.match_info.get("name", "index.html"))

    async def vocabulary(self, request: web.Request) -> web.Response:
        """The terms of each class that can be reached."""
        return web.json_response([terms(description) for description in dict.fromkeys(self.words.descriptions)])

    async def snapshot(self, request: web.Request) -> web.FileResponse:
        """The last finished frame, as stored."""
        path = journal.frame_file(self.options.out, self.state["done"])
        if not path.exists():
            raise web.HTTPNotFound(text="no frame is finished yet\n")
        return web.FileResponse(
            path, headers={"Content-Disposition": f'attachment; filename="dream{self.state["done"]:06d}.png"'})

    async def saved(self, request: web.Request) -> web.FileResponse:
        path = saving.film_file(self.options.out, int(request.match_info["last"]))
        if not path.exists():
            raise web.HTTPNotFound(text="there is no such film\n")
        return web.FileResponse(path, headers={"Content-Disposition": f'attachment; filename="{path.name}"'})

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        """A viewer."""
        if len(self.viewers) >= self.options.viewers:
            raise web.HTTPServiceUnavailable(text="as many are watching as there is room for\n")
        socket = open_socket()
        await socket.prepare(request)
        viewer = Viewer(socket)
        self.viewers.add(viewer)
        viewer.offer(STATE, self.described(list(self.history)))
        sending = asyncio.ensure_future(viewer.send())

        def drop(task):
            """A viewer who takes nothing is dropped."""
            if not task.cancelled() and task.exception() is not None and request.transport is not None:
                request.transport.abort()

        sending.add_done_callback(drop)
        try:
            async for said in viewer.messages():
                note = self.obey(said)
                if note:
                    viewer.offer(NOTE, json.dumps({"note": note}))
        finally:
            self.viewers.discard(viewer)
            sending.cancel()
        return socket

    def obey(self, said: dict[str, Any]) -> Optional[str]:
        """Do what a viewer says; returns an answer for them alone, or None."""
        text, user = said.get("say"), said.get("user")
        if isinstance(text, str):
            heard = self.hear(user if isinstance(user, str) and user.strip() else "guest", text)
            return self.answer(heard.text) if heard else None
        for name, most in (("strength", STRONGEST), ("zoom", FASTEST)):
            value = said.get(name)
            if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= most:
                self.send(**{name: float(value)})
        if isinstance(said.get("pause"), bool):
            self.send(pause=said["pause"])
        if said.get("film") is True and self.film.get("share") is None and self.state["done"]:
            now = time.monotonic()
            if now < self.next_film:
                return "the last film is less than a minute old"
            self.next_film = now + BETWEEN_FILMS
            self.film = {"share": 0.0}
            self.saving = asyncio.ensure_future(self.save(self.state["done"]))
        return None

    def answer(self, text: str) -> str:
        """Say what will come of a suggestion."""
        queries = [query.strip() for query in text.split("+") if query.strip()]
        meant = [set(candidates(query, self.words)) for query in queries]
        if not any(meant):
            return f"this network knows no \u201c{text}\u201d"
        shown = set(self.state.get("scene", [])[:2])
        if not any(classes and not classes & shown for classes in meant):
            return "that is being dreamt of"
        return "waiting for its turn"

    async def save(self, last: int) -> None:
        """Have a film written, reporting progress."""
        height, width = self.dream["video"]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "lsd_repro.live.saving", str(self.options.out), str(last), str(width), str(height),
            stdout=asyncio.subprocess.PIPE)
        try:
            async for line in process.stdout:  # type: ignore[union-attr]  # it is piped
                with contextlib.suppress(ValueError):
                    self.film = {"share": float(line)}
            failed = await process.wait()
        except asyncio.CancelledError:
            process.kill()
            raise
        self.film = {"error": "the film could not be written; the terminal says why"} if failed else {"url": f"/films/{last}.mp4"}


def received(pipe: Connection) -> dict[str, Any]:
    """What the dreamer says; InputError if that is how it ended."""
    try:
        said = pipe.recv()
    except (EOFError, OSError):
        said = {"error": "the dreaming process has ended (out of memory?); the same with resume=True continues"}
    if "error" in said:
        raise InputError(said["error"])
    return said


def _thumbnail(picture):
    height, width = picture.shape[:2]
    small = Image.fromarray(picture).resize((PREVIEW_WIDTH, max(1, height * PREVIEW_WIDTH // width)), Image.Resampling.BOX)
    return jpeg(np.asarray(small))
