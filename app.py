"""The CDK app: `cdk ls|deploy|diff|destroy --all -c env=NAME [-c account=ID] [-c image=REGISTRY/PREFIX:TAG]`."""

import sys

from aws_cdk import App

from edgemind.errors import ConfigurationError
from stacks.application import build
from stacks.checks import add_checks
from stacks.environment_checks import choose_environment


def main() -> int:
    app = App()
    context = app.node.try_get_context
    try:
        plan = choose_environment(context("env"), context("account"), context("image"))
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    build(app, plan, context("image"))
    add_checks(app, plan)
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
