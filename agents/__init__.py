"""The Strands agents of a site: their roles, and the deterministic model that votes in rounds."""
