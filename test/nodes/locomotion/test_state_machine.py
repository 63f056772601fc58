# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The state machine: no ROS, no simulator, a policy that can be told what to answer."""

import numpy as np
import policy_factory
import pytest

from humanoid_locomotion.core.controller import Controller
from humanoid_locomotion.core.errors import RefusedError
from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.nodes.locomotion.state_machine import (
    FADE_STEPS,
    MIN_RAMP_STEPS,
    STATES,
    Mode,
    StateMachine,
)

FORWARD = np.array([[0.5, 0.0, 0.0]], np.float32)
CONTRACT = policy_factory.make_contract()


@pytest.fixture
def machine():
    """Give a machine whose policy answers with ``machine.answer`` and keeps its observations."""
    answer, seen = np.zeros((1, CONTRACT.num_actions), np.float32), []

    def policy(obs):
        seen.append(obs.copy())
        return answer

    made = StateMachine(Controller(CONTRACT, policy), ramp_speed=1.0)
    made.answer, made.seen = answer, seen
    return made


COMMAND = next(slice(s.start, s.start + 3) for s in Controller(CONTRACT).builder.slices
               if s.name == 'velocity_command')


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


def test_command_walks_and_zero_stands(machine):
    """What the policy sees is what the label says."""
    standing(machine)
    for command, mode in ((FORWARD, Mode.WALKING), (0.0 * FORWARD, Mode.STANDING)):
        machine.step(robot(), command)
        assert machine.mode is mode
        np.testing.assert_array_equal(machine.seen[-1][0, COMMAND], command[0])


def test_who_was_told_to_stand_takes_no_commands_until_walk(machine):
    """A hold outranks even ~/walk."""
    standing(machine).stand(robot())
    assert machine.ignores == 'since ~/stand; call ~/walk'
    machine.walk(robot())
    assert not machine.ignores
    machine.hold_still('the clock jumped')
    assert machine.ignores == 'the clock jumped; call ~/reset'
    with pytest.raises(RefusedError, match='the clock jumped; call ~/reset first'):
        machine.walk(robot())
    machine.reset(active=True)
    machine.walk(robot())
    assert not machine.ignores and machine.mode is Mode.STANDING
    machine.damp()
    assert machine.ignores == 'damping; call ~/walk'
    machine.fault('tilt')
    assert machine.ignores == 'fault: tilt; call ~/reset, then ~/walk'


def test_what_the_table_does_not_allow_is_refused(machine):
    """With what it does allow."""
    with pytest.raises(RefusedError, match='stand: refused, idle; which allows activate'):
        machine.stand(robot())
    with pytest.raises(RefusedError, match='swap'):
        machine.swap(Controller(CONTRACT))
    assert machine.mode is Mode.IDLE


def test_every_mode_but_the_inactive_ones_can_be_damped_and_every_one_can_fault():
    """No way leads round the emergency stop."""
    for mode, row in STATES.items():
        if mode is not Mode.UNCONFIGURED:
            assert row.then['fault'] is Mode.FAULT
        if mode not in (Mode.UNCONFIGURED, Mode.IDLE):
            assert not STATES[row.then['damp']].is_stiff
            assert not STATES[row.then['deactivate']].is_stiff
    assert [event for row in STATES.values() if not row.is_stiff
            for event, after in row.then.items() if STATES[after].is_stiff] == [
                'activate', 'stand', 'walk']


def test_policy_takes_over_with_a_history_of_what_happened(machine):
    """Not with one moment repeated."""
    import dataclasses
    spec = dataclasses.replace(CONTRACT.observation, history=3)
    seen = []
    controller = Controller(dataclasses.replace(CONTRACT, observation=spec),
                            lambda obs: (seen.append(obs.copy()), machine.answer)[1])
    one = StateMachine(controller, ramp_speed=1.0)
    one.activate(robot())
    for i in range(MIN_RAMP_STEPS + 1):
        one.step(robot(0.01 * i), FORWARD)
    frames = seen[0].reshape(3, -1)
    joint = next(s.start for s in controller.builder.slices
                 if s.name == 'joint_positions_from_default')
    np.testing.assert_allclose(frames[:, joint], [0.03, 0.04, 0.05], atol=1e-6)


def test_swapped_policy_fades_in_from_the_next_step_on(machine):
    """Without leaving standing, in even steps, and then it is alone."""
    other = Controller(CONTRACT, lambda obs: np.ones((1, CONTRACT.num_actions), np.float32))
    standing(machine).swap(other)
    targets = [CONTRACT.values('default').astype(np.float32)] + [
        machine.step(robot(), 0.0 * FORWARD) for _ in range(FADE_STEPS + 1)]
    assert machine.mode is Mode.STANDING
    change = np.diff(targets, axis=0)
    np.testing.assert_allclose(change[:-1], change[:1].repeat(FADE_STEPS, axis=0), atol=1e-6)
    assert np.all(change[:-1] > 0.0) and np.all(change[-1] == 0.0)


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
