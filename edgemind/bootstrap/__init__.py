"""The composition root: the only place where adapters are chosen.

stores.py    where state, rounds, journals and model files are kept
links.py     how a process reaches its peers, its gateway, its model servers and their scaler
memories.py  where agents remember what happened
operations.py  how a controller asks others what they measured, and where alerts are told
accounts.py  what an operator's commands reach: an AWS account, a folder of certificates
advice.py    where advice is kept
bedrock.py   how the Bedrock proxy, and the check of it, reach Amazon Bedrock
process.py   a clock and an event loop
telemetry.py where spans go
"""

from edgemind.bootstrap.accounts import certificate_folder, cloud_account
from edgemind.bootstrap.advice import open_advice_store
from edgemind.bootstrap.links import (
    client_limits,
    controller_contexts,
    fleet_tls,
    open_scaler,
    site_links,
    upstream_pools,
)
from edgemind.bootstrap.memories import agent_memory_id, open_agent_memory
from edgemind.bootstrap.process import new_event_loop, system_clock
from edgemind.bootstrap.stores import (
    make_scratch_table,
    open_effect_journal,
    open_model_store,
    open_round_journal,
    open_state_store,
    open_swarm_store,
)
from edgemind.bootstrap.telemetry import keep_rule, open_span_sink

__all__ = [
    "agent_memory_id",
    "certificate_folder",
    "client_limits",
    "cloud_account",
    "controller_contexts",
    "fleet_tls",
    "keep_rule",
    "make_scratch_table",
    "new_event_loop",
    "open_advice_store",
    "open_agent_memory",
    "open_effect_journal",
    "open_model_store",
    "open_round_journal",
    "open_scaler",
    "open_span_sink",
    "open_state_store",
    "open_swarm_store",
    "site_links",
    "system_clock",
    "upstream_pools",
]
