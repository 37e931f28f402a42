"""Fused Theano Ops, and the graph rewrites that put them in: speed only.

===================  ==========================================================
``patch_energy.py``  the Op: energy of a patch prior, and its gradient, in one pass
``patch_energy.c``   its C code
``fuse.py``          puts it where the graph holds the energy as `lsd_repro.prior.energy` writes it
===================  ==========================================================

Importing ``fuse`` registers the rewrite; ``THEANO_FLAGS=optimizer_excluding=fuse_patch_energy``
takes it out again.
"""
