"""The ``lsd-repro`` command line; what each command does is in `lsd_repro.cli.commands`.

Exit status: 0 done, 1 deviations beyond their limits (parity), 2 bad input,
130 interrupted, 141 whoever read what it prints has left (``| head``).
"""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Callable, Optional

from lsd_repro import __version__
from lsd_repro.cli import commands, options
from lsd_repro.cli.options import NETWORK_CHOICE, typed
from lsd_repro.cli.output import ended_bars, to_the_end
from lsd_repro.cli.words import as_typed
from lsd_repro.errors import InputError, StackError
from lsd_repro.material import fetch, shipped
from lsd_repro.presets import FILMED
from lsd_repro.production import values
from lsd_repro.production.spec import OPTIONS
from lsd_repro.program2015 import PATCH_SIZE, PUBLISHED
from lsd_repro.runtime import device
from lsd_repro.runtime.openblas import instruct_openblas

MOST_WORKERS = 1024

# Options of all dreams, and of those of which one chooses the objective.
DREAM = ("start", "size", "frames", "steps", "network_scales", "octaves", "learning_rate", "weights", "prior", "prior_kind",
         "prior_scales", "prior_strength", "float64", "seed")
STILLS = ("classes", "schedule", "objective", "guide", "tile", *DREAM)


@to_the_end
def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run the command line; returns the exit status."""
    args = parser().parse_args(argv)
    instruct_openblas()  # before any command imports numpy
    try:
        if getattr(args, "device", None):
            device.choose(args.device)
        with ended_bars():
            return args.run(args)
    except StackError as error:  # its device= is Theano's own flag
        print(f"lsd-repro: {error}", file=sys.stderr)
        return 2
    except InputError as error:
        # Another command's options, too, which `fetch` speaks of.
        words = as_typed(str(error), {*vars(args), *OPTIONS, "pictures"}, sys.argv if argv is None else map(str, argv))
        print(f"lsd-repro: {words}", file=sys.stderr)
        return 2
    except MemoryError as error:
        print(f"lsd-repro: not enough memory ({str(error).splitlines()[0] if str(error) else 'it ran out'}): ask for less, "
              "such as a smaller --size, or close other programs", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        hint = ""
        if hasattr(args, "resume"):
            hint = f": continue with the same command and --resume (saved in {args.out})"
        elif args.run is commands.run_fetch:
            hint = ": run the same command again to continue"
        print(f"\nlsd-repro: interrupted{hint}", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    top = argparse.ArgumentParser(
        prog="lsd-repro", description="The 2015 'LSD neural net', reproduced: VGG-16 hallucinates the classes you name.")
    top.add_argument("--version", action="version", version=__version__)
    subparsers = top.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name, run, summary, example, among=subparsers):
        sub = among.add_parser(name, help=summary, description=summary, epilog=f"example: {example}")
        sub.set_defaults(run=run)
        if run in commands.COMPUTING:
            sub.add_argument("--device", type=device_name, metavar="D",
                             help="cpu, cuda, cuda0, cuda1, ... (default: what THEANO_FLAGS or .theanorc say, else cpu)")
        return sub

    sub = command("frames", commands.run_dream, "the stream: a film of class hallucinations",
                  'lsd-repro frames --classes "spider web" "king penguin+gondola" --out out/webs')
    sub.add_argument("--preset", choices=FILMED, default=FILMED[0],
                     help="demo: a short film, made in minutes; stream: the constants of 2015 (default: %(default)s)")
    options.add(sub, STILLS)
    add_run_options(sub, "out/frames")
    options.add(sub, ("video_frames", "chat"))

    sub = command("live", commands.run_live, "the film as it is dreamt, on a local web page; viewers and a chat choose",
                  "lsd-repro live --irc localhost:6667/#dreams")
    sub.add_argument("--preset", choices=("live", "demo", "stream"), default="live",
                     help="live: a small picture and the small network, for speed; demo: as in frames; "
                          "stream: the constants of 2015 (default: %(default)s)")
    sub.add_argument("--host", default="127.0.0.1", help="who can open the page: 127.0.0.1, only this computer (the default); "
                                                         "0.0.0.0, everyone who can reach it, and they can all steer")
    sub.add_argument("--port", type=whole(0), default=8015, metavar="N", help="default: %(default)s; 0: any free port")
    sub.add_argument("--open", action="store_true", help="open the page in the browser")
    sub.add_argument("--viewers", type=whole(1), default=64, metavar="N",
                     help="how many can watch at once (default: %(default)s)")
    sub.add_argument("--hold", type=not_negative, default=None, metavar="S",
                     help="seconds to hold a suggestion before taking the next (default: stream 60, as in 2015; else 10)")
    sub.add_argument("--keep", type=whole(2), default=600, metavar="N",
                     help="how many of the latest frames to keep for the film (default: %(default)s)")
    sub.add_argument("--irc", metavar="HOST:PORT/#CHANNEL",
                     help="a channel whose chat also chooses; its password is read from LSD_REPRO_IRC_PASSWORD")
    sub.add_argument("--irc-nick", metavar="NICK", help="default: a random one; on Twitch, one that needs no password")
    sub.add_argument("--irc-tell", action="store_true", help="announce in the channel what is dreamt next, at most every 5 s")
    options.add(sub, (name for name in DREAM if name != "frames"),
                weights=f"{shipped.SMALL} for the preset live, else {shipped.NETWORK}")
    add_run_options(sub, "out/live")

    sub = command("stills", commands.run_dream, "the second program of 2015: one big picture, the network at two scales",
                  'lsd-repro stills --size 1200x896 --prior-strength 30 --frames 20 --out out/stills')
    sub.set_defaults(preset="stills")
    options.add(sub, STILLS)
    add_run_options(sub, "out/stills")

    sub = command("reproduce", commands.run_reproduce,
                  "the twelve frames that the author published, with 2015's material if fetched, else with what ships",
                  "lsd-repro reproduce volcano kit-fox")
    sub.add_argument("names", nargs="*", choices=(*PUBLISHED, "all"), default="all", metavar="NAME",
                     help=f"{', '.join(PUBLISHED)} or all (default: all)")
    sub.set_defaults(preset="stream")
    options.add(sub, DREAM)
    add_run_options(sub, "out/reproduce")
    options.add(sub, ["video_frames"])

    sub = command("atlas", commands.run_atlas, "many dreams at once, on many processes or machines, and a page to browse them",
                  "lsd-repro atlas sweep.toml --out out/atlas")
    sub.add_argument("sweep", type=path, metavar="SWEEP.toml",
                     help="options of 'frames': in a table [fixed] those of all dreams, in [swept] lists, which are crossed")
    sub.add_argument("--workers", type=whole(1, MOST_WORKERS), metavar="N",
                     help="processes on this machine, which share its cores (default: one for each; with --device cuda one for "
                          "each GPU)")
    sub.add_argument("--scheduler", metavar="ADDRESS", help="instead, the workers of a Dask scheduler, such as tcp://10.0.0.1:8786")
    sub.add_argument("--out", default="out/atlas", type=path, metavar="DIR", help="default: %(default)s")
    sub.add_argument("--resume", action="store_true",
                     help="keep what is in --out, and dream what is missing; the sweep may have grown")

    sub = command("classes", commands.run_classes, "list the classes that a network knows", "lsd-repro classes")
    options.add(sub, ["weights"])

    prior = command("prior", None, "patch priors", "lsd-repro prior fit photos/ --out my-priors.npz")
    actions = prior.add_subparsers(title="actions", required=True, metavar="ACTION")

    sub = command("fit", commands.run_prior_fit, "fit priors to the patches of a folder of photos",
                 "lsd-repro prior fit photos/ --out my-priors.npz", actions)
    sub.add_argument("folder", type=path, metavar="DIR", help="folder of JPEG or PNG photos")
    sub.add_argument("--kind", choices=("student", "gaussian", "both"), default="both", help="default: %(default)s")
    sub.add_argument("--patches", type=whole(1), default=200_000, metavar="N", help="default: %(default)s")
    sub.add_argument("--patch", type=whole(2), default=PATCH_SIZE, metavar="P",
                     help="side of a patch in pixels (default: %(default)s, as in 2015)")
    sub.add_argument("--grey", action="store_true", help="of grey patches, for denoising only (default: of RGB ones)")
    sub.add_argument("--seed", type=whole(0, 2 ** 64), default=0)
    sub.add_argument("--out", default="priors.npz", type=path, metavar="F", help="default: %(default)s")

    sub = command("show", commands.run_prior_show, "what a prior is: filters, spectrum, tails, and samples drawn from it",
                 "lsd-repro prior show my-priors.npz --out out/my-priors", actions)
    sub.add_argument("prior", nargs="?", type=path, metavar="F",
                     help="a prior .npz, or a folder of 2015's .npy files (default: the one that ships)")
    add_photos_options(sub, "out/prior-show")

    sub = command("compare", commands.run_prior_compare, "several priors side by side, in four figures and in numbers",
                 "lsd-repro prior compare data/priors.npz my-priors.npz --image me.jpg", actions)
    sub.add_argument("priors", nargs="+", type=path, metavar="[NAME=]F",
                     help="prior .npz files, or folders of 2015's .npy files; "
                                                                     "NAME=F gives one a name in the figure")
    sub.add_argument("--image", type=path, metavar="IMG", help="whose energy maps to show "
                                                    "(default: a photo that scikit-image ships)")
    sub.add_argument("--dreams", nargs="+", default=(), type=path, metavar="IMG",
                     help="dreamt pictures, to see what energy they have")
    add_photos_options(sub, "out/prior-compare")

    sub = command("ablate", commands.run_prior_ablate,
                 "the same dreams without a prior, under each kind, at one scale and at all, and what judges say of them",
                 "lsd-repro prior ablate --seeds 3 --out out/ablation", actions)
    sub.add_argument("--classes", nargs="+", default=None, metavar="NAME",
                     help="what to dream of, one class each (default: king penguin, ladybug, goldfish)")
    sub.add_argument("--seeds", type=whole(1), default=1, metavar="N",
                     help="noises that each class starts from (default: %(default)s)")
    sub.add_argument("--kinds", nargs="+", choices=("gaussian", "student", "tv"), default=("gaussian", "student", "tv"),
                     help="default: all three")
    sub.add_argument("--scales", nargs="+", choices=("one", "all"), default=("one", "all"),
                     help="the finest of the stream's scales, or all (default: either)")
    sub.add_argument("--strengths", nargs="+", type=not_negative, default=None, metavar="S",
                     help="prior strengths, in the Student-t's units (default: 10, the stream's, 30 and 100)")
    sub.add_argument("--prior", type=path, metavar="F", help="a prior file with both kinds (default: the one that ships)")
    sub.add_argument("--judge-prior", type=path, metavar="F", help="a Student-t prior to judge by as well, such as 2015's")
    sub.add_argument("--judge-weights", type=path, metavar="F",
                     help="a network to judge by (default: trunk, or small if trunk dreams)")
    sub.add_argument("--photos", type=path, metavar="DIR",
                     help="photos to compare dreams with (default: five that "
                          "scikit-image and matplotlib ship)")
    options.add(sub, ["weights"], "small")
    sub.add_argument("--out", default="out/ablation", type=path, metavar="DIR", help="default: %(default)s")
    sub.add_argument("--resume", action="store_true",
                     help="continue the run in --out; more classes, seeds, kinds or strengths may be asked for")

    sub = command("denoise", commands.run_prior_denoise,
                  "the standard test of a patch prior: remove noise from 68 Berkeley pictures",
                  "lsd-repro prior denoise --colour --prior my-priors.npz", actions)
    sub.add_argument("--colour", action="store_true", help="in RGB, by an RGB prior (default: grey)")
    sub.add_argument("--prior", type=path, metavar="F",
                     help="a prior .npz, or a folder of 2015's .npy files (default: the one that ships)")
    sub.add_argument("--pictures", type=path, metavar="DIR",
                     help="other pictures (default: bsd68, or cbsd68 for colour, of 'lsd-repro fetch')")
    sub.add_argument("--sigmas", type=whole(1), nargs="+", default=(15, 25, 50), metavar="S",
                     help="standard deviations of the noise, in grey levels (default: 15 25 50)")
    sub.add_argument("--methods", nargs="+", choices=("gaussian", "gaussian-epll", "2015", "2015-epll", "student", "student-mode",
                                                      "student-epll"), metavar="M",
                     help="of gaussian, 2015, student, each of them with -epll, and student-mode (default: all)")
    sub.add_argument("--seed", type=whole(0, 2 ** 64), default=0, help="of the noise")
    sub.add_argument("--out", default="out/denoise", type=path, metavar="DIR", help="default: %(default)s")
    sub.add_argument("--resume", action="store_true", help="continue the interrupted run in --out")

    sub = command("fetch", commands.run_fetch, "download the material of 2015, and pictures to test denoising on",
                  "lsd-repro fetch priors starts frames")
    sub.add_argument("what", nargs="*", choices=(*fetch.SETS, "all"), default="all", metavar="SET",
                     help=f"{', '.join(fetch.SETS)} or all (default: all; the weights are 528 MiB)")
    sub.add_argument("--to", type=path, metavar="DIR",
                     help=f"folder for what is fetched (default: {fetch.CACHE_VARIABLE}, or the user's cache folder)")

    sub = command("convert", commands.run_convert, "a VGG-16 or VGG-19 in another format -> MatConvNet's .mat, for --weights",
                  "lsd-repro convert vgg16_weights_tf_dim_ordering_tf_kernels.h5 --out vgg16.mat")
    sub.add_argument("file", type=path, metavar="FILE",
                     help="Keras's .h5 or MatConvNet's .mat of MATLAB 7.3 (need h5py), Caffe's .caffemodel, Frossard's .npz, or "
                          "with torchvision's names .safetensors (needs safetensors) or .pth (needs PyTorch), such as Johnson's; "
                          "of a .h5, .safetensors or .pth also as a part of a larger model or checkpoint")
    sub.add_argument("--out", required=True, type=path, metavar="X.mat", help="file to write")

    sub = command("parity", commands.run_parity, "replay arrays that the 2015 program computed, and report every deviation",
                  "lsd-repro parity tests/golden/stream.npz tests/golden/stills.npz")
    sub.add_argument("golden", nargs="+", type=path, metavar="GOLDEN.npz")
    sub.add_argument("--prior-dir", type=path, metavar="DIR",
                     help="folder of prior .npy files, for a golden file without a prior")
    sub.add_argument("--figure", type=path, metavar="F.png",
                     help="draw how float32 drifts in the first golden file, and float64 does not")
    sub.add_argument("--float32", action="store_true",
                     help="compute in float32, and compare with the drift of 2015's own float32")

    sub = command("compare", commands.run_compare,
                  "compare frames with 2015's: are they as close to those as those are to each other?",
                  "lsd-repro compare out/webs --with frames-2015/*.png")
    sub.add_argument("ours", nargs="+", type=path, metavar="OURS", help="your frames: PNG files, or folders of runs")
    sub.add_argument("--with", dest="theirs", nargs="+", type=path, metavar="2015FRAME",
                     help="frames of 2015, at least three: files or folders (default: those that were fetched)")
    sub.add_argument("--prior", type=path, metavar="F",
                     help="whose energies to compare: a prior .npz, or a folder of 2015's .npy files "
                                                  "(default: 2015's if fetched, else the one that ships)")
    sub.add_argument("--weights", type=path, metavar="F", help=f"whose class logits to compare: {NETWORK_CHOICE} "
                                                    "(default: 2015's if fetched, else none)")
    sub.add_argument("--out", default="out/compare", type=path, metavar="DIR", help="default: %(default)s")

    sub = command("transition", commands.run_transition,
                  "from a frame of 2015 to the next one, by the program's own loop: do the same things change?",
                  "lsd-repro transition --quick")
    sub.add_argument("--before", type=path, metavar="F",
                     help="an optimised frame (default: the fetched one just before result1850, the author's pizza)")
    sub.add_argument("--after", type=path, metavar="F", help="the next one (default: result1850, if fetched)")
    sub.add_argument("--class", dest="target", default="pizza", metavar="NAME",
                     help="what its steps aimed at (default: %(default)s)")
    sub.add_argument("--wrong", nargs="+", metavar="NAME",
                     help="classes that they did not aim at (default: king penguin, spider web, lion, brain coral, bee; if the "
                          "network lacks one, another)")
    sub.add_argument("--quick", action="store_true",
                     help="only the class, the first wrong one, and the ceiling; more can follow with --resume")
    sub.add_argument("--weights", type=path, metavar="F",
                     help=f"{NETWORK_CHOICE} (default: 2015's if fetched, else {shipped.NETWORK})")
    sub.add_argument("--prior", type=path, metavar="F",
                     help="a prior file with both kinds, or a folder of 2015's .npy files (default: 2015's if fetched, else the "
                          "one that ships)")
    sub.add_argument("--seed", type=whole(0, 2 ** 63), default=0, help="of the dithering, and of the intervals' draws")
    sub.add_argument("--out", default="out/transition", type=path, metavar="DIR", help="default: %(default)s")
    sub.add_argument("--resume", action="store_true", help="continue the run in --out; each arm that is done is kept")

    bench = command("bench", None, "how fast it is on this machine, beside others that compute the same", "lsd-repro bench step")
    actions = bench.add_subparsers(title="actions", required=True, metavar="ACTION")

    sub = command("step", commands.run_bench_step,
                  "time and memory of the gradient step, beside plain Theano, PyTorch and the SGEMM limit",
                  "lsd-repro bench step --sizes 480x272 --widths shipped", actions)
    sub.add_argument("--sizes", type=size, nargs="+", default=[(480, 272), (840, 472), (1920, 1080)], metavar="WxH",
                     help="of the picture (default: 480x272 840x472 1920x1080)")
    sub.add_argument("--widths", nargs="+", choices=("shipped", "full"), default=("shipped", "full"),
                     help="the small network, VGG-16 at full width with random weights, or both (default: both)")
    sub.add_argument("--apart", action="store_true", help="also measure each of our fused Ops without the others")
    add_bench_options(sub, repeats=7)
    sub.add_argument("--resume", action="store_true", help="keep the measurements in --out, and make those that are missing")

    sub = command("film", commands.run_bench_film, "video frames a second of the film writer",
                  "lsd-repro bench film", actions)
    sub.add_argument("--frames", type=whole(1), default=50, metavar="N",
                     help="video frames a round (default: %(default)s)")
    add_bench_options(sub, repeats=5)

    sub = command("doctor", commands.run_doctor, "what this installation runs on, what is missing, and what to do about it",
                  "lsd-repro doctor")
    sub.add_argument("--verify-gpu", nargs="?", const="gpu-verification.json", metavar="F.json",
                     help="compute a gradient and some steps on the CPU and on --device (default: cuda), compare them, "
                          "and write all figures to a file (default: %(const)s)")
    return top


def add_run_options(sub: argparse.ArgumentParser, out: str) -> None:
    sub.add_argument("--out", default=out, type=path, metavar="DIR", help="default: %(default)s")
    sub.add_argument("--resume", action="store_true", help="continue the interrupted run in --out")


def add_photos_options(sub: argparse.ArgumentParser, out: str) -> None:
    sub.add_argument("--photos", type=path, metavar="DIR", help="photos that no prior was fitted on (default: five that "
                                                     "scikit-image and matplotlib ship)")
    sub.add_argument("--seed", type=whole(0, 2 ** 64), default=0)
    sub.add_argument("--out", default=out, type=path, metavar="DIR", help="default: %(default)s")


def add_bench_options(sub: argparse.ArgumentParser, repeats: int) -> None:
    sub.add_argument("--repeats", type=whole(1), default=repeats, metavar="N", help="rounds (default: %(default)s)")
    sub.add_argument("--threads", type=whole(1), default=os.cpu_count(), metavar="N", help="default: all (%(default)s)")
    sub.add_argument("--out", default="out/bench", type=path, metavar="DIR", help="default: %(default)s")


def device_name(text: str) -> str:
    if not device.NAMES.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text}: must be cpu, cuda, cuda0, cuda1, ...")
    return text


def whole(least: int, most: int = values.MAX_COUNT) -> Callable[[str], int]:
    return typed(values.whole(least, most))


not_negative, path, size = typed(values.not_negative), typed(values.path), typed(OPTIONS["size"].metadata["one"])


if __name__ == "__main__":
    sys.exit(main())
