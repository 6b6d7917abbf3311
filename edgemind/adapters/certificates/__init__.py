"""Making and reading certificates with the `cryptography` library, the extra `certs`: no process at a site needs it."""
