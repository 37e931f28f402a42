"""The ``lsd-repro`` command: parse, call, print.

Exit status: 0 done, 1 deviations beyond their limits (parity), 2 bad input,
130 interrupted.
"""

import argparse
import sys
from dataclasses import replace

from lsd_repro import __version__, fetch
from lsd_repro.errors import InputError
from lsd_repro.program2015 import DEMO, PATCH_SIZE, PUBLISHED, STILLS, STREAM, STREAM_START

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
        hint = ""
        if hasattr(args, "resume"):
            hint = f": go on with the same command and --resume (saved in {args.out})"
        elif args.run is run_fetch:
            hint = ": the same command goes on where this one stopped"
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

    sub = command("reproduce", run_reproduce, "the twelve frames that the author published, with everything as in 2015",
                  "lsd-repro reproduce volcano kit-fox")
    sub.add_argument("names", nargs="*", choices=(*PUBLISHED, "all"), default="all", metavar="NAME",
                     help=f"{', '.join(PUBLISHED)} or all (default: all)")
    sub.set_defaults(preset="stream", schedule=None)
    add_run_options(sub, "out/reproduce")
    sub.add_argument("--video-frames", type=whole(1), metavar="K", help="video frames between two optimised frames "
                                                                        "(default: %d; in 2015: 175 to 200)" % STREAM.video_frames_per_frame)

    sub = command("classes", run_classes, "list the classes that a network knows", "lsd-repro classes")
    add_weights_option(sub)

    prior = command("prior", None, "patch priors", "lsd-repro prior fit photos/ --out my-priors.npz")
    actions = prior.add_subparsers(title="actions", required=True, metavar="ACTION")
    def action(name, run, summary, example):
        sub = actions.add_parser(name, help=summary, description=summary, epilog=f"example: {example}")
        sub.set_defaults(run=run)
        return sub

    sub = action("fit", run_prior_fit, "fit priors to the patches of a folder of photos",
                 "lsd-repro prior fit photos/ --out my-priors.npz")
    sub.add_argument("folder", metavar="DIR", help="folder of JPEG or PNG photos")
    sub.add_argument("--kind", choices=("student", "gaussian", "both"), default="both", help="default: %(default)s")
    sub.add_argument("--patches", type=whole(1), default=200_000, metavar="N", help="default: %(default)s")
    sub.add_argument("--patch", type=whole(2), default=PATCH_SIZE, metavar="P",
                     help="side of a patch in pixels (default: %(default)s, as in 2015)")
    sub.add_argument("--seed", type=whole(0), default=0)
    sub.add_argument("--out", default="priors.npz", metavar="F", help="default: %(default)s")

    sub = action("show", run_prior_show, "what a prior is: filters, spectrum, tails, and samples drawn from it",
                 "lsd-repro prior show my-priors.npz --out out/my-priors")
    sub.add_argument("prior", nargs="?", metavar="F",
                     help="a prior .npz, or a folder of 2015's .npy files (default: the one that ships)")
    add_photos_options(sub, "out/prior-show")

    sub = action("compare", run_prior_compare, "several priors side by side, on one page and in numbers",
                 "lsd-repro prior compare data/priors.npz my-priors.npz --image me.jpg")
    sub.add_argument("priors", nargs="+", metavar="[NAME=]F", help="prior .npz files, or folders of 2015's .npy files; "
                                                                     "NAME=F gives one a name in the figure")
    sub.add_argument("--image", metavar="IMG", help="whose energy maps to show (default: a photo that scikit-image ships)")
    sub.add_argument("--dreams", nargs="+", default=(), metavar="IMG",
                     help="dreamt pictures, to see what energy they have")
    add_photos_options(sub, "out/prior-compare")

    sub = action("ablate", run_prior_ablate, "the same dream without a prior, with each kind, at one scale and at all",
                 'lsd-repro prior ablate --class "king penguin"')
    sub.add_argument("--class", dest="name", required=True, metavar="NAME", help="what to dream of")
    sub.add_argument("--strengths", nargs="+", type=not_negative, default=None, metavar="S",
                     help="prior strengths (default: the demo's and the stream's, 2 and 10)")
    sub.add_argument("--start", metavar="IMG", help="start image (default: a photo that scikit-image ships)")
    sub.add_argument("--prior", metavar="F", help="a prior file with both kinds (default: the one that ships)")
    add_weights_option(sub)
    sub.add_argument("--out", default="out/ablation", metavar="DIR", help="default: %(default)s")
    sub.add_argument("--resume", action="store_true", help="go on with the interrupted run in --out")

    sub = command("fetch", run_fetch, "download the material of 2015: weights, priors, start images, published frames",
                  "lsd-repro fetch priors starts frames")
    sub.add_argument("what", nargs="*", choices=(*fetch.SETS, "all"), default="all", metavar="SET",
                     help=f"{', '.join(fetch.SETS)} or all (default: all; the weights are 528 MiB)")
    sub.add_argument("--to", metavar="DIR",
                     help=f"folder for what is fetched (default: {fetch.CACHE_VARIABLE}, or the user's cache folder)")

    sub = command("parity", run_parity, "replay arrays that the 2015 program computed, and report every deviation",
                  "lsd-repro parity tests/golden/stream.npz tests/golden/stills.npz")
    sub.add_argument("golden", nargs="+", metavar="GOLDEN.npz")
    sub.add_argument("--prior-dir", metavar="DIR", help="folder of prior .npy files, for a golden file without a prior")
    sub.add_argument("--float32", action="store_true",
                     help="compute in float32, held to the drift of 2015's own float32")

    sub = command("compare", run_compare, "frames held against 2015's: are they as close to them as those are to each other?",
                  "lsd-repro compare out/webs --with frames-2015/*.png")
    sub.add_argument("ours", nargs="+", metavar="OURS", help="frames of ours: PNG files, or folders of runs")
    sub.add_argument("--with", dest="theirs", nargs="+", metavar="2015FRAME",
                     help="frames of 2015, at least three: files or folders (default: those that were fetched)")
    sub.add_argument("--prior", metavar="F", help="whose energies to compare: a prior .npz, or a folder of 2015's .npy files "
                                                  "(default: 2015's if fetched, else the one that ships)")
    sub.add_argument("--weights", metavar="F", help="whose class logits to compare: a MatConvNet VGG-16 .mat file "
                                                    "(default: 2015's if fetched, else none)")
    sub.add_argument("--out", default="out/compare", metavar="DIR", help="default: %(default)s")

    command("doctor", run_doctor, "what this installation runs on, what is missing, and what to do about it",
            "lsd-repro doctor")
    return top


def add_dream_options(sub, out):
    sub.add_argument("--classes", nargs="+", metavar="NAME",
                     help="what to show, one after the other; BOTTOM+TOP shows two in the halves of the picture")
    sub.add_argument("--schedule", metavar="F", help="a text file instead: 'NAME' or 'NAME | FRAMES' a line")
    add_run_options(sub, out)


def add_run_options(sub, out):
    sub.add_argument("--start", metavar="IMG", help="start image (default: a photo that scikit-image ships)")
    sub.add_argument("--size", type=size, metavar="WxH",
                     help="size of the optimised picture (default: the preset's; for stream and stills "
                          "that of --start, if given)")
    sub.add_argument("--frames", type=whole(1), metavar="N", help="optimised frames for each of --classes")
    sub.add_argument("--steps", type=whole(1), metavar="N", help="gradient steps per optimised frame")
    sub.add_argument("--learning-rate", type=not_negative, metavar="R", help="grey levels a step")
    add_weights_option(sub)
    sub.add_argument("--prior", metavar="F", help="a prior .npz, or a folder of 2015's .npy files (default: the one that ships)")
    sub.add_argument("--prior-kind", choices=("student", "gaussian", "tv"), default="student",
                     help="patch prior, or total variation (not of 2015) in its place (default: %(default)s)")
    sub.add_argument("--prior-strength", type=not_negative, metavar="S", help="weight of the prior's energy")
    sub.add_argument("--float64", action="store_true", help="compute in float64 (default: float32)")
    sub.add_argument("--seed", type=whole(0), default=0, help="draws the class, where none is named")
    sub.add_argument("--out", default=out, metavar="DIR", help="default: %(default)s")
    sub.add_argument("--resume", action="store_true", help="go on with the interrupted run in --out")


def add_photos_options(sub, out):
    sub.add_argument("--photos", metavar="DIR", help="photos that no prior was fitted on (default: five that "
                                                     "scikit-image and matplotlib ship)")
    sub.add_argument("--seed", type=whole(0), default=0)
    sub.add_argument("--out", default=out, metavar="DIR", help="default: %(default)s")


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
    from lsd_repro.dream.step import GradientStep
    from lsd_repro.film import schedule, stream
    from lsd_repro.film.start import load_start
    from lsd_repro.network import matconvnet, vgg16
    from lsd_repro.prior import store
    from lsd_repro.prior.energy import check_scales, multiscale, patch_energy, total_variation

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
    prior = None
    if args.prior_kind == "tv":
        if args.prior:
            raise InputError("--prior-kind tv (total variation) has no filters: leave out --prior")
    else:
        prior = store.load_kind(args.prior or shipped.path(shipped.PRIORS), args.prior_kind)
    # Total variation needs a neighbour.
    check_scales(height, width, program.prior_scales, prior.patch_size if prior else 2)
    scenes = schedule.scenes(args.classes, args.schedule, program, network.descriptions, args.seed)
    for scale in program.network_scales:
        vgg16.map_size(height // scale, width // scale, network.weights[13].shape[2])
    dtype = "float64" if args.float64 else "float32"

    def make_step():
        print("compiling (a minute or so the first time; Theano keeps the result)", file=sys.stderr)
        energy = multiscale(patch_energy(prior) if prior else total_variation, program.prior_scales)
        return GradientStep(network, energy, start, program.learning_rate, program.prior_strength,
                            program.network_scales, dtype)

    parameters = stream.parameters(program, scenes, start, network, prior, dtype, args.seed)
    stream.make_film(args.out, scenes, program, make_step, parameters, args.resume)
    print(f"done, see {args.out}")
    return 0


def run_reproduce(args):
    from pathlib import Path

    wanted = {"weights": "--weights F", "priors": "--prior F", "starts": "--start IMG"}
    for what, option in wanted.items():
        name = option.split()[0].lstrip("-")
        if getattr(args, name) is None:
            found = fetch.fetched(what)
            if found is None:
                raise InputError(f"2015's {what} are not here: 'lsd-repro fetch {what}' downloads them, "
                                 f"or say what to take instead with {option}")
            setattr(args, name, found / STREAM_START if what == "starts" else found)
    out, resume = Path(args.out), args.resume
    for name in PUBLISHED if "all" in args.names else args.names:
        number, query = PUBLISHED[name]
        args.classes, args.out = [query], str(out / name)
        # Of several, those after the one that was interrupted have not begun.
        args.resume = resume and (out / name).exists()
        run_dream(args)
        print(f"the author's frame is result{number:04d}.png (lsd-repro fetch frames)")
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

    kinds = fit.KINDS if args.kind == "both" else [args.kind]
    with tqdm(desc="photos", unit="photo") as photos, tqdm(desc="EM", unit="iteration", disable=args.kind == "gaussian") as em:
        def on_photo(seen, total):
            photos.total = total
            photos.update(seen + 1 - photos.n)

        def on_iteration(_, value, nu):
            em.set_postfix_str(f"log-likelihood {value:.4f} nats per patch, nu {nu:.4f}")
            em.update()

        priors, provenance, skipped = fit.fit_folder(args.folder, args.patches, args.seed, kinds, args.patch,
                                                     on_photo, on_iteration)
    store.save(args.out, priors.get("student"), priors.get("gaussian"), provenance)
    for reason in skipped[:5]:
        print(f"skipped {reason}", file=sys.stderr)
    if len(skipped) > 5:
        print(f"skipped {len(skipped) - 5} more", file=sys.stderr)
    print(provenance)
    return 0


def run_prior_show(args):
    from lsd_repro import shipped
    from lsd_repro.compare import prior_pages

    numbers = prior_pages.show(args.prior or shipped.path(shipped.PRIORS), args.out, args.photos, args.seed)
    for kind in ("gaussian", "student"):
        if kind in numbers:
            print(f"{kind}: {numbers[kind]['nats per pixel']:.3f} nats per pixel of {numbers['patches']} held-out patches")
    print(f"done, see {args.out}")
    return 0


def run_prior_compare(args):
    from lsd_repro.compare import prior_pages

    prior_pages.compare(args.priors, args.out, args.image, args.photos, args.dreams, args.seed)
    print(f"done, see {args.out}")
    return 0


def run_prior_ablate(args):
    from lsd_repro import shipped
    from lsd_repro.compare import prior_pages
    from lsd_repro.compare.ablation import PROGRAM, STRENGTHS
    from lsd_repro.film import schedule
    from lsd_repro.film.start import load_start
    from lsd_repro.network import matconvnet
    from lsd_repro.prior import store

    network = matconvnet.read(args.weights or shipped.path(shipped.NETWORK))
    scene = schedule.parse_classes([args.name], network.descriptions)[0]
    prior_pages.ablation(args.out, network, store.load(args.prior or shipped.path(shipped.PRIORS)),
                         load_start(args.start, (PROGRAM.width, PROGRAM.height)), scene,
                         args.strengths or STRENGTHS, resume=args.resume)
    print(f"done, see {args.out}")
    return 0


def run_fetch(args):
    for what in fetch.SETS if "all" in args.what else args.what:
        print(f"{what}: {fetch.fetch(what, args.to)}")
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


def run_compare(args):
    from lsd_repro import shipped
    from lsd_repro.compare import report

    theirs = args.theirs or [fetch.fetched("frames")]
    if theirs == [None]:
        raise InputError("2015's frames are not here: 'lsd-repro fetch frames' downloads them, "
                         "or say where they are with --with")
    numbers = report.compare(args.ours, theirs, args.out,
                             args.prior or fetch.fetched("priors") or shipped.path(shipped.PRIORS),
                             args.weights or fetch.fetched("weights"))
    verdicts = [one["verdict"] for one in numbers["statistics"].values()]
    print(f"as close as 2015's frames are to each other by {len(verdicts) - verdicts.count('outside')} "
          f"of {len(verdicts)} statistics")
    print(f"done, see {args.out}/report.html")
    return 0


def run_doctor(args):
    from lsd_repro import doctor

    print(doctor.report())
    return 2 if doctor.problems() else 0


if __name__ == "__main__":
    sys.exit(main())
