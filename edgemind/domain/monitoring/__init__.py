"""How the KPIs of `domain/kpi.py` are measured and watched from outside the fleet. Pure: documents, no files.

metrics.py        the table of metric names that endpoints expose and queries may use
promql.py         each KPI as a Prometheus query
scrape.py         what Prometheus scrapes of a fleet
conditions.py     what is alerted beside the KPIs
rules.py          Prometheus alert rules; rule_tests.py what is played to them
grafana.py        dashboards for Grafana; grafana_panels.py what they consist of
emf.py            the metrics that are written to CloudWatch
cloudwatch.py     each KPI as metric math over those, and the alarms; cloudwatch_dashboards.py
catalogue.py      the catalogue as a table for people
"""
