"""The controller process of a site.

command.py      `edgemind controller`: flags, configuration, one clear line when it cannot start
process.py      the process: listener, loops, reload, shutdown
loops.py        what runs beside the listener, each loop supervised
application.py  the ASGI application; openapi.py writes its document to docs/
site_routes.py  what gateways and other controllers post, ten times a second each: bare routes
fleet_routes.py the fleet API for people and tools, with its OpenAPI document
explanation.py  the shape of a decision's explanation
access.py       who may do what
answers.py      errors in one shape
"""
