"""CloudFormation: adapters for the resource types that moto lacks or gets wrong, and a parser that refuses the rest.

Each adapter follows its page under
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/ (`Ref` and `Fn::GetAtt` values as given there).
"""

from __future__ import annotations

from . import attributes, compute, data, eventing, functions, network, observing, stacks


def install() -> None:
    for module in (stacks, attributes, functions, eventing, data, observing, network, compute):
        module.install()
