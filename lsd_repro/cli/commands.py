"""What each command of ``lsd-repro`` does: call the library, print.

Every function takes the parsed options and returns the exit status.  The libraries are
imported where they are needed, so that help and bad options don't wait for them.
"""

import sys
from argparse import Namespace
from pathlib import Path

from lsd_repro.cli import options
from lsd_repro.errors import InputError, StackError
from lsd_repro.material import fetch, shipped
from lsd_repro.program2015 import PUBLISHED, STREAM_START


def run_dream(args: Namespace) -> int:
    from lsd_repro.film import stream
    from lsd_repro.production.build import build
    from lsd_repro.production.load import load

    inputs = load(options.spec(args))
    stream.make_film(args.out, inputs.scenes, inputs.program, lambda: build(inputs), inputs.parameters, args.resume)
    print(f"done, see {args.out}")
    return 0


def run_live(args: Namespace) -> int:
    from lsd_repro.live.options import Options
    from lsd_repro.live.run import run

    run(Options(options.spec(args), args.out, args.resume, args.keep, args.hold, args.host, args.port, args.open, args.viewers,
                args.irc, args.irc_nick, args.irc_tell))
    return 0


def run_reproduce(args: Namespace) -> int:
    from lsd_repro.compare import published
    from lsd_repro.production.build import make_films
    from lsd_repro.production.load import load

    # Total variation has no filters.
    wanted = ("weights", "start") if args.prior_kind == "tv" else ("weights", "prior", "start")
    material, made_with, missing = _material(args, wanted)
    print(made_with + (f" 'lsd-repro fetch {' '.join(missing)}' brings 2015's." if missing else ""), flush=True)
    names = PUBLISHED if "all" in args.names else list(dict.fromkeys(args.names))
    folders = [Path(args.out) / name for name in names]
    inputs = load(options.spec(args, **material, classes=[PUBLISHED[name][1] for name in names]))
    make_films(folders, inputs, args.resume)
    theirs = fetch.fetched("frames")
    captions = [scene.caption for scene in inputs.scenes[::inputs.program.frames_per_class]]
    published.show(args.out, dict(zip(names, captions)), made_with, report=theirs is not None)
    print(f"done, see {args.out}/index.html")
    if theirs is None:
        print(f"'lsd-repro fetch frames' brings the author's frames; 'lsd-repro compare {args.out}' then compares these with "
              "them")
        return 0
    return _compare(folders, [theirs], Path(args.out) / "report", material.get("prior") or shipped.path(shipped.PRIORS),
                    shipped.network(material["weights"]), made_with)


def _material(args, options):
    """From each of these options to what it says, else 2015's if fetched, else None for ours; whose that is; sets to fetch."""
    from lsd_repro.film.start import SHIPPED_PHOTO

    known = {"weights": ("weights", "Weights", shipped.NETWORK), "prior": ("priors", "Prior", shipped.PRIORS),
             "start": ("starts", "Start image", f"scikit-image's photo of {SHIPPED_PHOTO}")}
    material, whose, missing = {}, [], []
    for option in options:
        what, called, ours = known[option]
        given, theirs = getattr(args, option), fetch.fetched(what)
        if option == "start" and theirs:
            theirs = theirs / STREAM_START
        material[option] = given or theirs
        source = Path(given).name if given else "2015's" if theirs else f"ours ({ours})"
        whose.append(f"{called}: {source}.")
        if not material[option]:
            missing.append(what)
    return material, " ".join(whose), missing


def run_atlas(args: Namespace) -> int:
    if args.scheduler and args.workers:
        raise InputError("--workers are those of this machine, and --scheduler has its own: leave one out")
    from functools import partial

    from lsd_repro.atlas import cluster
    from lsd_repro.runtime import device

    cluster.check_installed()
    # The workers compute.  Theano won't use a GPU in a process that one with a GPU has started.
    computing = device.asked()
    if computing != "cpu":
        device.choose("cpu")
    from lsd_repro.atlas import plan, run, sweep

    dreams = plan.dreams(sweep.read(args.sweep))
    failed = run.make(args.out, dreams, partial(cluster.remote, args.scheduler) if args.scheduler is not None else
                      partial(cluster.local, computing, args.workers), args.resume)
    if failed:
        print(f"lsd-repro: {len(failed)} of {len(dreams)} dreams failed, as said above; with --resume they are tried again",
              file=sys.stderr)
    print(f"done, see {args.out}/index.html")
    return 2 if failed else 0


def run_classes(args: Namespace) -> int:
    from lsd_repro.network import matconvnet

    for index, description in enumerate(matconvnet.read(shipped.network(args.weights)).descriptions):
        print(f"{index:4} {description}")
    return 0


def run_prior_fit(args: Namespace) -> int:
    from lsd_repro.front.prior import fitted
    from lsd_repro.material import files
    from lsd_repro.prior import fit, store

    files.check_place(args.out)
    kinds = fit.KINDS if args.kind == "both" else [args.kind]
    priors, provenance, skipped = fitted(args.folder, args.patches, args.seed, kinds, args.patch, 1 if args.grey else 3)
    store.save(args.out, priors.get("student"), priors.get("gaussian"), provenance)
    for reason in skipped[:5]:
        print(f"skipped {reason}", file=sys.stderr)
    if len(skipped) > 5:
        print(f"skipped {len(skipped) - 5} more", file=sys.stderr)
    print(provenance)
    return 0


def run_prior_show(args: Namespace) -> int:
    from lsd_repro.compare import prior_pages

    numbers = prior_pages.show(args.prior or shipped.path(shipped.PRIORS), args.out, args.photos, args.seed)
    for kind in ("gaussian", "student"):
        if kind in numbers:
            print(f"{kind}: {numbers[kind]['nats per pixel']:.3f} nats per pixel of {numbers['patches']} held-out patches")
    print(f"done, see {args.out}")
    return 0


def run_prior_compare(args: Namespace) -> int:
    from lsd_repro.compare import prior_pages

    prior_pages.compare(args.priors, args.out, args.image, args.photos, args.dreams, args.seed)
    print(f"done, see {args.out}")
    return 0


def run_prior_ablate(args: Namespace) -> int:
    from lsd_repro.compare import ablation, ablation_page
    from lsd_repro.film import schedule
    from lsd_repro.network import matconvnet
    from lsd_repro.prior import store

    weights = args.weights or "small"
    network = matconvnet.read(shipped.network(weights))
    other = matconvnet.read(shipped.network(args.judge_weights or ("small" if weights == "trunk" else "trunk")))
    scenes = schedule.parse_classes(args.classes or ablation.CLASSES, network.descriptions)
    judge_prior = args.judge_prior and store.load_kind(args.judge_prior, "student")
    wanted = {"kinds": args.kinds, "scales": [{"one": ablation.ONE, "all": ablation.ALL}[some] for some in args.scales],
               "strengths": sorted(args.strengths or ablation.STRENGTHS)}
    ablation_page.ablation(args.out, network, store.load(args.prior or shipped.path(shipped.PRIORS)), scenes, args.seeds, wanted,
                           resume=args.resume, other=other, judge_prior=judge_prior, photos=args.photos)
    print(f"done, see {args.out}")
    return 0


def run_prior_denoise(args: Namespace) -> int:
    from lsd_repro.compare import denoising

    print(denoising.page(args.out, args.colour, args.prior, args.pictures, args.sigmas, args.methods, args.seed, args.resume))
    print(f"done, see {args.out}")
    return 0


def run_fetch(args: Namespace) -> int:
    from lsd_repro.convert import downloaded

    failed = []
    for what in fetch.SETS if "all" in args.what else dict.fromkeys(args.what):
        try:
            print(f"{what}: {fetch.fetch(what, args.to, downloaded)}", flush=True)
        except InputError as error:  # one server that does not answer stops none of the others
            failed.append(f"{what}: {error}")
    if failed:
        raise InputError("\n".join(failed))
    return 0


def run_convert(args: Namespace) -> int:
    from lsd_repro.convert import reader
    from lsd_repro.material import files
    from lsd_repro.network import matconvnet

    files.check_place(args.out)
    network, findings = reader.read(args.file)
    if Path(args.out).exists() and Path(args.out).samefile(args.file):
        raise InputError(f"--out {args.out} is the file that is read: name another")
    matconvnet.write(args.out, network)
    print("\n".join(findings))
    print(f"done, to be used with --weights {args.out}")
    return 0


def run_parity(args: Namespace) -> int:
    from lsd_repro.compare import parity
    from lsd_repro.figures import drawing
    from lsd_repro.material import files

    if args.figure:
        files.check_place(args.figure)
    within = True
    for path in args.golden:
        deviations = parity.replay(path, args.prior_dir, args.float32)
        print(f"{path}\n{parity.table(deviations)}\n")
        within = within and all(d.within for d in deviations)
    if args.figure:
        drawing.save(args.figure, parity.draw_drift(args.golden[0], args.prior_dir))
    print("within the limits" if within else "BEYOND THE LIMITS")
    return 0 if within else 1


def run_compare(args: Namespace) -> int:
    theirs = args.theirs or [fetch.fetched("frames")]
    if theirs == [None]:
        raise InputError("2015's frames are not here: 'lsd-repro fetch frames' downloads them, "
                         "or say where they are with --with")
    return _compare(args.ours, theirs, args.out, args.prior or fetch.fetched("priors") or shipped.path(shipped.PRIORS),
                    fetch.fetched("weights") if args.weights is None else shipped.network(args.weights))


def _compare(ours, theirs, out, prior, weights, made_with=None):
    from lsd_repro.compare import report

    numbers = report.compare(ours, theirs, out, prior, weights, made_with)
    verdicts = [one["verdict"] for one in numbers["statistics"].values()]
    print(f"as close as 2015's frames are to each other by {len(verdicts) - verdicts.count('outside')} "
          f"of {len(verdicts)} statistics")
    print(f"done, see {out}/report.html")
    return 0


def run_transition(args: Namespace) -> int:
    from lsd_repro.compare import transition, transition_numbers, transition_page
    from lsd_repro.material.photos import read_photo
    from lsd_repro.network import matconvnet
    from lsd_repro.prior import store

    before, after = (read_photo(given or _frame(name, option)) for given, name, option in (
        (args.before, transition.BEFORE, "--before"), (args.after, transition.AFTER, "--after")))
    material, made_by, _ = _material(args, ("weights", "prior"))
    print(made_by, flush=True)
    network = matconvnet.read(shipped.network(material["weights"]))
    genuine = transition.is_genuine(network)
    if genuine:
        print(transition_numbers.expectation(), flush=True)
    priors = store.load(material["prior"] or shipped.path(shipped.PRIORS))
    found = transition_page.page(args.out, before, after, network, priors, args.target, args.wrong, args.quick,
                                 args.seed, made_by, args.resume)
    print(transition_numbers.text(found))
    if genuine:
        print(transition_numbers.came_true(found))
    print(f"done, see {args.out}/transition.html")
    return 0


def _frame(name, option):
    """One of the author's frames that were fetched."""
    folder = fetch.fetched("frames")
    if folder is None or not (folder / name).is_file():
        raise InputError(f"2015's {name} is not here: 'lsd-repro fetch frames' downloads it, or name a picture with {option}")
    return folder / name


def run_bench_step(args: Namespace) -> int:
    from lsd_repro.bench import measure

    _bench(args, measure.step_pages, args.sizes, args.widths, args.repeats, args.threads, args.apart, args.resume)
    return 0


def run_bench_film(args: Namespace) -> int:
    from lsd_repro.bench import measure

    _bench(args, measure.film_pages, args.frames, args.repeats, args.threads)
    return 0


def _bench(args, page, *options):
    """Measure, showing how far it is, and print the table."""
    from lsd_repro.runtime.progress import tqdm

    with tqdm(bar_format="{elapsed} {desc}") as bar:
        text = page(args.out, *options, report=bar.set_description_str)
    print(f"{text}\ndone, see {args.out}")


def run_doctor(args: Namespace) -> int:
    from lsd_repro.cli import doctor

    if args.verify_gpu:
        return verify_gpu(args.verify_gpu)
    print(doctor.report())
    return 2 if doctor.problems() else 0


def verify_gpu(out: str) -> int:
    from lsd_repro.runtime import device

    name = device.asked()
    if name == "cpu":
        name = "cuda"
    missing = device.problems(name)
    if missing:
        raise StackError("\n".join(missing))
    from lsd_repro.compare import devices

    result = devices.verify(name, out)
    print(f"{devices.table(result)}\n\n{'within the limits' if result['within the limits'] else 'BEYOND THE LIMITS'}; "
          f"all figures are in {out}")
    return 0 if result["within the limits"] else 1


# Those that take --device.
COMPUTING = (run_dream, run_live, run_reproduce, run_atlas, run_prior_show, run_prior_compare, run_prior_ablate, run_parity,
             run_compare, run_transition, run_doctor)
