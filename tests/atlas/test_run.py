"""An atlas from a plan to a folder: what is kept, what goes on, what is said."""

import contextlib
import json
import threading

import pytest
from sweeps import in_this_process, planned, run, write

from lsd_repro import __version__
from lsd_repro.atlas import run as atlas
from lsd_repro.atlas import store, worker
from lsd_repro.errors import InputError

SWEPT = 'classes = ["creature 3", "creature 4+creature 5", "creature 6"]'


def bytes_of(out, folder):
    return {path.name: path.read_bytes() for path in (out / folder).iterdir()}


@contextlib.contextmanager
def no_workers():
    raise AssertionError("nothing was to be dreamt")
    yield


@pytest.fixture
def dreamt(monkeypatch):
    """The names of the dreams that workers in this process were given."""
    names, own = [], worker.dreamt
    monkeypatch.setattr(worker, "dreamt", lambda task, steps: (names.append(task.name), own(task, steps))[1])
    return names


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A finished atlas, its sweep's file and its dreams."""
    folder = tmp_path_factory.mktemp("made")
    path = write(folder, SWEPT)
    dreams = planned(path)
    assert atlas.make(folder / "out", dreams, in_this_process) == {}
    return folder / "out", path, dreams


@pytest.fixture
def copy(made, tmp_path):
    """The same atlas, to do harm to."""
    out = tmp_path / "out"
    for file in made[0].rglob("*.*"):
        (out / file.relative_to(made[0])).parent.mkdir(parents=True, exist_ok=True)
        (out / file.relative_to(made[0])).write_bytes(file.read_bytes())
    return out


def test_each_dream_leaves_a_picture_a_thumbnail_and_a_record(made):
    out, _, dreams = made
    names = {dream.name for dream in dreams}
    for folder, suffix in (("pictures", ".png"), ("thumbnails", ".jpg"), ("records", ".json")):
        assert {path.name for path in (out / folder).iterdir()} == {name + suffix for name in names}
    steps = worker.Steps()
    for dream in dreams:
        record = json.loads((out / "records" / f"{dream.name}.json").read_text())
        assert record["digest"] == dream.digest and record["parameters"] == dream.parameters
        direct = worker.dreamt(worker.Task(dream.name, dream.spec, dream.scene, dream.parameters, __version__), steps)
        assert direct.picture == (out / "pictures" / f"{dream.name}.png").read_bytes()
        assert record["terms"] == direct.facts["terms"] and record["worker"]["host"]
    html = (out / "index.html").read_text()
    assert all(html.count(f"pictures/{name}.png") == 1 for name in names)


def test_a_folder_in_use_is_left_alone_and_one_that_is_no_atlas_is_not_resumed(made, tmp_path, capsys):
    out, path, dreams = made
    before = bytes_of(out, "pictures")
    assert run("atlas", path, "--out", out) == 2
    assert "not an empty folder" in capsys.readouterr().err
    assert run("atlas", path, "--out", tmp_path / "none", "--resume") == 2
    assert "no run to resume" in capsys.readouterr().err
    (tmp_path / "film").mkdir()
    (tmp_path / "film" / "run.json").write_text('{"parameters": {"width": 3}}')
    assert run("atlas", path, "--out", tmp_path / "film", "--resume") == 2
    assert "other parameters" in capsys.readouterr().err
    assert bytes_of(out, "pictures") == before and not (tmp_path / "none").exists()


def test_what_is_whole_is_not_dreamt_again_and_needs_no_workers(made, copy, capsys):
    assert atlas.make(copy, made[2], no_workers, resume=True) == {}
    assert bytes_of(copy, "records") == bytes_of(made[0], "records")


def test_an_atlas_of_channels_is_made_and_kept(tmp_path):
    dreams = planned(write(tmp_path, 'objective = ["layer:conv4_2:3", "layer:conv4_2:17"]'))
    assert atlas.make(tmp_path / "out", dreams, in_this_process) == {}
    assert store.kept(tmp_path / "out").keys() == {dream.digest for dream in dreams}
    html = (tmp_path / "out" / "index.html").read_text()
    assert all(f"pictures/{dream.name}.png" in html and f'="{dream.settings["objective"]}"' in html for dream in dreams)
    assert atlas.make(tmp_path / "out", dreams, no_workers, resume=True) == {}


@pytest.mark.parametrize("folder, harm", [
    ("pictures", lambda path: path.unlink()), ("pictures", lambda path: path.write_bytes(path.read_bytes()[:-20])),
    ("pictures", lambda path: path.write_bytes(b"")), ("records", lambda path: path.unlink()),
    ("records", lambda path: path.write_text("{")), ("records", lambda path: path.write_text("[]")),
    ("records", lambda path: path.write_text("[" * 100_000)), ("records", lambda path: path.write_bytes(b"\xff")),
    ("records", lambda path: path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))),
    ("records", lambda path: path.write_text(path.read_text().replace('"seconds"', '"minutes"'))),
    ("records", lambda path: path.write_text(path.read_text().replace('"target": ', '"target": "x", "was": '))),
], ids=range(11))
def test_a_dream_with_a_damaged_file_is_missing_and_the_others_are_not(made, copy, folder, harm):
    victim = made[2][1]
    harm(next((copy / folder).glob(f"{victim.name}.*")))
    assert set(store.kept(copy)) == {dream.digest for dream in made[2]} - {victim.digest}


def test_resume_dreams_what_is_missing_and_a_sweep_may_grow(made, copy, dreamt):
    _, path, dreams = made
    (copy / "pictures" / f"{dreams[1].name}.png").write_bytes(b"cut short")
    (copy / "thumbnails" / f"{dreams[0].name}.jpg").unlink()
    grown = planned(write(path.parent, SWEPT.replace("]", ', "creature 7"]'), name="grown.toml"))
    assert atlas.make(copy, grown, in_this_process, resume=True) == {}
    assert dreamt == [dreams[1].name, grown[3].name]
    both = bytes_of(copy, "pictures")
    assert bytes_of(made[0], "pictures").items() < both.items() and len(both) == 4
    assert bytes_of(made[0], "thumbnails").items() <= bytes_of(copy, "thumbnails").items()


def test_a_dream_that_fails_is_said_and_the_others_are_dreamt(made, tmp_path, monkeypatch, capsys):
    _, path, dreams = made
    own, tries = worker.dreamt, []

    def at_times(task, steps):
        if task.name == dreams[0].name:
            return worker.Failed("frame 1: the loss is nan")
        tries.append(task.name)
        if task.name == dreams[1].name:
            raise MemoryError("no more")
        return own(task, steps)

    monkeypatch.setattr(worker, "dreamt", at_times)
    failed = atlas.make(tmp_path / "out", dreams, in_this_process)
    assert failed == {dreams[0].name: "frame 1: the loss is nan", dreams[1].name: "MemoryError: no more"}
    assert tries.count(dreams[1].name) == 1 + atlas.RETRIES
    said = capsys.readouterr().err
    assert f"lsd-repro: {dreams[0].name}: frame 1: the loss is nan" in said and "MemoryError: no more" in said
    html = (tmp_path / "out" / "index.html").read_text()
    assert "MemoryError: no more" in html and f"pictures/{dreams[2].name}.png" in html


def test_the_command_ends_with_2_if_a_dream_failed(made, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(atlas, "make", lambda *_: {"a-dream": "no memory"})
    assert run("atlas", made[1], "--out", tmp_path / "out") == 2
    assert "1 of 3 dreams failed" in capsys.readouterr().err


def test_an_unfit_worker_ends_it_and_what_is_done_stays(made, tmp_path, monkeypatch):
    _, _, dreams = made
    own = worker.dreamt
    monkeypatch.setattr(worker, "dreamt", lambda task, steps: own(task, steps) if task.name == dreams[0].name
                        else worker.Unfit("it has lsd_repro 9", "far-away"))
    with pytest.raises(InputError, match="far-away can't dream this: it has lsd_repro 9"):
        atlas.make(tmp_path / "out", dreams, in_this_process)
    assert set(store.kept(tmp_path / "out")) <= {dreams[0].digest}
    assert (tmp_path / "out" / "index.html").exists()


def test_an_interrupt_leaves_what_is_done_and_a_page(made, tmp_path, monkeypatch, dreamt):
    out, _, dreams = made
    keep, kept = store.keep, []

    def once(*args):
        if kept:
            raise KeyboardInterrupt
        kept.append(keep(*args))
        return kept[0]

    monkeypatch.setattr(store, "keep", once)
    with pytest.raises(KeyboardInterrupt):
        atlas.make(tmp_path / "out", dreams, in_this_process)
    assert list(store.kept(tmp_path / "out")) == [kept[0]["digest"]]
    assert f"pictures/{kept[0]['name']}.png" in (tmp_path / "out" / "index.html").read_text()
    monkeypatch.setattr(store, "keep", keep)
    dreamt.clear()
    assert atlas.make(tmp_path / "out", dreams, in_this_process, resume=True) == {}
    assert len(dreamt) == 2 and bytes_of(tmp_path / "out", "pictures") == bytes_of(out, "pictures")


def test_two_threads_of_a_worker_take_turns(made, monkeypatch):
    """A worker of somebody else's may have several threads, and Theano is for one."""
    now, most = [], []

    def slow(task, steps):
        now.append(task)
        most.append(len(now))
        threading.Event().wait(0.05)
        now.pop()

    class Worker:
        address = "tcp://nowhere"

        def log_event(self, *_):
            pass

    import distributed

    monkeypatch.setattr(distributed, "get_worker", Worker)
    monkeypatch.setattr(worker, "dreamt", slow)
    threads = [threading.Thread(target=worker.dream, args=(worker.Task(*made[2][0][:2], "3", {}, ""),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 4
