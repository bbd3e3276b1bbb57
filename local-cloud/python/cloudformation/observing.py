"""Alarms, notifications and logs as templates describe them.

AWS::CloudWatch::Alarm, AWS::SNS::Subscription, AWS::Logs::LogGroup (retention).
"""

from __future__ import annotations

from typing import Any

from moto.cloudwatch.models import Dimension, Metric, MetricDataQuery, MetricStat, cloudwatch_backends
from moto.logs.models import LogGroup, logs_backends
from moto.sns.models import sns_backends

from .adapter import Made, Request, register, replace


def _alarm(request: Request) -> Made:
    properties, backend = request.properties, cloudwatch_backends[request.account][request.region]
    alarm = backend.put_metric_alarm(
        name=request.name,
        namespace=properties.get("Namespace"),  # type: ignore[arg-type]
        metric_name=properties.get("MetricName"),  # type: ignore[arg-type]
        metric_data_queries=[_query(query) for query in properties.get("Metrics") or []] or None,
        comparison_operator=properties["ComparisonOperator"],
        evaluation_periods=int(properties["EvaluationPeriods"]),
        datapoints_to_alarm=properties.get("DatapointsToAlarm"),
        period=properties.get("Period"),  # type: ignore[arg-type]
        threshold=properties.get("Threshold"),  # type: ignore[arg-type]
        statistic=properties.get("Statistic"),  # type: ignore[arg-type]
        extended_statistic=properties.get("ExtendedStatistic"),
        description=properties.get("AlarmDescription", ""),
        dimensions=[dict(d) for d in properties.get("Dimensions") or []],
        alarm_actions=properties.get("AlarmActions") or [],
        ok_actions=properties.get("OKActions") or [],
        insufficient_data_actions=properties.get("InsufficientDataActions") or [],
        unit=properties.get("Unit"),
        actions_enabled=properties.get("ActionsEnabled", True),
        treat_missing_data=properties.get("TreatMissingData"),
        threshold_metric_id=properties.get("ThresholdMetricId"),
        tags=request.tags(),
    )
    return Made(request.name, {"Arn": alarm.alarm_arn}, lambda: backend.delete_alarms([request.name]))


def _query(query: dict[str, Any]) -> MetricDataQuery:
    stat = query.get("MetricStat")
    return MetricDataQuery(
        query_id=query["Id"],
        label=query.get("Label", ""),
        period=query.get("Period"),  # type: ignore[arg-type]
        return_data=query.get("ReturnData", True),
        expression=query.get("Expression"),
        metric_stat=stat and MetricStat(
            metric=Metric(
                metric_name=stat["Metric"]["MetricName"],
                namespace=stat["Metric"]["Namespace"],
                dimensions=[Dimension(name=d["Name"], value=d["Value"]) for d in stat["Metric"].get("Dimensions") or []],
            ),
            period=stat["Period"],
            stat=stat["Stat"],
            unit=stat.get("Unit"),
        ),
    )


def _subscription(request: Request) -> Made:
    properties = request.properties
    backend = sns_backends[request.account][properties.get("Region") or request.region]
    subscription = backend.subscribe(properties["TopicArn"], properties["Endpoint"], properties["Protocol"])
    for key in ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy"):
        if key in properties:
            subscription.attributes[key] = properties[key]
    return Made(subscription.arn, {"Arn": subscription.arn}, lambda: backend.unsubscribe(subscription.arn))


def _log_group(request: Request) -> Any:
    backend = logs_backends[request.account][request.region]
    # A function's first run may have made it.
    backend.ensure_log_group(request.name)
    group = backend.groups[request.name]
    if request.properties.get("RetentionInDays"):
        group.retention_in_days = int(request.properties["RetentionInDays"])
    group.kms_key_id = request.properties.get("KmsKeyId")
    backend.tag_resource(group.arn, request.tag_map())
    return group


def install() -> None:
    register("AWS::CloudWatch::Alarm", _alarm, "AlarmName")
    register("AWS::SNS::Subscription", _subscription)
    replace(LogGroup, _log_group)
