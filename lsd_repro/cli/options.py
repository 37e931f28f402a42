"""The options of a dream, as the command line offers them: a `Spec`'s, with what to say of each."""

import argparse
from collections.abc import Iterable
from typing import Any, Callable

from lsd_repro.material import shipped
from lsd_repro.production.spec import OPTIONS, PRIOR_KINDS, Spec

NETWORK_CHOICE = f"{' or '.join(shipped.NETWORKS)}, which ship, or a MatConvNet VGG-16 or VGG-19 .mat file"

# Placeholder and help of each; those of presets differ from command to command.
SAID = {
    "classes": ("NAME", "what to show, one after the other; BOTTOM+TOP shows two in the halves of the picture"),
    "schedule": ("F", "instead, a text file with 'NAME' or 'NAME | FRAMES' on each line"),
    "chat": ("LOG", "an exported chat chooses, by the rules of 2015: JSON or text of TwitchDownloader, JSON of "
                    "chat-downloader, raw IRC, Chatterino (--frames then counts those of the whole film)"),
    "objective": ("O", "class; or layer:NAME, whatever that layer sees (DeepDream's, such as layer:conv5_2); or "
                       "layer:NAME:CHANNEL, what one channel of it sees (layer:conv4_2:87); neither is of 2015's stream "
                       "(default: %(default)s)"),
    "guide": ("IMG", "what the layer of --objective sees in this picture (guided DeepDream; default layer: conv4_3)"),
    "tile": ("PX", "for pictures whose maps are larger than memory: look at PX by PX pixels at a time, such as 1024; "
                   "without seams, and slower, as tiles overlap by what the network sees at once"),
    "start": ("IMG", "start image, or 'noise' for coloured noise drawn from --seed (default: the demo starts from noise, "
                     "other presets from a photo that scikit-image ships)"),
    "size": ("WxH", "size of the optimised picture (default: the preset's; for stream and stills that of --start, if given)"),
    "frames": ("N", "optimised frames for each of --classes"),
    "steps": ("N", "gradient steps per optimised frame"),
    "network_scales": ("S", "the network sees the picture pooled by each of these at every step (2015: 1; its stills: 3 4)"),
    "octaves": ("S:N", "instead: N steps at network scale S, then on to the next; 3:5 2:3 1:2 draws large shapes "
                       "first (not of 2015)"),
    "learning_rate": ("R", "grey levels per step"),
    "weights": ("F", f"{NETWORK_CHOICE} (default: {{weights}})"),
    "prior": ("F", "a prior .npz, or a folder of 2015's .npy files (default: the one that ships)"),
    "prior_kind": (None, "patch prior, or in its place total variation, not of 2015 (default: %(default)s)"),
    "prior_scales": ("S", "the prior looks at the picture pooled by each of these (2015: 1 4 8 16 32; 32 needs 256 pixels)"),
    "prior_strength": ("S", "weight of the prior's energy (default: the preset's; of ours, what suits the network that ships)"),
    "float64": (None, "compute in float64 (default: float32)"),
    "seed": (None, "for the start noise, and for the class where none is named"),
    "video_frames": ("K", "video frames between two optimised frames, at 25 a second (2015: 175 to 200); the picture is "
                          "zoomed by as many, so they change it, too"),
}


def add(sub: argparse.ArgumentParser, names: Iterable[str], weights: str = shipped.NETWORK) -> None:
    """Add options of a `Spec`, by the names of its fields; `weights` is what is said of the default network."""
    for name in names:
        option, (metavar, said) = OPTIONS[name], SAID[name]
        kind: dict[str, Any] = {"type": typed(option.metadata["one"]), "metavar": metavar}
        if option.default is False:
            kind = {"action": "store_true"}
        elif name == "prior_kind":
            kind = {"choices": PRIOR_KINDS}
        elif option.metadata["many"]:
            kind["nargs"] = "+"
        sub.add_argument(f"--{name.replace('_', '-')}", help=said.format(weights=weights), default=option.default, **kind)


def spec(args: argparse.Namespace, **instead: Any) -> Spec:
    """What a command is asked for: of its options those that a `Spec` has, but for what is given here instead."""
    given = {name: value for name, value in vars(args).items() if name in OPTIONS}
    return Spec(**{**given, **instead})


def typed(read: Callable[[Any], Any]) -> Callable[[str], Any]:
    """What argparse can take for a type: a reader of `lsd_repro.production.values`, whose message it then shows."""
    def parse(text):
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
    return parse
