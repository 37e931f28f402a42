"""The command line: what a user types, and what comes of it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import fake_gpu
import imageio_ffmpeg
import numpy as np
import pytest
from interruptible import heed_ctrl_c
from PIL import Image
from small_network import small_network

from lsd_repro.cli import commands
from lsd_repro.cli.main import main, parser
from lsd_repro.errors import InputError
from lsd_repro.film.schedule import parse_classes
from lsd_repro.material import fetch, shipped
from lsd_repro.material.arrays import digest
from lsd_repro.network import ilsvrc, matconvnet
from lsd_repro.program2015 import PUBLISHED


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "small.mat"
    matconvnet.write(path, small_network(np.random.default_rng(5)))
    return str(path)


def run(*arguments):
    """Exit status, also where argparse exits by itself."""
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as error:
        return error.code


def command(*arguments):
    return [sys.executable, "-m", "lsd_repro.cli.main", *map(str, arguments)]


SMALL = ("--size", "264x256", "--frames", 1, "--steps", 2, "--video-frames", 2)


@pytest.mark.parametrize("arguments, words", [
    (("--classes", "creture 3"), ("creture 3", "creature 3")),
    (("--classes", "creature 1+creature 2+creature 3"), ("at most two",)),
    (("--start", "nowhere.jpg"), ("nowhere.jpg", "--start")),
    (("--guide", "nowhere.jpg"), ("nowhere.jpg", "--guide")),
    (("--objective", "layer:conv7_1"), ("conv7_1", "it has conv1_1")),
    (("--objective", "layer:conv4_1:24"), ("channels 0 to 23",)),
    (("--objective", "neuron"), ("--objective neuron", "layer:NAME")),
    (("--objective", "layer:conv4_1", "--classes", "creature 3"), ("leave out --classes", "--objective")),
    (("--tile", "250"), ("--tile 250", "256 pixels")),
    (("--tile", "0"), ("--tile", "at least 1")),
    (("--start", __file__), ("--start", "test_cli.py", "not a usable photo")),
    (("--size", "255x300"), ("scale 32", "256x256")),
    (("--size", "60x"), ("--size", "60x")),
    (("--frames", 0), ("--frames", "at least 1")),
    (("--steps", 0), ("--steps", "at least 1")),
    (("--prior-strength", -1), ("--prior-strength", "at least 0")),
    (("--prior-strength", "nan"), ("--prior-strength", "at least 0")),
    (("--weights", "absent.mat"), ("absent.mat", "small", "trunk")),
    (("--weights", "huge"), ("huge", "small or trunk")),
    (("--weights", "./small"), ("./small", "no such file")),
    (("--prior", "absent.npz"), ("absent.npz",)),
    (("--schedule", "absent.txt"), ("absent.txt",)),
    (("--chat", "absent.json"), ("absent.json", "not both")),
    (("--resume",), ("no run to resume",)),
    (("--octaves", "3"), ("--octaves", "'3'")),
    (("--octaves", "3:0"), ("--octaves", "at least 1")),
    (("--octaves", "2:5", "1:5", "--steps", 4), ("--octaves", "leave out --steps")),
    (("--size", "264x256", "--octaves", "9:5", "17:2"), ("at scale 9 and 17", "shorter side")),
    (("--size", "264x256", "--network-scales", 1, 9), ("at scale 9:", "shorter side")),
    (("--size", "120x130"), ("prior scale 16 and 32", "at least 256x256", "--prior-scales")),
])
def test_bad_input_is_one_clear_line_before_anything_is_made(tmp_path, monkeypatch, capsys, weights, arguments, words):
    monkeypatch.chdir(tmp_path)
    defaults = () if "--weights" in arguments else ("--weights", weights)
    classes = () if {"--classes", "--schedule"} & set(arguments) else ("--classes", "creature 3")
    assert run("frames", "--out", "run", *defaults, *classes, *arguments) == 2
    message = capsys.readouterr().err
    for word in words:
        assert word in message
    assert "Traceback" not in message
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def film(tmp_path_factory, weights):
    """Options of a film with frames enough that a signal comes while there are some to go, and its folder."""
    options = "--weights", weights, "--classes", "creature 3", "creature 4+creature 5", *SMALL, "--frames", 6
    out = tmp_path_factory.mktemp("film") / "run"
    assert run("frames", *options, "--out", out) == 0
    return options, out


def test_frames_make_a_film_and_a_record(film):
    options, out = film
    assert np.array(Image.open(out / "frames" / "frame0002.png")).shape == (256, 264, 3)
    assert imageio_ffmpeg.count_frames_and_secs(str(out / "film.mp4"))[0] == 2 * 6 * 2
    record = json.loads((out / "run.json").read_text())["parameters"]
    assert record["scenes"] == [[3, 3, "creature 3"]] * 6 + [[4, 5, "creature 4 & creature 5"]] * 6
    assert record["learning_rate"] == 5 and record["steps_per_frame"] == 2 and record["dtype"] == "float32"
    assert run("frames", *options, "--out", out) == 2


def test_frames_are_dreamt_at_the_scales_asked_for(tmp_path, weights):
    common = ("--weights", weights, "--classes", "creature 3", "--size", "264x256", "--frames", 1, "--video-frames", 2)
    for out, options, expected in (
            ("octaves", ("--octaves", "3:1", "1:2"), {"octaves": [[3, 1], [1, 2]], "steps_per_frame": 3}),
            ("scales", ("--network-scales", 1, 2, "--steps", 2), {"octaves": [], "network_scales": [1, 2]})):
        assert run("frames", *common, *options, "--out", tmp_path / out) == 0
        record = json.loads((tmp_path / out / "run.json").read_text())["parameters"]
        assert expected.items() <= record.items()


@pytest.mark.slow
def test_a_film_in_tiles_is_the_film_of_the_whole_picture(tmp_path, weights):
    common = ("--weights", weights, *SMALL, "--size", "330x300", "--classes", "creature 3+creature 4", "--float64")
    for options in (), ("--tile", 288):
        assert run("frames", *common, *options, "--out", tmp_path / f"run{len(options)}") == 0
    whole, tiled = (np.array(Image.open(tmp_path / out / "frames" / "frame0001.png"), int) for out in ("run0", "run2"))
    assert np.abs(whole - tiled).max() <= 1  # on the two sides of a half
    assert np.abs(whole - np.array(Image.open(tmp_path / "run0" / "frames" / "frame0000.png"), int)).max() > 5
    assert json.loads((tmp_path / "run2" / "run.json").read_text())["parameters"]["tile"] == 288


def test_a_layer_or_what_a_guide_shows_is_dreamt_of(tmp_path, weights):
    guide = tmp_path / "guide.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 400, 3)).astype(np.uint8)).save(guide)
    common = ("--weights", weights, *SMALL, "--start", "noise")
    assert run("frames", *common, "--objective", "layer:conv3_2:7", "--out", tmp_path / "channel") == 0
    record = json.loads((tmp_path / "channel" / "run.json").read_text())["parameters"]
    assert record["objective"] == ["conv3_2", 7] and record["scenes"] == [[7, 7, "conv3_2, channel 7"]]
    assert run("frames", *common, "--guide", guide, "--out", tmp_path / "guided") == 0
    record = json.loads((tmp_path / "guided" / "run.json").read_text())["parameters"]
    assert record["objective"] == ["conv4_3", None]
    small = np.array(Image.open(guide).resize((224, 168), Image.Resampling.LANCZOS, reducing_gap=2.0))
    assert record["guide"] == digest(small)


def test_stills_write_a_picture_a_step_and_no_film(tmp_path, weights):
    out = tmp_path / "stills"
    # As small as seven scales to 95 allow; without a name, a class is drawn by the seed.
    assert run("stills", "--weights", weights, "--size", "776x768", "--frames", 2, "--seed", 4, "--out", out) == 0
    assert sorted(path.name for path in (out / "frames").iterdir()) == [f"frame{i:04d}.png" for i in range(3)]
    assert not (out / "film.mp4").exists()
    scenes = json.loads((out / "run.json").read_text())["parameters"]["scenes"]
    assert scenes == [scenes[0]] * 2


PUBLISHED_TERMS = ("bee", "spider web, spider's web", "tree frog, tree-frog", "pizza, pizza pie", "cheeseburger", "gondola",
                   "volcano", "bubble", "broccoli", "golf ball", "analog clock", "wood rabbit, cottontail, cottontail rabbit",
                   "kit fox, Vulpes macrotis", "Angora, Angora rabbit", "hare", "clog, geta, patten, sabot")


def test_published_frames_are_reproduced_by_name(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LSD_REPRO_CACHE", str(tmp_path / "cache"))
    network = replace(small_network(np.random.default_rng(5), classes=16), descriptions=PUBLISHED_TERMS, names=())
    matconvnet.write(tmp_path / "n.mat", network)
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (256, 264, 3), np.uint8)).save(tmp_path / "start.png")
    options = ("--weights", tmp_path / "n.mat", "--prior", shipped.path(shipped.PRIORS), "--start", tmp_path / "start.png",
               "--frames", 1, "--steps", 1, "--video-frames", 1, "--out", tmp_path / "out")
    assert run("reproduce", "rabbit-clock", *options) == 0
    record = json.loads((tmp_path / "out" / "rabbit-clock" / "run.json").read_text())["parameters"]
    # Clocks below, rabbits above; the stream's own constants.
    assert record["scenes"] == [[10, 11, "analog clock & wood rabbit"]]
    assert record["prior_strength"] == 10 and record["video_width"] == 1024
    said = capsys.readouterr()
    assert said.out.startswith("Weights: n.mat. Prior: priors.npz. Start image: start.png.\n")
    assert "lsd-repro compare" in said.out
    before = said.err[:said.err.index("dreaming")]
    assert re.search(r"1 frames of 1 steps, and 1 films: about [\d.]+ (s|min) at [\d.]+ s a step", before)
    assert run("reproduce", "rabbit-clock", "kit-fox", *options) == 2
    assert "rabbit-clock exists" in capsys.readouterr().err

    # With the author's frames at hand, it ends with the report.
    for file in fetch.SETS["frames"]:
        photo = np.random.default_rng(len(file.name)).integers(0, 256, (256, 264, 3), np.uint8)
        path = tmp_path / "cache" / "frames" / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photo).save(path)
    monkeypatch.setitem(fetch.SETS, "frames", tuple(file._replace(size=None) for file in fetch.SETS["frames"]))
    assert run("reproduce", "rabbit-clock", "kit-fox", *options, "--resume") == 0
    assert (tmp_path / "out" / "kit-fox" / "film.mp4").exists()
    assert "statistics" in capsys.readouterr().out
    report = json.loads((tmp_path / "out" / "report" / "report.json").read_text())
    assert {frame["name"].split("/")[0] for frame in report["frames"]["ours"]} == {"rabbit-clock", "kit-fox"}
    assert len(report["frames"]["2015"]) == 14
    assert report["made with"] == "Weights: n.mat. Prior: priors.npz. Start image: start.png."
    assert report["made with"] in (tmp_path / "out" / "report" / "report.html").read_text()
    assert 'href="report/report.html"' in (tmp_path / "out" / "index.html").read_text()
    # One step made all films: each is what it would be alone.
    assert run("reproduce", "kit-fox", *options[:-1], tmp_path / "alone") == 0
    for name in ("frames/frame0001.png", "film.mp4", "run.json"):
        assert (tmp_path / "alone" / "kit-fox" / name).read_bytes() == (tmp_path / "out" / "kit-fox" / name).read_bytes()


def test_without_fetching_the_published_subjects_are_dreamt_with_what_ships(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LSD_REPRO_CACHE", str(tmp_path / "cache"))
    known = [term for term in PUBLISHED_TERMS if term != "bee"]
    network = replace(small_network(np.random.default_rng(5), classes=len(known)), descriptions=tuple(known), names=())
    matconvnet.write(tmp_path / shipped.TRUNK, network)
    (tmp_path / shipped.PRIORS).write_bytes(shipped.path(shipped.PRIORS).read_bytes())
    monkeypatch.setattr(shipped, "folder", lambda: tmp_path)
    out = tmp_path / "out"
    options = (*SMALL, "--out", out, "--resume")
    assert run("reproduce", *options) == 2
    assert "'bee'" in capsys.readouterr().err and not out.exists()

    assert run("reproduce", "volcano", "rabbit-clock", *options) == 0
    first, *_, last = capsys.readouterr().out.splitlines()
    assert first == ("Weights: ours (vgg16-trunk.mat). Prior: ours (priors.npz). Start image: ours (scikit-image's photo of "
                     "coffee). 'lsd-repro fetch weights priors starts' brings 2015's.")
    assert "lsd-repro fetch frames" in last
    record = json.loads((out / "rabbit-clock" / "run.json").read_text())["parameters"]
    assert record["prior_strength"] == 10 and record["network"] == network.digest
    # The sheet: one row of two pictures.
    sheet = np.asarray(Image.open(out / "contact.png"))
    margin, gap = 1680 // 80, 3
    width = (1680 - gap * margin) // 2
    for left, name in ((margin, "volcano"), (2 * margin + width, "rabbit-clock")):
        dream = Image.open(out / name / "frames" / "frame0001.png")
        scaled = dream.resize((width, round(width * 256 / 264)), Image.LANCZOS)
        np.testing.assert_array_equal(sheet[margin:margin + scaled.height, left:left + width], scaled)
    page = (out / "index.html").read_text()
    assert "<p class=\"lead\">Weights: ours (vgg16-trunk.mat). Prior: ours" in page and "analog clock &amp; wood rabbit" in page
    assert "report.html" not in page
    targets = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert [target for target in targets if not (out / target).is_file()] == [
        "https://317070.github.io/img/dream/result2540.png", "https://317070.github.io/img/dream/result5920.png"]
    # What is finished is not dreamt again.
    (out / "contact.png").unlink()
    assert run("reproduce", "volcano", "rabbit-clock", *options) == 0
    assert "compiling" not in capsys.readouterr().err
    np.testing.assert_array_equal(np.asarray(Image.open(out / "contact.png")), sheet)
    # Fetched later, 2015's would make another film.
    for file in fetch.SETS["starts"]:
        (tmp_path / "cache" / "starts").mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((256, 264, 3), np.uint8)).save(tmp_path / "cache" / "starts" / file.name)
    monkeypatch.setitem(fetch.SETS, "starts", tuple(file._replace(size=None) for file in fetch.SETS["starts"]))
    assert run("reproduce", "volcano", *options) == 2
    said = capsys.readouterr()
    assert "Start image: 2015's. 'lsd-repro fetch weights priors' brings" in said.out
    assert "volcano can't be resumed with other parameters: start was" in said.err


def test_every_published_name_means_one_class_of_the_real_network():
    _, descriptions = ilsvrc.read()
    for _, query in PUBLISHED.values():
        assert parse_classes([query], descriptions)[0].caption == " & ".join(query.split("+"))


def test_a_run_stopped_twice_resumes_to_the_same_film(tmp_path, film):
    options, whole = film
    broken = tmp_path / "broken"
    for kill, resume in ((signal.SIGINT, ()), (signal.SIGKILL, ("--resume",))):
        messages = stop(command("frames", *options, "--out", broken, *resume), broken / "state", kill)
        if kill == signal.SIGINT:
            assert "--resume" in messages and "Traceback" not in messages
        assert not (broken / "film.mp4").exists()
    assert run("frames", *options, "--out", broken, "--resume") == 0
    for name in ("film.mp4", "contact.png", "frames/frame0002.png", "frames/frame0012.png", "state/frame0012.npy"):
        assert (broken / name).read_bytes() == (whole / name).read_bytes(), name


def stop(command, folder, kill):
    """Send a signal to a process once it has put a frame into a folder; what it says in the end."""
    before = set(folder.glob("frame*.npy"))
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=heed_ctrl_c)
    for _ in range(6000):
        # The start itself is frame 0.
        if set(folder.glob("frame*.npy")) - before - {folder / "frame0000.npy"} or process.poll() is not None:
            break
        time.sleep(0.05)
    process.send_signal(kill)
    _, messages = process.communicate()
    assert process.returncode == {signal.SIGINT: 130}.get(kill, -kill), messages
    return messages


def test_a_chat_chooses_and_its_film_resumes(tmp_path, weights, capsys):
    log = tmp_path / "chat.log"
    log.write_text("[00:00:00] ann: hello\n[00:00:01] bob: creature 3+creature 5\n[00:00:02] eve has been timed out\n")
    options = ("--weights", weights, "--chat", log, "--out", tmp_path / "run", "--size", "264x256", "--steps", 1, "--frames", 3,
               "--video-frames", 25)
    assert run("frames", *options) == 0
    assert "2 messages in 0:01; left out: 1 not understood (first: line 3)" in capsys.readouterr().err
    record = json.loads((tmp_path / "run" / "run.json").read_text())["parameters"]
    assert [scene[2] for scene in record["scenes"]] == ["", "creature 3 & creature 5", "creature 3 & creature 5"]
    assert record["scenes"][1][:2] == [3, 5]
    film = (tmp_path / "run" / "film.mp4").read_bytes()
    (tmp_path / "run" / "film.mp4").unlink()
    assert run("frames", *options, "--resume") == 0
    assert (tmp_path / "run" / "film.mp4").read_bytes() == film
    log.write_text("[00:00:00] ann: creature 3\n")
    assert run("frames", *options, "--resume") == 2
    assert "scenes" in capsys.readouterr().err


def test_parity_exits_with_1_beyond_the_limits(monkeypatch, capsys):
    from lsd_repro.compare import parity

    good, bad = parity.Deviation("loss", "relative", 1e-12, 1e-9), parity.Deviation("gradient", "relative", 1e-3, 1e-9)
    monkeypatch.setattr(parity, "replay", lambda path, *options: [good, bad] if path == "bad.npz" else [good])
    assert run("parity", "good.npz") == 0
    assert run("parity", "good.npz", "bad.npz") == 1
    assert "gradient" in capsys.readouterr().out


def test_classes_are_listed_with_their_indices(weights, capsys):
    assert run("classes", "--weights", weights) == 0
    assert "   3 creature 3, beast number 3\n" in capsys.readouterr().out


def test_a_network_that_ships_is_named_and_a_file_of_that_name_is_reached_by_its_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    matconvnet.write("small", small_network(np.random.default_rng(5)))
    assert run("classes", "--weights", "small") == 0
    assert "king penguin" in capsys.readouterr().out
    assert run("classes", "--weights", "./small") == 0
    assert "   3 creature 3, beast number 3\n" in capsys.readouterr().out


def test_frames_are_dreamt_with_the_network_named(tmp_path, monkeypatch):
    matconvnet.write(tmp_path / shipped.TRUNK, small_network(np.random.default_rng(5)), bits=8)
    priors = shipped.path(shipped.PRIORS)
    monkeypatch.setattr(shipped, "folder", lambda: tmp_path)
    out = tmp_path / "run"
    assert run("frames", "--weights", "trunk", "--prior", priors, "--classes", "creature 3", "--out", out, *SMALL) == 0
    assert json.loads((out / "run.json").read_text())["parameters"]["scenes"] == [[3, 3, "creature 3"]]


def test_prior_fit_writes_a_prior_that_frames_take(tmp_path, capsys):
    from skimage import data

    from lsd_repro.prior import store

    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("coffee", "astronaut", "chelsea"):
        Image.fromarray(getattr(data, name)()).save(photos / f"{name}.png")
    assert run("prior", "fit", photos, "--patches", 3000, "--out", tmp_path / "mine.npz") == 0
    assert set(store.load(tmp_path / "mine.npz")) == {"student", "gaussian"}
    assert "3 photos" in capsys.readouterr().out
    assert run("prior", "fit", tmp_path / "absent", "--out", tmp_path / "other.npz") == 2


def test_every_command_has_help_with_an_example(capsys):
    for arguments in (("frames",), ("live",), ("stills",), ("reproduce",), ("classes",), ("prior", "fit"), ("prior", "show"),
                      ("prior", "compare"), ("prior", "ablate"), ("fetch",), ("convert",), ("compare",), ("parity",),
                      ("bench", "step"), ("bench", "film"),
                      ("doctor",)):
        assert run(*arguments, "--help") == 0
        assert "example: lsd-repro " + " ".join(arguments) in capsys.readouterr().out


def test_one_set_that_can_not_be_fetched_stops_no_other(monkeypatch, capsys):
    def bring(what, *_):
        if what in ("priors", "bsd68"):
            raise InputError("no answer")
        return f"cache/{what}"

    monkeypatch.setattr(commands.fetch, "fetch", bring)
    assert run("fetch") == 2
    said = capsys.readouterr()
    assert said.err.splitlines() == ["lsd-repro: priors: no answer", "bsd68: no answer"]
    assert [line.split(":")[0] for line in said.out.splitlines()] == [
        what for what in fetch.SETS if what not in ("priors", "bsd68")]


COMPUTING = (("frames",), ("live",), ("stills",), ("reproduce",), ("prior", "show"), ("prior", "compare", "a.npz"),
             ("prior", "ablate"), ("parity", "a.npz"), ("compare", "a.png"), ("doctor",))


@pytest.mark.parametrize("arguments", COMPUTING, ids=" ".join)
def test_every_command_that_computes_takes_a_device(arguments):
    assert parser().parse_args([*arguments, "--device", "cuda1"]).device == "cuda1"
    with pytest.raises(SystemExit):
        parser().parse_args([*arguments, "--device", "gpu"])


@pytest.mark.skipif(sys.platform != "linux", reason="GPUs are used on Linux only")
@pytest.mark.parametrize("arguments, out", [(("frames", "--device", "cuda", "--out", "run"), ""),
                                            (("doctor", "--verify-gpu"), ""),
                                            (("doctor", "--device", "cuda"), "sees no GPU")])
def test_gpu_that_is_not_there_is_a_message(tmp_path, tmp_path_factory, arguments, out):
    folder = fake_gpu.build_all(tmp_path_factory.mktemp("cuda"), FAKE_DEVICES=0)
    inherited = {name: value for name, value in os.environ.items() if name != "THEANO_FLAGS"}
    path = os.pathsep.join([str(Path(commands.__file__).parents[2]), os.getenv("PYTHONPATH", "")])
    done = subprocess.run(command(*arguments), cwd=tmp_path, capture_output=True, text=True, env={
        **inherited, "PYTHONPATH": path, "LD_LIBRARY_PATH": folder, "THEANORC": str(tmp_path / "none")})
    assert done.returncode == 2
    assert "device=cuda: " in (done.stdout if out else done.stderr) and out in done.stdout
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_and_bad_options_do_not_wait_for_theano(python):
    done = python("import sys; from lsd_repro.cli.main import main, parser\n"
                  "try: main(['frames', '--help'])\n"
                  "except SystemExit: print('theano' in sys.modules, 'numpy' in sys.modules)")
    assert done.stdout.endswith("False False\n")


def test_compare_says_how_many_statistics_are_as_close_as_2015s(tmp_path, monkeypatch, capsys):
    from skimage import data

    monkeypatch.setenv("LSD_REPRO_CACHE", str(tmp_path / "cache"))
    photos = []
    for name in ("coffee", "astronaut", "chelsea", "rocket"):
        photos.append(tmp_path / f"{name}.png")
        Image.fromarray(getattr(data, name)()[:256, :256]).save(photos[-1])
    assert run("compare", photos[0], "--out", tmp_path / "report") == 2
    assert "lsd-repro fetch frames" in capsys.readouterr().err
    assert run("compare", photos[0], "--with", *photos[1:], "--weights", "huge", "--out", tmp_path / "report") == 2
    assert "small or trunk" in capsys.readouterr().err
    assert run("compare", photos[0], "--with", *photos[1:], "--out", tmp_path / "report") == 0
    assert "statistics" in capsys.readouterr().out
    assert "<html" in (tmp_path / "report" / "report.html").read_text()


def test_prior_commands_refuse_what_they_cannot_use(tmp_path, capsys):
    for arguments, word in ((("show", "absent.npz"), "absent.npz"), (("compare", "absent.npz"), "absent.npz"),
                            (("ablate", "--classes", "unicorn"), "unicorn")):
        assert run("prior", *arguments, "--out", tmp_path / "out") == 2
        assert word in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_bench_refuses_what_it_cannot_measure(tmp_path, capsys):
    out = tmp_path / "out"
    for arguments, word in ((("--sizes", "255x300"), "256x256"), (("--sizes", "480"), "--sizes"),
                            (("--repeats", 0), "--repeats"), (("--threads", 0), "--threads"),
                            (("--widths", "wide"), "wide"), (("--resume",), "no measurements")):
        assert run("bench", "step", "--out", out, *arguments) == 2
        assert word in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
