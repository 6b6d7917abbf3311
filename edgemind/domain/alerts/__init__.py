"""When somebody is woken: what is observed, for how long, and who tells it. No clock and no I/O.

rules.py   names of alerts, how long each has to be beyond its limit, and its runbook
engine.py  observations in, notices out: pending, firing, resolved
desk.py    one site of a metro tells what concerns all of it; the others keep quiet and could go on
pages.py   the order in which alerts are shown, and what several sites say together
"""
