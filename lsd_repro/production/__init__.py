"""From what is asked for to frames: spec -> inputs -> step -> frames.

==========  ================================================================
``values``  what an option's value may be, as text or in Python's terms
``spec``    what a run is asked for; the one place where an option is declared
``check``   what can be said of a spec without reading a file
``load``    a spec -> network, prior, start image and scenes, checked
``build``   inputs -> the compiled step, and the films that it makes
==========  ================================================================

Only ``load`` and ``build`` import numpy and Theano.
"""
