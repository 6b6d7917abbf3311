"""Where does a request choose its site? Here: filter -> score -> pick, without I/O.

candidates.py  who may serve a request (hard filters, compiled once per set of constraints)
cost.py        how long each would take (expected completion)
table.py       how much of each ingress's demand every site should take (water-fill, every tick)
policies.py    the first choice, by name: hybrid, local_first, least_request
picker.py      first choice + session, priority and deadline -> a site, the cloud, or a shed
health.py      which upstreams are trusted just now (outlier ejection, circuit breaker)
"""
