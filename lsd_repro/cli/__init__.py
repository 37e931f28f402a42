"""The ``lsd-repro`` command line: options in `main`, what each command does in `commands`, what is missing in `doctor`."""
