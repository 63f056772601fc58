# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes a training config as YAML, with a comment beside each derived value."""

from __future__ import annotations

from typing import Any, Iterator, Mapping

import yaml

from humanoid_locomotion.core.reading.config import to_mapping
from humanoid_locomotion.training.config import TrainingConfig

INDENT = '  '


def config_text(config: TrainingConfig, reasons: Mapping[str, str]) -> str:
    """Return a config as YAML that :func:`load_config` reads.

    Args:
        config: The config.
        reasons: Comments, by dotted key.
    """
    return '\n'.join(_lines(to_mapping(config), reasons, '')) + '\n'


def _lines(data: Mapping[str, Any], reasons: Mapping[str, str], at: str) -> Iterator[str]:
    indent = INDENT * at.count('.')
    for name, value in data.items():
        key = f'{at}{name}'
        comment = f'  # {reasons[key]}' if key in reasons else ''
        if isinstance(value, Mapping) and value:
            yield f'{indent}{name}:{comment}'
            yield from _lines(value, reasons, f'{key}.')
        else:
            flow = yaml.safe_dump(value, default_flow_style=True, width=10**6)
            yield f'{indent}{name}: {flow.splitlines()[0]}{comment}'
