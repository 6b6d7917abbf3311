"""`edgemind demo`: a fleet in one command, with devices that use it.

command.py, options.py   flags, and one clear line when it cannot start
layout.py         which sites and models there are, and where each process listens
configuration.py  the edgemind.yaml that it writes and uses
folder.py         .edgemind/demo: lock, secrets, key
ports.py          are the ports free?
session.py        one demo from start to end
launch.py         from nothing to a fleet that answers: plans.py says which processes, readiness.py when they serve
status_page.py    how the dashboard is started
stage.py          which scenario plays; control.py: where others are asked for
processes.py      starts, watches and stops them; child.py is what each of them begins with
traffic_run.py    the time in which devices send
faults.py         what the scenario breaks, and how soon the fleet notices
fleet_watch.py    what the fleet API says
round_watch.py    the swarm's rounds, said as they are decided
snapshot.py       one moment of a run; screen.py draws it on a terminal, lines.py writes it elsewhere
report_file.py    writes the report
"""
