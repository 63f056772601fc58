"""The hashed locks hold the versions that the requirements name; bounds hold them, too."""

from __future__ import annotations

from pathlib import Path
import re

import pytest

REQUIREMENTS = Path(__file__).parents[1] / 'requirements'
LOCKED = sorted(path.name for path in (REQUIREMENTS / 'locked').glob('*.txt'))


def pins(path: Path) -> set[tuple[str, str]]:
    """Return (name, version) of every pin in a file, names as package indices compare them."""
    found = re.findall(r'^([\w.-]+)==([^\s;]+)', path.read_text(encoding='utf-8'), re.MULTILINE)
    return {(re.sub(r'[-_.]+', '-', name).lower(), version) for name, version in found}


def test_there_are_locks():
    assert {'walk.txt', 'viewer.txt', 'ros.txt', 'test.txt', 'docs.txt'} == set(LOCKED)


@pytest.mark.parametrize('name', LOCKED)
def test_a_lock_holds_what_is_required(name):
    required = {pin for pin in pins(REQUIREMENTS / name) if pin[0] != 'torch'}
    assert pins(REQUIREMENTS / 'locked' / name) == required, 'run: make lock'


@pytest.mark.parametrize('name', LOCKED)
def test_every_entry_of_a_lock_has_a_hash_and_names_no_index(name):
    text = (REQUIREMENTS / 'locked' / name).read_text(encoding='utf-8')
    entries = re.split(r'\n(?=\S)', text.strip())
    assert all('--hash=sha256:' in entry for entry in entries)
    assert '://' not in text and not re.search(r'^\s*-', text.replace('    --hash', ''), re.M)
