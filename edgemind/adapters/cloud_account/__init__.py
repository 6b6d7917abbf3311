"""Adapters of ports/cloud_account.py."""
