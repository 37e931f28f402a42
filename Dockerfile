# lsd_repro with all that it needs, for those who would rather not install it:
#
#     docker build -t lsd-repro .
#     docker run --rm -v "$PWD/out:/out" lsd-repro frames --out /out/frames
#
FROM python:3.12-slim

# Theano compiles with g++ when it runs, against Python's headers, which the image has.
RUN apt-get update \
    && apt-get install -y --no-install-recommends g++ \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /lsd_repro
COPY . .
# Editable, as it is built in place and stays there.
RUN PIP_NO_CACHE_DIR=1 python -B -m lsd_repro.runtime.install

# Keeps what Theano compiled and what was fetched from one run to the next: -v lsd-repro-cache:/cache
ENV THEANO_FLAGS=base_compiledir=/cache/theano XDG_CACHE_HOME=/cache
VOLUME /cache

# By default what it runs on, and what is missing.
ENTRYPOINT ["lsd-repro"]
CMD ["doctor"]
