"""What was deployed on AWS, from the outputs of its CloudFormation stacks."""

from collections.abc import Mapping

from edgemind.adapters.aws_calls import REMEDIES, Fault, Outcome, errors, fault_of, new_client
from edgemind.domain.deployment import PLACES, Deployment, OutputPlace
from edgemind.errors import EdgeMindError, PermanentError, TemporaryError

TIMEOUT_S = 5.0
"""Asked once when a process starts, by an API that is slower than a table's."""


class CloudFormationStacks:
    """The stacks of one region. Calls block. No `endpoint_url`: AWS's own, or `AWS_ENDPOINT_URL_CLOUDFORMATION`.

    Every method raises TemporaryError (out of reach, throttled) or PermanentError (not deployed, not allowed).
    """

    def __init__(self, region: str, endpoint_url: str | None = None) -> None:
        self._region = region
        self._endpoint_url = endpoint_url

    def outputs(self, stack: str) -> Mapping[str, str]:
        """The outputs of a stack by their names; PermanentError if there is no such stack."""
        try:
            client = new_client("cloudformation", self._region, self._endpoint_url, timeout_s=TIMEOUT_S)
            described = client.describe_stacks(StackName=stack)["Stacks"][0]
        except errors() as exc:
            raise self._explained(stack, fault_of(exc)) from exc
        return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", ())}

    def find(self, place: OutputPlace, environment: str) -> str:
        """One output of an environment's stacks in this region."""
        stack = place.stack(environment, self._region)
        value = self.outputs(stack).get(place.output)
        if not value:
            raise PermanentError(
                f"stack {stack} in {self._region} has no output {place.output}: it was deployed by another version, or "
                f"not to its end. Deploy it again: cdk deploy --all -c env={environment}"
            )
        return value

    def _explained(self, stack: str, fault: Fault) -> EdgeMindError:
        where = f"stack {stack} in {self._region}"
        if "does not exist" in fault.says or fault.outcome is Outcome.MISSING:
            return PermanentError(
                f"there is no {where}. Deploy it (cdk deploy --all -c env=NAME), or correct aws.environment or "
                "aws.region."
            )
        message = f"cannot read the outputs of {where}: {fault.says}. "
        if fault.passing:
            return TemporaryError(message + f"{REMEDIES[fault.outcome]}.")
        remedy = REMEDIES.get(fault.outcome, "Correct aws.environment or aws.region")
        return PermanentError(message + f"{remedy}, or name the table yourself in state.table.")


def find_deployment(
    environment: str, region: str, primary_region: str | None = None, endpoint_url: str | None = None
) -> Deployment:
    """Everything that one region of an environment holds. What exists once is deployed in `primary_region` (this one).

    PermanentError names all outputs that are missing from the stacks there are.
    """
    stacks = {place.stack(environment, region): place.regional for place in PLACES.values()}
    outputs = {
        stack: CloudFormationStacks(region if regional else primary_region or region, endpoint_url).outputs(stack)
        for stack, regional in stacks.items()
    }
    return Deployment.read(environment, region, outputs)
