# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""What --resume and --output mean together, and from which checkpoint a training goes on."""

from __future__ import annotations

import shutil

import pytest
from tiny import ROBOT, config

from humanoid_locomotion.core.errors import CheckpointError, RunFolderError
from humanoid_locomotion.training.run.resume import check_unfinished, find
from humanoid_locomotion.training.run.run_folder import RunFolder
from humanoid_locomotion.training.run.trainer import Trainer


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """Give a run folder with the checkpoints of two iterations."""
    folder = tmp_path_factory.mktemp('runs') / 'first'
    it = Trainer(config(), ROBOT, backend='fake', device='cpu', seed=1, folder=folder)
    it.run()
    it.close()
    return folder


@pytest.fixture
def run(trained, tmp_path, monkeypatch):
    """Give a copy of it, in the working directory."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(trained, 'run')
    return type(trained)('run')


@pytest.mark.parametrize('resume, output', [
    ('run', None), ('run', 'run'), ('run/', './run'), ('run/checkpoints/000002.pt', None),
    ('run/checkpoints/000002.pt', 'run')])
def test_a_run_goes_on_in_its_own_folder_from_its_newest_checkpoint(run, resume, output):
    path = type(run)
    begun = find(path(resume), None if output is None else path(output))
    assert begun.path.name == '000002.pt' and begun.content['iteration'] == 2
    assert begun.folder.resolve() == run.resolve()


@pytest.mark.parametrize('resume, iteration', [
    ('run', 2), ('run/checkpoints/000001.pt', 1), ('best.pt', 2)])
def test_a_new_run_begins_from_any_checkpoint(run, resume, iteration):
    shutil.copy(run / 'checkpoints' / '000002.pt', 'best.pt')
    begun = find(type(run)(resume), type(run)('other'))
    assert begun.content['iteration'] == iteration and begun.folder is None


def test_a_checkpoint_outside_a_run_folder_begins_a_new_run(run):
    shutil.copy(run / 'checkpoints' / '000002.pt', 'best.pt')
    assert find(type(run)('best.pt'), None).folder is None
    copy = shutil.copy(run / 'checkpoints' / '000002.pt', run / 'checkpoints' / 'best.pt')
    assert find(type(run)(copy), None).folder is None


def test_an_older_checkpoint_needs_a_folder_of_its_own(run):
    with pytest.raises(CheckpointError, match=(
            r'000001\.pt: its run goes on to 000002\.pt, so .*--output ANOTHER; or --resume .*r')):
        find(run / 'checkpoints' / '000001.pt', None)
    with pytest.raises(CheckpointError, match='goes on to'):
        find(run / 'checkpoints' / '000001.pt', run)


def test_the_new_runs_folder_must_not_be_in_use(run):
    shutil.copytree(run, 'other')
    with pytest.raises(RunFolderError, match='other: holds a run already'):
        find(run, type(run)('other'))


def test_a_run_that_is_being_written_is_refused_and_may_be_forked(run):
    holder = RunFolder(run)
    holder.enter()
    with pytest.raises(RunFolderError, match='is being written by process'):
        find(run, None)
    assert find(run, type(run)('other')).folder is None
    holder.close()
    assert find(run, None).folder == run


def test_a_finished_run_says_what_goes_on(run):
    begun = find(run, None)
    with pytest.raises(CheckpointError, match=(
            r'000002\.pt: is finished at iteration 2 of 2; --iterations 102 goes on')):
        check_unfinished(begun, 2)
    check_unfinished(begun, 3)


@pytest.mark.parametrize('name', ['nowhere', 'empty'])
def test_where_there_is_no_run_nothing_is_made(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'empty').mkdir()
    with pytest.raises(CheckpointError, match=rf'{name}: holds no checkpoints/\*\.pt'):
        find(type(tmp_path)(name), None)
    assert [it.name for it in tmp_path.rglob('*')] == ['empty']
