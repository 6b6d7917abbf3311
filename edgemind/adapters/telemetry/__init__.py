"""Spans on their way out of a process."""
