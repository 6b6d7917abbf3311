"""`edgemind kpis|alerts|top`: how the fleet does, on the command line."""
