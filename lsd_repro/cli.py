"""The ``lsd-repro`` command: parse, call, print.

Exit status: 0 done, 1 deviations beyond their limits (parity), 2 bad input,
130 interrupted.
"""

import argparse
import sys
from dataclasses import replace

from lsd_repro import __version__
from lsd_repro.errors import InputError
from lsd_repro.program2015 import DEMO, STILLS, STREAM

PRESETS = {"demo": DEMO, "stream": STREAM}


def main(argv=None):
    """Run the command line; returns the exit status."""
    args = parser().parse_args(argv)
    try:
        return args.run(args)
    except InputError as error:
        print(f"lsd-repro: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        hint = f": go on with the same command and --resume (saved in {args.out})" if hasattr(args, "resume") else ""
        print(f"\nlsd-repro: interrupted{hint}", file=sys.stderr)
        return 130


def parser():
    """The parser of all commands."""
    top = argparse.ArgumentParser(
        prog="lsd-repro", description="The 2015 'LSD neural net', reproduced: VGG-16 hallucinates the classes you name.")
    top.add_argument("--version", action="version", version=__version__)
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name, run, summary, example):
        sub = commands.add_parser(name, help=summary, description=summary, epilog=f"example: {example}")
        sub.set_defaults(run=run)
        return sub

    sub = command("frames", run_dream, "the stream: a film of class hallucinations",
                  'lsd-repro frames --classes "spider web" "king penguin+gondola" --out out/webs')
    sub.add_argument("--preset", choices=PRESETS, default="demo",
                     help="demo: a film of seconds, in minutes; stream: the constants of 2015 (default: %(default)s)")
    add_dream_options(sub, "out/frames")
    sub.add_argument("--video-frames", type=whole(1), metavar="K",
                     help="video frames between two optimised frames, at 25 a second (2015: 175 to 200)")

    sub = command("stills", run_dream, "the second program of 2015: one big picture, the network at two scales",
                  "lsd-repro stills --classes goldfish --size 960x540 --prior-strength 200 --out out/goldfish")
    sub.set_defaults(preset="stills", video_frames=None)
    add_dream_options(sub, "out/stills")

    sub = command("classes", run_classes, "list the classes that a network knows", "lsd-repro classes")
    add_weights_option(sub)

    prior = command("prior", None, "patch priors", "lsd-repro prior fit photos/ --out my-priors.npz")
    actions = prior.add_subparsers(title="actions", required=True, metavar="ACTION")
    fit = actions.add_parser("fit", help="fit both priors to a folder of photos",
                             description="Fit a Gaussian and a Student-t prior to the 8x8 patches of a folder of photos.",
                             epilog="example: lsd-repro prior fit photos/ --out my-priors.npz")
    fit.add_argument("folder", metavar="DIR", help="folder of JPEG or PNG photos")
    fit.add_argument("--patches", type=whole(1), default=200_000, metavar="N", help="default: %(default)s")
    fit.add_argument("--seed", type=whole(0), default=0)
    fit.add_argument("--out", default="priors.npz", metavar="F", help="default: %(default)s")
    fit.set_defaults(run=run_prior_fit)

    sub = command("parity", run_parity, "replay arrays that the 2015 program computed, and report every deviation",
                  "lsd-repro parity tests/golden/stream.npz tests/golden/stills.npz")
    sub.add_argument("golden", nargs="+", metavar="GOLDEN.npz")
    sub.add_argument("--prior-dir", metavar="DIR", help="folder of prior .npy files, for a golden file without a prior")
    sub.add_argument("--float32", action="store_true",
                     help="compute in float32, held to the drift of 2015's own float32")

    command("doctor", run_doctor, "what this installation runs on, what is missing, and what to do about it",
            "lsd-repro doctor")
    return top


def add_dream_options(sub, out):
    sub.add_argument("--classes", nargs="+", metavar="NAME",
                     help="what to show, one after the other; BOTTOM+TOP shows two in the halves of the picture")
    sub.add_argument("--schedule", metavar="F", help="a text file instead: 'NAME' or 'NAME | FRAMES' a line")
    sub.add_argument("--start", metavar="IMG", help="start image (default: a photo that scikit-image ships)")
    sub.add_argument("--size", type=size, metavar="WxH",
                     help="size of the optimised picture (default: the preset's; for stream and stills "
                          "that of --start, if given)")
    sub.add_argument("--frames", type=whole(1), metavar="N", help="optimised frames for each of --classes")
    sub.add_argument("--steps", type=whole(1), metavar="N", help="gradient steps per optimised frame")
    sub.add_argument("--learning-rate", type=not_negative, metavar="R", help="grey levels a step")
    add_weights_option(sub)
    sub.add_argument("--prior", metavar="F", help="a prior .npz, or a folder of 2015's .npy files (default: the one that ships)")
    sub.add_argument("--prior-kind", choices=("student", "gaussian"), default="student", help="default: %(default)s")
    sub.add_argument("--prior-strength", type=not_negative, metavar="S", help="weight of the prior's energy")
    sub.add_argument("--float64", action="store_true", help="compute in float64 (default: float32)")
    sub.add_argument("--seed", type=whole(0), default=0, help="draws the class, where none is named")
    sub.add_argument("--out", default=out, metavar="DIR", help="default: %(default)s")
    sub.add_argument("--resume", action="store_true", help="go on with the interrupted run in --out")


def add_weights_option(sub):
    sub.add_argument("--weights", metavar="F",
                     help="a MatConvNet VGG-16 .mat file (default: the small network that ships)")


def whole(least):
    def parse(text):
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{text}: must be at least {least}")
        return value
    parse.__name__ = "whole number"
    return parse


def not_negative(text):
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text}: must be a number of at least 0")
    return value


def size(text):
    width, height = text.lower().split("x")
    return whole(1)(width), whole(1)(height)


def run_dream(args):
    from lsd_repro import shipped
    from lsd_repro.dream.step import GradientStep, check_size
    from lsd_repro.film import schedule, stream
    from lsd_repro.film.start import load_start
    from lsd_repro.network import matconvnet
    from lsd_repro.prior import store

    program = {**PRESETS, "stills": STILLS}[args.preset]
    options = {"steps_per_frame": args.steps, "learning_rate": args.learning_rate, "frames_per_class": args.frames,
               "prior_strength": args.prior_strength, "video_frames_per_frame": args.video_frames}
    program = replace(program, **{name: value for name, value in options.items() if value is not None})

    own_size = args.start is not None and args.preset != "demo"
    start = load_start(args.start, args.size or (None if own_size else (program.width, program.height)))
    height, width = start.shape[:2]
    program = replace(program, height=height, width=width)
    if args.preset == "demo":
        # An even size, as H.264 wants it.
        program = replace(program, video_height=height // 2 * 2, video_width=width // 2 * 2)

    network = matconvnet.read(args.weights or shipped.path(shipped.NETWORK))
    prior = store.load_kind(args.prior or shipped.path(shipped.PRIORS), args.prior_kind)
    scenes = schedule.scenes(args.classes, args.schedule, program, network.descriptions, args.seed)
    check_size(height, width, network.weights[13].shape[2], program.prior_scales, program.network_scales)
    dtype = "float64" if args.float64 else "float32"

    def make_step():
        print("compiling (a minute or so the first time; Theano keeps the result)", file=sys.stderr)
        return GradientStep(network, prior, start, program.learning_rate, program.prior_strength,
                            program.prior_scales, program.network_scales, dtype)

    parameters = stream.parameters(program, scenes, start, network, prior, dtype, args.seed)
    stream.make_film(args.out, scenes, program, make_step, parameters, args.resume)
    print(f"done, see {args.out}")
    return 0


def run_classes(args):
    from lsd_repro import shipped
    from lsd_repro.network import matconvnet

    for index, description in enumerate(matconvnet.read(args.weights or shipped.path(shipped.NETWORK)).descriptions):
        print(f"{index:4} {description}")
    return 0


def run_prior_fit(args):
    from tqdm import tqdm

    from lsd_repro.prior import fit, store

    with tqdm(bar_format="{desc} [{elapsed}]") as bar:
        student, gaussian, provenance = fit.fit_folder(args.folder, args.patches, args.seed, bar.set_description_str)
    store.save(args.out, student, gaussian, provenance)
    print(provenance)
    return 0


def run_parity(args):
    from lsd_repro.compare import parity

    within = True
    for path in args.golden:
        deviations = parity.replay(path, args.prior_dir, args.float32)
        print(f"{path}\n{parity.table(deviations)}\n")
        within = within and all(d.within for d in deviations)
    print("within the limits" if within else "BEYOND THE LIMITS")
    return 0 if within else 1


def run_doctor(args):
    from lsd_repro import doctor

    print(doctor.report())
    return 2 if doctor.problems() else 0


if __name__ == "__main__":
    sys.exit(main())
