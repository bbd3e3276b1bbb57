"""Tables, keys, AWS Backup, roles and parameters as templates describe them.

AWS::DynamoDB::Table (time to live, point-in-time recovery, deletion protection), AWS::KMS::Key (as given, not always
symmetric defaults), AWS::Backup::BackupVault, AWS::Backup::BackupPlan, AWS::IAM::Role (managed policies).
"""

from __future__ import annotations

import json
from typing import Any

from moto.backup.models import backup_backends
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import Table
from moto.iam.models import Role, iam_backends
from moto.kms.models import Key, kms_backends

from .adapter import Made, Request, register

_create_table = Table.create_from_cloudformation_json.__func__  # type: ignore[attr-defined]
_create_role = Role.create_from_cloudformation_json.__func__  # type: ignore[attr-defined]
_create_key = Key.create_from_cloudformation_json.__func__  # type: ignore[attr-defined]


def _table(cls: Any, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **rest: Any) -> Any:
    properties = cloudformation_json["Properties"]
    encryption = properties.get("SSESpecification")
    if encryption:
        # The template's name for what the API calls Enabled.
        properties["SSESpecification"] = {**encryption, "Enabled": encryption.get("SSEEnabled", True)}
    table = _create_table(cls, resource_name, cloudformation_json, account_id, region_name, **rest)
    backend = dynamodb_backends[account_id][region_name]
    if properties.get("PointInTimeRecoverySpecification"):
        backend.update_continuous_backups(resource_name, {"PointInTimeRecoveryEnabled": True, **properties["PointInTimeRecoverySpecification"]})
    if properties.get("TimeToLiveSpecification"):
        backend.update_time_to_live(resource_name, {"Enabled": True, **properties["TimeToLiveSpecification"]})
    return table


def _update_table(cls: Any, original_resource: Any, new_resource_name: str, cloudformation_json: Any, account_id: str, region_name: str) -> Any:
    """In place: the CDK would be told of a replacement, and the catalogue must not vanish."""
    properties = cloudformation_json["Properties"]
    original_resource.deletion_protection_enabled = properties.get("DeletionProtectionEnabled", False)
    return original_resource


def _key(cls: Any, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any) -> Any:
    properties = cloudformation_json["Properties"]
    policy = properties.get("KeyPolicy") or ""
    key = kms_backends[account_id][region_name].create_key(
        policy=policy if isinstance(policy, str) else json.dumps(policy),
        key_usage=properties.get("KeyUsage", "ENCRYPT_DECRYPT"),
        key_spec=properties.get("KeySpec", "SYMMETRIC_DEFAULT"),
        description=properties.get("Description"),
        tags=[{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in properties.get("Tags") or []],
        multi_region=bool(properties.get("MultiRegion", False)),
    )
    key.key_rotation_status = properties.get("EnableKeyRotation", False)
    key.enabled = properties.get("Enabled", True)
    return key


def _update_key(cls: Any, original_resource: Any, new_resource_name: str, cloudformation_json: Any, account_id: str, region_name: str) -> Any:
    properties = cloudformation_json["Properties"]
    original_resource.policy = json.dumps(properties["KeyPolicy"])
    original_resource.description = properties.get("Description")
    original_resource.key_rotation_status = properties.get("EnableKeyRotation", False)
    return original_resource


def _role(cls: Any, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **rest: Any) -> Any:
    properties = cloudformation_json["Properties"]
    role = _create_role(cls, resource_name, cloudformation_json, account_id, region_name, **rest)
    _attach(role, properties, account_id)
    return role


def _attach(role: Any, properties: dict[str, Any], account_id: str) -> None:
    backend = iam_backends[account_id]["aws"]
    wanted = set(properties.get("ManagedPolicyArns") or [])
    for arn in wanted - set(role.managed_policies):
        backend.attach_role_policy(arn, role.name)


def _vault(request: Request) -> Made:
    backend = backup_backends[request.account][request.region]
    vault = backend.create_backup_vault(request.name, dict(request.properties.get("BackupVaultTags") or {}), request.properties.get("EncryptionKeyArn", ""), "")
    attributes = {"BackupVaultName": request.name, "BackupVaultArn": vault.backup_vault_arn}
    return Made(request.name, attributes, lambda: backend.delete_backup_vault(request.name))


def _plan(request: Request) -> Made:
    document, backend = dict(request.properties["BackupPlan"]), backup_backends[request.account][request.region]
    # The template's names for what the API calls BackupPlanName and Rules.
    rules = [{("TargetBackupVaultName" if k == "TargetBackupVault" else k): v for k, v in rule.items()} for rule in document.pop("BackupPlanRule", [])]
    plan = backend.create_backup_plan({**document, "Rules": rules}, dict(request.properties.get("BackupPlanTags") or {}), "")
    attributes = {"BackupPlanId": plan.backup_plan_id, "BackupPlanArn": plan.backup_plan_arn, "VersionId": plan.version_id}
    return Made(plan.backup_plan_id, attributes, lambda: backend.plans.pop(plan.backup_plan_id, None))


def install() -> None:
    Table.create_from_cloudformation_json = classmethod(_table)  # type: ignore[assignment, method-assign]
    Table.update_from_cloudformation_json = classmethod(_update_table)  # type: ignore[assignment, method-assign]
    Key.create_from_cloudformation_json = classmethod(_key)  # type: ignore[assignment, method-assign]
    Key.update_from_cloudformation_json = classmethod(_update_key)  # type: ignore[assignment, method-assign]
    Role.create_from_cloudformation_json = classmethod(_role)  # type: ignore[assignment, method-assign]
    register("AWS::Backup::BackupVault", _vault, "BackupVaultName")
    register("AWS::Backup::BackupPlan", _plan)
