"""Who takes part, by name."""

from collections.abc import Mapping, Sequence

from benchmarks.peers.base import Peer
from benchmarks.peers.edgemind_gateway import EDGEMIND
from benchmarks.peers.envoy import ENVOY, ENVOY_TIMEOUT
from benchmarks.peers.litellm_proxy import LITELLM
from benchmarks.peers.plain_proxy import PLAIN
from benchmarks.peers.routers import SGLANG, VLLM_CACHE_AWARE, VLLM_POWER_OF_TWO

_DEFAULT = (EDGEMIND, ENVOY, ENVOY_TIMEOUT, VLLM_POWER_OF_TWO)
_ALL = (*_DEFAULT, VLLM_CACHE_AWARE, SGLANG, PLAIN, LITELLM)
PEERS: Mapping[str, Peer] = {peer.name: peer for peer in _ALL}


def choose(peers: str) -> Sequence[Peer]:
    """`default`, `all`, or names separated by commas. Raises ValueError that lists the names for any other."""
    if peers == "default":
        return _DEFAULT
    if peers == "all":
        return _ALL
    names = [name.strip() for name in peers.split(",")]
    unknown = [name for name in names if name not in PEERS]
    if unknown:
        raise ValueError(f"no peer is called {unknown[0]!r}; there are: default, all, {', '.join(PEERS)}")
    return [PEERS[name] for name in names]
