"""Alarms follow the metrics that are published: moto keeps both and never compares them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html. Covers alarms on one metric of standard
resolution with `EvaluationPeriods` 1; without data in the period an alarm stays as it was. Alarm actions are not carried out.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from moto.cloudwatch.models import Alarm, CloudWatchBackend

STATISTICS: dict[str, Callable[[list[float]], float]] = {
    "Maximum": max, "Minimum": min, "Sum": sum, "Average": lambda values: sum(values) / len(values), "SampleCount": len,
}
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}


def _dimensions(dimensions: Any) -> dict[str, str]:
    """Dimensions of requests are mappings, those that moto stores are objects."""
    return {
        (d.get("Name") or d.get("name")) if isinstance(d, dict) else d.name: (d.get("Value") or d.get("value")) if isinstance(d, dict) else d.value
        for d in dimensions or []
    }


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)


def _values(backend: CloudWatchBackend, alarm: Alarm, since: datetime) -> list[float]:
    wanted = _dimensions(alarm.dimensions)
    return [
        datum.value for datum in backend.metric_data
        if datum.namespace == alarm.namespace and datum.name == alarm.metric_name and _dimensions(datum.dimensions) == wanted
        and hasattr(datum, "value") and _aware(datum.timestamp) >= since
    ]


def evaluate(backend: CloudWatchBackend, now: datetime | None = None) -> None:
    moment = now or datetime.now(timezone.utc)
    for alarm in backend.alarms.values():
        statistic, compare = STATISTICS.get(alarm.statistic or ""), COMPARISONS.get(alarm.comparison_operator)
        if not alarm.metric_name or alarm.evaluation_periods != 1 or statistic is None or compare is None:
            continue
        values = _values(backend, alarm, moment - timedelta(seconds=int(alarm.period)))
        if not values:
            continue
        state = "ALARM" if compare(statistic(values), float(alarm.threshold)) else "OK"
        if state != alarm.state_value:
            alarm.update_state(f"{alarm.statistic} of {len(values)} datapoints", "{}", state)


def install() -> None:
    put, describe = CloudWatchBackend.put_metric_data, CloudWatchBackend.describe_alarms

    def put_metric_data(self: CloudWatchBackend, *args: Any, **named: Any) -> None:
        put(self, *args, **named)
        evaluate(self)

    def describe_alarms(self: CloudWatchBackend, *args: Any, **named: Any) -> Any:
        evaluate(self)
        return describe(self, *args, **named)

    CloudWatchBackend.put_metric_data = put_metric_data  # type: ignore[method-assign]
    CloudWatchBackend.describe_alarms = describe_alarms  # type: ignore[method-assign]
