"""Where a controller's metrics are written."""

from edgemind.ports.metric_sink import MetricSink
from edgemind.settings import Settings
from edgemind.settings.metrics import Emf


def open_metric_sink(settings: Settings, site: str) -> MetricSink | None:
    """None: nowhere. ConfigurationError if what is chosen needs what is not installed."""
    chosen = settings.metrics
    if chosen.emf is Emf.OFF:
        return None
    # Imported here: most fleets have none.
    from edgemind.adapters.telemetry import cloudwatch_emf

    if chosen.emf is Emf.LINE:
        return cloudwatch_emf.LineSink()
    if chosen.emf is Emf.AGENT:
        return cloudwatch_emf.AgentSink(chosen.agent)
    from edgemind.adapters.aws_calls import require_boto3

    require_boto3("metrics.emf: log_group")
    return cloudwatch_emf.LogGroupSink(chosen.log_group or "", f"{settings.metro}/{site}", settings.aws.region)
