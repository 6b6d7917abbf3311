"""`edgemind rounds`: what the swarm decided, and why.

command.py      the commands
listing.py      many rounds, one line each
page.py         one round: everything, with a picture of its steps
explanation.py  one round as a person would tell it
replaying.py    one round once more, through the code that decided it
"""
