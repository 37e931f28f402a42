# lsd_repro with all that it needs, for those who would rather not install it:
#
#     docker build -t lsd-repro .
#     mkdir -p out
#     docker run --rm --user "$(id -u):$(id -g)" -v "$PWD/out:/out" lsd-repro frames
#     docker run --rm --user "$(id -u):$(id -g)" -v "$PWD/out:/out" -p 8015:8015 lsd-repro live --host 0.0.0.0
#
# Results are in out/frames and out/live.  tests/golden is there for parity: lsd-repro parity /lsd_repro/tests/golden/*.npz
FROM python:3.12-slim

# Theano compiles with g++ when it runs, against Python's headers, which the image has.
RUN apt-get update \
    && apt-get install -y --no-install-recommends g++ \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /lsd_repro
COPY . .
# Editable, as it is built in place and stays there.
RUN PIP_NO_CACHE_DIR=1 python -B -m lsd_repro.runtime.install live atlas convert

# What Theano compiled and what was fetched; -v lsd-repro-cache:/cache keeps it from one run to the next.
# Whoever --user says may write there.
RUN mkdir -m 1777 /cache /out
ENV HOME=/cache
VOLUME /cache

# Where the commands write by default: to out/, below this.
WORKDIR /

# By default what it runs on, and what is missing.
ENTRYPOINT ["lsd-repro"]
CMD ["doctor"]
