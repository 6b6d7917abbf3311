"""Benchmarks: what the gateway costs beside its peers, what one decision costs, whether memory stays flat."""
