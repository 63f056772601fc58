# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A checkpoint is whole or absent, and whatever else lies there is refused by name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

import pytest
import torch

from humanoid_locomotion.core.errors import CheckpointError, RunFolderError
from humanoid_locomotion.training.run import checkpoint, durable
from humanoid_locomotion.training.run.run_folder import Identity

CONTENT = {key: kind() for key, kind in {**checkpoint.KEYS, **checkpoint.LATER_KEYS}.items()}
CONTENT.update(robot='humanoid', model={'weight': torch.arange(3.0)},
               learning_rate=torch.tensor(0.5))


def write(folder: Path, iteration: int, **changes: object) -> Path:
    """Save a checkpoint as a trainer would."""
    path = folder / 'checkpoints' / f'{iteration:06d}.pt'
    checkpoint.save(path, {**CONTENT, 'iteration': iteration, **changes})
    return path


def test_what_is_saved_is_loaded(tmp_path):
    loaded = checkpoint.load(write(tmp_path, 1), 'cpu')
    assert torch.equal(loaded.pop('model')['weight'], CONTENT['model']['weight'])
    rest = {key: value for key, value in CONTENT.items() if key != 'model'}
    assert loaded == {**rest, 'iteration': 1, 'format_version': checkpoint.FORMAT_VERSION}


def test_dying_while_saving_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    path = write(tmp_path, 100, seed=1)

    def die(file: BinaryIO, data: bytes) -> None:
        file.write(data[:len(data) // 2])
        raise KeyboardInterrupt

    monkeypatch.setattr(durable, 'pour', die)
    for iteration in (100, 200):  # over the old one, and beside it
        with pytest.raises(KeyboardInterrupt):
            write(tmp_path, iteration, seed=2)
    assert checkpoint.latest(tmp_path) == path
    assert checkpoint.load(path, 'cpu')['seed'] == 1


def test_the_latest_is_the_one_of_most_iterations(tmp_path):
    for iteration in (50, 200, 999_999, 1_000_000):  # more digits than the others
        write(tmp_path, iteration)
    (tmp_path / 'checkpoints' / 'zzz.pt').touch()
    (tmp_path / 'checkpoints' / '9999999.pt').mkdir()
    assert checkpoint.latest(tmp_path).name == '1000000.pt'
    assert checkpoint.latest(tmp_path / 'checkpoints' / '000050.pt').name == '000050.pt'


@pytest.mark.parametrize('name', ['', 'nowhere'])
def test_a_folder_without_checkpoints_is_named(tmp_path, name):
    with pytest.raises(CheckpointError, match=r'holds no checkpoints/\*\.pt') as caught:
        checkpoint.latest(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize('changes, said', [
    ({'seed': -1}, r'holds seed -1, expected 0 to 2,147,483,647'),
    ({'samples': 2**70}, r'holds samples 1180591620717411303424, expected 0 to'),
    ({'seconds': float('nan')}, r'holds seconds nan, expected 0 to'),
    ({'model': {'weight': torch.tensor([0.0, float('nan')])}}, r"no finite numbers in \['weight'"),
    ({'model': {'weight': 'heavy'}}, r"no finite numbers in \['weight'"),
    ({'learning_rate': torch.tensor(float('inf'))}, r"no finite numbers in \['learning_rate'")])
def test_values_that_no_training_has_are_refused(tmp_path, changes, said):
    with pytest.raises(CheckpointError, match=rf'000001\.pt: .*{said}'):
        checkpoint.load(write(tmp_path, 1, **changes), 'cpu')


@pytest.mark.parametrize('content', [b'', b'not a checkpoint', b'PK\x03\x04 cut off'])
def test_a_broken_file_is_refused_by_name(tmp_path, content):
    path = tmp_path / 'broken.pt'
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r'broken\.pt: is not a checkpoint that can be read'):
        checkpoint.load(path, 'cpu')


def test_a_truncated_checkpoint_is_refused(tmp_path):
    path = write(tmp_path, 1)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(CheckpointError, match='is not a checkpoint that can be read'):
        checkpoint.load(path, 'cpu')


class Bomb:
    """Would run code when unpickled."""

    def __reduce__(self):
        return Path.touch, (Path('went_off'),)


def test_nothing_in_a_checkpoint_is_executed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({'format_version': checkpoint.FORMAT_VERSION, 'robot': Bomb()}, 'bomb.pt')
    with pytest.raises(CheckpointError, match=r'bomb\.pt: is not a checkpoint that can be read'):
        checkpoint.load(Path('bomb.pt'), 'cpu')
    assert not Path('went_off').exists()


@pytest.mark.parametrize('content, message', [
    ({**CONTENT, 'format_version': 99}, 'has format version 99, this package reads 2 and 3'),
    ({'model': torch.zeros(1)}, 'has format version None'),
    ([1, 2], 'has format version None'),
    ({**CONTENT, 'format_version': 3, 'seed': ...}, r"lacks \['seed'\]"),
    ({**CONTENT, 'format_version': 3, 'iteration': '7'},
     r"holds something else than a training in \['iteration'\]")])
def test_what_is_no_checkpoint_of_ours_is_refused(tmp_path, content, message):
    path = tmp_path / 'other.pt'
    if isinstance(content, dict):
        content = {key: value for key, value in content.items() if value is not ...}
    torch.save(content, path)
    with pytest.raises(CheckpointError, match=rf'other\.pt: {message}'):
        checkpoint.load(path, 'cpu')


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r'000001\.pt: there is no such checkpoint'):
        checkpoint.load(tmp_path / '000001.pt', 'cpu')


# Durable writing.

def test_a_checkpoint_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    done, fsync, replace = [], os.fsync, os.replace
    monkeypatch.setattr(os, 'fsync', lambda file: (done.append('fsync'), fsync(file))[1])
    monkeypatch.setattr(os, 'replace', lambda *paths: (done.append('rename'), replace(*paths))[1])
    write(tmp_path, 1)
    assert done == ['fsync', 'rename', 'fsync']  # the file, its name, the folder


def test_a_full_disk_is_named_and_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    path = write(tmp_path, 100)

    def full(file: BinaryIO, data: bytes) -> None:
        file.write(data[:100])
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(durable, 'pour', full)
    for iteration in (100, 200):
        with pytest.raises(RunFolderError, match=rf'000{iteration}\.pt: cannot be written \(No s'):
            write(tmp_path, iteration)
    assert [it.name for it in path.parent.iterdir()] == ['000100.pt']  # no half file takes room
    assert checkpoint.load(path, 'cpu')['iteration'] == 100


def test_a_flipped_bit_is_found(tmp_path):
    """PyTorch itself reads such a file without a word."""
    path = write(tmp_path, 1, model={'weight': torch.zeros(100_000)})
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=r'000001\.pt: is not a checkpoint that can be read'):
        checkpoint.load(path, 'cpu')


# Which checkpoint of a run.

def test_a_broken_newest_checkpoint_is_named_with_the_one_before(tmp_path):
    for iteration in (1, 2, 3, 4):
        write(tmp_path, iteration)
    for iteration in (3, 4):
        path = tmp_path / 'checkpoints' / f'00000{iteration}.pt'
        path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=r'000004\.pt: is not .*000002\.pt: move the broken'):
        checkpoint.open_latest(tmp_path, 'cpu')
    path, content = checkpoint.open_latest(tmp_path / 'checkpoints' / '000002.pt', 'cpu')
    assert content['iteration'] == 2


def test_a_checkpoint_of_another_run_in_a_folder_is_refused(tmp_path):
    Identity('a' * 32).write(tmp_path)
    write(tmp_path, 1, run={'id': 'a' * 32, 'parent': ''})
    assert checkpoint.open_latest(tmp_path, 'cpu')[1]['iteration'] == 1
    write(tmp_path, 2, run={'id': 'b' * 32, 'parent': ''})
    with pytest.raises(CheckpointError, match=r'000002\.pt: is of the run b+, but its folder'):
        checkpoint.open_latest(tmp_path, 'cpu')


def test_a_checkpoint_under_another_number_is_refused(tmp_path):
    write(tmp_path, 3).rename(tmp_path / 'checkpoints' / '000009.pt')
    with pytest.raises(CheckpointError, match=r'000009\.pt: holds iteration 3, which is not what'):
        checkpoint.open_latest(tmp_path, 'cpu')


def test_two_runs_of_before_there_were_ids_are_told_apart_by_their_times(tmp_path):
    for time, iteration in enumerate((2, 4, 6, 1, 3), start=1):  # a second run into one folder
        os.utime(write(tmp_path, iteration), (time, time))
    with pytest.raises(CheckpointError, match=(
            r'holds more than one run: 000001\.pt, 000003\.pt were written after 000006\.pt')):
        checkpoint.latest(tmp_path)


def test_a_checkpoint_of_format_2_is_read_with_the_samples_that_it_counted(tmp_path):
    path = tmp_path / 'old.pt'
    old = {key: value for key, value in CONTENT.items() if key not in checkpoint.LATER_KEYS}
    torch.save({**old, 'format_version': 2, 'iteration': 7, 'samples': 4242, 'backend': 'fake',
                'config': {'run': {'num_envs': 4}}, 'processes': [{}, {}]}, path)
    content = checkpoint.load(path, 'cpu')
    (whole,) = checkpoint.segments(content, path)
    assert (whole.first, whole.last, whole.samples) == (1, 7, 4242)
    assert (whole.num_envs, whole.processes, whole.backend) == (4, 2, 'fake')
    assert checkpoint.identity(content, path) == Identity()
