# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""From a checkpoint to a policy folder, or to nothing at all."""

from __future__ import annotations

from dataclasses import asdict, replace
import shutil

import numpy as np
import pytest
from tiny import ROBOT, SMALL, config
import torch

pytest.importorskip('mujoco')
pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

from humanoid_locomotion.core.command import GaitSpec
from humanoid_locomotion.core.errors import CheckpointError, LocomotionError
from humanoid_locomotion.core.feedback.kinematics import leg_spec
from humanoid_locomotion.core.feedback.velocity_feedback import LinearLoopSpec
from humanoid_locomotion.core.policy.engines import open_engine
from humanoid_locomotion.core.policy.folder import open_policy, read_golden
from humanoid_locomotion.core.policy.golden import GOLDEN_WALK, tumbling_states
from humanoid_locomotion.training import export as exporting
from humanoid_locomotion.training.export import export
from humanoid_locomotion.training.run import checkpoint
from humanoid_locomotion.training.run.options import training_config
from humanoid_locomotion.training.run.trainer import Trainer

COMMAND = 'humanoid-locomotion train --seed 7'


@pytest.fixture(scope='module')
def trainer(tmp_path_factory):
    """Give a trainer that has learned for one iteration and saved a checkpoint."""
    it = Trainer(config('run.iterations=1'), ROBOT, backend='fake', device='cpu', seed=7,
                 folder=tmp_path_factory.mktemp('runs') / 'walker', command=COMMAND)
    it.run()
    return it


@pytest.fixture(scope='module')
def folder(trainer, tmp_path_factory):
    """Give the policy folder of that checkpoint."""
    return export(trainer.folder, tmp_path_factory.mktemp('policies') / 'walker')


@pytest.mark.parametrize('engine', ['onnxruntime', 'torch'])
def test_what_is_exported_opens_with_every_engine(folder, engine):
    opened = open_policy(folder, engine=engine, device='cpu')
    assert opened.contract == config().contract(ROBOT)
    assert opened.golden_error < 1e-4


@pytest.mark.parametrize('engine', ['onnxruntime', 'torch'])
def test_the_exported_network_is_the_trained_one_normaliser_included(trainer, folder, engine):
    obs = torch.randn(50, 80, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = trainer.model.act_mean(obs).numpy()
    assert not np.allclose(trainer.model.actor_normalizer.mean, 0.0)
    got = open_engine(folder / 'network.onnx', engine, 'cpu')(obs.numpy())
    assert np.allclose(got, expected, atol=1e-5)


def test_metadata_keep_every_digit(folder):
    metadata = open_engine(folder / 'network.onnx', 'onnxruntime').metadata
    contract = config().contract(ROBOT)
    for key, name in (('joint_stiffness', 'kp'), ('joint_damping', 'kd'),
                      ('default_joint_pos', 'default'), ('action_scale', 'action_scale')):
        numbers = [float(number) for number in metadata[key].split(',')]
        assert numbers == contract.values(name).tolist(), key
    assert metadata['joint_names'].split(',') == ROBOT.joint_names
    assert metadata['command_names'] == 'lin_vel_x,lin_vel_y,ang_vel_z'
    assert metadata['observation_names'].split(',')[-1] == 'gait_clock'
    assert metadata['run_path'] == 'walker'


def test_golden_steps_ask_for_every_direction(folder):
    golden = read_golden(folder / 'golden.npz')
    assert golden['observation'].shape == (150, 80) and golden['action'].shape == (150, 23)
    commands = np.unique(golden['command'], axis=0)
    assert commands.tolist() == pytest.approx(np.array(
        [[0, 0, 0], [0, 0, 0.5], [0, 0.3, 0], [0.5, 0, 0]]))


def test_the_card_says_how_the_policy_came_about(folder):
    card = (folder / 'card.md').read_text()
    for row in ('| seed | 7 |', '| samples (control steps) | 24 |', '| iterations | 1 |',
                '| simulator in training | fake |', f'| command | `{COMMAND}` |'):
        assert row in card
    assert 'hidden_sizes: [16, 8]' in card and 'observes no velocity of the base' in card


def test_a_folder_holds_what_the_documentation_promises(folder):
    assert {path.name for path in folder.iterdir()} == {
        'SHA256SUMS', 'card.md', 'contract.yaml', 'deploy.yaml', 'golden.npz', 'network.onnx',
        'policy.onnx'}


def test_a_policy_is_replaced_whole(trainer, folder, tmp_path):
    output = tmp_path / 'policy'
    for _ in range(2):
        assert export(checkpoint.latest(trainer.folder), output) == output
        assert {path.name for path in output.iterdir()} == {
            path.name for path in folder.iterdir()}
        (output / 'scorecard.json').write_text('{}')  # of a policy that is no more
    assert [path.name for path in tmp_path.iterdir()] == ['policy']


def test_a_folder_that_is_no_policy_is_left_alone(trainer, tmp_path):
    (tmp_path / 'thesis.tex').write_text('years of work')
    with pytest.raises(LocomotionError, match='exists and is not a policy folder; choose another'):
        export(trainer.folder, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ['thesis.tex']


def spoil_network(monkeypatch):
    """Let the exported layers differ from the network that is trained."""
    right = exporting.network_layers

    def wrong(model):
        layers = right(model)
        layers['layers'][-1][1][...] += 0.1
        return layers

    monkeypatch.setattr(exporting, 'network_layers', wrong)


def spoil_card(monkeypatch):
    """Let the last file fail to be written."""
    def fail(*_):
        raise LocomotionError('the disk is full')

    monkeypatch.setattr(exporting, 'card', fail)


@pytest.mark.parametrize('spoil, message', [
    (spoil_network, 'golden step 0 does not replay: action differs by 0.1'),
    (spoil_card, 'the disk is full')])
@pytest.mark.parametrize('before', [False, True])
def test_a_failed_export_changes_nothing(trainer, folder, tmp_path, monkeypatch, spoil, message,
                                         before):
    output = tmp_path / 'policy'
    if before:
        export(trainer.folder, output)
    content = {path: path.read_bytes() for path in tmp_path.rglob('*') if path.is_file()}
    spoil(monkeypatch)
    with pytest.raises(LocomotionError, match=message):
        export(trainer.folder, output)
    assert {path: path.read_bytes() for path in tmp_path.rglob('*') if path.is_file()} == content
    assert output.exists() == before


def test_a_folder_carries_what_deployment_says_around_the_same_network(trainer, folder, tmp_path):
    content = checkpoint.load(checkpoint.latest(trainer.folder), 'cpu')
    slower, hold = {'period': 0.9, 'moving_threshold': 0.1}, LinearLoopSpec(0.5, 0.2, 0.5, 4.0)
    deployment = {'gait': slower, 'linear_velocity_loop': asdict(hold)}
    checkpoint.save(tmp_path / 'run.pt', {
        **content, 'config': {**content['config'], 'deployment': deployment}})
    deployed, trained = (open_policy(path, engine='onnxruntime') for path in (
        export(tmp_path / 'run.pt', tmp_path / 'policy'), folder))
    assert deployed.contract == replace(
        trained.contract, gait=GaitSpec(**slower), linear_velocity_loop=hold,
        legs=tuple(leg_spec(ROBOT, sole) for sole in ROBOT.soles))
    obs = np.random.default_rng(0).normal(size=(1, 80)).astype(np.float32)
    assert np.array_equal(deployed.policy(obs), trained.policy(obs))
    assert 'deployment:' in (tmp_path / 'policy' / 'card.md').read_text()


def test_a_robot_that_changed_since_training_is_refused(trainer, tmp_path):
    path = tmp_path / 'old.pt'
    content = checkpoint.load(checkpoint.latest(trainer.folder), 'cpu')
    checkpoint.save(path, {**content, 'model_hash': '0123456789abcdef'})
    with pytest.raises(CheckpointError, match=r'old\.pt: was trained on another version of .huma'):
        export(path, tmp_path / 'policy')
    assert not (tmp_path / 'policy').exists()


def test_a_robot_that_is_turned_about_shows_every_figure():
    """What golden steps are made of where there is no MuJoCo."""
    contract = config().contract(ROBOT)
    states = tumbling_states(contract)
    assert len(states) == sum(steps for _, steps in GOLDEN_WALK)
    whole = {key: np.concatenate([state[key] for state in states]) for key in states[0]}
    lower, upper = contract.values('lower'), contract.values('upper')
    assert np.all((whole['joint_positions'] > lower) & (whole['joint_positions'] < upper))
    assert np.linalg.norm(whole['base_orientation'], axis=1) == pytest.approx(1.0, abs=1e-6)
    for key, values in whole.items():
        assert values.dtype == np.float32
        if key != 'command':  # no two columns alike, so no order can be mistaken for another
            assert np.all(values.std(axis=0) > 0.01), key
            columns = {tuple(column) for column in values.T}
            assert len(columns) == values.shape[1], key


def test_a_robots_folder_may_have_any_name_and_be_elsewhere_by_now(trainer, tmp_path):
    moved = tmp_path / 'my: robots #1'
    shutil.copytree(ROBOT.folder, moved)
    settings, robot = training_config('humanoid', str(moved), 4, 1, list(SMALL))
    assert settings.robot == str(moved) and robot.folder == str(moved)
    with pytest.raises(CheckpointError, match="another version of 'unitree_h1'"):
        export(trainer.folder, tmp_path / 'policy', 'unitree_h1')
    export(trainer.folder, tmp_path / 'policy', str(moved))
    assert (tmp_path / 'policy' / 'contract.yaml').is_file()
