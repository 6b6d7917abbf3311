# The controller of a site: beacons, routing table, fleet API, and the Strands agent that votes for the site in rounds.
#
#   docker build -f deploy/docker/controller.Dockerfile -t edgemind-controller .        (from the root of a clone)
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
WORKDIR /build
COPY requirements/agents.lock ./
# Exactly what the lock names, by hash, and no compiler. pip itself has no place in an image that runs.
RUN --mount=type=bind,from=wheels,target=/wheels \
    python3 -m venv /opt/edgemind \
 && /opt/edgemind/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps \
      --only-binary :all: --find-links /wheels -r agents.lock \
 && /opt/edgemind/bin/pip uninstall --yes --quiet pip setuptools
COPY edgemind ./edgemind
COPY agents ./agents
COPY mcp_tools ./mcp_tools
# Into the environment, and compiled: a container with a read-only root cannot do it later.
RUN packages="$(/opt/edgemind/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \
 && cp -R edgemind agents mcp_tools "$packages/" \
 && /opt/edgemind/bin/python -m compileall -q "$packages/edgemind" "$packages/agents" "$packages/mcp_tools" \
 && printf '#!/bin/sh\nexec /opt/edgemind/bin/python -P -m edgemind "$@"\n' > /opt/edgemind/bin/edgemind \
 && chmod 0755 /opt/edgemind/bin/edgemind

FROM ${PYTHON_IMAGE}
ARG EDGEMIND_VERSION=0.1.0
LABEL org.opencontainers.image.title="edgemind-controller" \
      org.opencontainers.image.description="The controller of a site: beacons, routing table, fleet API, agents." \
      org.opencontainers.image.version="${EDGEMIND_VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/edgemind /opt/edgemind
COPY deploy/docker/healthcheck.py /opt/edgemind/
# For a volume with secrets, or with state in files: a new one takes its owner from here.
RUN install -d -o 10001 -g 10001 -m 0700 /var/lib/edgemind
# Nothing is written but to /tmp, which may be a tmpfs: the root file system can be read-only.
ENV PATH=/opt/edgemind/bin:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    EDGEMIND_CONFIG=/etc/edgemind/edgemind.yaml
WORKDIR /etc/edgemind
# A number, so that Kubernetes can see that it is not root; it needs no entry in /etc/passwd.
USER 10001:10001
EXPOSE 8200
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 \
  CMD ["python", "-I", "-S", "/opt/edgemind/healthcheck.py", "http://127.0.0.1:8200/healthz"]
ENTRYPOINT ["edgemind"]
CMD ["controller", "--listen", "0.0.0.0:8200", "--voter", "auto"]
