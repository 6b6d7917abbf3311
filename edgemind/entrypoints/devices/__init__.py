"""`edgemind devices`: the demo's device traffic against any fleet."""
