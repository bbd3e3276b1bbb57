"""Lambda functions and state machines as templates describe them.

AWS::Lambda::Function, AWS::Lambda::Permission, AWS::Lambda::EventInvokeConfig, AWS::Lambda::Version,
AWS::Lambda::Alias, AWS::Lambda::Url (an address that nobody serves), AWS::StepFunctions::StateMachine.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import zipfile
from typing import Any

from moto.awslambda.models import LambdaFunction, LambdaVersion, Permission, lambda_backends
from moto.s3.models import s3_backends
from moto.stepfunctions.models import StateMachine
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from .adapter import Made, Request, register, replace, retire

_CARRIED = (
    "Architectures",
    "Description",
    "Environment",
    "EphemeralStorage",
    "Handler",
    "Layers",
    "MemorySize",
    "ReservedConcurrentExecutions",
    "Role",
    "Runtime",
    "Timeout",
    "TracingConfig",
    "VpcConfig",
)


def _function(request: Request) -> Any:
    properties = request.properties
    spec = {key: properties[key] for key in _CARRIED if key in properties}
    spec.setdefault("Handler", None)
    spec.setdefault("Runtime", None)
    spec["FunctionName"] = request.name
    spec["Tags"] = request.tag_map()
    spec["Code"] = _code(properties["Code"], str(spec["Runtime"]))
    return lambda_backends[request.account][request.region].create_function(spec)


def _code(code: dict[str, Any], runtime: str) -> dict[str, Any]:
    """`ZipFile` in a template is source text: CommonJS `index.js` for Node, `index.py` for Python."""
    if "ZipFile" not in code:
        return dict(code)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("index.js" if runtime.startswith("nodejs") else "index.py", code["ZipFile"])
    return {"ZipFile": base64.b64encode(packed.getvalue())}


def _update_function(cls: Any, original_resource: Any, new_resource_name: str, cloudformation_json: Any, account_id: str, region_name: str) -> Any:
    properties = cloudformation_json["Properties"]
    original_resource.update_configuration({"Environment": {"Variables": {}}, **properties})
    original_resource.update_function_code(_code(properties["Code"], str(properties.get("Runtime"))))
    original_resource.reserved_concurrency = properties.get("ReservedConcurrentExecutions")
    return original_resource


def _permission(request: Request) -> Made:
    properties = request.properties
    function = lambda_backends[request.account][request.region].get_function(properties["FunctionName"])
    statement = {key: value for key, value in properties.items() if key != "FunctionName"}
    statement.setdefault("StatementId", request.name)
    function.policy.add_statement(raw=json.dumps(statement))
    return Made(request.name, {"Id": request.name}, lambda: function.policy.del_statement(statement["StatementId"]))


def _event_invoke_config(request: Request) -> Made:
    backend = lambda_backends[request.account][request.region]
    properties = {key: value for key, value in request.properties.items() if key not in ("FunctionName", "Qualifier")}
    for key in ("MaximumEventAgeInSeconds", "MaximumRetryAttempts"):
        if key in properties:
            properties[key] = int(properties[key])
    name = request.properties["FunctionName"]
    backend.put_function_event_invoke_config(name, properties)
    return Made(request.name, {}, lambda: backend.delete_function_event_invoke_config(name))


def _version(request: Request) -> Made:
    version = lambda_backends[request.account][request.region].publish_version(request.properties["FunctionName"], request.properties.get("Description", ""))
    return Made(version.function_arn, {"FunctionArn": version.function_arn, "Version": str(version.version)})  # type: ignore[union-attr]


def _alias(request: Request) -> Made:
    properties, backend = request.properties, lambda_backends[request.account][request.region]
    name, function = properties["Name"], properties["FunctionName"]
    alias = backend.create_alias(name, function, str(properties["FunctionVersion"]), properties.get("Description", ""), properties.get("RoutingConfig"))  # type: ignore[arg-type]
    return Made(alias.arn, {"AliasArn": alias.arn}, lambda: backend.delete_alias(name, function))


def _url(request: Request) -> Made:
    """Ref gives the function's ARN; https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html says the form of the address."""
    arn = str(request.properties["TargetFunctionArn"])
    host = hashlib.sha256(arn.encode()).hexdigest()[:32]
    return Made(arn, {"FunctionArn": arn, "FunctionUrl": f"https://{host}.lambda-url.{request.region}.on.aws/"})


def _state_machine(request: Request) -> Any:
    backend = stepfunctions_parser_backends[request.account][request.region]
    machine = backend.create_state_machine(
        name=request.name,
        definition=_definition(request),
        roleArn=request.properties["RoleArn"],
        tags=request.tags("key", "value"),
    )
    machine.sm_type = machine.type = request.properties.get("StateMachineType", "STANDARD")
    return machine


def _definition(request: Request) -> str:
    properties = request.properties
    if "DefinitionString" in properties:
        text = properties["DefinitionString"]
    elif "DefinitionS3Location" in properties:
        location = properties["DefinitionS3Location"]
        text = s3_backends[request.account][request.partition].get_object(location["Bucket"], location["Key"]).value.decode()  # type: ignore[union-attr]
    else:
        text = json.dumps(properties["Definition"])
    values = properties.get("DefinitionSubstitutions") or {}
    return re.sub(r"\$\{([A-Za-z0-9_]+)\}", lambda m: str(values[m[1]]) if m[1] in values else m[0], text)


def _update_state_machine(cls: Any, original_resource: Any, new_resource_name: str, cloudformation_json: Any, account_id: str, region_name: str) -> Any:
    request = Request(original_resource.name, cloudformation_json["Properties"], account_id, region_name)
    backend = stepfunctions_parser_backends[account_id][region_name]
    return backend.update_state_machine(original_resource.arn, definition=_definition(request), role_arn=request.properties["RoleArn"])


def install() -> None:
    replace(LambdaFunction, _function)
    LambdaFunction.update_from_cloudformation_json = classmethod(_update_function)  # type: ignore[assignment, method-assign]
    LambdaFunction.has_cfn_attr = classmethod(lambda cls, attr: True)  # type: ignore[assignment, method-assign]
    retire(Permission)
    retire(LambdaVersion)
    register("AWS::Lambda::Permission", _permission)
    register("AWS::Lambda::EventInvokeConfig", _event_invoke_config)
    register("AWS::Lambda::Alias", _alias)
    register("AWS::Lambda::Version", _version)
    register("AWS::Lambda::Url", _url)
    replace(StateMachine, _state_machine)
    # moto looks for the physical name under a property that this type does not have.
    StateMachine.cloudformation_name_type = staticmethod(lambda: "StateMachineName")  # type: ignore[method-assign]
    StateMachine.update_from_cloudformation_json = classmethod(_update_state_machine)  # type: ignore[assignment, method-assign]
