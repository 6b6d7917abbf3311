"""Where a site's audit journal is kept. See docs/audit.md."""
