"""What a controller measures of its site and its metro for operators: counts, KPIs and series. No clock and no I/O.

counts.py    what the gateways of a site did in each of the last minutes
series.py    the last quarter of an hour of one site, value by value
metro.py     KPIs of the metro from what its sites counted
observed.py  what alerts are decided by
"""
