# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Copies, signatures and places of a policy folder, and the files put in place of others."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
import shutil
import stat

import numpy as np
import pytest

from humanoid_locomotion.core.policy.content import FILES, MEASURED, SCORECARD, SUMS
from humanoid_locomotion.reliability.policy_fuzz import mutate_files, mutation
from humanoid_locomotion.reliability.policy_fuzz.mutation import (
    choose,
    copy_folder,
    places,
    remove_folder,
    sign,
)

ALL = (*FILES, *MEASURED)


@pytest.fixture
def folder(tmp_path):
    """Give a signed folder of short files, which no reader would accept."""
    folder = tmp_path / 'policy'
    folder.mkdir()
    for name in ALL:
        (folder / name).write_bytes(name.encode() * 5)
    (folder / SUMS).write_text('')
    sign(folder)
    return folder


def content(folder: Path) -> dict:
    """Return the bytes of each regular file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()
            if path.is_file() and not path.is_symlink() and path.stat().st_size < 1 << 20}


def sums(folder: Path) -> dict:
    """Return the hash of each file that SHA256SUMS lists."""
    return {line[66:]: line[:64] for line in (folder / SUMS).read_text().splitlines()}


def test_every_item_is_chosen_sometimes():
    random = np.random.default_rng(0)
    chosen = [choose(random, 'abc') for _ in range(300)]
    assert all(80 < chosen.count(item) < 120 for item in 'abc')


def test_copy_has_the_files_that_are_read_and_no_others(folder, tmp_path):
    (folder / 'card.md').write_text('not read by a policy')
    (folder / SCORECARD).unlink()
    copy = copy_folder(folder, tmp_path / 'copy')
    assert set(content(copy)) == {*ALL, SUMS} - {SCORECARD}
    assert all(content(folder)[name] == data for name, data in content(copy).items())


def test_copy_does_not_replace_a_folder(folder, tmp_path):
    (tmp_path / 'copy').mkdir()
    with pytest.raises(FileExistsError):
        copy_folder(folder, tmp_path / 'copy')


def test_signed_hashes_are_those_of_the_files(folder):
    (folder / 'golden.npz').write_bytes(b'changed')
    sign(folder)
    assert sums(folder) == {name: hashlib.sha256(data).hexdigest()
                            for name, data in content(folder).items() if name != SUMS}


def test_signing_again_changes_nothing(folder):
    before = (folder / SUMS).read_bytes()
    sign(folder)
    assert (folder / SUMS).read_bytes() == before


@pytest.mark.parametrize('name, make', mutate_files.KINDS[:4], ids=lambda it: str(it)[:14])
def test_files_that_cannot_be_hashed_keep_their_old_hash(folder, name, make):
    before = sums(folder)
    (folder / 'policy.onnx').unlink()
    make(folder / 'policy.onnx')
    (folder / 'contract.yaml').write_bytes(b'changed')
    sign(folder)
    after = sums(folder)
    assert after.pop('contract.yaml') != before.pop('contract.yaml') and after == before


def test_large_files_keep_their_old_hash(folder, monkeypatch):
    before = sums(folder)
    monkeypatch.setattr(mutation, 'SIGNED_BYTES', 7)
    (folder / 'policy.onnx').write_bytes(8 * b'x')
    (folder / 'contract.yaml').write_bytes(7 * b'x')
    sign(folder)
    assert {name for name in ALL if sums(folder)[name] != before[name]} == {'contract.yaml'}


def test_a_folder_of_special_files_is_removed_and_link_targets_stay(tmp_path):
    folder, target = tmp_path / 'folder', tmp_path / 'target'
    folder.mkdir()
    target.mkdir()
    (target / 'kept').write_text('kept')
    for i, (_, make) in enumerate(mutate_files.KINDS):
        make(folder / str(i))
    (folder / 'link').symlink_to(target)
    remove_folder(folder)
    remove_folder(folder)  # absent: no error
    assert not folder.exists() and (target / 'kept').read_text() == 'kept'


@pytest.mark.parametrize('data, count', [
    ({}, 0), ([], 0), ({'a': 1}, 1), ([1, [2, 3]], 4), ({'a': {'b': {'c': []}}}, 3),
    ([[[]], {}, ''], 4)])
def test_there_is_a_place_for_each_value(data, count):
    assert len(places(data)) == count


def test_a_value_put_in_any_place_is_found_in_the_data():
    def make():
        return {'a': [1, {'b': [None]}], 'c': 'text'}
    for i in range(len(places(make()))):
        data = make()
        container, key = places(data)[i]
        container[key] = 'PUT'
        assert repr(data).count("'PUT'") == 1


MODES = {
    'is a FIFO': stat.S_ISFIFO, 'is a folder': stat.S_ISDIR, 'is a socket': stat.S_ISSOCK,
    'claims 10 GB': stat.S_ISREG, 'is empty': stat.S_ISREG}


@pytest.mark.parametrize('name, make', mutate_files.KINDS, ids=lambda it: str(it)[:24])
def test_object_has_the_kind_of_its_name(tmp_path, name, make):
    path = tmp_path / 'object'
    make(path)
    if name == 'is absent':
        assert not os.path.lexists(path)
    else:
        assert MODES.get(name, stat.S_ISLNK)(os.lstat(path).st_mode)


def test_object_that_claims_10_gb_takes_no_disk_space(tmp_path):
    dict(mutate_files.KINDS)['claims 10 GB'](tmp_path / 'object')
    status = (tmp_path / 'object').stat()
    assert status.st_size >= 10e9 and status.st_blocks < 100


def test_socket_is_made_at_a_long_path_and_the_working_directory_stays(tmp_path):
    folder, here = tmp_path / ('x' * 120), os.getcwd()
    folder.mkdir()
    dict(mutate_files.KINDS)['is a socket'](folder / 'socket')
    assert stat.S_ISSOCK(os.lstat(folder / 'socket').st_mode) and os.getcwd() == here
    with pytest.raises(OSError):
        dict(mutate_files.KINDS)['is a socket'](folder / 'socket')
    assert os.getcwd() == here


def test_one_file_gets_another_kind_and_must_be_refused(folder, tmp_path):
    before, seen = content(folder), set()
    for seed in range(40):
        copy = copy_folder(folder, tmp_path / 'copy')
        change = mutate_files.mutate_kind(copy, np.random.default_rng(seed))
        assert change.never and change.name in dict(mutate_files.KINDS)
        after = content(copy)
        assert {name for name in before if before[name] != after.get(name)} == {change.file}
        seen.add(change.file)
        remove_folder(copy)
    assert seen == {*FILES, SUMS, SCORECARD}


@pytest.mark.parametrize('data', [b'\0', b'\xff', b'\0' * 99, b'\xff' * 99, bytes(range(256))],
                         ids=['NUL', '255', 'zeros', 'ones', 'all'])
def test_damage_always_changes_one_file_and_never_empties_it(tmp_path, data):
    folder = tmp_path / 'policy'
    folder.mkdir()
    seen = set()
    for seed in range(40):
        for name in FILES:
            (folder / name).write_bytes(data)
        change = mutate_files.damage(folder, np.random.default_rng(seed))
        after = content(folder)
        assert [name for name in FILES if after[name] != data] == [change.file]
        assert after[change.file] and not change.never
        seen.add(len(after[change.file]) - len(data))
    assert 0 in seen and max(seen) > 0 and (len(data) == 1 or min(seen) < 0)


def test_damage_is_that_of_its_seed(folder, tmp_path):
    results = []
    for seed in (5, 5, 6):
        copy = copy_folder(folder, tmp_path / 'copy')
        mutate_files.damage(copy, np.random.default_rng(seed))
        results.append(content(copy))
        shutil.rmtree(copy)
    assert results[0] == results[1] != results[2]
