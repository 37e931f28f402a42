"""What each command of ``lsd-repro`` does: call the library, print.

Every function takes the parsed options and returns the exit status.  The libraries are
imported where they are needed, so that help and bad options don't wait for them.
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from lsd_repro import fetch
from lsd_repro.errors import InputError
from lsd_repro.program2015 import DEMO, PUBLISHED, STILLS, STREAM, STREAM_START

PROGRAMS = {"demo": DEMO, "stream": STREAM, "stills": STILLS}


class Plan(NamedTuple):
    """What the options of a dream come to."""

    program: object
    scenes: list
    network: object
    make_step: object
    parameters: dict


def run_dream(args):
    from lsd_repro.film import stream

    plan = planned(args)
    stream.make_film(args.out, plan.scenes, plan.program, plan.make_step, plan.parameters, args.resume)
    print(f"done, see {args.out}")
    return 0


def planned(args):
    """The Plan that the options of a dream come to; InputError for those that don't go."""
    from lsd_repro import shipped
    from lsd_repro.dream.step import GradientStep
    from lsd_repro.film import schedule, stream
    from lsd_repro.film.start import load_start
    from lsd_repro.network import matconvnet, vgg16
    from lsd_repro.prior import store
    from lsd_repro.prior.energy import check_scales, multiscale, patch_energy, total_variation

    program = PROGRAMS[args.preset]
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

    network = matconvnet.read(shipped.network(args.weights))
    prior = None
    if args.prior_kind == "tv":
        if args.prior:
            raise InputError("--prior-kind tv (total variation) has no filters: leave out --prior")
    else:
        prior = store.load_kind(args.prior or shipped.path(shipped.PRIORS), args.prior_kind)
    # Total variation needs a neighbour.
    check_scales(height, width, program.prior_scales, prior.patch_size if prior else 2)
    if getattr(args, "chat", None):
        scenes = chat_scenes(args, program, network.descriptions)
    else:
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
    return Plan(program, scenes, network, make_step, parameters)


def chat_scenes(args, program, descriptions):
    """The scenes that the chat of a log chooses."""
    from lsd_repro.chat import logs, replay
    from lsd_repro.chat.vocabulary import vocabulary

    if args.classes or args.schedule:
        raise InputError(f"let the chat {args.chat} choose, or --classes or --schedule, not both")
    log = logs.read_log(args.chat)
    print(f"{args.chat}: {log.summary()}", file=sys.stderr)
    return replay.scenes(log.messages, vocabulary(descriptions), program, args.seed, args.frames)


def run_live(args):
    from lsd_repro.live.run import run

    run(args)
    return 0


def run_reproduce(args):
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

    for index, description in enumerate(matconvnet.read(shipped.network(args.weights)).descriptions):
        print(f"{index:4} {description}")
    return 0


def run_prior_fit(args):
    from tqdm import tqdm

    from lsd_repro.prior import fit, store

    kinds = fit.KINDS if args.kind == "both" else [args.kind]
    no_em = args.kind == "gaussian"
    with tqdm(desc="photos", unit="photo") as photos, tqdm(desc="EM", unit="iteration", disable=no_em) as em:
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

    network = matconvnet.read(shipped.network(args.weights))
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
    from lsd_repro.figures import drawing

    within = True
    for path in args.golden:
        deviations = parity.replay(path, args.prior_dir, args.float32)
        print(f"{path}\n{parity.table(deviations)}\n")
        within = within and all(d.within for d in deviations)
    if args.figure:
        drawing.save(args.figure, parity.draw_drift(args.golden[0], args.prior_dir))
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
                             fetch.fetched("weights") if args.weights is None else shipped.network(args.weights))
    verdicts = [one["verdict"] for one in numbers["statistics"].values()]
    print(f"as close as 2015's frames are to each other by {len(verdicts) - verdicts.count('outside')} "
          f"of {len(verdicts)} statistics")
    print(f"done, see {args.out}/report.html")
    return 0


def run_bench_step(args):
    from lsd_repro.bench import pages

    _bench(args, pages.step, args.sizes, args.widths, args.repeats, args.threads, args.apart, args.resume)
    return 0


def run_bench_film(args):
    from lsd_repro.bench import pages

    _bench(args, pages.film, args.frames, args.repeats, args.threads)
    return 0


def _bench(args, page, *options):
    """Measure, showing how far it is, and print the table."""
    from tqdm import tqdm

    with tqdm(bar_format="{elapsed} {desc}") as bar:
        text = page(args.out, *options, report=bar.set_description_str)
    print(f"{text}\ndone, see {args.out}")


def run_doctor(args):
    from lsd_repro import doctor

    if args.verify_gpu:
        return verify_gpu(args.verify_gpu)
    print(doctor.report())
    return 2 if doctor.problems() else 0


def verify_gpu(out):
    from lsd_repro import device, stack

    name = device.asked()
    if name == "cpu":
        name = "cuda"
    missing = device.problems(name, stack.find_compiler)
    if missing:
        raise InputError("\n".join(missing))
    from lsd_repro.compare import devices

    result = devices.verify(name, out)
    print(f"{devices.table(result)}\n\n{'within the limits' if result['within the limits'] else 'BEYOND THE LIMITS'}; "
          f"all figures are in {out}")
    return 0 if result["within the limits"] else 1


# Those that take --device.
COMPUTING = (run_dream, run_live, run_reproduce, run_prior_show, run_prior_compare, run_prior_ablate, run_parity, run_compare,
             run_doctor)
