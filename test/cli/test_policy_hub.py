# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Policy folders on a hub: what is fetched is what was pushed, or is refused in one sentence."""

from __future__ import annotations

import inspect
from pathlib import Path
import shutil
import sys

from fake_hub import FakeHub
from policy_factory import holding_policy
import pytest

pytest.importorskip('typer')
pytest.importorskip('onnxruntime')

from command_line import caller

from humanoid_locomotion.core.policy.content import TRAINING, write_sums

REPO = 'somebody/mine'


@pytest.fixture(scope='module')
def written(tmp_path_factory):
    """Give a policy folder with a card, a training state and a file that is not of a policy."""
    folder = holding_policy(tmp_path_factory.mktemp('written') / 'mine')
    (folder / 'card.md').write_text('# mine\n')
    (folder / TRAINING).write_bytes(b'networks')
    (folder / 'notes.txt').write_text('for me')
    write_sums(folder)
    return folder


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Give a hub without repositories."""
    it = FakeHub(tmp_path / 'hub')
    monkeypatch.setitem(sys.modules, 'huggingface_hub', it)
    return it


@pytest.fixture
def call(monkeypatch, capsys, tmp_path):
    """Give a function that runs a command of `policy` in an empty folder: code and output."""
    (tmp_path / 'here').mkdir()
    return caller(monkeypatch, capsys, tmp_path / 'here', 'policy')


def refused(ended: tuple, *texts: str) -> None:
    """Assert one sentence with the texts, and that nothing was written."""
    code, _, err = ended
    *_, sentence = err.splitlines()  # after what is shown while a folder is opened
    assert code == 2 and sentence.startswith('error: '), ended
    assert all(text in sentence for text in texts), err
    assert list(Path().iterdir()) == []


def files(folder: Path) -> dict:
    """Give the content of the files of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_is_fetched_is_what_was_pushed(hub, call, written):
    code, out, _ = call('push', written, REPO)
    assert code == 0 and f'policy fetch {REPO}@{0:040d}' in out
    assert hub.made == [(REPO, True, True)]  # private
    assert call('fetch', REPO, '--output', 'got')[0] == 0
    whole = files(written)
    del whole['notes.txt']
    assert files(Path('got')) == whole


def test_a_revision_is_fetched_as_it_was(hub, call, written):
    for text in ('first', 'second'):
        (written / 'card.md').write_text(text)
        assert call('push', written, REPO, '--public')[0] == 0
    for revision, text in ((f'@{0:040d}', 'first'), ('', 'second')):
        assert call('fetch', f'{REPO}{revision}', '--output', 'got')[0] == 0
        assert Path('got/card.md').read_text() == text


@pytest.mark.parametrize('name', ['card.md', 'contract.yaml', 'network.onnx', TRAINING])
def test_a_file_that_is_not_as_listed_is_refused(hub, call, written, name, monkeypatch):
    call('push', written, REPO)
    right, path = hub.entry, hub.commits(REPO)[0] / name
    listed = right(path)
    path.write_bytes(path.read_bytes()[:-1] + b'?')
    monkeypatch.setattr(hub, 'entry', lambda it: listed if it.name == name else right(it))
    refused(call('fetch', REPO, '--output', 'got'), f'{REPO}: {name} does not have the hash that')


@pytest.mark.parametrize('name', ['contract.yaml', 'deploy.yaml', TRAINING])
def test_a_file_that_was_changed_at_the_hub_is_refused(hub, call, written, name):
    call('push', written, REPO)
    with (hub.commits(REPO)[0] / name).open('ab') as file:
        file.write(b'\n')
    refused(call('fetch', REPO, '--output', 'got'),
            f'{REPO}: {name}: does not match its hash in SHA256SUMS')


def test_what_is_no_policy_or_too_large_is_not_downloaded(hub, call, written, monkeypatch):
    call('push', written, REPO)
    monkeypatch.setattr(hub, 'snapshot_download', None)
    with (hub.commits(REPO)[0] / 'SHA256SUMS').open('a') as file:
        file.write('#' * 5000)
    refused(call('fetch', REPO, '--output', 'got'), 'SHA256SUMS has 5', 'expected at most 4096')
    (hub.commits(REPO)[0] / 'contract.yaml').unlink()
    refused(call('fetch', REPO, '--output', 'got'), 'is not a policy folder: it lacks contract')


def test_a_hub_that_fails_is_one_sentence(hub, call, written):
    refused(call('fetch', 'nobody/nothing', '--output', 'new/got'),
            'nobody/nothing: the hub cannot be reached or refuses this (FileNotFoundError')
    hub.create_repo = lambda *_, **__: 1 / 0
    refused(call('push', written, REPO), f'{REPO}: the hub cannot', 'ZeroDivisionError')


def test_another_folder_is_not_replaced(hub, call, written, tmp_path, monkeypatch):
    call('push', written, REPO)
    monkeypatch.setattr(hub, 'repo_info', None)  # refused before the hub is asked
    code, _, err = call('fetch', REPO, '--output', written.parent)
    assert code == 2 and 'exists and is not a policy folder' in err
    assert list(written.parent.iterdir()) == [written]


def test_a_broken_folder_is_not_pushed(hub, call, written, tmp_path):
    broken = shutil.copytree(written, tmp_path / 'broken')
    (broken / 'deploy.yaml').write_text('{}')
    refused(call('push', broken, REPO), 'deploy.yaml: does not match its hash')
    assert not hub.made


def test_without_the_package_the_extra_is_named(call, written, monkeypatch):
    monkeypatch.setitem(sys.modules, 'huggingface_hub', None)
    for words in (('push', written, REPO), ('fetch', REPO, '--output', 'got')):
        refused(call(*words), "pip install 'humanoid_locomotion[hub]'")


def test_the_real_client_takes_the_same_arguments():
    real = pytest.importorskip('huggingface_hub')
    for owner, name in ((real.HfApi, 'create_repo'), (real.HfApi, 'upload_folder'),
                        (real.HfApi, 'repo_info'), (real, 'snapshot_download')):
        ours = set(inspect.signature(getattr(FakeHub, name)).parameters) - {'self'}
        assert ours <= set(inspect.signature(getattr(owner, name)).parameters)
