"""A checkpoint is whole or absent, and whatever else lies there is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from humanoid_locomotion.core.errors import CheckpointError
from humanoid_locomotion.training import checkpoint

CONTENT = {**dict.fromkeys(checkpoint.KEYS, 0), 'robot': 'humanoid', 'model': torch.arange(3.0)}


def write(folder: Path, iteration: int, **changes: object) -> Path:
    """Save a checkpoint as a trainer would."""
    path = folder / 'checkpoints' / f'{iteration:06d}.pt'
    checkpoint.save(path, {**CONTENT, **changes})
    return path


def test_what_is_saved_is_loaded(tmp_path):
    loaded = checkpoint.load(write(tmp_path, 1), 'cpu')
    assert torch.equal(loaded.pop('model'), CONTENT['model'])
    rest = {key: value for key, value in CONTENT.items() if key != 'model'}
    assert loaded == {**rest, 'format_version': checkpoint.FORMAT_VERSION}


def test_dying_while_saving_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    path = write(tmp_path, 100, seed=1)

    def die(content: object, unfinished: Path) -> None:
        Path(unfinished).write_bytes(b'half a checkpo')
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, 'save', die)
    for iteration in (100, 200):  # over the old one, and beside it
        with pytest.raises(KeyboardInterrupt):
            write(tmp_path, iteration, seed=2)
    assert checkpoint.latest(tmp_path) == path
    assert checkpoint.load(path, 'cpu')['seed'] == 1


def test_the_latest_is_the_one_of_most_iterations(tmp_path):
    for iteration in (200, 1000, 50):
        write(tmp_path, iteration)
    assert checkpoint.latest(tmp_path).name == '001000.pt'
    assert checkpoint.latest(tmp_path / 'checkpoints' / '000050.pt').name == '000050.pt'


@pytest.mark.parametrize('name', ['', 'nowhere'])
def test_a_folder_without_checkpoints_is_named(tmp_path, name):
    with pytest.raises(CheckpointError, match=r'holds no checkpoints/\*\.pt') as caught:
        checkpoint.latest(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


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
    ({**CONTENT, 'format_version': 99}, 'has format version 99, this package reads 2'),
    ({'model': torch.zeros(1)}, 'has format version None'),
    ([1, 2], 'has format version None'),
    ({**CONTENT, 'format_version': 2, 'seed': ...}, r"lacks \['seed'\]")])
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
