# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The course's observation builder and action mapper, against those of training and the robot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from samples import command, contract, state

from humanoid_locomotion.core.errors import ConfigError, JointsError
from humanoid_locomotion.core.observation import ObservationBuilder as CoreBuilder
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.core.terms import Moment
from humanoid_locomotion.course import ActionMapper, ObservationBuilder
from humanoid_locomotion.course.interfaces import PARTS

ROBOT = load_robot('course')
RNG = np.random.default_rng(0)


def moment(num_envs: int, joints: int = 19, actions: int = 39) -> tuple[Moment, dict]:
    """Give a random moment of a contract that observes its last joints, and the course's dict."""
    action = RNG.normal(size=(num_envs, actions)).astype(np.float32)
    now = Moment(state(RNG, num_envs, actions), command(RNG, num_envs), action)
    at = now.state
    return now, {
        'root_position': at.base_position, 'root_velocity': at.base_linear_velocity,
        'root_orientation': at.base_orientation,
        'root_angular_velocity': at.base_angular_velocity,
        'joint_positions': at.joint_positions[:, -joints:],
        'joint_velocities': at.joint_velocities[:, -joints:],
        'prev_action': action, 'command': now.command}


@pytest.mark.parametrize('joints, actions', [(19, 39), (5, 8)])
def test_a_normalized_observation_is_the_one_of_training_and_robot(joints, actions):
    now, sim_state = moment(3, joints, actions)
    core = CoreBuilder(contract(num_joints=actions, layout='full_state', observed=joints), 3)
    builder = ObservationBuilder(joints, actions)
    found = builder.normalize_observation(builder.build_observation(sim_state))
    np.testing.assert_allclose(found, core.build(now), rtol=1e-6)
    assert builder.total_obs_size == core.size
    for (name, _), term in zip(PARTS, core.slices, strict=True):
        assert getattr(builder, f'{name}_START') == term.start
        assert getattr(builder, f'{name}_END') == term.stop
        assert getattr(builder, f'{name}_SIZE') == term.stop - term.start


def test_the_indices_of_the_class_are_those_of_93_numbers():
    builder = ObservationBuilder()
    assert builder.total_obs_size == 93
    for name, _ in PARTS:
        for end in ('START', 'END'):
            key = f'{name}_{end}'
            assert getattr(ObservationBuilder, key) == getattr(builder, key), key
    assert (ObservationBuilder.COMMAND_START, ObservationBuilder.COMMAND_END) == (90, 93)


def test_one_robot_and_a_batch_arrays_and_tensors_give_the_same():
    torch = pytest.importorskip('torch')
    _, batch = moment(2)
    builder = ObservationBuilder()
    whole = builder.build_observation(batch)
    one = builder.build_observation({key: torch.as_tensor(it[1]) for key, it in batch.items()})
    assert isinstance(one, torch.Tensor) and one.shape == (93,)
    np.testing.assert_array_equal(one.numpy(), whole[1])
    np.testing.assert_allclose(builder.normalize_observation(one).numpy(),
                               builder.normalize_observation(whole)[1], rtol=1e-6)


@pytest.mark.parametrize('change, message', [
    ({'command': None}, r"build_observation: command: is absent; expected the keys \['root_pos"),
    ({'prev_action': np.zeros(23)}, r'prev_action: found the shape \(23,\), expected \(39,\)'),
    ({'command': [0.0, float('nan'), 0.0]}, 'command: found .*expected finite numbers'),
    ({'command': 'stop'}, "command: found 'stop', expected numbers"),
    ({'command': np.zeros((2, 3))}, r'found the shapes .*\(2, 3\)\], expected one number of'),
    ({'root_orientation': np.zeros(4)}, 'root_orientation: found .*x, y, z, w of length 1'),
    ({'joint_positions': 0.0}, r'joint_positions: found the shape \(\), expected \(19,\)')])
def test_a_state_that_does_not_fit_is_refused(change, message):
    sim_state = {**moment(3)[1], **change}
    with pytest.raises(ConfigError, match=message):
        ObservationBuilder().build_observation(
            {key: it for key, it in sim_state.items() if it is not None})


def test_lists_and_arrays_beside_a_tensor_become_tensors_and_one_command_is_for_all():
    torch = pytest.importorskip('torch')
    _, batch = moment(2)
    batch['command'] = batch['command'][0]
    mixed = {**batch, 'joint_positions': torch.as_tensor(batch['joint_positions']),
             'command': batch['command'].tolist()}
    builder = ObservationBuilder()
    found = builder.build_observation(mixed)
    assert isinstance(found, torch.Tensor) and found.shape == (2, 93)
    np.testing.assert_array_equal(found.numpy(), builder.build_observation(batch))
    with pytest.raises(ConfigError, match='sim_state: found None, expected a dictionary with'):
        builder.build_observation(None)


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(ConfigError, match=r'obs: found the shape \(85,\), expected \(93,\)'):
        ObservationBuilder().normalize_observation(np.zeros(85))
    for sizes in ({'num_joints': 0}, {'num_joints': '19'}, {'num_actions': 1.5},
                  {'num_actions': 10 ** 9}):
        with pytest.raises(ConfigError, match=r': found .*, expected a whole number from 1 to'):
            ObservationBuilder(**sizes)


def test_an_output_maps_onto_the_range_of_each_joint():
    mapper = ActionMapper()
    assert mapper.joint_names == ROBOT.joint_names and mapper.num_joints == 39
    lower, upper = ROBOT.values('lower'), ROBOT.values('upper')
    for output, expected in ((-1.0, lower), (0.0, 0.5 * (lower + upper)), (1.0, upper),
                             (0.5, 0.25 * lower + 0.75 * upper), (7.0, upper)):
        found = mapper.map_to_joint_commands(np.full(39, output))
        np.testing.assert_allclose(found, expected, atol=1e-6)
    assert [mapper.joint_limits[name] for name in mapper.joint_names] == list(zip(lower, upper))


def test_joints_may_be_chosen_in_any_order():
    mapper = ActionMapper(['right_knee', 'left_elbow'])
    np.testing.assert_allclose(mapper.map_to_joint_commands(np.array([[1.0, -1.0]])),
                               [[2.4, -2.3]], rtol=1e-6)
    with pytest.raises(JointsError, match=r"missing joints \['tail'\]; it has \['left_hip_yaw'"):
        ActionMapper(['left_knee', 'tail'])
    with pytest.raises(ConfigError, match=r'output: found the shape \(23,\), expected \(2,'):
        mapper.map_to_joint_commands(np.zeros(23))


def test_a_torque_is_that_of_a_spring_with_a_damper_within_the_effort():
    mapper = ActionMapper(['left_knee', 'left_hand_index'])
    torque, velocity = mapper.compute_pd_targets(
        np.array([0.5, 0.0]), np.array([0.2, 1.0]), kp=50.0, kd=2.0,
        current_velocities=np.array([3.0, 0.0]))
    np.testing.assert_allclose(torque, [50.0 * 0.3 - 2.0 * 3.0, -2.0], rtol=1e-6)  # of 2 Nm
    np.testing.assert_array_equal(velocity, [0.0, 0.0])


@pytest.mark.parametrize('change, message', [
    ({'kp': -1.0}, r'kp: found .*expected 0 or more'), ({'kd': None}, 'kd: found .*numbers'),
    ({'kp': np.ones(5)}, r'kp: found the shape \(5,\), expected \(39,\)'),
    ({'current_velocities': np.full(39, np.nan)}, 'current_velocities: found .*finite numbers')])
def test_gains_and_states_that_are_none_are_refused(change, message):
    values = {'target_positions': np.zeros(39), 'current_positions': np.zeros(39),
              'current_velocities': np.zeros(39), **change}
    with pytest.raises(ConfigError, match=message):
        ActionMapper().compute_pd_targets(**values)


@pytest.mark.parametrize('names', ['left_knee', 5])
def test_names_that_are_no_list_are_refused(names):
    with pytest.raises(ConfigError, match=r'joint_names: found .*, expected a list of names'):
        ActionMapper(names)


def test_only_damping_brings_a_joint_to_rest():
    """A joint of 0.1 kg m^2 on the course's gains, 2 s: energy stays without the damping."""
    mapper = ActionMapper(['left_knee'])
    swings = []
    for kd in (0.0, 1.0):
        position, velocity = np.zeros(1), np.zeros(1)
        late = []
        for step in range(2000):
            torque, _ = mapper.compute_pd_targets(
                np.array([0.2]), position, 100.0, kd, current_velocities=velocity)
            velocity = velocity + 0.001 * torque / 0.1
            position = position + 0.001 * velocity
            if step > 1500:
                late.append(abs(float(position[0]) - 0.2))
        swings.append(max(late))
    assert swings[0] > 0.19 and swings[1] < 0.001


def test_the_contract_of_the_task_has_the_numbers_of_the_course():
    pytest.importorskip('torch')
    from humanoid_locomotion.course import HumanoidEnvConfig
    task, robot = HumanoidEnvConfig().training_config()
    found = task.contract(robot)
    assert replace(robot, folder='') == replace(ROBOT, folder='')
    assert found.num_actions == 39 and len(found.observed_joints) == 19
    assert all(any(part in name for part in ('hip', 'knee', 'ankle', 'torso', 'shoulder_pitch',
                                             'elbow')) for name in found.observed_joints)
    core = CoreBuilder(found)
    assert core.size == 93
    assert [(it.name, it.start, it.stop) for it in core.slices][-1] == ('velocity_command', 90, 93)
