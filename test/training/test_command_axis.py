# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A further command axis, from the training config to a robot that is evaluated.

Everything here needs the axis's row in the table of axes and its range in a config, nothing else.
"""

from __future__ import annotations

from dataclasses import replace
import sys

import numpy as np
import policy_factory
import pytest
from tiny import FILE, ROBOT, mapping
import torch

from humanoid_locomotion.core.command import CommandSpec
from humanoid_locomotion.core.controller import Controller
from humanoid_locomotion.core.errors import RefusedError
from humanoid_locomotion.core.policy.adoption.flat_metadata import FlatMetadata
from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.policy.onnx_metadata import to_flat
from humanoid_locomotion.core.reading.config import from_mapping
from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.sim.backend import open_backend
from humanoid_locomotion.training.config import TrainingConfig
from humanoid_locomotion.training.env.env import LocomotionEnv
from humanoid_locomotion.training.env.symmetry import observation_mirror

REST, LOWER, UPPER = 0.85, 0.6, 0.9


@pytest.fixture
def settings():
    """Give the shipped config, made small, with a base height to be commanded."""
    data = mapping('run.num_envs=64')
    data['commands']['limits']['base_height'] = [LOWER, UPPER, REST]
    return from_mapping(TrainingConfig, data, FILE)


@pytest.fixture
def env(settings):
    """Give its environment on the fake backend."""
    torch.manual_seed(0)
    contract = settings.contract(ROBOT)
    backend = open_backend('fake', ROBOT, 64, settings.physics, contract.joints)
    return LocomotionEnv(settings, contract, backend, ROBOT.mass, 0)


@pytest.fixture
def folder(tmp_path):
    """Give a policy folder that takes the command and always asks for the default pose."""
    pytest.importorskip('onnxruntime')
    plain = policy_factory.make_contract()
    contract = replace(plain, command_limits=CommandSpec.of(
        **plain.command_limits.to_config(), base_height=(LOWER, UPPER, REST)))
    size = Controller(contract).builder.size
    return policy_factory.write_policy(
        tmp_path / 'policy', contract, np.zeros((contract.num_actions, size), np.float32))


def column(contract) -> int:
    """Give the column of the observation that holds the commanded height."""
    start = next(s.start for s in Controller(contract).builder.slices
                 if s.name == 'velocity_command')
    return start + contract.command_limits.index('base_height')


def test_trained_robots_are_told_a_height_and_see_it(env):
    result = env.reset()
    for _ in range(3):
        result = env.step(torch.zeros(64, env.contract.num_actions))
    height = env.commands.command[:, 3]
    assert torch.equal(result.obs[:, column(env.contract)], height)
    assert LOWER <= float(height.min()) < 0.65 and 0.85 < float(height.max()) <= UPPER
    standing = ~env.commands.command[:, :3].any(-1)
    assert standing.any() and float(height[standing].std()) > 0.02
    assert torch.isfinite(result.reward).all() and torch.isfinite(result.critic_observation).all()


def test_the_mirror_keeps_the_height(settings):
    contract = settings.contract(ROBOT)
    mirror, at = observation_mirror(contract, ROBOT), column(contract)
    obs = torch.randn(3, Controller(contract).builder.size)
    assert torch.equal(mirror(obs)[:, at], obs[:, at])
    assert torch.equal(mirror(obs)[:, at - 1], -obs[:, at - 1])  # the turning rate
    assert torch.equal(mirror(mirror(obs)), obs)


def test_a_policy_folder_carries_the_axis_and_its_golden_steps_replay(folder):
    opened = open_policy(folder, 'onnxruntime')
    assert opened.golden_error == 0.0
    assert opened.contract.command_limits['base_height'].rest == REST
    assert opened.contract.command_limits.names[3:] == ('base_height',)
    flat = to_flat(opened.contract, 'here')
    assert flat['command_rest'] == '0.0,0.0,0.0,0.85'
    assert FlatMetadata(('flat', flat)).contract() == opened.contract


def test_the_speed_envelope_is_of_the_velocity_alone(folder):
    envelope = open_policy(folder, 'onnxruntime').envelope
    assert len(envelope.trained) == 3 and 'base_height' not in envelope.to_json()


@pytest.mark.skipif(sys.version_info < (3, 10), reason='Python 3.8 trains and evaluates nothing')
def test_evaluated_robots_are_told_the_height_at_rest(folder):
    from humanoid_locomotion.evaluation.protocol import QUICK
    from humanoid_locomotion.evaluation.runner import roll_out
    from humanoid_locomotion.evaluation.trials import tours
    opened, seen = open_policy(folder, 'onnxruntime'), []

    def policy(obs):
        seen.append(obs[:, column(opened.contract)].copy())
        return opened.policy(obs)

    trials = tours(replace(QUICK, tour_runs=2, tour_time=0.2), opened.contract, (0,))
    recording = roll_out(
        lambda n: open_backend('mujoco', ROBOT, n, QUICK.physics(0.02), opened.contract.joints),
        opened.contract, policy, trials)
    assert recording.commands.shape == recording.velocities.shape == (10, 2, 3)
    assert np.all(np.array(seen) == np.float32(REST)) and len(seen) == 10


def test_the_loop_over_the_velocity_leaves_the_height_alone(folder):
    contract = open_policy(folder, 'onnxruntime').contract
    controller = Controller(contract)
    controller.reset_all()
    n = contract.num_actions
    turning = RobotState(np.zeros((1, n), np.float32), np.zeros((1, n), np.float32),
                         np.float32([[0, 0, 0, 1]]), np.float32([[0, 0, 0.4]]))
    obs = controller.observe(turning, np.float32([[0.5, 0.0, 0.2, 0.7]]))
    assert controller.command_correction.shape == (1, 3)
    assert controller.command_correction[0, 2] < 0.0
    assert obs[0, column(contract)] == np.float32(0.7)


@pytest.mark.ros
def test_the_control_loop_takes_a_height_by_its_topic_and_refuses_nan(folder):
    pytest.importorskip('rclpy')
    from std_msgs.msg import Float64

    from humanoid_locomotion.nodes.locomotion.control_loop import ControlLoop
    from humanoid_locomotion.nodes.ros.parameters import LocomotionParameters
    refused: list = []
    loop = ControlLoop(open_policy(folder, 'onnxruntime'), ROBOT, LocomotionParameters(),
                       lambda error: refused.append(str(error)))
    loop.take_axis_command('base_height', Float64(data=0.7), 1.0)
    for step in range(200):
        command = loop.command.step(1.0 + 0.02 * step)
    assert command[0].tolist() == [0.0, 0.0, 0.0, np.float32(0.7)]
    loop.take_axis_command('base_height', Float64(data=float('nan')), 5.0)
    assert refused == ['command/base_height: the value is not finite: nan']
    assert loop.command.step(5.0)[0, 3] == np.float32(0.7)


@pytest.mark.ros
def test_a_policy_with_other_axes_is_not_swapped_in(folder, tmp_path):
    pytest.importorskip('rclpy')
    from humanoid_locomotion.nodes.locomotion.control_loop import ControlLoop
    from humanoid_locomotion.nodes.ros.parameters import LocomotionParameters
    other = policy_factory.holding_policy(tmp_path / 'other')
    loop = ControlLoop(open_policy(other, 'onnxruntime'), ROBOT, LocomotionParameters(), print)
    with pytest.raises(RefusedError, match=r"takes commands on .*'base_height'\], this node"):
        loop.swap(open_policy(folder, 'onnxruntime'))
