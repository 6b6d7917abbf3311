# Model servers of a site: simulated models, or SmolLM2-135M by llama.cpp.
#
#   docker build -f deploy/docker/model-server.Dockerfile -t edgemind-model-server .        (from the root of a clone)
#
# With llama.cpp and the SmolLM2-135M weights in it: --build-arg ENGINE=llama_cpp
#
# docs/containers.md: another base, a build without a network, pinning by digest.
ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm
# An image whose root folder holds wheels, for builds without a network; by default nothing.
ARG WHEELS_IMAGE=scratch

FROM ${WHEELS_IMAGE} AS wheels

FROM ${PYTHON_IMAGE} AS build
# Unset, pip is configured as it is in the base. Both are for `--build-arg`.
ARG PIP_INDEX_URL
ARG PIP_NO_INDEX
# simulated or llama_cpp
ARG ENGINE=simulated
WORKDIR /build
COPY requirements/core.lock requirements/llama.lock requirements/smollm2.lock ./
# Exactly what the lock names, by hash, and no compiler. pip itself has no place in an image that runs.
RUN --mount=type=bind,from=wheels,target=/wheels \
    case "$ENGINE" in \
      simulated) set -- -r core.lock ;; \
      llama_cpp) set -- -r llama.lock -r smollm2.lock ;; \
      *) echo "ENGINE is '$ENGINE'; it can be simulated or llama_cpp" >&2; exit 1 ;; \
    esac \
 && python3 -m venv /opt/edgemind \
 && /opt/edgemind/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps \
      --only-binary :all: --find-links /wheels "$@" \
 && /opt/edgemind/bin/pip uninstall --yes --quiet pip setuptools
# llama.cpp computes with GNU OpenMP, which slim bases lack. Taken from the base's own distribution, in its newest version:
# an archive keeps no others.
# hadolint ignore=DL3008
RUN if [ "$ENGINE" = llama_cpp ]; then \
      [ -e "$(find /usr/lib -name libgomp.so.1 -print -quit)" ] \
      || { apt-get update -q && apt-get install -qy --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*; } \
      && cp "$(find /usr/lib -name libgomp.so.1 -print -quit)" /opt/edgemind/lib/; \
    fi
COPY edgemind ./edgemind
# Into the environment, and compiled: a container with a read-only root cannot do it later.
RUN packages="$(/opt/edgemind/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \
 && cp -R edgemind "$packages/" \
 && /opt/edgemind/bin/python -m compileall -q "$packages/edgemind" \
 && printf '#!/bin/sh\nexec /opt/edgemind/bin/python -P -m edgemind "$@"\n' > /opt/edgemind/bin/edgemind \
 && chmod 0755 /opt/edgemind/bin/edgemind

FROM ${PYTHON_IMAGE}
ARG EDGEMIND_VERSION=0.1.0
LABEL org.opencontainers.image.title="edgemind-model-server" \
      org.opencontainers.image.description="Model servers of a site: simulated models, or SmolLM2-135M by llama.cpp." \
      org.opencontainers.image.version="${EDGEMIND_VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/edgemind /opt/edgemind
COPY deploy/docker/healthcheck.py /opt/edgemind/
# Nothing is written but to /tmp, which may be a tmpfs: the root file system can be read-only.
ENV PATH=/opt/edgemind/bin:$PATH \
    HOME=/tmp \
    LD_LIBRARY_PATH=/opt/edgemind/lib \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /etc/edgemind
# A number, so that Kubernetes can see that it is not root; it needs no entry in /etc/passwd.
USER 10001:10001
EXPOSE 8400
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 \
  CMD ["python", "-I", "-S", "/opt/edgemind/healthcheck.py", "http://127.0.0.1:8400/health"]
ENTRYPOINT ["edgemind"]
CMD ["model-server", "--config", "edgemind.yaml", "--bind", "0.0.0.0"]
