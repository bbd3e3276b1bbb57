"""Where moto takes time that grows with the fleet. Nothing here changes an answer.

Measured on DescribeInstances and on CreateSnapshots with 1,000 machines.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from typing import Any

from moto.core import responses, serialize
from moto.core.serialize import MISSING, AttributePickerContext
from moto.core.utils import get_value, method_names_from_class


def install() -> None:
    # EC2's class has some 700 methods, and moto lists them anew for each request.
    responses.method_names_from_class = functools.cache(lambda cls: frozenset(method_names_from_class(cls)))  # type: ignore[attr-defined, assignment]
    serialize.AttributePicker.__call__ = _pick  # type: ignore[method-assign]


@functools.cache
def _transformers_by_key(_: int, items: tuple[tuple[str, Any], ...]) -> dict[str, list[tuple[str, Any]]]:
    """By the last part of their path: all but a few members have none."""
    by_key: dict[str, list[tuple[str, Any]]] = defaultdict(list)
    for path, transform in items:
        by_key[path.rpartition(".")[2]].append((path, transform))
    return dict(by_key)


_found: dict[tuple[type, str, int], str] = {}
"""Under which name a class was seen to have a member of a shape."""


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


def _value(picker: serialize.AttributePicker, context: AttributePickerContext) -> Any:
    obj = context.obj
    if type(obj) is dict and context.key in obj:
        return obj[context.key]
    known = (type(obj), context.key, id(context.shape))
    name = _found.get(known)
    if name is not None:
        value = get_value(obj, name, MISSING)
        if value is not MISSING:
            return value
    for name in picker.get_possible_keys(context):
        value = get_value(obj, name, MISSING)
        if value is not MISSING:
            if type(obj) is not dict:
                _found[known] = name
            return value
    return None
