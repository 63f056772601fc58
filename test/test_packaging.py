# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Containers, sdist and wheel name files, extras and locks that exist; nothing is built here.

``.ci/wheel`` builds sdist and wheel, and runs what is installed from them.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path
import re

import pytest

from humanoid_locomotion.core.reading import resources

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / 'Dockerfile').read_text(encoding='utf-8').replace('\\\n', ' ')
DEVCONTAINER = json.loads((ROOT / '.devcontainer' / 'devcontainer.json').read_text('utf-8'))
STAGES = re.findall(r'^FROM (\S+) AS (\S+)$', DOCKERFILE, re.MULTILINE)


def extras() -> set[str]:
    """Return the names of the extras in setup.py."""
    (call,) = [node for node in ast.walk(ast.parse((ROOT / 'setup.py').read_text('utf-8')))
               if isinstance(node, ast.Call) and getattr(node.func, 'id', '') == 'setup']
    (table,) = [it.value for it in call.keywords if it.arg == 'extras_require']
    return {ast.literal_eval(key) for key in table.keys}


def test_every_stage_begins_from_a_supported_python_or_an_earlier_stage():
    (image, first), *later = STAGES
    assert re.fullmatch(r'python:3\.1[0-3]-slim', image)
    known = [first]
    for base, name in later:
        assert base in known
        known.append(name)
    assert known == ['cpu', 'cuda']


def test_the_images_use_files_that_are_there():
    used = re.findall(r'-r (\S+)', DOCKERFILE) + re.findall(r"grep '\S+' ([^\s)]+)", DOCKERFILE)
    copied = [it for it in re.findall(r'^COPY (\S+) \S+$', DOCKERFILE, re.MULTILINE) if it != '.']
    assert len(used) == 5 and copied
    assert all((ROOT / path).exists() for path in used + copied)
    ignored = (ROOT / '.dockerignore').read_text('utf-8').splitlines()
    assert not {path.split('/')[0] for path in used + copied} & set(ignored)
    (pattern,) = re.findall(r"grep '(\S+)'", DOCKERFILE)
    assert len(re.findall(pattern, (ROOT / 'requirements/test.txt').read_text(), re.M)) == 1


def test_the_devcontainer_builds_a_stage_that_is_there():
    build = DEVCONTAINER['build']
    assert (ROOT / '.devcontainer' / build['dockerfile']).samefile(ROOT / 'Dockerfile')
    assert build['target'] in [name for _, name in STAGES]


def test_every_extra_that_the_package_or_a_page_names_is_there():
    files = [*(ROOT / 'humanoid_locomotion').rglob('*.py'), *(ROOT / 'docs').glob('*.md')]
    named = {name for path in files
             for names in re.findall(r'humanoid_locomotion\[([\w,]+)\]', path.read_text('utf-8'))
             for name in names.split(',')}
    assert {'hub', 'train', 'wandb'} <= named <= extras()


@pytest.mark.parametrize('packages, share', [
    ('prefix/lib/python3.12/site-packages', 'prefix/share'),
    ('prefix/local/lib/python3.12/dist-packages', 'prefix/local/share'),  # Debian's pip
    ('target', 'target/share')])  # pip install --target
def test_what_pip_installed_is_found_where_pip_puts_it(tmp_path, monkeypatch, packages, share):
    folder = tmp_path / share / 'humanoid_locomotion'
    (folder / 'config').mkdir(parents=True)
    (folder / 'package.xml').touch()
    monkeypatch.delenv('AMENT_PREFIX_PATH', raising=False)
    monkeypatch.setattr(resources, 'PACKAGE', tmp_path / packages / 'humanoid_locomotion')
    assert resources.share_folder() == folder
