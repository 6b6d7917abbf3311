"""How a controller asks others what they measured, and where its alerts are told."""

from collections.abc import Sequence

from edgemind.adapters.alert_sink.console import ConsoleSink
from edgemind.adapters.http_calls import HttpCalls
from edgemind.adapters.inference.pools import UpstreamPools
from edgemind.adapters.site_operations.http import HttpSiteOperations
from edgemind.ports.alert_sink import AlertSink
from edgemind.ports.clock import Clock
from edgemind.ports.site_operations import SiteOperations
from edgemind.services.operations.tell_alerts import SinkRoute
from edgemind.settings import Settings
from edgemind.settings.operations import TopicSettings


def site_operations(settings: Settings, pools: UpstreamPools) -> SiteOperations:
    """The other controllers of the metro."""
    urls = {one.name: one.controller_url for one in settings.fleet().sites if one.controller_url}
    return HttpSiteOperations(HttpCalls(pools), urls, settings.access.site_tokens().current or "")


def alert_routes(settings: Settings, pools: UpstreamPools, clock: Clock) -> Sequence[SinkRoute]:
    """Every place that `operations` names, the log first. ConfigurationError if one needs what is not installed."""
    operations = settings.operations
    routes = [SinkRoute("console", ConsoleSink(), operations.console.levels())]
    for hook in operations.webhooks:
        # Imported here: most fleets have none.
        from edgemind.adapters.alert_sink.webhook import WebhookSink

        secret = hook.secret.reveal() if hook.secret else None
        sink = WebhookSink(HttpCalls(pools), hook.url.reveal(), secret, clock.wall_ms)
        routes.append(SinkRoute(hook.name, sink, hook.levels.levels()))
    return [*routes, *(SinkRoute(topic.name, _topic(topic), topic.levels.levels()) for topic in operations.topics)]


def _topic(topic: TopicSettings) -> AlertSink:
    # Imported here: boto3 takes a while, and most fleets have no topic.
    from edgemind.adapters.alert_sink.sns import SnsSink
    from edgemind.adapters.aws_calls import require_boto3

    require_boto3("operations.topics")
    return SnsSink(topic.topic_arn, topic.endpoint_url)
