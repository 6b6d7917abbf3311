"""Tools for any MCP client over the live fleet: five servers, each a table of typed tools. docs/mcp.md is for users.

source.py       what the tools ask of a fleet; over_http.py and in_process.py answer it
calls.py        who calls, what they may do, and what one call has at hand
tools.py        a table of tools becomes a server: roles, time limits, bounded answers, errors that name their cause
metrics_monitor.py, container_ops.py, telemetry.py, inference.py, memory_sync.py   the servers
catalogue.py    the servers by name
fences.py       writes that rest on what a caller saw
chat.py         one prompt to a site's gateway
http_server.py  bearer tokens in front of a server; command.py is `edgemind mcp`
"""
