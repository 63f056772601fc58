# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The command line, run in the process of the test."""

from __future__ import annotations

import sys
from typing import Any, Callable, Tuple

import pytest

from humanoid_locomotion.cli.main import main


def caller(monkeypatch: Any, capsys: Any, folder: Any,
           *first: str) -> Callable[..., Tuple[int, str, str]]:
    """Return a function that runs a command in a folder: exit code, output and errors.

    Args:
        monkeypatch: The fixture.
        capsys: The fixture.
        folder: The working directory.
        first: Arguments before those of each call.
    """
    monkeypatch.setenv('COLUMNS', '250')
    monkeypatch.chdir(folder)

    def run(*arguments: object) -> Tuple[int, str, str]:
        monkeypatch.setattr(sys, 'argv', ['humanoid-locomotion', *first, *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return (ended.value.code or 0, *capsys.readouterr())

    return run
