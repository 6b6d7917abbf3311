"""The gateways that are measured beside one another, one module each."""
