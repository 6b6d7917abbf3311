"""The app as it is after `protected` was switched off in stacks/environments.py: the first step of a teardown."""

from dataclasses import replace

from aws_cdk import App

from stacks.application import build
from stacks.environment_checks import choose_environment

app = App()
context = app.node.try_get_context
plan = choose_environment(context("env"), context("account"), context("image"))
build(app, replace(plan, protected=False), context("image"))
app.synth()
