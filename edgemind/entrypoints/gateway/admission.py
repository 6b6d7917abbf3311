"""Who asks, and within which bounds: key -> tenant -> rights -> rate, then the request's own headers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from math import ceil, isfinite

from edgemind.domain.fleet import DeviceClass, Tenant
from edgemind.domain.keys import KeyRing
from edgemind.domain.limits import Limits
from edgemind.domain.rate import TokenBucket
from edgemind.domain.requests import Constraints, Demand, Priority
from edgemind.domain.site_tokens import SiteTokens
from edgemind.entrypoints.gateway.apis import invalid, json_length
from edgemind.entrypoints.gateway.heads import Head
from edgemind.entrypoints.gateway.refusals import Refusal
from edgemind.services.route_request import RequestRouter

REMEMBERED_LIMIT = 4096
"""Authorization headers remembered; they come from clients, and so do their lengths."""
REMEMBERED_BYTES = 64
RESIDENCY_BYTES = 512
SESSION_BYTES = 256

OPEN_TENANT = Tenant("open", rate_per_s=1e9, burst=1e9)
"""Who everybody is where `auth: off` is configured."""

HeaderMap = Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated tenant with its bucket, or a neighbouring site that forwards for one of its own.

    `authorized` are models it was already found to have a right to; a reload makes new callers.
    """

    tenant: Tenant
    bucket: TokenBucket | None
    forwarded_by: str | None = None
    authorized: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Admitted:
    """What a head says about its request, as one epoch of the keys and the configuration saw it."""

    epoch: object
    caller: Caller
    residency: frozenset[str]
    device_class: DeviceClass | None
    demand: Demand
    session: bytes | None
    json_length: int | None
    constraints: dict[str, Constraints] = field(default_factory=dict)


class Admission:
    """Admits requests of one worker. `workers` divides the tenants' rates: each worker of the site grants its share."""

    def __init__(
        self,
        tenants: tuple[Tenant, ...],
        limits: Limits,
        *,
        auth: bool,
        site_tokens: SiteTokens,
        workers: int,
        monotonic_s: Callable[[], float],
    ) -> None:
        self._limits = limits
        self._auth = auth
        self._site_tokens = site_tokens
        self._monotonic_s = monotonic_s
        self._ring = KeyRing()
        self._remembered: dict[bytes, Caller] = {}
        self._epoch = object()
        self._workers = workers
        now_s = monotonic_s()
        self._callers = {
            tenant.name: Caller(tenant, TokenBucket.full(*_share(tenant, workers), now_s)) for tenant in tenants
        }
        self._open = Caller(OPEN_TENANT, None)

    def inherit(self, previous: "Admission") -> None:
        """A reload is no reason for full buckets: keep those of tenants whose rate stays what it was."""
        for name, caller in self._callers.items():
            known, tenant = previous._callers.get(name), caller.tenant
            if known and (known.tenant.rate_per_s, known.tenant.burst) == (tenant.rate_per_s, tenant.burst):
                self._callers[name] = Caller(tenant, known.bucket)

    def share_among(self, workers: int) -> None:
        """The site has so many workers now: gateways came or went."""
        if workers == self._workers:
            return
        self._workers = workers
        for caller in self._callers.values():
            if caller.bucket is not None:
                caller.bucket.change(*_share(caller.tenant, workers))

    def use_keys(self, ring: KeyRing) -> None:
        """From now on only the keys of this ring are good."""
        self._ring = ring
        self._remembered.clear()
        self._epoch = object()

    def admit(self, head: Head) -> Admitted:
        """Everything the headers decide. Raises Refusal 401, 400 or 403."""
        admitted = head.admitted
        if isinstance(admitted, Admitted) and admitted.epoch is self._epoch:
            return admitted
        header = head.header
        caller = self.caller(header)
        admitted = head.admitted = Admitted(
            self._epoch,
            caller,
            _allowed_residency(caller.tenant, _residency(header.get(b"x-edgemind-residency"))),
            _device_class(header.get(b"x-edgemind-device-class")),
            self._demand(header),
            _session(header),
            json_length(header),
        )
        return admitted

    # Who

    def caller(self, headers: HeaderMap) -> Caller:
        """Raises Refusal 401."""
        if b"x-edgemind-site-token" in headers:
            return self._neighbour(headers)
        if not self._auth:
            return self._open
        authorization = headers.get(b"authorization")
        if authorization is None:
            raise _unauthorized("No API key was sent: add the header 'Authorization: Bearer em_...'.")
        caller = self._remembered.get(authorization)
        if caller is None:
            name = self._ring.tenant_for(authorization)
            caller = self._callers.get(name) if name is not None else None
            if caller is None:
                raise _unauthorized(
                    "This API key is not known here, or it was revoked; ask your operator for a new one."
                )
            if len(self._remembered) >= REMEMBERED_LIMIT:
                self._remembered.clear()
            if len(authorization) <= REMEMBERED_BYTES:
                self._remembered[authorization] = caller
        return caller

    def _neighbour(self, headers: HeaderMap) -> Caller:
        if not self._site_tokens.accept(headers[b"x-edgemind-site-token"]):
            raise _unauthorized("The site token is not this fleet's; sites of one fleet share 'fleet.secret'.")
        by = headers.get(b"x-edgemind-forwarded-by", b"?").decode("latin-1")
        # The ingress has already checked key, rights and rate.
        return Caller(OPEN_TENANT, None, forwarded_by=by)

    def charge(self, caller: Caller) -> None:
        """Take one token. Raises Refusal 429 with the headers that tell a client how long to wait."""
        bucket = caller.bucket
        if bucket is None or bucket.take(self._monotonic_s()):
            return
        wait_s = bucket.next_token_s()
        raise Refusal(
            429,
            "rate_limit_error",
            "rate_limit_exceeded",
            f"Tenant '{caller.tenant.name}' is over its rate of {bucket.rate_per_s:g} requests/s here; "
            f"try again in {wait_s:.2f} s.",
            retry_after_s=max(1, ceil(wait_s)),
            headers=(
                (b"x-ratelimit-limit-requests", b"%d" % bucket.burst),
                (b"x-ratelimit-remaining-requests", b"0"),
                (b"x-ratelimit-reset-requests", b"%.3fs" % bucket.full_again_s()),
            ),
        )

    # What

    def authorize(self, caller: Caller, model: str, router: RequestRouter) -> None:
        """Raises Refusal 404 for a model nobody serves, 403 for one this tenant may not use."""
        if model in caller.authorized:
            return
        if not router.knows(model):
            usable = [name for name in router.models if caller.tenant.may_use(name)]
            near = get_close_matches(model, usable, n=3, cutoff=0.4) or usable[:5]
            meant = ", ".join(f"'{name}'" for name in near) or "none"
            message = f"The model '{model[:100]}' is not served here. Did you mean: {meant}?"
            raise Refusal(404, "invalid_request_error", "model_not_found", message, "model")
        if not caller.tenant.may_use(model):
            message = f"Tenant '{caller.tenant.name}' has no right to the model '{model}'; ask your operator for it."
            raise Refusal(403, "permission_error", "model_forbidden", message, "model")
        caller.authorized.add(model)

    def _demand(self, header: HeaderMap) -> Demand:
        deadline = header.get(b"x-edgemind-deadline-ms")
        deadline_ms = self._limits.default_deadline_ms if deadline is None else self._deadline_ms(deadline)
        priority = header.get(b"x-edgemind-priority")
        return Demand(deadline_ms, Priority.NORMAL if priority is None else _priority(priority))

    def _deadline_ms(self, raw: bytes) -> float:
        try:
            deadline_ms = float(raw)
        except ValueError:
            deadline_ms = -1.0
        if not isfinite(deadline_ms) or not 0 < deadline_ms <= self._limits.max_deadline_ms:
            name = "x-edgemind-deadline-ms"
            limit = f"{self._limits.max_deadline_ms:g}"
            raise invalid(name, f"The header '{name}' must be a number of milliseconds above 0 and at most {limit}.")
        return deadline_ms


def _share(tenant: Tenant, workers: int) -> tuple[float, float]:
    """One worker's part of a tenant's rate and burst."""
    return tenant.rate_per_s / workers, max(1.0, tenant.burst / workers)


def _unauthorized(message: str) -> Refusal:
    return Refusal(401, "authentication_error", "invalid_api_key", message, headers=((b"www-authenticate", b"Bearer"),))


def constraints_of(admitted: Admitted, model: str) -> Constraints:
    """The candidate set that such a request selects. `model` is one the caller was authorized for."""
    constraints = admitted.constraints.get(model)
    if constraints is None:
        forwarded = admitted.caller.forwarded_by is not None
        constraints = Constraints(model, admitted.residency, admitted.device_class, forwarded)
        admitted.constraints[model] = constraints
    return constraints


def _allowed_residency(tenant: Tenant, residency: frozenset[str]) -> frozenset[str]:
    """The zones that both the tenant and the request allow; empty if neither asks for any. Raises Refusal 403."""
    allowed = tenant.residency
    if not allowed or not residency:
        return residency or allowed
    if not residency & allowed:
        name, zones = "x-edgemind-residency", ", ".join(sorted(allowed))
        message = f"Tenant '{tenant.name}' may only keep its data in: {zones}."
        raise Refusal(403, "permission_error", "residency_unsatisfiable", message, name, retry_helps=False)
    return residency & allowed


def _residency(raw: bytes | None) -> frozenset[str]:
    if raw is None:
        return frozenset()
    zones = frozenset(zone.strip() for zone in raw.decode("latin-1").split(",")) - {""}
    if len(raw) > RESIDENCY_BYTES or not zones or not all(_is_zone(zone) for zone in zones):
        name = "x-edgemind-residency"
        raise invalid(name, f"The header '{name}' must name residency zones, such as 'de' or 'de, fr'.")
    return zones


def _is_zone(zone: str) -> bool:
    return zone.isascii() and zone.replace("-", "").replace("_", "").isalnum() and len(zone) <= 64


def _session(header: HeaderMap) -> bytes | None:
    for name in ("x-edgemind-session", "x-session-id"):
        session = header.get(name.encode())
        if session:
            if len(session) > SESSION_BYTES:
                raise invalid(name, f"The header '{name}' must be at most {SESSION_BYTES} bytes long.")
            return session
    return None


def _device_class(raw: bytes | None) -> DeviceClass | None:
    if raw is None:
        return None
    try:
        return DeviceClass(raw.decode("latin-1"))
    except ValueError as exc:
        name = "x-edgemind-device-class"
        raise invalid(name, f"The header '{name}' must be one of: {', '.join(DeviceClass)}.") from exc


def _priority(raw: bytes) -> Priority:
    try:
        return Priority[raw.decode("latin-1").upper()]
    except KeyError as exc:
        name = "x-edgemind-priority"
        raise invalid(name, f"The header '{name}' must be one of: low, normal, high.") from exc
