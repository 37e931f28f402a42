"""What each command of ``lsd-repro`` does: call the library, print.

Every function takes the parsed options and returns the exit status.  The libraries are
imported where they are needed, so that help and bad options don't wait for them.
"""

import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from lsd_repro.errors import InputError
from lsd_repro.material import fetch
from lsd_repro.program2015 import DEMO, LIVE, PUBLISHED, STILLS, STREAM, STREAM_START

PROGRAMS = {"demo": DEMO, "live": LIVE, "stream": STREAM, "stills": STILLS}

# Presets of which --size is the size of the film, too.
SCALED = ("demo", "live")


class Plan(NamedTuple):
    """What the options of a dream come to."""

    scenes: list
    program: object
    make_step: object
    parameters: dict
    descriptions: tuple


def run_dream(args):
    from lsd_repro.film import stream

    plan = planned(args)
    stream.make_film(args.out, plan.scenes, plan.program, plan.make_step, plan.parameters, args.resume)
    print(f"done, see {args.out}")
    return 0


def planned(args):
    """The Plan that the options of a dream come to; InputError for those that don't go."""
    from lsd_repro.dream.step import GradientStep
    from lsd_repro.film import schedule, stream
    from lsd_repro.film.start import NOISE, load_start
    from lsd_repro.material import shipped
    from lsd_repro.network import matconvnet, vgg16
    from lsd_repro.prior import store
    from lsd_repro.prior.energy import check_scales, multiscale, patch_energy, total_variation

    program = PROGRAMS[args.preset]
    options = {"steps_per_frame": args.steps, "learning_rate": args.learning_rate, "frames_per_class": args.frames,
               "network_scales": args.network_scales and tuple(args.network_scales),
               "prior_strength": args.prior_strength, "video_frames_per_frame": args.video_frames}
    program = replace(program, **octaves(args), **{name: value for name, value in options.items() if value is not None})

    wanted = args.start or program.start
    own_size = wanted not in (None, NOISE) and args.preset not in SCALED
    start = load_start(wanted, args.size or (None if own_size else (program.width, program.height)), args.seed)
    height, width = start.shape[:2]
    program = replace(program, height=height, width=width)
    if args.preset in SCALED:
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
    if not args.octaves:
        program = replace(program, octaves=_fitting(program.octaves, min(height, width), vgg16.least_side(network.fc6_size)))
    for scale in [scale for scale, _ in program.octaves] or program.network_scales:
        vgg16.map_size(height // scale, width // scale, network.fc6_size)
    dtype = "float64" if args.float64 else "float32"

    def make_step():
        print("compiling (a minute or so the first time; Theano keeps the result)", file=sys.stderr)
        energy = multiscale(patch_energy(prior) if prior else total_variation, program.prior_scales)
        return GradientStep(network, energy, start, program.learning_rate, program.prior_strength,
                            None if program.octaves else program.network_scales, dtype)

    parameters = stream.parameters(program, scenes, start, network, prior, dtype, args.seed)
    return Plan(scenes, program, make_step, parameters, network.descriptions)


def octaves(args):
    """What the options say of the octaves, as fields of a Program; without any, the preset's stand."""
    at_once = {"--network-scales": args.network_scales, "--steps": args.steps}
    given = [option for option, value in at_once.items() if value is not None]
    if args.octaves is None:
        return {"octaves": ()} if given else {}
    if given:
        raise InputError(f"--octaves says at which scale each step is taken: leave out {' and '.join(given)}")
    return {"octaves": tuple(args.octaves), "steps_per_frame": sum(steps for _, steps in args.octaves)}


def _fitting(octaves, side, least):
    """A preset's octaves without those at which a picture is too small for the network; the last takes their steps."""
    if not octaves:
        return ()
    *coarse, (finest, steps) = octaves
    kept = [(scale, count) for scale, count in coarse if side // scale >= least]
    left_out = sum(count for _, count in coarse) - sum(count for _, count in kept)
    return (*kept, (finest, steps + left_out))


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

    if args.preset == "live" and args.weights is None:
        args.weights = "small"
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
    names = PUBLISHED if "all" in args.names else list(dict.fromkeys(args.names))
    folders = [Path(args.out) / name for name in names]
    args.classes = [PUBLISHED[name][1] for name in names]
    _make_films(args, folders)
    for name in names:
        print(f"of {name} the author's frame is result{PUBLISHED[name][0]:04d}.png")
    if fetch.fetched("frames") is None:
        print(f"'lsd-repro fetch frames' brings the author's frames; 'lsd-repro compare {args.out}' then holds these beside them")
        return 0
    return run_compare(Namespace(ours=folders, theirs=None, prior=args.prior, weights=args.weights,
                                 out=str(Path(args.out) / "report")))


def _make_films(args, folders):
    """A film of each of --classes in a folder of its own, all by one step, having said how long they will take."""
    from lsd_repro.film import estimate, stream

    for folder in folders:
        if not args.resume:
            stream.check_empty(folder)
    scenes, program, make_step, parameters, _ = planned(args)
    count = len(scenes) // len(folders)
    step = make_step()
    start = step.picture.copy()
    pace = estimate.measure(step, scenes[0], program)
    to_come = len(scenes) - sum(len(list(folder.glob("frames/frame*.png"))[1:]) for folder in folders)
    print(f"{to_come} frames of {program.steps_per_frame} steps, and {len(folders)} films: about "
          f"{estimate.in_words(pace.seconds(program, to_come, len(scenes)))} at {pace.step:.2g} s a step and "
          f"{pace.video_frame:.2g} s a video frame", file=sys.stderr)

    def from_the_start():
        step.picture = start
        step.reset_moments()
        return step

    for index, folder in enumerate(folders):
        own = scenes[index * count:(index + 1) * count]
        # Of several, those after the one that was interrupted have not begun.
        stream.make_film(folder, own, program, from_the_start, {**parameters, "scenes": [list(scene) for scene in own]},
                         args.resume and folder.exists())
        print(f"done, see {folder}")


def run_classes(args):
    from lsd_repro.material import shipped
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
    from lsd_repro.compare import prior_pages
    from lsd_repro.material import shipped

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
    from lsd_repro.compare import ablation, ablation_page
    from lsd_repro.film import schedule
    from lsd_repro.material import shipped
    from lsd_repro.network import matconvnet
    from lsd_repro.prior import store

    weights = args.weights or "small"
    network = matconvnet.read(shipped.network(weights))
    other = matconvnet.read(shipped.network(args.judge_weights or ("small" if weights == "trunk" else "trunk")))
    scenes = schedule.parse_classes(args.classes or ablation.CLASSES, network.descriptions)
    judge_prior = args.judge_prior and store.load_kind(args.judge_prior, "student")
    options = {"kinds": args.kinds, "scales": [{"one": ablation.ONE, "all": ablation.ALL}[some] for some in args.scales],
               "strengths": sorted(args.strengths or ablation.STRENGTHS)}
    ablation_page.ablation(args.out, network, store.load(args.prior or shipped.path(shipped.PRIORS)), scenes, args.seeds, options,
                           resume=args.resume, other=other, judge_prior=judge_prior, photos=args.photos)
    print(f"done, see {args.out}")
    return 0


def run_fetch(args):
    for what in fetch.SETS if "all" in args.what else args.what:
        print(f"{what}: {fetch.fetch(what, args.to)}")
    return 0


def run_convert(args):
    from lsd_repro.convert import reader
    from lsd_repro.network import matconvnet

    network, findings = reader.read(args.file)
    if Path(args.out).exists() and Path(args.out).samefile(args.file):
        raise InputError(f"--out {args.out} is the file that is read: name another")
    matconvnet.write(args.out, network)
    print("\n".join(findings))
    print(f"done, to be used with --weights {args.out}")
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
    from lsd_repro.compare import report
    from lsd_repro.material import shipped

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
    from lsd_repro.runtime import doctor

    if args.verify_gpu:
        return verify_gpu(args.verify_gpu)
    print(doctor.report())
    return 2 if doctor.problems() else 0


def verify_gpu(out):
    from lsd_repro.runtime import device, find

    name = device.asked()
    if name == "cpu":
        name = "cuda"
    missing = device.problems(name, find.find_compiler)
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
