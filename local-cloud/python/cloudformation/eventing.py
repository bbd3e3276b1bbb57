"""EventBridge and its Scheduler as templates describe them.

AWS::Scheduler::Schedule, AWS::Scheduler::ScheduleGroup, AWS::Events::Rule, AWS::Events::EventBus,
AWS::Events::EventBusPolicy.
"""

from __future__ import annotations

import json
from typing import Any

from moto.events.models import EventBus, Rule, events_backends
from moto.scheduler.models import scheduler_backends

from .adapter import Made, Request, register, replace


def _schedule(request: Request) -> Made:
    properties, backend = request.properties, scheduler_backends[request.account][request.region]
    group = properties.get("GroupName") or "default"
    schedule = backend.create_schedule(
        name=request.name,
        group_name=group,
        description=properties.get("Description", ""),
        schedule_expression=properties["ScheduleExpression"],
        schedule_expression_timezone=properties.get("ScheduleExpressionTimezone", "UTC"),
        flexible_time_window=properties["FlexibleTimeWindow"],
        target=properties["Target"],
        state=properties.get("State", "ENABLED"),
        start_date=properties.get("StartDate"),  # type: ignore[arg-type]
        end_date=properties.get("EndDate"),  # type: ignore[arg-type]
        kms_key_arn=properties.get("KmsKeyArn"),  # type: ignore[arg-type]
        action_after_completion=None,
    )
    return Made(request.name, {"Arn": schedule.arn}, lambda: backend.delete_schedule(group, request.name))


def _schedule_group(request: Request) -> Made:
    backend = scheduler_backends[request.account][request.region]
    group = backend.create_schedule_group(request.name, request.tags())
    return Made(request.name, {"Arn": group.arn, "State": "ACTIVE"}, lambda: backend.delete_schedule_group(request.name))


def _rule(request: Request) -> Any:
    properties, backend = request.properties, events_backends[request.account][request.region]
    bus = str(properties.get("EventBusName") or "default").split("/")[-1]
    pattern = properties.get("EventPattern")
    rule = backend.put_rule(
        request.name,
        event_bus_arn=bus,
        event_pattern=json.dumps(pattern) if pattern else None,
        scheduled_expression=properties.get("ScheduleExpression"),
        state=properties.get("State"),
        description=properties.get("Description"),
        role_arn=properties.get("RoleArn"),
        tags=request.tags(),
    )
    # put_rule keeps the targets of the rule that it replaces.
    rule.targets = []
    rule.put_targets(list(properties.get("Targets") or []))
    return rule


def _update_rule(cls: Any, original_resource: Any, new_resource_name: str, cloudformation_json: Any, account_id: str, region_name: str) -> Any:
    properties = cloudformation_json["Properties"]
    name = new_resource_name if "Name" in properties else original_resource.name
    _delete_rule(original_resource, account_id, region_name)
    return _rule(Request(name, properties, account_id, region_name))


def _delete_rule(self: Rule, account_id: str, region_name: str) -> None:
    self.targets = []
    bus = events_backends[account_id][region_name].event_buses.get(self.event_bus_name)
    if bus:
        bus.rules.pop(self.name, None)


def _bus(request: Request) -> Any:
    backend = events_backends[request.account][request.region]
    bus = backend.create_event_bus(name=request.name, event_source_name=request.properties.get("EventSourceName"), tags=request.tags())
    if request.properties.get("Policy"):
        bus.add_policy(request.properties["Policy"])
    return bus


def _bus_policy(request: Request) -> Made:
    properties, backend = request.properties, events_backends[request.account][request.region]
    bus = backend.describe_event_bus(str(properties.get("EventBusName") or "default").split("/")[-1])
    statement = properties.get("Statement") or {
        "Effect": "Allow",
        "Principal": properties["Principal"] if properties["Principal"] == "*" else {"AWS": f"arn:aws:iam::{properties['Principal']}:root"},
        "Action": properties["Action"],
        "Resource": bus.arn,
        **({"Condition": properties["Condition"]} if "Condition" in properties else {}),
    }
    sid = properties["StatementId"]
    bus.add_policy({"Statement": [{**statement, "Sid": sid}]})
    return Made(request.name, {}, lambda: bus.remove_statement(sid))


def install() -> None:
    register("AWS::Scheduler::Schedule", _schedule, "Name")
    register("AWS::Scheduler::ScheduleGroup", _schedule_group, "Name")
    register("AWS::Events::EventBusPolicy", _bus_policy)
    replace(Rule, _rule)
    Rule.update_from_cloudformation_json = classmethod(_update_rule)  # type: ignore[assignment, method-assign]
    Rule.delete = _delete_rule  # type: ignore[method-assign]
    replace(EventBus, _bus)
