"""`edgemind advice`: proposed changes of policy, what replays say of them, and an operator's decisions.

command.py   the commands
listing.py   changes as a person reads them
"""
