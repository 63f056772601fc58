# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Check of the release condition: the scorecards of a policy pass in all settings.

It reads plain JSON, so it needs neither a simulator nor a plotting package.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.feedback.robot_size import Scale
from humanoid_locomotion.core.policy.content import SCORECARD, SIM_TO_SIM, read_measured
from humanoid_locomotion.core.reading.config import from_mapping
from humanoid_locomotion.core.reading.parsing import parse_json


def why_unreleased(folder: Path, fingerprint: str, scale: Scale) -> str:
    """Return the reason why a policy does not count as released; empty if it does.

    Args:
        folder: The policy folder.
        fingerprint: Fingerprint of its contract.
        scale: Scale of the scorecard for its robot.

    Raises:
        ConfigError: ``scorecard.json`` or ``sim_to_sim.json`` holds no scorecards.
    """
    for name, makes in ((SCORECARD, 'evaluate'), (SIM_TO_SIM, 'evaluate --sim-to-sim')):
        path = folder / name
        if not os.path.lexists(path):
            return f'it has no {name}; humanoid-locomotion {makes} makes one'
        try:
            content = read_measured(folder, name)
        except ConfigError as error:
            return f'its {name} {error.problem}'
        data = parse_json(content, path)
        if name == SIM_TO_SIM and not (isinstance(data, list) and data):
            raise ConfigError(path, '', 'is not a list of scorecards')
        for card in data if name == SIM_TO_SIM else [data]:
            reason = _why_not(card, path, fingerprint, scale, 'its scorecard' if name == SCORECARD
                              else 'its scorecard elsewhere')
            if reason:
                return reason
    return ''


def _why_not(card: Any, path: Path, fingerprint: str, scale: Scale, what: str) -> str:
    """Return the reason why a scorecard does not pass or is not valid; empty if there is none."""
    try:
        setting, passed = card['setting'], card['passed']
        failed = [str(line['name']) for line in card['criteria'] if not line['passed']]
        is_own, is_quick = setting['fingerprint'] == fingerprint, setting['quick']
        asked = from_mapping(Scale, setting.get('scale', {}), path, 'setting.scale')
        where = f"{setting['simulator']} at {1e3 * setting['timestep']:.3g} ms"
    except (KeyError, TypeError) as error:
        raise ConfigError(path, '', f'is not a scorecard ({type(error).__name__}: {error})'
                          ) from error
    if not is_own:
        return f'{what} is of another contract'
    if is_quick or setting.get('model') or setting.get('network_alone'):
        return f'{what} is a quick one, or of another model, or of the network alone'
    if asked != scale:
        return f'{what} has the scale {asked}; that of the robot is {scale}'
    return '' if passed and not failed else f'{what} ({where}) fails in: {", ".join(failed)}'
