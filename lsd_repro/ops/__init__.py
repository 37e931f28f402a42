"""Fused Theano Ops, and the graph rewrites that put them in: speed only.

===================  ==========================================================
``patch_energy``     energy of a patch prior, and its gradient, in one pass
``convolution``      VGG-16's layers and their gradients: 3x3 correlations by
                     Winograd's method (``winograd.c``), with max-pools behind
``fuse.py``          puts the first where a graph holds the energy as
                     `lsd_repro.prior.energy` writes it
``fuse_network.py``  puts the others where it holds such layers
``pattern.py``       how these two find what they replace
``compiled.py``      what the Ops share; in C++ ``common.c``, and ``multiply.c``,
                     the matrix products inside
===================  ==========================================================

Importing the ``fuse`` modules registers the rewrites;
``THEANO_FLAGS=optimizer_excluding=fuse_patch_energy:fuse_conv3x3`` takes them out again.
"""
