"""Advice: bounded changes of policy that somebody proposes, a replay judges and an operator accepts.

settings.py      which settings it may change, and how far
changes.py       a change, its verdict, and what a metro keeps of both
guard_rails.py   what is refused before anything is judged
replay.py        recent rounds under the change, measured against the same rounds without it
lifecycle.py     proposed, accepted, rejected, expired, rolled back
documents.py     all of it as JSON
"""
