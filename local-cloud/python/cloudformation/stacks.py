"""Templates and stacks: fast parsing, Availability Zones of the stack's own Region, and no silent omissions.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html. moto skips a type that it does not
know, so that a template could deploy and half of it not exist; here the stack fails and says which type.
"""

from __future__ import annotations

import json
import sys
import traceback
from typing import Any

import yaml
from moto.cloudformation import models, parsing
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.utils import yaml_tag_constructor
from moto.ec2.models import ec2_backends
from moto.ec2.models.core import TaggedEC2Resource

from .adapter import Made, Request, register

RECORDED_ONLY = (
    "AWS::CDK::Metadata",
    "AWS::Backup::BackupSelection",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::EC2::CapacityReservation",
    "AWS::EC2::NetworkAcl",
    "AWS::EC2::NetworkAclEntry",
    "AWS::EC2::SubnetNetworkAclAssociation",
    "AWS::EC2::VPCDHCPOptionsAssociation",
    "AWS::Logs::MetricFilter",
    "AWS::Logs::QueryDefinition",
    "AWS::Logs::SubscriptionFilter",
    "AWS::ResourceGroups::Group",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
)
"""Types whose effect nothing here depends on. They have a name and an ARN, and that is all."""

AVAILABILITY_ZONES = 3


def _parse_template(template: str) -> Any:
    """A CDK template is JSON; moto reads everything as YAML, in Python, which takes seconds."""
    if isinstance(template, dict):
        return template
    try:
        return json.loads(template)
    except ValueError:
        loader: Any = getattr(yaml, "CLoader", yaml.Loader)
        yaml.add_multi_constructor("", yaml_tag_constructor, Loader=loader)
        return yaml.load(template, Loader=loader)


_clean_json = parsing.clean_json


def _clean(resource_json: Any, resources_map: Any) -> Any:
    if isinstance(resource_json, dict) and "Fn::GetAZs" in resource_json:
        region = _clean_json(resource_json["Fn::GetAZs"], resources_map) or resources_map["AWS::Region"]
        return [f"{region}{zone}" for zone in "abcdef"[:AVAILABILITY_ZONES]]
    return _clean_json(resource_json, resources_map)


def _create(logical_id: str, resource_json: dict[str, Any], resources_map: Any, account_id: str, region_name: str) -> Any:
    condition = resource_json.get("Condition")
    if condition and not resources_map.lazy_condition_map[condition]:
        return None
    kind = resource_json["Type"]
    _known(kind)
    try:
        parsed = parsing.parse_resource_and_generate_name(logical_id, resource_json, resources_map)
        if not parsed:
            return None
        model, properties, name = parsed
        resource = model.create_from_cloudformation_json(
            name, properties, account_id, region_name, LogicalId=logical_id, StackId=resources_map.stack_id, ResourceType=kind
        )
    except ValidationError:
        raise
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        raise ValidationError(message=f"{logical_id} ({kind}): {error!r}") from error
    resource.cf_resource_type = kind  # type: ignore[attr-defined]
    resource.logical_resource_id = logical_id  # type: ignore[attr-defined]
    if isinstance(resource, TaggedEC2Resource):
        tags = properties.get("Properties", {}).get("Tags") or []
        ec2_backends[account_id][region_name].create_tags([resource.id], {tag["Key"]: str(tag["Value"]) for tag in tags})  # type: ignore[attr-defined]
    return resource


def _known(kind: str) -> None:
    if kind.startswith("Custom::") or kind in parsing.NULL_MODELS or kind in parsing.get_model_map():
        return
    raise ValidationError(message=f"The local cloud has no adapter for {kind} (local-cloud/python/cloudformation)")


def _recorded(kind: str) -> Any:
    service = kind.split("::")[1].lower()

    def make(request: Request) -> Made:
        arn = f"arn:{request.partition}:{service}:{request.region}:{request.account}:{kind.split('::')[2].lower()}/{request.name}"
        return Made(request.name, {"Arn": arn, "Id": request.name, "Name": request.name})

    return make


def _roll_back() -> None:
    create = models.CloudFormationBackend.create_stack

    def create_stack(self: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        before = set(self.stacks)
        try:
            return create(self, name, *args, **kwargs)
        except Exception:
            for stack_id in set(self.stacks) - before:
                failed = self.stacks.pop(stack_id)
                try:
                    failed.resource_map.delete()
                except Exception as error:
                    print(f"roll-back of {name}: {error!r}", file=sys.stderr, flush=True)
            raise

    models.CloudFormationBackend.create_stack = create_stack  # type: ignore[method-assign]

    def parameters_of_update(self: Any, instance: Any, incoming_params: list[dict[str, Any]]) -> dict[str, str]:
        """Also `UsePreviousValue` of a parameter that so far had its default."""
        previous = instance.resource_map.resolved_parameters
        return {
            p["ParameterKey"]: p["ParameterValue"] if "ParameterValue" in p else _source_value(instance, p["ParameterKey"], previous)
            for p in incoming_params
            if "ParameterValue" in p or p["ParameterKey"] in previous
        }

    models.CloudFormationBackend._resolve_update_parameters = parameters_of_update  # type: ignore[method-assign]


def _source_value(stack: Any, key: str, resolved: dict[str, Any]) -> Any:
    """The value as it was given: for an SSM parameter type that is the parameter's name, not what it held."""
    default = stack.template_dict.get("Parameters", {}).get(key, {}).get("Default")
    return stack.parameters.get(key, default if default is not None else resolved[key])


def install() -> None:
    models.Stack.parse_template = staticmethod(_parse_template)  # type: ignore[method-assign]
    parsing.clean_json = _clean
    parsing.parse_and_create_resource = _create  # type: ignore[assignment]
    _roll_back()
    for kind in RECORDED_ONLY:
        register(kind, _recorded(kind))
