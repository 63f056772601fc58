# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The simulated robot behaves as a robot with a careful driver does."""

import numpy as np
import pytest

pytest.importorskip('mujoco')

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.errors import JointsError, MessageError
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.simulation.simulated_robot import GRAVITY, SimulatedRobot

TICK, TIMEOUT = 0.005, 0.2
SPEC = load_robot('humanoid')
NAMES, DEFAULT = SPEC.joint_names, SPEC.values('default')
GAINS = np.stack([SPEC.values(key) for key in ('kp', 'kd', 'effort')], axis=1)
DAMPED = GAINS * [0.0, 1.0, 1.0]


@pytest.fixture
def robot():
    """Give a robot that hangs."""
    made = SimulatedRobot(SPEC, TICK, 0.005, TIMEOUT)
    yield made
    made.close()


def run(robot, seconds, positions=DEFAULT):
    """Command and step for a while; with None, step in silence."""
    for _ in range(round(seconds / TICK)):
        if positions is not None:
            robot.command(NAMES, positions)
        robot.step()


def test_it_hangs_until_a_command_pulls(robot):
    """Damping is no pull; time goes on meanwhile."""
    run(robot, 0.5, None)
    robot.set_gains(DAMPED)
    run(robot, 0.5)
    assert robot.is_held and robot.time == pytest.approx(1.0)
    np.testing.assert_allclose(robot.state().joint_positions[0], DEFAULT, atol=1e-6)
    robot.set_gains(GAINS)
    run(robot, TICK)
    assert not robot.is_held


def test_it_stands_for_a_while_on_its_gains_alone(robot):
    """As its description says: for about two seconds."""
    run(robot, 1.0)
    assert rotations.tilt(robot.state().base_orientation)[0] < 0.1


def test_silence_damps(robot):
    """The watchdog of the driver: the robot sinks, and stands no more."""
    run(robot, 0.2)
    run(robot, TIMEOUT, None)
    height = robot.state().base_position[0, 2]
    run(robot, 1.5, None)
    assert robot.state().base_position[0, 2] < 0.5 * height


def test_damping_gains_sink_although_commands_go_on(robot):
    """A kp of zero reaches the motors."""
    run(robot, 0.2)
    robot.set_gains(DAMPED)
    run(robot, 1.5)
    assert robot.state().base_position[0, 2] < 0.5 * SPEC.base_height


def test_gains_belong_to_the_joints_that_commands_name(robot):
    """In their order, whatever the simulator's order is."""
    order = list(reversed(range(len(NAMES))))
    table = GAINS.copy()
    table[NAMES.index('left_knee')] = [50.0, 5.0, 7.0]
    robot.command([NAMES[i] for i in order], DEFAULT[order])
    robot.set_gains(table[order])
    robot.step()
    model = robot._backend.model
    knee = model.actuator('left_knee').id
    assert model.actuator_gainprm[knee, 0] == 50.0
    assert model.actuator_biasprm[knee, 1:3].tolist() == [-50.0, -5.0]
    assert model.actuator_forcerange[knee].tolist() == [-7.0, 7.0]
    assert model.actuator_gainprm[model.actuator('right_knee').id, 0] == pytest.approx(
        GAINS[NAMES.index('right_knee'), 0])


def test_command_moves_the_named_joint(robot):
    """A command for one joint leaves the others' targets alone."""
    robot.command(['left_elbow'], np.array([-0.8]))
    for _ in range(60):
        robot.command(['left_elbow'], np.array([-0.8]))
        robot.step()
    moved = robot.state().joint_positions[0]
    assert moved[NAMES.index('left_elbow')] == pytest.approx(-0.8, abs=0.15)
    assert moved[NAMES.index('right_elbow')] == pytest.approx(
        DEFAULT[NAMES.index('right_elbow')], abs=0.1)


def test_unknown_joint_and_doubtful_targets_are_refused(robot):
    """By name."""
    with pytest.raises(JointsError, match=r"missing joints \['tail'\]"):
        robot.command(['tail'], np.array([0.0]))
    for positions in (DEFAULT[:-1], np.full(len(NAMES), np.nan)):
        with pytest.raises(MessageError, match='expected 23 finite positions'):
            robot.command(NAMES, positions)
    assert robot.is_held


def test_push_moves_it_in_its_heading(robot):
    """Velocity changes at once."""
    run(robot, 0.1)
    before = robot.state().base_linear_velocity[0].copy()
    robot.push([0.5, -0.2, 0.0])
    np.testing.assert_allclose(
        robot.state().base_linear_velocity[0] - before, [0.5, -0.2, 0.0], atol=0.02)


def test_accelerometer_shows_gravity_at_rest(robot):
    """Upward, since the floor pushes upward."""
    run(robot, 0.5)
    np.testing.assert_allclose(robot.specific_force(), [0.0, 0.0, GRAVITY], atol=1.0)


def test_reset_hangs_it_up_again(robot):
    """Time goes on."""
    run(robot, 0.5)
    robot.reset()
    robot.set_gains(DAMPED)
    run(robot, 0.1)
    assert robot.is_held and robot.time == pytest.approx(0.6)
    assert robot.state().base_position[0, 2] == pytest.approx(SPEC.base_height)


@pytest.mark.parametrize('mass', [0.0, 2.0])
def test_a_payload_is_carried_by_both_hands(robot, mass):
    own = robot._model.body_mass.copy()
    robot.load_hands(mass)
    added = {robot._model.body(i).name: it for i, it in enumerate(robot._model.body_mass - own)
             if it}
    assert added == dict.fromkeys(SPEC.hands if mass else (), pytest.approx(mass))
    run(robot, 0.2, None)


def test_friction_is_changed_and_given_back():
    """And 0 stands for the model's own figures."""
    robot = SimulatedRobot(load_robot('humanoid'), 0.005, 0.005, 0.2)
    own = robot._model.geom_friction.copy()
    robot.set_friction(0.2)
    assert (robot._model.geom_friction[:, 0] == 0.2).all()
    np.testing.assert_array_equal(robot._model.geom_friction[:, 1:], own[:, 1:])
    robot.set_friction(0.0)
    np.testing.assert_array_equal(robot._model.geom_friction, own)


def knee(robot, what='joint_positions'):
    """Give a figure of the left knee."""
    return float(getattr(robot.state(), what)[0, NAMES.index('left_knee')])


def test_torques_are_those_of_the_pd_law(robot):
    """As measured a tick ago; none while the robot is held."""
    assert not robot.efforts().any()
    run(robot, 0.5)
    state = robot.state()
    asked = GAINS[:, 0] * (DEFAULT - state.joint_positions[0]) - (
        GAINS[:, 1] * state.joint_velocities[0])
    np.testing.assert_allclose(robot.efforts(), asked, atol=0.05 * np.abs(asked).max())


def test_a_dead_motor_gives_way_and_the_others_hold(robot):
    run(robot, 0.5)
    before = knee(robot)
    robot.kill_motor('left_knee')
    run(robot, 0.4)
    assert robot.efforts()[NAMES.index('left_knee')] == 0.0
    assert knee(robot) > before + 0.1


def test_an_encoder_offset_is_measured_and_controlled_by(robot):
    """The joint itself settles that much lower, where its driver holds it."""
    run(robot, 0.5)
    shown = knee(robot)
    robot.encoder_offsets[NAMES.index('left_knee')] = 0.1
    robot.step()
    assert knee(robot) == pytest.approx(shown + 0.1, abs=0.01)
    run(robot, 0.3)
    true = float(robot._backend.state().joint_positions[0, NAMES.index('left_knee')])
    assert true == pytest.approx(knee(robot) - 0.1, abs=1e-6) and true < shown - 0.03


def test_swapped_motors_get_each_others_targets(robot):
    robot.swap_motors('left_elbow', 'right_elbow')
    left, right = NAMES.index('left_elbow'), NAMES.index('right_elbow')
    targets = DEFAULT.copy()
    targets[left] = -0.8
    run(robot, 0.3, targets)
    moved = robot.state().joint_positions[0]
    assert moved[right] == pytest.approx(-0.8, abs=0.15)
    assert moved[left] == pytest.approx(DEFAULT[left], abs=0.1)


def test_a_hoist_lifts_and_lets_go(robot):
    run(robot, 0.3)
    robot.lift(0.4)
    run(robot, 1.5)
    assert robot.state().base_position[0, 2] > SPEC.base_height + 0.2
    assert robot._backend.truth().sole_forces.max() == 0.0
    robot.lift(0.0)
    run(robot, 0.5)
    assert robot._backend.truth().sole_forces.max() > 0.0
