"""EventBridge: matched events reach their targets, through the gateway, which calls as the target's role.

- https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
- https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-region.html (an event keeps its Region, time and id)
- https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html (delivery at least once)

moto matches the patterns. It delivers to few targets, waits for them, and gives them a time that is a number.
"""

from __future__ import annotations

import copy
import json
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import Any

from gateway import ACCOUNT, Gateway, GatewayError
from moto.events.models import EventsBackend, Rule, events_backends
from moto.utilities.arns import parse_arn

BY_GATEWAY = frozenset({"lambda", "states", "sns", "events", "ssm"})
"""Target services that the gateway calls. Log groups and queues stay with moto."""
ORIGINAL = "OriginalEvent"
"""An entry's member by which a rule's target bus gets the event as it was, with its own Region, time and id."""
ATTEMPTS = 4
DELIVERY_SECONDS = 60

_pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="events")


def iso(moment: datetime | float | None = None) -> str:
    """As EventBridge writes times: UTC, in whole seconds."""
    if not isinstance(moment, datetime):
        moment = datetime.fromtimestamp(time.time() if moment is None else moment, timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_of(moment: datetime) -> str:
    """A moment of moto's: UTC without saying so."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def emit(region: str, detail_type: str, resources: list[str], detail: dict[str, Any], source: str = "aws.ec2") -> None:
    """Puts an event of an AWS service on the Region's default bus."""
    _pool.submit(_put, region, "default", _event(region, source, detail_type, resources, detail))


def _event(region: str, source: str, detail_type: str, resources: list[str], detail: Any, moment: Any = None) -> dict[str, Any]:
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT,
        "time": moment if isinstance(moment, str) else iso(moment),
        "region": region,
        "resources": resources,
        "detail": detail,
    }


def _put(region: str, bus_name: str, event: dict[str, Any]) -> None:
    try:
        bus = events_backends[ACCOUNT][region].describe_event_bus(bus_name)
        for rule in list(bus.rules.values()):
            if rule.state == "ENABLED" and rule.event_pattern.get_pattern():
                rule.send_to_targets(event, transform_input=False)
    except Exception as error:
        print(f"event on {bus_name} in {region}: {error!r}", file=sys.stderr, flush=True)


class Delivery:
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def send(self, rule: Rule, target: dict[str, Any], event: dict[str, Any]) -> None:
        body = {"region": rule.region_name, "ruleArn": rule.arn, "target": target, "event": event}
        for attempt in range(ATTEMPTS):
            try:
                self._gateway.post("/_local/events/deliver", body, DELIVERY_SECONDS)
                return
            except GatewayError as error:
                last = error
                time.sleep(0.25 * 2**attempt)
        print(f"rule {rule.name} to {target['Arn']}: {last}", file=sys.stderr, flush=True)


def install(gateway: Gateway) -> None:
    delivery = Delivery(gateway)
    to_few = Rule.send_to_targets
    put_by_moto = EventsBackend.put_events

    def send_to_targets(self: Rule, original_event: Any, transform_input: bool = True) -> None:
        if not self.event_pattern.matches_event(original_event):
            return
        others = []
        for target in self.targets:
            if _by_gateway(target):
                _pool.submit(delivery.send, self, copy.deepcopy(target), original_event)
            else:
                others.append(target)
        if others:
            rest = copy.copy(self)
            rest.targets = others
            event = {**original_event, "ingestion-time": time.time(), "time": _seconds(original_event["time"])}
            to_few(rest, event, transform_input)  # type: ignore[arg-type]

    def put_events(self: EventsBackend, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """moto checks the entries on a bus without rules; then each valid one is matched here."""
        checked = put_by_moto(_unmatched(self), [{**e, "EventBusName": "default"} for e in events])
        for entry, event in zip(checked, events, strict=True):
            if "EventId" not in entry:
                continue
            bus = self._normalize_event_bus_arn(event.get("EventBusName"))
            self.describe_event_bus(bus)
            _put(self.region_name, bus, event.get(ORIGINAL) or self_made(self.region_name, entry["EventId"], event))
        return checked

    Rule.send_to_targets = send_to_targets  # type: ignore[method-assign]
    EventsBackend.put_events = put_events  # type: ignore[method-assign]


def self_made(region: str, event_id: str, entry: dict[str, Any]) -> dict[str, Any]:
    detail = json.loads(entry["Detail"])
    event = _event(region, entry["Source"], entry["DetailType"], entry.get("Resources") or [], detail, entry.get("Time"))
    return {**event, "id": event_id}


def _unmatched(backend: EventsBackend) -> EventsBackend:
    return EventsBackend(backend.region_name, backend.account_id)


def _by_gateway(target: dict[str, Any]) -> bool:
    arn = parse_arn(target["Arn"])
    if arn.service == "events":
        return arn.resource_type == "event-bus"
    return arn.service in BY_GATEWAY


def _seconds(value: str) -> float:
    return datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()
