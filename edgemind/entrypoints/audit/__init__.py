"""`edgemind audit`."""
