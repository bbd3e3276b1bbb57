"""Where moto takes time that grows with the fleet. Nothing here changes an answer.

Measured on launches, DescribeInstances, CreateSnapshots and catalogue queries with 1,000 machines.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from types import SimpleNamespace
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from moto.core import responses, serialize
from moto.core.serialize import MISSING, AttributePickerContext
from moto.core.utils import get_value, method_names_from_class
from moto.dynamodb.models.table import Table


def install() -> None:
    # EC2's class has some 700 methods, and moto lists them anew for each request.
    responses.method_names_from_class = functools.cache(lambda cls: frozenset(method_names_from_class(cls)))  # type: ignore[attr-defined, assignment]
    serialize.AttributePicker.__call__ = _pick  # type: ignore[method-assign]
    serialize.xmltodict = SimpleNamespace(unparse=unparse)  # type: ignore[attr-defined]
    _values_as_they_are()
    _query_one_key()


# Finding a member's value under one of its possible names


@functools.cache
def _transformers_by_key(_: int, items: tuple[tuple[str, Any], ...]) -> dict[str, list[tuple[str, Any]]]:
    """By the last part of their path: all but a few members have none."""
    by_key: dict[str, list[tuple[str, Any]]] = defaultdict(list)
    for path, transform in items:
        by_key[path.rpartition(".")[2]].append((path, transform))
    return dict(by_key)


def _pick(self: serialize.AttributePicker, context: AttributePickerContext) -> Any:
    value = _value(self, context)
    transformers = self.response_transformers
    if not transformers:
        return value
    index = getattr(self, "_by_key", None)
    if index is None:
        index = self._by_key = _transformers_by_key(id(transformers), tuple(transformers.items()))  # type: ignore[attr-defined]
    for path, transform in index.get(context.key, ()):
        if f"{context.key_path}.{context.key}".endswith(path):
            return transform(value)
    return value


_names: dict[tuple[Any, ...], tuple[str, ...]] = {}


def _value(picker: serialize.AttributePicker, context: AttributePickerContext) -> Any:
    obj, shape = context.obj, context.shape
    parent = getattr(shape, "parent", None)
    # All that the possible names depend on.
    known = (type(obj), context.key, context.service_model.service_name, shape.name, shape.type_name, shape.serialization.get("name"), parent and parent.name)
    names = _names.get(known)
    if names is None:
        names = _names[known] = tuple(dict.fromkeys(picker.get_possible_keys(context)))
    for name in names:
        value = get_value(obj, name, MISSING)
        if value is not MISSING:
            return value
    return None


# XML


def unparse(body: Any, full_document: bool = True, short_empty_elements: bool = False, **_: Any) -> str:
    """As xmltodict writes it, without a SAX event for each element."""
    parts: list[str] = ['<?xml version="1.0" encoding="utf-8"?>\n'] if full_document else []
    for key, value in body.items():
        _element(key, value, parts, short_empty_elements)
    return "".join(parts)


def _element(key: str, value: Any, parts: list[str], short: bool) -> None:
    if isinstance(value, (list, tuple)):
        for item in value:
            _element(key, item, parts, short)
        return
    if isinstance(value, dict):
        attributes = "".join(f" {name[1:]}={quoteattr(str(v))}" for name, v in value.items() if name[0] == "@" and v is not None)
        inner: list[str] = []
        for name, child in value.items():
            if name == "#text":
                inner.append(escape(str(child)))
            elif name[0] != "@":
                _element(name, child, inner, short)
        content = "".join(inner)
    else:
        attributes = ""
        content = "" if value is None else ("true" if value else "false") if isinstance(value, bool) else escape(str(value))
    parts.append(f"<{key}{attributes}/>" if short and not content else f"<{key}{attributes}>{content}</{key}>")


# DynamoDB


def _is_plain(value: dict[str, Any]) -> bool:
    """An attribute value that is JSON already. Bytes are not."""
    for kind, content in value.items():
        if kind in ("B", "BS"):
            return False
        if kind == "M":
            return all(isinstance(v, dict) and _is_plain(v) for v in content.values())
        if kind == "L":
            return all(isinstance(v, dict) and _is_plain(v) for v in content)
    return True


def _values_as_they_are() -> None:
    by_shape = serialize.ResponseSerializer._serialize_type_structure

    def structure(self: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if shape.name == "AttributeValue" and self.service_model.service_name == "dynamodb" and type(value) is dict and _is_plain(value):
            self._default_serialize(serialized, value, shape, key)
        else:
            by_shape(self, serialized, value, shape, key)

    serialize.ResponseSerializer._serialize_type_structure = structure  # type: ignore[method-assign]


INDEX_NAME = 6
"""The place of the index's name among the arguments that follow the hash key."""


def _query_one_key() -> None:
    """moto sorts the whole table for each query. A query sees one hash key's items only."""
    by_all = Table.query

    def query(self: Any, hash_key: Any, *args: Any, hash_key_conditions: Any = None, **kwargs: Any) -> Any:
        view = self
        if self.range_key_attr:
            # Not copy.copy: moto keeps a list of all the tables that were ever made.
            view = object.__new__(type(self))
            view.__dict__.update(self.__dict__)
            if args[INDEX_NAME] is None:
                view.items = {hash_key: self.items[hash_key]} if hash_key in self.items else {}
            elif hash_key_conditions:
                view.items = _with_values(self.items, hash_key_conditions)
        return by_all(view, hash_key, *args, hash_key_conditions=hash_key_conditions, **kwargs)

    Table.query = query  # type: ignore[method-assign]


def _with_values(items: Any, conditions: Any) -> dict[Any, dict[Any, Any]]:
    wanted = [(name, value.type, value.value) for name, value in conditions]
    found: dict[Any, dict[Any, Any]] = {}
    for hash_key, by_range in list(items.items()):
        kept = {}
        for range_key, item in list(by_range.items()):
            for name, kind, value in wanted:
                has = item.attrs.get(name)
                if has is None or has.type != kind or has.value != value:
                    break
            else:
                kept[range_key] = item
        if kept:
            found[hash_key] = kept
    return found
