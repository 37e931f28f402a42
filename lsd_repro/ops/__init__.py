"""Fused Theano Ops, and the graph rewrites that put them in: speed only.

===================  ==========================================================
``compiling.py``     registers the rewrites, and compiles with them
``patch_energy``     energy of a patch prior, and its gradient, in one pass
``convolution``      VGG-16's layers and their gradients: 3x3 correlations by
                     Winograd's method (``winograd.hpp``), with max-pools behind
``fuse.py``          puts the first where a graph holds the energy as
                     `lsd_repro.prior.energy` writes it
``fuse_network.py``  puts the others where it holds such layers
``pattern.py``       how these two find what they replace
``compiled.py``      what the Ops share; in C++ ``common.hpp``, and ``multiply.hpp``,
                     the matrix products inside
===================  ==========================================================

``THEANO_FLAGS=optimizer_excluding=fuse_patch_energy:fuse_conv3x3`` leaves the rewrites out.
"""

# The names of the rewrites, for Theano's flags and for `Mode.excluding`.
PATCH_ENERGY, CONVOLUTION = REWRITES = "fuse_patch_energy", "fuse_conv3x3"
