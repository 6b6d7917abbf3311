"""`edgemind kpi`: what is generated from the KPI catalogue."""
