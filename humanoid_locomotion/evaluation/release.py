"""Whether a policy counts as released: its own scorecard passes. Runs wherever ``check`` does."""

from __future__ import annotations

import json
from pathlib import Path

from humanoid_locomotion.core.errors import ConfigError


def why_unreleased(folder: Path, fingerprint: str) -> str:
    """Return what keeps a policy from being released; empty if nothing does.

    Args:
        folder: The policy folder.
        fingerprint: Its contract's.

    Raises:
        ConfigError: ``scorecard.json`` is not a scorecard.
    """
    path = folder / 'scorecard.json'
    if not path.is_file():
        return 'it has no scorecard.json; humanoid-locomotion evaluate makes one'
    try:
        card = json.loads(path.read_text(encoding='utf-8'))
        setting, passed = card['setting'], card['passed']
        failed = [line['name'] for line in card['criteria'] if not line['passed']]
        is_own, is_quick = setting['fingerprint'] == fingerprint, setting['quick']
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(path, '', f'is not a scorecard ({type(error).__name__}: {error})'
                          ) from error
    if not is_own:
        return 'its scorecard is of another contract'
    if is_quick or setting.get('model'):
        return 'its scorecard is a quick one, or of another model'
    return '' if passed and not failed else f'its scorecard fails in: {", ".join(failed)}'
