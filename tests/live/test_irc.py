"""The chat of a channel, on a real server on this machine: ngircd, from Debian's package of that name."""

import asyncio
import logging
import shutil
import socket
import subprocess
from contextlib import asynccontextmanager

import pytest
from stage import serving, until

from lsd_repro.errors import InputError
from lsd_repro.live import irc

NGIRCD = shutil.which("ngircd") or shutil.which("ngircd", path="/usr/sbin")
needs_server = pytest.mark.skipif(not NGIRCD, reason="no ngircd (Debian: apt-get install ngircd)")


@pytest.mark.parametrize("text, found", [("localhost:6668/#dreams", ("localhost", 6668, "#dreams")),
                                         ("irc.chat.twitch.tv/#x", ("irc.chat.twitch.tv", 6667, "#x")),
                                         ("[::1]:7000/#a", ("::1", 7000, "#a"))])
def test_an_address_has_host_port_and_channel(text, found):
    assert irc.parse_address(text) == found


@pytest.mark.parametrize("text", ["", "localhost", "localhost:6667", "localhost:x/#a", "localhost:99999/#a", "a:1/#", "a:0/#b",
                                  "user:pass@host:1/#a", "a:1/#a,#b", "a:1/#a b"])
def test_any_other_address_is_refused(text):
    with pytest.raises(InputError, match="HOST:PORT/#channel"):
        irc.parse_address(text)


class Server:
    """An ngircd that can be stopped and started."""

    def __init__(self, folder, password=None):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.config = folder / "ngircd.conf"
        # It asks a client that is silent for two seconds whether it is there.
        self.config.write_text(f"[Global]\nName = irc.test\nInfo = a test\nListen = 127.0.0.1\nPorts = {self.port}\n"
                               f"{f'Password = {password}' if password else ''}\n[Limits]\nMaxConnectionsIP = 0\n"
                               "PingTimeout = 2\nPongTimeout = 2\n[Options]\nDNS = no\nIdent = no\nPAM = no\n")
        self.process = None

    async def start(self):
        self.process = subprocess.Popen([NGIRCD, "-n", "-f", str(self.config)], stdout=subprocess.DEVNULL)
        for _ in range(100):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
                return
            except OSError:
                await asyncio.sleep(0.05)

    def kill(self):
        self.process.kill()
        self.process.wait()


class Talker:
    """Somebody in the channel, with bare sockets."""

    async def come(self, port, nick="ann", password=None):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        self.raw(*([f"PASS {password}"] if password else []), f"NICK {nick}", f"USER {nick} 0 * :{nick}", "JOIN #dreams")
        self.lines = []
        self.task = asyncio.ensure_future(self.listen())
        await until(lambda: any(" 366 " in line for line in self.lines))
        return self

    async def listen(self):
        async for line in self.reader:
            self.lines.append(line.decode("utf-8", "replace"))
            if line.startswith(b"PING"):
                self.writer.write(line.replace(b"PING", b"PONG"))

    def raw(self, *lines):
        self.writer.write(b"".join(line.encode() + b"\r\n" if isinstance(line, str) else line + b"\r\n" for line in lines))


@asynccontextmanager
async def channel(server, heard, **options):
    one = irc.Channel(("127.0.0.1", server.port, "#dreams"), lambda user, text: heard.append((user, text)), **options)
    task = asyncio.ensure_future(one.stay())
    try:
        yield one
    finally:
        task.cancel()
        if server.process:
            server.kill()


@asynccontextmanager
async def conversation(folder):
    """A server with a channel in which we are, and somebody else."""
    server, heard = Server(folder), []
    await server.start()
    async with channel(server, heard) as one:
        await until(lambda: one.state == "connected")
        yield one, await Talker().come(server.port), heard


@pytest.mark.parametrize("nick, password", [("a b", None), ("", None), ("a\r\nQUIT", None), ("ann", "s3cret\r\nQUIT")])
def test_names_and_passwords_that_would_be_lines_of_their_own_are_refused(nick, password, monkeypatch):
    monkeypatch.setenv(irc.PASSWORD_VARIABLE, password or "")
    with pytest.raises(InputError) as caught:
        irc.Channel(("localhost", 1, "#a"), print, nick or " ")
    assert "s3cret" not in str(caught.value)


@needs_server
def test_who_is_thrown_out_comes_back_and_others_being_thrown_out_is_nothing(tmp_path):
    async def scene():
        async with conversation(tmp_path) as (one, ann, heard):
            # The first in a channel has its say; a channel is founded anew by who comes when it is empty.
            bob = await Talker().come(int(one.port), "bob")
            one._connection.kick("#dreams", "bob")
            await until(lambda: any("KICK" in line for line in bob.lines))
            assert one.state == "connected"
            one._connection.mode("#dreams", "+o ann")
            await until(lambda: any("+o" in line for line in ann.lines))
            ann.raw(f"KICK #dreams {one.nick}")
            await until(lambda: one.state != "connected")
            await until(lambda: one.state == "connected")

    asyncio.run(scene())


@needs_server
def test_messages_are_heard_and_the_servers_question_is_answered(tmp_path):
    async def scene():
        async with conversation(tmp_path) as (one, ann, heard):
            ann.raw("PRIVMSG #dreams :spider web+bee", "PRIVMSG #dreams :\x01ACTION gondola\x01",
                    b"PRIVMSG #dreams :caf\xe9 \xff", "PRIVMSG #dreams :",
                    "NOTICE #dreams :not this", f"PRIVMSG {one.nick} :nor this")
            await until(lambda: len(heard) >= 3)
            assert heard[:2] == [("ann", "spider web+bee"), ("ann", "gondola")] and heard[2][1].startswith("caf")
            await asyncio.sleep(6)  # longer than a client lives that does not answer PING
            ann.raw("PRIVMSG #dreams :still there?")
            await until(lambda: heard[-1] == ("ann", "still there?"))
            assert one.state == "connected"
            assert not {text for _, text in heard} & {"not this", "nor this"}

    asyncio.run(scene())


@needs_server
def test_a_server_that_is_cut_off_and_comes_back_is_joined_again_while_the_page_is_served(tmp_path, monkeypatch):
    monkeypatch.setattr(irc, "LONGEST_WAIT", 1)

    async def scene():
        server = Server(tmp_path)
        await server.start()
        try:
            async with serving(tmp_path, ("127.0.0.1", server.port, "#dreams")) as (live, _, pipe):
                for text in ("bee", "gondola"):
                    await until(lambda: live.channel.state == "connected")
                    ann = await Talker().come(server.port)
                    ann.raw(f"PRIVMSG #dreams :{text}")
                    await until(lambda: pipe.poll())
                    assert pipe.recv() == {"say": ["ann", text]}
                    server.kill()
                    await until(lambda: live.channel.state != "connected")
                    await server.start()
                await until(lambda: live.channel.state == "connected")
        finally:
            server.kill()

    asyncio.run(scene())


@needs_server
def test_a_server_that_is_not_there_is_asked_ever_later(tmp_path, monkeypatch):
    waits = []
    sleep = asyncio.sleep

    async def no_sleep(seconds):
        waits.append(seconds)
        await sleep(0)

    async def scene():
        one = irc.Channel(("127.0.0.1", Server(tmp_path).port, "#dreams"), print)
        monkeypatch.setattr(irc.asyncio, "sleep", no_sleep)
        task = asyncio.ensure_future(one.stay())
        while len(waits) < 9:
            await sleep(0.01)
        task.cancel()

    asyncio.run(scene())
    for wait, about in zip(waits, (1, 2, 4, 8, 16, 32, 60, 60, 60)):
        assert 0.8 * about <= wait <= 1.2 * about


@needs_server
def test_the_password_is_sent_and_neither_logged_nor_shown(tmp_path, monkeypatch, caplog, capfd):
    monkeypatch.setenv(irc.PASSWORD_VARIABLE, "oauth:s3cret")
    caplog.set_level(logging.DEBUG)

    async def scene():
        server, heard = Server(tmp_path, "oauth:s3cret"), []
        await server.start()
        async with channel(server, heard) as one:
            await until(lambda: one.state == "connected")

    asyncio.run(scene())
    assert any("NICK" in record.getMessage() for record in caplog.records)
    assert "s3cret" not in caplog.text and "s3cret" not in "".join(capfd.readouterr())


@needs_server
def test_floods_and_lines_that_are_no_irc_do_not_end_the_connection(tmp_path):
    async def scene():
        from irc.client_aio import AioReactor

        heard, reactor = [], AioReactor(loop=asyncio.get_running_loop())
        reactor.connection_class = irc._Connection
        lines = [b"\x00\xff\xfe", b":", b" ", b"@ :x PRIVMSG", b"@=;;;= :a!b@c PRIVMSG #dreams :tagged", b"PRIVMSG",
                 b":a!b@c PRIVMSG", b":x 001 :", b"\xc3\x28" * 100, b":irc.test PRIVMSG #dreams :from a server", b":a!b@c JOIN"]
        sent = []

        async def answer(reader, writer):
            sent.append(writer)
            writer.write(b"".join(line + b"\r\n" for line in lines * 50) + b":ann!a@b PRIVMSG #dreams :bee\r\n")

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        one = irc.Channel(("127.0.0.1", server.sockets[0].getsockname()[1], "#dreams"), lambda *said: heard.append(said))
        task = asyncio.ensure_future(one.stay())
        await until(lambda: ("ann", "bee") in heard)
        sent[0].write(b"x" * 200_000)  # a line without an end
        await until(lambda: sent[0].is_closing() or len(sent) > 1)
        task.cancel()
        server.close()

    asyncio.run(scene())


@needs_server
def test_what_is_told_is_told_at_most_every_five_seconds(tmp_path):
    async def scene():
        async with conversation(tmp_path) as (one, ann, heard):
            for text in ("first", "second", "third", "a\r\nQUIT", "x" * 600):
                one.tell(text)
            one._told = 0.0
            one.tell("a\r\nQUIT")
            one._told = 0.0
            one.tell("x" * 600)
            one._told = 0.0
            one.tell("last")
            await until(lambda: any("last" in line for line in ann.lines))
            said = [line.split(" :")[1].strip() for line in ann.lines if "PRIVMSG" in line]
            assert said == ["first", "last"]

    asyncio.run(scene())
