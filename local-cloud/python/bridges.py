"""All the places where the emulator differs from bare moto, in the order in which they are put in."""

from __future__ import annotations

from pathlib import Path

import cloudformation
import cloudwatch_alarms
import ebs_direct
import ec2_filters
import ec2_images
import ec2_instances
import ec2_root_volumes
import ec2_storage
import ec2_volumes
import emulator_api
import events
import lambda_runtime
import speed
import states
from gateway import Gateway
from server import Application


def install(gateway: Gateway, state: Path) -> Application:
    speed.install()
    lambda_runtime.install(gateway, state)
    states.install(gateway)
    events.install(gateway)
    ec2_filters.install()
    ec2_storage.install()
    ec2_volumes.install()
    ec2_images.install()
    ec2_instances.install()
    ec2_root_volumes.install()
    ebs_direct.install()
    cloudwatch_alarms.install()
    cloudformation.install()
    return Application(emulator_api.application)
