"""What every state store refuses. The store calls these inside its own atomic section."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from edgemind.domain.audit.checkpoints import Checkpoint
from edgemind.domain.keys import live_key_ids
from edgemind.errors import PermanentError, StoreUnavailable
from edgemind.ports.state_store import ApiKey, SiteRegistration


def admit_registration(new: SiteRegistration, held: SiteRegistration | None) -> None:
    """Refuse a heartbeat from an older incarnation: a process that was paused must not undo its successor."""
    if held is not None and held.incarnation > new.incarnation:
        raise PermanentError(
            f"site {new.site} was registered by a controller started later ({held.controller_url}). "
            "Two controllers share this site's name: stop one of them."
        )


def admit_anchor(new: Checkpoint, held: Checkpoint | None) -> None:
    """Anchors never go back: a journal that was cut or written anew must not anchor itself over what shows that."""
    if held is None or (held.sequence, held.hash) == (new.sequence, new.hash) or held.sequence < new.sequence:
        return
    raise PermanentError(
        f"the audit journal of {new.site} was anchored with {held.sequence} records, and shows {new.sequence} now: "
        f"edgemind audit verify --site {new.site} tells what became of it"
    )


def admit_key(new: ApiKey, held: Mapping[str, ApiKey], live_limit: int) -> bool:
    """True if `new` is to be stored, False if it is there already; raises as `StateStore.add_key` says."""
    twin = held.get(new.key_id)
    if twin is not None:
        same_key(twin, new)
        return False
    live = live_key_ids(held.values(), new.tenant)
    if len(live) >= live_limit:
        raise too_many_keys(new.tenant, live)
    return True


def same_key(twin: ApiKey, new: ApiKey) -> None:
    """StoreUnavailable unless the key that holds the id of `new` is that very key, in force or revoked since."""
    if replace(twin, revoked_ms=new.revoked_ms) != new:
        raise StoreUnavailable(f"key id {new.key_id} is already taken: try again for another one.", 0.0)


def too_many_keys(tenant: str, live: Sequence[str]) -> PermanentError:
    return PermanentError(
        f"tenant {tenant} already has {len(live)} live keys ({', '.join(live)}), the most it may have. "
        "Revoke one first: edgemind keys revoke KEY_ID"
    )


def find_key(key_id: str, held: Mapping[str, ApiKey]) -> ApiKey:
    key = held.get(key_id)
    if key is None:
        raise PermanentError(f"there is no key {key_id}. See the ids with: edgemind keys list")
    return key
