"""`edgemind demo`: a fleet in one command, with devices that use it.

command.py        flags, and one clear line when it cannot start
layout.py         which sites and models there are, and where each process listens
configuration.py  the edgemind.yaml that it writes and uses
folder.py         .edgemind/demo: lock, secrets, key
ports.py          are the ports free?
processes.py      starts, watches and stops the processes; child.py is what each of them begins with
readiness.py      waits until each answers
traffic.py        the devices
faults.py         what the scenario breaks
failover.py       how soon the fleet notices
fleet_watch.py    what the fleet API says
screen.py, lines.py   the live table, and its plain twin
session.py        one run from start to end
report_file.py    writes the report
"""
