"""How an adapter is written: a function that makes the resource with moto's own back ends and says what `Ref` gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from moto.core.common_models import CloudFormationModel
from moto.utilities.utils import get_partition


@dataclass
class Request:
    """One resource to make: its physical name, resolved properties, and where."""

    name: str
    properties: dict[str, Any]
    account: str
    region: str

    @property
    def partition(self) -> str:
        return get_partition(self.region)

    def tags(self, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
        return [{key: tag["Key"], value: str(tag["Value"])} for tag in self.properties.get("Tags") or []]

    def tag_map(self) -> dict[str, str]:
        """Tags of a resource whose schema has them as a list or as a map."""
        tags = self.properties.get("Tags") or {}
        return dict(tags) if isinstance(tags, dict) else {tag["Key"]: str(tag["Value"]) for tag in tags}


@dataclass
class Made:
    """What a template sees of a resource: `Ref`, `Fn::GetAtt`, and how it goes away."""

    ref: str
    attributes: dict[str, Any] = field(default_factory=dict)
    remove: Callable[[], Any] = lambda: None


Maker = Callable[[Request], Made]


def register(resource_type: str, make: Maker, name_property: str = "") -> None:
    """Adds a type that moto does not know. An update replaces the resource under its name."""

    def create(cls: Any, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any) -> Any:
        made = make(Request(resource_name, cloudformation_json.get("Properties") or {}, account_id, region_name))
        resource = cls()
        resource.made = made
        return resource

    def update(cls: Any, original_resource: Any, new_resource_name: str, cloudformation_json: Any, account_id: str, region_name: str) -> Any:
        properties = cloudformation_json.get("Properties") or {}
        named = name_property and name_property in properties
        original_resource.made.remove()
        name = new_resource_name if named else original_resource.made.ref
        return cls.create_from_cloudformation_json(name, cloudformation_json, account_id, region_name)

    def delete(self: Any, account_id: str, region_name: str) -> None:
        self.made.remove()

    def attribute(self: Any, attribute_name: str) -> Any:
        if attribute_name not in self.made.attributes:
            raise ValueError(f"{resource_type} has no attribute {attribute_name} in this emulator")
        return self.made.attributes[attribute_name]

    body = {
        # moto files its models under the second part of the module's name.
        "__module__": "moto.local_cloud.adapters",
        "cloudformation_type": staticmethod(lambda: resource_type),
        "cloudformation_name_type": staticmethod(lambda: name_property),
        "has_cfn_attr": classmethod(lambda cls, attr: True),
        "create_from_cloudformation_json": classmethod(create),
        "update_from_cloudformation_json": classmethod(update),
        "delete": delete,
        "get_cfn_attribute": attribute,
        "physical_resource_id": property(lambda self: self.made.ref),
    }
    _models.append(type(CloudFormationModel)(resource_type.replace(":", ""), (CloudFormationModel,), body))


# CloudFormationModel.__subclasses__() holds its classes weakly.
_models: list[type] = []


def retire(model: type) -> None:
    """Takes a type away from moto's model of it, for one that is registered here."""
    kind = f"moto's own {model.cloudformation_type()}"  # type: ignore[attr-defined]
    model.cloudformation_type = staticmethod(lambda: kind)  # type: ignore[attr-defined]


def replace(model: type, create: Callable[..., Any]) -> None:
    """Puts `create(request)` in the place of a model's own creation from a template."""

    def create_from_cloudformation_json(cls: Any, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any) -> Any:
        return create(Request(resource_name, cloudformation_json.get("Properties") or {}, account_id, region_name))

    model.create_from_cloudformation_json = classmethod(create_from_cloudformation_json)  # type: ignore[attr-defined]
