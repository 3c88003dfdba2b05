# envcheck as an image, for pipelines that run their steps in containers:
#
#     docker build -t envcheck .
#     docker run --rm -v "$PWD:/work" -v envcheck-cache:/cache envcheck check environment.yml
#
# Tokens and passwords of channels are no part of it: mount a .condarc at /home/envcheck/.condarc when it runs.
FROM python:3.13-slim-bookworm AS build

WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY man man
COPY envcheck envcheck
RUN python -m venv /opt/envcheck \
    && /opt/envcheck/bin/python -m pip install --no-cache-dir --disable-pip-version-check . \
    && /opt/envcheck/bin/python -m pip uninstall --yes pip

FROM python:3.13-slim-bookworm

LABEL org.opencontainers.image.title="envcheck" \
      org.opencontainers.image.description="Will this conda environment build on Linux?" \
      org.opencontainers.image.licenses="BSD-3-Clause" \
      org.opencontainers.image.source="https://github.com/OWNER/envcheck"

# 1000 is the first user of most machines, so that reports in a mounted folder are often the user's own.
RUN useradd --create-home --uid 1000 --user-group envcheck \
    && install -d -o envcheck -g envcheck /cache /work
COPY --from=build /opt/envcheck /opt/envcheck

ENV PATH=/opt/envcheck/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    XDG_CACHE_HOME=/cache
USER 1000:1000
WORKDIR /work
VOLUME /cache
ENTRYPOINT ["envcheck"]
CMD ["--help"]
