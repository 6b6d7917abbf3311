"""A seeded world in virtual time that runs the real domain code. How to read its numbers: docs/simulator.md.

clock.py       virtual time: an event heap
parameters.py  what the world is like (parameters.toml, checked in)
network.py     where the sites are, how far apart
workload.py    what the devices ask for, and when
faults.py      the flash crowd and the brownout
stations.py    a site's model server, M/G/c
truth.py       the present state of everything, which only the oracle sees
policies.py    who chooses: the domain's policies as the gateway runs them, the oracle, the simple baselines
balancers.py   the field's load balancers: peak-EWMA, Prequal
gateways.py    one site's gateway and controller: what it was told, what it believes, its table
world.py       all of it together, for one policy and one seed
outcomes.py    what became of the requests
comparison.py  several policies over several seeds
"""
