# A DynamoDB-compatible store for a laptop (ministack); on AWS it is DynamoDB itself.
#
#   docker build -f deploy/docker/state-store.Dockerfile -t edgemind-state-store .        (from the root of a clone)
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
COPY requirements/ministack.lock ./
# Exactly what the lock names, by hash, and no compiler. pip itself has no place in an image that runs.
RUN --mount=type=bind,from=wheels,target=/wheels \
    python3 -m venv /opt/edgemind \
 && /opt/edgemind/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps \
      --only-binary :all: --find-links /wheels -r ministack.lock \
 && /opt/edgemind/bin/pip uninstall --yes --quiet pip setuptools

FROM ${PYTHON_IMAGE}
ARG EDGEMIND_VERSION=0.1.0
LABEL org.opencontainers.image.title="edgemind-state-store" \
      org.opencontainers.image.description="A DynamoDB-compatible store for a laptop (ministack); on AWS it is DynamoDB itself." \
      org.opencontainers.image.version="${EDGEMIND_VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/edgemind /opt/edgemind
COPY deploy/docker/healthcheck.py /opt/edgemind/
# Nothing is written but to /tmp, which may be a tmpfs: the root file system can be read-only.
ENV PATH=/opt/edgemind/bin:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    GATEWAY_PORT=8000 \
    IOT_MTLS_ENABLED=0 \
    SERVICES=dynamodb \
    PERSIST_STATE=1 \
    STATE_DIR=/var/lib/state-store
# For a volume: written when the store is stopped, read when it starts.
RUN install -d -o 10001 -g 10001 -m 0700 /var/lib/state-store
WORKDIR /tmp
# A number, so that Kubernetes can see that it is not root; it needs no entry in /etc/passwd.
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 \
  CMD ["python", "-I", "-S", "/opt/edgemind/healthcheck.py", "http://127.0.0.1:8000/_ministack/health"]
ENTRYPOINT ["python", "-P", "-m", "ministack"]
