"""The LSD neural net of 2015 in one file: name a thing, and VGG-16 dreams it, zooming in without end.

    python examples/repro2015.py --classes volcano --frames 3
    python examples/repro2015.py --classes "king penguin+gondola" --start me.jpg    # bottom half + top half

It reads from top to bottom: network, prior, objective, update, zoom, stream.  Constants and quirks have beside them their line
in the program that ran on Twitch (github.com/317070/Twitch-plays-LSD-neural-net, commit 2c71719); docs/2015.md explains them.
tests/test_examples.py holds this file to numbers that the 2015 program itself computed.

Left out are chat and captions.  This is plain Theano and Lasagne; the package does the same several times as fast.
"""

import argparse
from collections import OrderedDict
from functools import partial
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from PIL import Image
from skimage import data
from skimage.transform import SimilarityTransform, warp

from lsd_repro.network.matconvnet import read
from lsd_repro.runtime.load import T, lasagne, theano

SHIPPED = Path(__file__).resolve().parents[1] / "data"
floatX = lasagne.utils.floatX  # casts to float32, in which the stream ran


# The network: VGG-16 (Simonyan and Zisserman 2014, configuration D), fully convolutional.

def class_logits(x, network):
    """Map of class logits (1, classes, rows, columns) of an RGB picture (1, 3, height, width) in 0..255."""
    parameters = zip(network.weights, network.biases)

    def conv(below, pad, nonlinearity=lasagne.nonlinearities.rectify):
        W, b = next(parameters)
        return lasagne.layers.Conv2DLayer(
            below, num_filters=W.shape[0], filter_size=W.shape[2:], pad=pad, W=floatX(W), b=floatX(b), nonlinearity=nonlinearity,
            convolution=partial(T.nnet.conv2d, filter_flip=False))  # models/default.py, lines 62-66: cuDNN's don't flip

    net = lasagne.layers.InputLayer((1, 3, None, None))
    for convolutions in network.groups:  # models/default.py, lines 80-106: 2, 2, 3, 3, 3
        for _ in range(convolutions):
            net = conv(net, pad=1)
        net = lasagne.layers.MaxPool2DLayer(net, 2)  # models/default.py, lines 71-73: odd rows and columns are dropped
    net = conv(net, pad=0)  # fc6, 7x7
    net = conv(net, pad=0)  # fc7, 1x1
    net = conv(net, pad=0, nonlinearity=None)  # fc8; models/default.py, lines 119-124: logits, no softmax
    return lasagne.layers.get_output(net, x - network.mean)  # models/default.py, line 58: one scalar for all colours


# The prior: a Student-t on the responses of 192 whitening filters to 8x8 patches, at several scales.

PRIOR_STRENGTH = 10.0  # models/default.py, line 37
PRIOR_SCALES = 1, 4, 8, 16, 32  # train.py, line 147
GREY = 128.0  # train.py, line 110: from the same picture the network subtracts another mean
STUDENT_SCALE = 0.665248  # train.py, line 115


def mean_pool(x, factor):
    """Means of blocks of factor x factor pixels; the remainder is cropped (train.py, lines 100-108)."""
    return T.signal.pool.pool_2d(x, (factor, factor), ignore_border=True, mode="average_exc_pad")


def patch_energy(x, filters, mean):
    """Mean of log(1 + (z - mu)^2 / v) over patches and filters (8, 8, 3, 192), whose mean responses are (192,)."""
    W, mu = floatX(filters.transpose(3, 2, 0, 1)), floatX(mean[:, np.newaxis, np.newaxis])
    z = T.nnet.conv2d(x - GREY, W)  # train.py, lines 110-111: a true convolution, so these filters are flipped
    return T.log(1 + (z - mu) ** 2 / STUDENT_SCALE).mean()  # train.py, lines 115-119: each component on its own


# The objective.  Change it, and the stream dreams of something else.

def objective(x, network, prior, bottom, top):
    """The loss: low where class `bottom` fills the lower half of a picture that looks natural, and `top` the upper half."""
    logits = class_logits(x, network)
    middle = logits.shape[2] // 2
    class_term = (-logits[0, bottom, middle:].mean()  # train.py, lines 87-88: the first class is the one at the bottom
                  - logits[0, top, :middle].mean()
                  + logits.mean())  # train.py, line 89: keeps the other classes low
    prior_term = sum(patch_energy(mean_pool(x, scale), *prior) for scale in PRIOR_SCALES) / len(PRIOR_SCALES)
    return class_term + PRIOR_STRENGTH * prior_term


# The update: Adam (Kingma and Ba 2014), with its betas the other way round.

LEARNING_RATE = 5.0  # models/default.py, line 29: grey levels
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # models/default.py, lines 137-138


def adam(loss, x):
    """Updates of a step, and the shared variables that are to be 0 before the first."""
    zeros = np.zeros_like(x.get_value())
    m, v, steps = theano.shared(zeros), theano.shared(zeros), theano.shared(floatX(0))
    gradient, t = T.grad(loss, x), steps + 1
    # models/default.py, lines 137-152: the betas weigh the NEW gradient, so that a step is close to a sign step.
    m_new = BETA1 * gradient + (1 - BETA1) * m
    v_new = BETA2 * gradient ** 2 + (1 - BETA2) * v
    m_hat = m_new / (1 - (1 - BETA1) ** t)
    v_hat = v_new / (1 - (1 - BETA2) ** t)
    x_new = T.clip(x - LEARNING_RATE * m_hat / (T.sqrt(v_hat) + EPSILON), 0, 255)  # clipped as in train.py, lines 221-222
    return OrderedDict([(m, m_new), (v, v_new), (steps, t), (x, x_new)]), (m, v, steps)


# The zoom: one similarity transform moves the picture that is dreamt on, and makes the film between two of them.

FRAMES_PER_SECOND = 25  # train.py, line 196
ZOOM = 1.05 ** (1 / FRAMES_PER_SECOND)  # models/default.py, line 39: 5 % a second
ROTATION = np.deg2rad(0.01)  # zoomingstream.py, line 68: for each frame of the film
FILM_SIZE = 576, 1024  # models/default.py, lines 41-42: height, width
FILM_FRAMES = 193  # between two dreamt frames: in 2015 the clock decided, for 193 the one time we know of (docs/2015.md)


def moved(picture, k, shape, fit=1.0, **interpolation):
    """A picture (height, width, 3) as it looks `k` frames of the film later, `fit` times as large and cut to `shape`."""
    (height, width), (rows, columns) = picture.shape[:2], shape
    # zoomingstream.py, lines 114-121: about (width / 2, height / 2), half a pixel off the middle of the pixels.
    to_picture = (SimilarityTransform(translation=(-columns / 2, -rows / 2))
                  + SimilarityTransform(scale=1 / (ZOOM ** k * fit), rotation=-ROTATION * k)
                  + SimilarityTransform(translation=(width / 2, height / 2)))
    return warp(np.float64(picture), to_picture, output_shape=shape, clip=False, preserve_range=True, **interpolation)


def zoomed(picture):
    """What the next frame starts from: bicubic, clipped before and not after (zoomingstream.py, lines 123-129)."""
    unit = np.clip(picture / 255, 0, 1)
    return 255 * np.float32(moved(unit, FILM_FRAMES, unit.shape[:2], order=3, mode="edge"))


def film_frame(a, b, i):
    """Frame `i` of the film from `a` to `b`, in 0..1: bilinear, one fading into the other (zoomingstream.py, lines 74-88)."""
    fit = min(FILM_SIZE[0] / a.shape[0], FILM_SIZE[1] / a.shape[1])
    older = moved(a / 255, i, FILM_SIZE, fit, order=1, mode="edge")
    newer = moved(b / 255, i - FILM_FRAMES, FILM_SIZE, fit, order=1, mode="constant", cval=np.nan)
    share = i / FILM_FRAMES
    # zoomingstream.py, lines 85-94: zoomed out, the newer one leaves a margin.
    return np.where(np.isnan(newer), older, (1 - share) * older + share * newer)


# The stream.

STEPS_PER_FRAME = 10  # models/default.py, line 33


def stream(network, prior, start, schedule):
    """Yield loss and picture (height, width, 3) after every step; `schedule` has classes (bottom, top) for each frame."""
    def to_graph(picture):
        return floatX(picture.transpose(2, 0, 1)[np.newaxis])

    x = theano.shared(to_graph(start))
    bottom, top = T.iscalars("bottom", "top")
    loss = objective(x, network, prior, bottom, top)
    updates, moments = adam(loss, x)
    step = theano.function([bottom, top], loss, updates=updates)
    picture = floatX(start)
    for classes in schedule:
        x.set_value(to_graph(zoomed(picture)))  # train.py, line 213
        for moment in moments:  # train.py, lines 214-215: Adam starts afresh
            moment.set_value(np.zeros_like(moment.get_value()))
        for _ in range(STEPS_PER_FRAME):
            loss_before = step(*classes)  # train.py, lines 220-224: of the picture before the step
            picture = x.get_value()[0].transpose(1, 2, 0)
            yield float(loss_before), picture


def class_named(term, network):
    """The class that has a term in its description, such as "spider web, spider's web" (read_the_chat.py, lines 58-59)."""
    for index, description in enumerate(network.descriptions):
        if term.strip().lower() in map(str.strip, description.lower().split(",")):
            return index
    raise ValueError(f"--classes: the network has no class {term!r}; 'lsd-repro classes' lists those it has")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--classes", default="volcano", metavar="BOTTOM[+TOP]", help="what to dream (default: %(default)s)")
    parser.add_argument("--frames", default=3, type=int, help=f"of {STEPS_PER_FRAME} steps each (default: %(default)s)")
    parser.add_argument("--start", help="a picture, which sets the size (default: a cup of coffee)")
    parser.add_argument("--weights", default=SHIPPED / "vgg16-trunk.mat", help="a VGG in MatConvNet's .mat format")
    parser.add_argument("--prior", default=SHIPPED / "priors.npz", help="from 'lsd-repro prior fit'")
    parser.add_argument("--out", default="out/repro2015", type=Path, help="folder for pictures and film (default: %(default)s)")
    options = parser.parse_args()
    try:
        network = read(options.weights)
        with np.load(options.prior) as file:
            prior = file["student_prior_filters"], file["student_prior_mean"]
        # train.py, line 209: one class fills both halves; read_the_chat.py, line 144: of several the first two count.
        classes = ([class_named(term, network) for term in options.classes.split("+")] * 2)[:2]
        start = np.array(Image.open(options.start).convert("RGB")) if options.start else data.coffee()[31:369]
        if min(start.shape[:2]) < 256:  # for two rows of logits, and a patch at the coarsest scale
            raise ValueError(f"--start: {options.start} is smaller than 256 pixels: take a larger picture")
        if options.frames < 1:
            raise ValueError("--frames: must be at least 1")
        options.out.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError, KeyError) as error:
        parser.error(error)

    film = imageio_ffmpeg.write_frames(options.out / "film.mp4", FILM_SIZE[::-1], fps=FRAMES_PER_SECOND)
    film.send(None)  # starts ffmpeg
    before = start
    for number, (loss, picture) in enumerate(stream(network, prior, start, [classes] * options.frames), 1):
        print(f"step {number}: loss {loss:.2f}", flush=True)
        if number % STEPS_PER_FRAME == 0:
            path = options.out / f"result{number:04d}.png"  # train.py, lines 216-217: named by the step
            Image.fromarray(np.uint8(np.round(picture))).save(path)
            print(path, flush=True)
            for i in range(FILM_FRAMES):
                film.send(np.uint8(np.clip(255 * film_frame(before, picture, i), 0, 255)))  # twitch.py, line 214: truncated
            before = picture
    film.close()


if __name__ == "__main__":
    main()
