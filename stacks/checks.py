"""Five packs of rules that every template is held to, and the findings that we live with, each for its reason."""

from collections.abc import Sequence
from functools import reduce

from aws_cdk import Acknowledgment, App, Stack, Validations
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks, ServerlessChecks
from constructs import IConstruct

from stacks.acknowledgements import ACKNOWLEDGEMENTS, Acknowledgement
from stacks.plans import Environment

PACKS = (AwsSolutionsChecks, NIST80053R5Checks, HIPAASecurityChecks, ServerlessChecks, PCIDSS321Checks)


def add_checks(app: App, plan: Environment, acknowledgements: Sequence[Acknowledgement] = ACKNOWLEDGEMENTS) -> None:
    """Have the packs run when `app` is synthesized. Call it when all constructs are there."""
    Validations.of(app).add_plugins(*(pack(app, verbose=True) for pack in PACKS))
    constructs = app.node.find_all()
    for acknowledgement in acknowledgements:
        for construct in constructs:
            if acknowledgement.covers(plan.name, construct.node.path):
                _acknowledge(plan, construct, acknowledgement)


def _acknowledge(plan: Environment, construct: IConstruct, acknowledgement: Acknowledgement) -> None:
    words = {
        "{env}": plan.name,
        "{account}": plan.account,
        "{region}": Stack.of(construct).region,
        "{standby}": plan.standby or "",
    }
    for rule in acknowledgement.rules:
        rule_id = reduce(lambda text, word: text.replace(word, words[word]), words, rule)
        Validations.of(construct).acknowledge(Acknowledgment(id=rule_id, reason=acknowledgement.reason))
