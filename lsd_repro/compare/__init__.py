"""Holding what this package computes against what the 2015 program computed.

=============  ==========================================================
``parity.py``  replays a golden file and reports every deviation
=============  ==========================================================
"""
