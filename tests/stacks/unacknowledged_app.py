"""The app without its acknowledgements, for the test that none of them is idle. Run by tests, as app.py is."""

from aws_cdk import App

from stacks.application import build
from stacks.checks import add_checks
from stacks.environment_checks import choose_environment

app = App()
plan = choose_environment(app.node.try_get_context("env"))
build(app, plan)
add_checks(app, plan, acknowledgements=())
app.synth()
