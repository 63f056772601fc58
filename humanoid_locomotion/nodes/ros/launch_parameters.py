# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameters of nodes in launch files: an argument overrules a file, a file a default."""

from __future__ import annotations

from pathlib import Path
import tempfile
from typing import Any, Dict, List, Optional

import yaml

# Node names of the files written here. Both match every node. rcl merges the entries of equal
# names into the first of them, so these must differ from each other and from those of a user.
BELOW, ABOVE = '/**/*', '/*/**'


def is_true(context: Any, argument: str) -> bool:
    """Return the value of a launch argument that is ``true`` or ``false``.

    Raises:
        ValueError: It is neither.
    """
    value = context.launch_configurations[argument]
    if value.lower() not in ('true', 'false'):
        raise ValueError(f'{argument}:={value}: expected true or false')
    return bool(value.lower() == 'true')


def _value(context: Any, argument: str, kind: type) -> Any:
    text = context.launch_configurations[argument]
    try:
        return kind(text)
    except ValueError as error:
        raise ValueError(f'{argument}:={text}: expected {kind.__name__}') from error


def layers(context: Any, kinds: Dict[str, type], defaults: Dict[str, Any],
           file_argument: str = '', forced: Optional[Dict[str, Any]] = None) -> List[str]:
    """Return the parameter files of a node; each overrules those before it.

    Args:
        context: The launch context.
        kinds: The parameters that a launch argument of the same name sets, and their types,
            bool, int or str. An argument that is empty was not given and sets nothing.
        defaults: Values that apply if neither the file nor an argument gives them.
        file_argument: The launch argument that names the user's parameter file; empty if none.
        forced: Values that overrule everything.

    Raises:
        ValueError: The file does not exist, or an argument is not of its type.
    """
    given = {name: is_true(context, name) if kind is bool else _value(context, name, kind)
             for name, kind in kinds.items() if context.launch_configurations[name]}
    files = [_write(BELOW, defaults)]
    if file_argument:
        file = context.launch_configurations[file_argument]
        if not Path(file).is_file():  # launch_ros would only warn, and use the defaults
            raise ValueError(f'{file_argument}:={file}: expected a file with ROS parameters, '
                             'found none')
        files.append(file)
    return [*files, _write(ABOVE, {**given, **(forced or {})})]


def _write(nodes: str, parameters: Dict[str, Any]) -> str:
    with tempfile.NamedTemporaryFile(
            'w', prefix='launch_params_', suffix='.yaml', delete=False) as file:
        yaml.safe_dump({nodes: {'ros__parameters': parameters}}, file)
    return file.name
