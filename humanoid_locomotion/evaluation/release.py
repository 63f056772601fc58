"""Whether a policy counts as released: its scorecard passes, here and elsewhere.

Plain JSON is read, so this runs wherever ``check`` does.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, List

from humanoid_locomotion.core.errors import ConfigError

SIM_TO_SIM = 'sim_to_sim.json'


def why_unreleased(folder: Path, fingerprint: str) -> str:
    """Return what keeps a policy from being released; empty if nothing does.

    Args:
        folder: The policy folder.
        fingerprint: Its contract's.

    Raises:
        ConfigError: ``scorecard.json`` or ``sim_to_sim.json`` does not hold scorecards.
    """
    own, elsewhere = folder / 'scorecard.json', folder / SIM_TO_SIM
    if not own.is_file():
        return 'it has no scorecard.json; humanoid-locomotion evaluate makes one'
    reason = _why_not(_read(own), own, fingerprint, 'its scorecard')
    if reason:
        return reason
    if not elsewhere.is_file():
        return f'it has no {SIM_TO_SIM}; humanoid-locomotion evaluate --sim-to-sim makes one'
    places = _read(elsewhere)
    if not isinstance(places, list) or not places:
        raise ConfigError(elsewhere, '', 'is not a list of scorecards')
    for place in places:
        reason = _why_not(place, elsewhere, fingerprint, 'its scorecard elsewhere')
        if reason:
            return reason
    return ''


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding='utf-8'))
    except ValueError as error:
        raise ConfigError(path, '', f'is not valid JSON ({error})') from error


def _why_not(card: Any, path: Path, fingerprint: str, what: str) -> str:
    """Return why a scorecard does not count or pass; empty if it does both."""
    try:
        setting, passed = card['setting'], card['passed']
        failed: List[str] = [line['name'] for line in card['criteria'] if not line['passed']]
        is_own, is_quick = setting['fingerprint'] == fingerprint, setting['quick']
        where = f"{setting['simulator']} at {1e3 * setting['timestep']:.3g} ms"
    except (KeyError, TypeError) as error:
        raise ConfigError(path, '', f'is not a scorecard ({type(error).__name__}: {error})'
                          ) from error
    if not is_own:
        return f'{what} is of another contract'
    if is_quick or setting.get('model'):
        return f'{what} is a quick one, or of another model'
    return '' if passed and not failed else f'{what} ({where}) fails in: {", ".join(failed)}'
