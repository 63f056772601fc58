# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A file is read if it is regular and of bounded size; nothing else is waited for or opened."""

from __future__ import annotations

import os
import socket

import pytest

from humanoid_locomotion.core.errors import ConfigError, LocomotionError
from humanoid_locomotion.core.reading.files import read_bytes


def test_a_regular_file_is_read_whole_up_to_its_limit(tmp_path):
    path = tmp_path / 'file'
    path.write_bytes(bytes(range(256)) * 8192)  # more than one chunk
    assert read_bytes(path, 256 * 8192) == path.read_bytes()
    (tmp_path / 'link').symlink_to(path)
    assert read_bytes(str(tmp_path / 'link'), 1 << 22) == path.read_bytes()
    with pytest.raises(ConfigError, match='is larger than 2097151 bytes'):
        read_bytes(path, 256 * 8192 - 1)


def make_sparse(path):
    """Claim ten gigabytes, and take no room."""
    with path.open('wb') as file:
        file.truncate(10 << 30)


def make_socket(path):
    """Leave a socket's name behind."""
    with socket.socket(socket.AF_UNIX) as it:
        it.bind(str(path))


@pytest.mark.parametrize('make, problem', [
    (os.mkfifo, 'is a FIFO, expected a regular file'), (os.mkdir, 'is a folder'),
    (make_socket, 'is a socket'), (lambda path: path.symlink_to('/dev/zero'), 'is a device'),
    (lambda path: path.symlink_to(path), 'cannot be read'),
    (lambda path: path.symlink_to('/proc/kcore'), '(is larger than|cannot be read)'),
    (make_sparse, 'is larger than 1000 bytes'), (lambda path: None, 'No such file')])
def test_what_is_no_file_of_bounded_size_is_refused_at_once(tmp_path, monkeypatch, make, problem):
    monkeypatch.chdir(tmp_path)  # a socket's name must be short
    make(tmp_path / 'x') if make is not make_socket else make_socket('x')
    with pytest.raises(ConfigError, match=problem) as error:
        read_bytes(tmp_path / 'x', 1000)
    assert str(error.value).startswith(f'{tmp_path}/x: ')


def test_a_file_that_tells_no_size_is_bounded_all_the_same():
    assert os.stat('/proc/self/maps').st_size == 0
    with pytest.raises(ConfigError, match='is larger than 10 bytes'):
        read_bytes('/proc/self/maps', 10)


@pytest.mark.parametrize('name', ['a\0b', 'x' * 5000, 'x/' * 5000, '', '\udcff'])
def test_a_name_that_cannot_be_one_is_refused(name):
    with pytest.raises(ConfigError, match='cannot be read'):
        read_bytes(name, 10)


def test_a_message_can_be_printed_whatever_it_quotes():
    text = str(LocomotionError('\udcff \x1b[31m red\n' + 'long ' * 10_000 + 'end'))
    assert text.encode() and '\x1b' not in text and '\\udcff \\x1b[31m red\n' in text
    assert len(text) < 2100 and text.endswith('end')
