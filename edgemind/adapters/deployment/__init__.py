"""Finding what was deployed."""
