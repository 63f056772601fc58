"""The state machine: no ROS, no simulator, a policy that can be told what to answer."""

import numpy as np
import policy_factory
import pytest

from humanoid_locomotion.core.controller import Controller
from humanoid_locomotion.core.errors import RefusedError
from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.nodes.state_machine import MIN_RAMP_STEPS, Mode, StateMachine

FORWARD = np.array([[0.5, 0.0, 0.0]], np.float32)
CONTRACT = policy_factory.make_contract()


@pytest.fixture
def machine():
    """Give a machine whose policy answers with ``machine.answer`` and keeps its observations."""
    answer, seen = np.zeros((1, CONTRACT.num_actions), np.float32), []

    def policy(obs):
        seen.append(obs.copy())
        return answer

    made = StateMachine(Controller(CONTRACT, policy), max_tilt=0.8, ramp_speed=1.0)
    made.answer, made.seen = answer, seen
    return made


def robot(offset=0.0, roll=0.0):
    """Give the state of a robot that is off its default pose, and tilted."""
    n = CONTRACT.num_actions
    return RobotState(
        (CONTRACT.values('default')[None] + offset).astype(np.float32),
        np.zeros((1, n), np.float32),
        np.array([[np.sin(roll / 2), 0.0, 0.0, np.cos(roll / 2)]], np.float32),
        np.zeros((1, 3), np.float32))


def standing(machine):
    """Bring a machine to where its policy runs."""
    machine.activate(robot())
    while machine.mode is Mode.RAMPING:
        machine.step(robot(), FORWARD)
    return machine


def test_ramp_from_the_default_pose_is_short(machine):
    """A robot that stands already is handed over within a tenth of a second."""
    machine.activate(robot())
    for _ in range(MIN_RAMP_STEPS):
        assert machine.mode is Mode.RAMPING
        targets = machine.step(robot(), FORWARD)
    assert machine.mode is Mode.STANDING
    np.testing.assert_array_equal(targets, CONTRACT.values('default').astype(np.float32))
    assert MIN_RAMP_STEPS * CONTRACT.control_period <= 0.1


def test_ramp_takes_as_long_as_the_longest_way(machine):
    """0.5 rad at 1 rad/s and 50 Hz are 25 steps, in a straight line."""
    start = robot(offset=0.5)
    machine.activate(start)
    targets = [machine.step(start, FORWARD)[0] for _ in range(25)]
    assert machine.mode is Mode.STANDING
    np.testing.assert_allclose(np.diff(targets), -0.02, atol=1e-6)


def test_policy_sees_no_command_while_standing_is_asked(machine):
    """~/stand hides the command from the policy; ~/walk shows it again."""
    standing(machine).stand(robot())
    start = next(s.start for s in Controller(CONTRACT).builder.slices
                 if s.name == 'velocity_command')
    machine.step(robot(), FORWARD)
    assert machine.mode is Mode.STANDING
    np.testing.assert_array_equal(machine.seen[-1][0, start:start + 3], 0.0)
    machine.walk(robot())
    machine.step(robot(), FORWARD)
    assert machine.mode is Mode.WALKING
    np.testing.assert_array_equal(machine.seen[-1][0, start:start + 3], FORWARD[0])


def test_commands_are_clamped_to_what_was_trained(machine):
    """Ten metres a second is a walk at the contract's limit."""
    start = next(s.start for s in Controller(CONTRACT).builder.slices
                 if s.name == 'velocity_command')
    standing(machine).step(robot(), 20.0 * FORWARD)
    assert machine.seen[-1][0, start] == CONTRACT.command_limits.lin_vel_x[1]


@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_action_that_is_not_finite_faults(machine, value):
    """It becomes no target: infinity is clipped away, so NaN is what must be caught."""
    standing(machine).answer[0, 3] = value
    targets = machine.step(robot(0.1), FORWARD)
    assert np.isfinite(targets).all()
    if np.isnan(value):
        assert machine.label == 'fault: the policy gave a target that is not finite'
        np.testing.assert_array_equal(targets, robot(0.1).joint_positions[0])


@pytest.mark.parametrize('mode', ['ramping', 'standing'])
def test_tilt_faults_in_every_stiff_mode(machine, mode):
    """And the targets are where the joints are."""
    machine.activate(robot()) if mode == 'ramping' else standing(machine)
    targets = machine.step(robot(0.2, roll=0.9), FORWARD)
    assert machine.label == 'fault: the base tilted by 0.90 rad'
    np.testing.assert_array_equal(targets, robot(0.2).joint_positions[0])


def test_orientation_that_is_not_a_number_faults(machine):
    """A comparison with NaN must not pass."""
    standing(machine)
    machine.step(robot(roll=np.nan), FORWARD)
    assert machine.mode is Mode.FAULT


def test_fault_keeps_its_first_reason_and_outlives_everything_but_reset(machine):
    """Only a person who called reset has seen it."""
    standing(machine).fault('first')
    machine.fault('second')
    machine.damp()
    machine.idle()
    assert machine.label == 'fault: first'
    for request in (machine.activate, machine.stand, machine.walk):
        with pytest.raises(RefusedError, match='fault: first; call ~/reset first'):
            request(robot())
    machine.reset(active=True)
    assert machine.label == 'damping'


def test_every_standing_up_starts_the_policy_afresh(machine):
    """The last action before a pause is not the previous action after it."""
    start = next(s.start for s in Controller(CONTRACT).builder.slices
                 if s.name == 'previous_action')
    standing(machine).answer[...] = 0.5
    machine.step(robot(), FORWARD)
    machine.damp()
    machine.stand(robot())
    while machine.mode is Mode.RAMPING:
        machine.step(robot(), FORWARD)
    machine.step(robot(), FORWARD)
    np.testing.assert_array_equal(machine.seen[-1][0, start:], 0.0)
