"""Frames become film.

============  ============================================================
``zoom``      the slow zoom of the working picture, and the video frames
              between two optimised ones
``blend``     the same video frames as bytes, in one pass of C code
``caption``   the text in the corner
``schedule``  what is shown when: a list of queries, or a file
``start``     the picture to start from: a photo, or noise
``run``       a run's folder: what was asked for, frames, where to go on
``stream``    the offline loop: schedule -> optimised -> video frames
``estimate``  how long it will take, from a timed step
``encoder``   ffmpeg, which makes the films
``write``     PNG, MP4 and contact sheet, each whole or not at all
============  ============================================================

None of these modules imports Theano.
"""
