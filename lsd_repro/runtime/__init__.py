"""What the rest runs on: Theano, mended for today's Python, and the machine underneath.

==============  ==================================================="""
