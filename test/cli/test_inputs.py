# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is typed becomes a number, a name or a path, or is refused before any work begins."""

from __future__ import annotations

import os

import pytest

pytest.importorskip('typer')

from humanoid_locomotion.cli import inputs
from humanoid_locomotion.core.errors import ConfigError, UnknownNameError
from humanoid_locomotion.core.reading.files import read_bytes


class Parameter:
    """What typer tells a callback."""

    opts = ('--push',)


@pytest.mark.parametrize('value', [0.0, 1e-9, 10.0, None, (0.0, 10.0)])
def test_figures_in_range_pass(value):
    assert inputs.number(0.0, 10.0)(Parameter, value) == value


@pytest.mark.parametrize('value', [float('nan'), float('inf'), -float('inf'), -1e-9, 10.1,
                                   (1.0, float('nan'))])
def test_figures_out_of_range_are_refused_by_option(value):
    with pytest.raises(ConfigError, match=r'--push: found .*, expected a number from 0 to 10'):
        inputs.number(0.0, 10.0)(Parameter, value)


def test_the_lowest_may_be_refused_too():
    with pytest.raises(ConfigError, match='above 0 and at most 1'):
        inputs.number(0.0, 1.0, above=True)(Parameter, 0.0)


def test_whole_numbers_with_commas():
    assert inputs.numbers('1,20', '--num-envs', 1, 20) == [1, 20]


@pytest.mark.parametrize('text', ['', ',', '1,', 'many', '0', '21', '1.5', 'nan', '9' * 5000,
                                  '1,' + '9' * 400])
def test_what_are_no_whole_numbers_in_range(text):
    with pytest.raises(ConfigError, match=r'--num-envs: found .*whole numbers from 1 to 20'):
        inputs.numbers(text, '--num-envs', 1, 20)


def test_choices_name_what_there_is():
    assert inputs.engine('torch') == 'torch' and inputs.engine('') == ''
    assert inputs.backend('auto') == 'auto'
    for check in (inputs.engine, inputs.backend, inputs.device, inputs.simulator):
        with pytest.raises(UnknownNameError, match='there is: '):
            check('nope')


@pytest.fixture
def things(tmp_path):
    """Give a folder with things that are no regular files."""
    os.mkfifo(tmp_path / 'fifo')
    (tmp_path / 'folder').mkdir()
    (tmp_path / 'loop').symlink_to('loop')
    (tmp_path / 'nothing').symlink_to('absent_too')
    (tmp_path / 'text').write_text('text')
    return tmp_path


@pytest.mark.parametrize('name, said', [
    ('absent', 'No such file'), ('fifo', 'is a FIFO'), ('folder', 'is a folder'),
    ('loop', 'cannot be read'), ('nothing', 'No such file'), ('x' * 300, 'name too long'),
    ('text/below', 'Not a directory')])
def test_what_cannot_be_read_is_refused_without_waiting(things, name, said):
    with pytest.raises(ConfigError, match=said):
        inputs.file_to_read(things / name)
    with pytest.raises(ConfigError, match=said):
        read_bytes(things / name, 100)


@pytest.mark.parametrize('name, as_file, as_folder', [
    ('new', True, True), ('new/below/it', True, True), ('text', True, False),
    ('folder', False, True), ('fifo', False, False), ('text/below', False, False),
    ('loop', False, False), ('nothing', False, False), ('x' * 300, False, False),
    ('two\nlines', False, False), ('\udcff', False, False)])
def test_what_cannot_be_written_is_refused_and_nothing_is_made(things, name, as_file, as_folder):
    before = sorted(things.iterdir())
    for check, fits in ((inputs.file_to_write, as_file),
                        (inputs.folder_to_write, as_folder)):
        if fits:
            assert check(things / name) == things / name
        else:
            with pytest.raises(ConfigError, match='--output'):
                check(things / name)
    assert sorted(things.iterdir()) == before


@pytest.mark.parametrize('device', ['/dev/full', '/dev/null'])
def test_devices_are_no_output(device):
    with pytest.raises(ConfigError, match='is a device, expected a file'):
        inputs.file_to_write(device)
