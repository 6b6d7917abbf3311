"""The Strands agents of a site: their roles, the deterministic model that votes in rounds, and the controller that runs them."""
