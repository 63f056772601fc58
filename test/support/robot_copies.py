# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Copies of the humanoid's folder with changes in its two files."""

from __future__ import annotations

from pathlib import Path
import shutil
from typing import Callable

import yaml

from humanoid_locomotion.core.robot import load_robot


def copied(folder: Path, edit_yaml: Callable[[dict], object] = lambda data: None,
           edit_xml: Callable[[str], str] = lambda text: text) -> Path:
    """Copy the humanoid to a new folder, with both files edited."""
    shutil.copytree(load_robot('humanoid').folder, folder)
    data = yaml.safe_load((folder / 'robot.yaml').read_text())
    edit_yaml(data)
    (folder / 'robot.yaml').write_text(yaml.safe_dump(data, sort_keys=False))
    model = folder / 'robot.xml'
    model.write_text(edit_xml(model.read_text()))
    return folder


def joint(data: dict, name: str) -> dict:
    """Give one joint of a robot.yaml."""
    return next(it for it in data['joints'] if it['name'] == name)
