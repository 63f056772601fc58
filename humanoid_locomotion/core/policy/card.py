# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads and replaces the sim-to-sim section of a policy's ``card.md``."""

from __future__ import annotations

from pathlib import Path
import re

from humanoid_locomotion.core.reading.files import read_bytes

MAX_BYTES = 1024 * 1024
HEADING = '## Sim to sim'
_SECTION = re.compile(rf'^{HEADING}\n.*?(?=^## |\Z)', re.DOTALL | re.MULTILINE)


def read_card(path: Path) -> str:
    """Return the text of a card; bytes that are not UTF-8 are replaced."""
    return read_bytes(path, MAX_BYTES).decode('utf-8', 'replace')


def with_sim_to_sim(text: str, table: str) -> str:
    """Return a card with the table, replacing an old one or inserted before the config."""
    section = f'{HEADING}\n\n{table}\n\n'
    if _SECTION.search(text):
        text = _SECTION.sub(lambda _: section, text)
    elif '\n## Config' in text:
        text = text.replace('\n## Config', f'\n{section}## Config', 1)
    else:
        text = f'{text.rstrip()}\n\n{section}'
    return text.rstrip() + '\n'


def without_sim_to_sim(text: str) -> str:
    """Return a card without the sim-to-sim section."""
    return _SECTION.sub('', text)
