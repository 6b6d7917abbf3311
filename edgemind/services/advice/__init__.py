"""Advice at a controller: taking proposals and decisions about them, and following what is in force."""
