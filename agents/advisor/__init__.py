"""The advisor: a language model that explains recent rounds and proposes at most one change of policy.

It reads and proposes by the fleet API, with a token that may do nothing else. What it proposes is judged where it is
accepted, by code.

facts.py      what the model is told: data of the fleet, fenced
models.py     the Strands model that the settings name, and one question to it
proposals.py  what the model answered, as a proposal
advising.py   from facts to advice
command.py    `edgemind advice run`
"""
