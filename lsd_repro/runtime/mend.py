"""Fixes that keep Theano-PyMC 1.1.2 and Lasagne 0.1 running on newer Pythons and libraries."""

import hashlib
import sys
import types
import warnings


def restore_what_lasagne_needs():
    """Give Theano back the names that Lasagne 0.1 uses."""
    import theano
    from theano.graph import basic
    from theano.sandbox import rng_mrg
    from theano.tensor import signal
    from theano.tensor.signal import pool

    theano.gof = basic  # asked for gof.Variable by get_output(layer, expression)
    rng_mrg.MRG_RandomStreams = rng_mrg.MRG_RandomStream

    def max_pool_2d(input, ds, ignore_border=False, st=None, padding=(0, 0), mode="max"):
        return pool.pool_2d(input, ws=ds, ignore_border=ignore_border, stride=st, pad=padding, mode=mode)

    downsample = types.ModuleType("theano.tensor.signal.downsample")
    downsample.max_pool_2d = max_pool_2d
    signal.downsample = sys.modules[downsample.__name__] = downsample


def let_compiled_code_be_found_again():
    """Fix two slips that make every process recompile some Ops, at a second or so each."""
    from theano.graph.op import COp, ExternalCOp

    def code_version(op):
        # Theano's has hash() in place of the digest: of strings, which Python salts in every process.
        digest = hashlib.sha256("".join(op.func_codes).encode()).hexdigest()
        return (digest, op.params_type.c_code_cache_version()) if hasattr(op, "params_type") else (digest,)

    ExternalCOp.c_code_cache_version = code_version

    # Theano counts __props__ as a part of the version, and an empty part as "don't keep".
    # After a class was made nothing else asks for it.
    classes = [COp]
    for cls in classes:
        classes += cls.__subclasses__()
        if vars(cls).get("__props__") == ():
            del cls.__props__


def silence_what_nobody_can_change():
    """Ignore these warnings for good: some appear only when a graph is built or compiled."""
    for message, category, module in (
            (r"\s*`numpy.distutils` is deprecated", DeprecationWarning, r"theano\."),
            (r"The distutils", DeprecationWarning, r"theano\."),
            (r"Use shutil\.which instead of find_executable", DeprecationWarning, r"theano\."),
            (r"`np\.\w+` is a deprecated alias", DeprecationWarning, r"theano\."),
            # A C file that Theano reads and leaves for the garbage collector to close.
            (r"unclosed file .*\.c'", ResourceWarning, r"theano\."),
            (r"The `image_shape` keyword argument", UserWarning, r"lasagne\.")):
        warnings.filterwarnings("ignore", message, category, module)
