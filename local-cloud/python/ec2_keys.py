"""Keys of encrypted volumes and snapshots.

https://docs.aws.amazon.com/ebs/latest/userguide/how-ebs-encryption-works.html: EBS checks a key after it has answered; a
snapshot under a key that it cannot use ends in the state `error`.
"""

from __future__ import annotations

from typing import Any

from gateway import ACCOUNT
from moto.kms.models import kms_backends

NOT_ACCESSIBLE = "Given key ID is not accessible"


def resolve(backend: Any, key: str) -> str:
    """The key's ARN in the Region, or `key` as it was given when there is no such key."""
    found = _find(backend.region_name, key)
    return found.arn if found is not None else key


def default_key(backend: Any) -> str:
    return backend.default_kms_key_id or backend._create_default_encryption_key()


def usable(region: str, key: str | None) -> bool:
    if key is None:
        return True
    found = _find(region, key)
    return found is not None and found.enabled and found.key_state == "Enabled"


def _find(region: str, key: str) -> Any:
    if key.startswith("arn:") and key.split(":")[3] != region:
        return None
    kms = kms_backends[ACCOUNT][region]
    try:
        return kms.describe_key(key)
    except Exception:
        return None
