"""Which instance types exist, for which architecture, and which a test has made unavailable.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/troubleshooting-launch.html (InsufficientInstanceCapacity).
"""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.instance_types import INSTANCE_TYPES

_unavailable: list[dict[str, str]] = []


def set_unavailable(entries: list[dict[str, str]]) -> None:
    """Each entry has `region` and `instanceType`, and `availabilityZone` when only one zone lacks it."""
    _unavailable[:] = entries


def architectures(instance_type: str) -> list[str]:
    known: dict[str, Any] | None = INSTANCE_TYPES.get(instance_type)
    if known is None:
        raise EC2ClientError("InvalidParameterValue", f"Invalid value '{instance_type}' for InstanceType.")
    return list(known.get("ProcessorInfo", {}).get("SupportedArchitectures") or [])


def check(region: str, zone: str, instance_type: str, architecture: str) -> None:
    supported = architectures(instance_type)
    if supported and architecture not in supported:
        raise EC2ClientError(
            "InvalidParameterValue",
            f"The architecture '{','.join(supported)}' of the specified instance type does not match the architecture '{architecture}' of the specified AMI.",
        )
    for entry in _unavailable:
        if entry["region"] == region and entry["instanceType"] == instance_type and entry.get("availabilityZone", zone) == zone:
            raise EC2ClientError(
                "InsufficientInstanceCapacity",
                f"We currently do not have sufficient {instance_type} capacity in the Availability Zone you requested ({zone}).",
            )
