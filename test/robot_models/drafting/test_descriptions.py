# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Robots of ``robot_descriptions``, which a stand-in replaces: nothing is downloaded."""

from __future__ import annotations

from pathlib import Path
import sys

import pytest

from humanoid_locomotion.core.errors import (
    ConfigError,
    MissingPackageError,
    SimulationError,
    UnknownNameError,
)
from humanoid_locomotion.robot_models.drafting.descriptions import described_model

NAMES = ('one_description', 'two_mj_description', 'lost_description', 'other_description')


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Install a package with four descriptions, one of which cannot be downloaded."""
    folder = tmp_path / 'robot_descriptions'
    folder.mkdir()
    (folder / '__init__.py').write_text(f'DESCRIPTIONS = dict.fromkeys({NAMES})')
    for name, text in zip(NAMES, ("URDF_PATH = '/cache/one.urdf'", "MJCF_PATH = '/cache/two.xml'",
                                  "raise OSError('no route to\\n host')", '')):
        (folder / f'{name}.py').write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [it for it in sys.modules if it.split('.')[0] == 'robot_descriptions']:
        monkeypatch.delitem(sys.modules, name)


def test_a_description_gives_its_file(package):
    assert described_model('one_description') == Path('/cache/one.urdf')
    assert described_model('two_mj_description') == Path('/cache/two.xml')


def test_what_is_unknown_lost_or_of_another_format_is_said(package):
    with pytest.raises(UnknownNameError, match="did you mean 'one_description'"):
        described_model('one_descripton')
    with pytest.raises(SimulationError, match=r'lost_description: its repository is not in the '
                       r'cache of robot_descriptions and cannot be downloaded \(no route to '):
        described_model('lost_description')
    with pytest.raises(ConfigError, match='is neither URDF nor MJCF'):
        described_model('other_description')


def test_the_package_is_asked_for_by_name(monkeypatch):
    monkeypatch.setitem(sys.modules, 'robot_descriptions', None)
    with pytest.raises(MissingPackageError, match='pip install robot_descriptions'):
        described_model('one_description')
