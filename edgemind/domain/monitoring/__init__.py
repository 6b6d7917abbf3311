"""How the KPIs of `domain/kpi.py` are measured and watched from outside the fleet. Pure: documents, no files.

metrics.py        the table of metric names that endpoints expose and queries may use
promql.py         each KPI as a Prometheus query
conditions.py     what is alerted beside the KPIs
rules.py          Prometheus alert rules, and the tests of those rules
grafana.py        dashboards for Grafana; grafana_panels.py what they consist of
emf.py            the metrics that are written to CloudWatch, and each KPI as metric math over them
cloudwatch.py     alarms and dashboards for CloudWatch
"""
