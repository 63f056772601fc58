# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Joints led by another node: continuous, within limits, handed back, and never a leg."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('trajectory_msgs')

from builtin_interfaces.msg import Duration
import policy_factory
from sensor_msgs.msg import JointState
from std_msgs.msg import Header, String
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from humanoid_locomotion.core.action import tested_arm_range as arm_range
from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.demos.arm_wave import ArmWave
from humanoid_locomotion.nodes.locomotion import diagnostics
from humanoid_locomotion.nodes.locomotion.arm_command import BLEND_STEPS, MAX_POINTS, ArmCommand
from humanoid_locomotion.nodes.locomotion.replay import replay
from humanoid_locomotion.nodes.locomotion.timing import LoopTiming
from humanoid_locomotion.nodes.ros import conversions, qos
from humanoid_locomotion.nodes.ros.parameters import LocomotionParameters
from humanoid_locomotion.reliability.faults.fault_bench import FaultBench

pytestmark = pytest.mark.ros
CONTRACT, ROBOT = policy_factory.make_contract(), load_robot('humanoid')
NAMES, DT, SPEED, TIMEOUT = CONTRACT.joint_names, 0.02, 3.0, 0.3
DEFAULT = CONTRACT.values('default').astype(np.float32)
LOWER, UPPER = CONTRACT.values('lower'), CONTRACT.values('upper')
ELBOW, ROLL = NAMES.index('left_elbow'), NAMES.index('right_shoulder_roll')
STEP = SPEED * DT + 1e-6


class Stepped:
    """Joints that reach their targets at once, with a policy that swings every joint a little."""

    def __init__(self):
        self.errors, self.now, self.measured = [], 100.0, DEFAULT.copy()
        self.arms = ArmCommand(ROBOT, CONTRACT, SPEED, TIMEOUT, self.errors.append)
        self.published = [self.policy()]
        self.arms.forget(self.policy())

    def policy(self):
        return (DEFAULT + 0.05 * np.sin(7.0 * self.now)).astype(np.float32)

    def send(self, msg, topic='arm_command', **arguments):
        self.arms.take(topic, msg, self.now, **arguments)

    def step(self, seconds=DT, follow=True):
        for _ in range(round(seconds / DT)):
            self.now = round(self.now + DT, 6)
            targets = self.arms.lead(self.policy(), self.measured, self.now)
            if follow:
                self.measured = targets.copy()
            self.published.append(targets)

    def hold(self, msg, seconds, **arguments):
        """Send a command before each step."""
        for _ in range(round(seconds / DT)):
            self.send(msg)
            self.step(**arguments)

    @property
    def error(self):
        return str(self.errors[-1])


def command(stamp=0.0, **positions):
    return JointState(header=Header(stamp=conversions.to_stamp(round(1e9 * stamp))),
                      name=list(positions), position=list(positions.values()))


def trajectory(*points, names=('left_elbow',)):
    return JointTrajectory(joint_names=list(names), points=[JointTrajectoryPoint(
        positions=positions, time_from_start=Duration(sec=int(t), nanosec=round(1e9 * (t % 1))))
        for t, positions in points])


@pytest.fixture
def stepped():
    return Stepped()


def test_without_a_command_the_targets_are_the_policys(stepped):
    stepped.step(0.2)
    np.testing.assert_array_equal(stepped.published[-1], stepped.policy())
    assert stepped.arms.led == {}


def test_a_led_joint_arrives_and_the_others_stay_with_the_policy(stepped):
    stepped.hold(command(left_elbow=-1.5), 1.0)
    assert stepped.published[-1][ELBOW] == pytest.approx(-1.5)
    others = np.arange(len(NAMES)) != ELBOW
    np.testing.assert_array_equal(stepped.published[-1][others], stepped.policy()[others])
    assert stepped.arms.led == {'left_elbow': pytest.approx(100.02)}


def test_a_jump_is_slowed_to_the_speed_limit(stepped):
    begin = stepped.policy()[ELBOW]
    stepped.hold(command(left_elbow=-1.5), 0.1)
    assert begin - stepped.published[-1][ELBOW] == pytest.approx(5 * SPEED * DT, abs=1e-5)


def test_targets_have_no_jump_whatever_is_commanded(stepped):
    """Random commands of random joints, with pauses: at most arm_speed plus the policy's own.

    A joint that returns to a policy that moves away needs at most this much more.
    """
    random = np.random.default_rng(0)
    own = 0.05 * 7.0 * DT + 2 * 0.05 / BLEND_STEPS
    for _ in range(80):
        chosen = random.choice(stepped.arms.may_be_led, random.integers(1, 6), replace=False)
        msg = JointState(name=chosen.tolist(),
                         position=random.uniform(-9, 9, len(chosen)).tolist())
        stepped.hold(msg, random.choice([DT, 0.1, 0.4]), follow=bool(random.integers(2)))
        stepped.step(random.choice([DT, 0.2, 0.5]))
    published = np.array(stepped.published)
    assert np.abs(np.diff(published, axis=0)).max() <= STEP + own
    assert (published >= LOWER - 1e-5).all() and (published <= UPPER + 1e-5).all()
    legs = [i for i, name in enumerate(NAMES) if name in ROBOT.leg_joints]
    assert (np.abs(published[:, legs] - DEFAULT[legs]) <= 0.05 + 1e-6).all()


@pytest.mark.parametrize('position', [1e300, -1e300, 3.0])
def test_a_position_beyond_the_range_stops_at_the_limit(stepped, position):
    stepped.hold(command(right_shoulder_roll=position), 2.0)
    limit = UPPER[ROLL] if position > 0.0 else LOWER[ROLL]
    assert stepped.published[-1][ROLL] == pytest.approx(limit)


def test_an_arm_that_is_held_back_asks_for_no_more_than_its_torque(stepped):
    """And when it is released, its target is where the torque limit left it."""
    stepped.hold(command(right_shoulder_roll=-9.0), 2.0, follow=False)
    asked = abs(stepped.published[-1][ROLL] - stepped.measured[ROLL]) * CONTRACT.joints[ROLL].kp
    assert asked == pytest.approx(CONTRACT.joints[ROLL].effort, rel=1e-4)


def test_silence_hands_back_after_the_timeout_and_the_blend(stepped):
    stepped.hold(command(left_elbow=-1.5), 1.0)
    stepped.step(TIMEOUT - DT)
    assert stepped.published[-1][ELBOW] == pytest.approx(-1.5) and stepped.arms.led
    distance = DEFAULT[ELBOW] + 1.5 + 0.05
    stepped.step(DT * (2 + np.ceil(max(BLEND_STEPS, distance / (SPEED * DT)))))
    assert stepped.arms.led == {}
    np.testing.assert_array_equal(stepped.published[-1], stepped.policy())


def test_a_trajectory_is_followed_to_its_end_and_then_handed_back(stepped):
    stepped.step()
    stepped.send(trajectory((1.0, [-1.2]), (2.0, [-0.4])), 'arm_trajectory')
    begin = stepped.published[-1][ELBOW]
    stepped.step(0.5)
    assert stepped.published[-1][ELBOW] == pytest.approx(0.5 * (begin - 1.2), abs=1e-3)
    stepped.step(0.5)
    assert stepped.published[-1][ELBOW] == pytest.approx(-1.2, abs=1e-3)
    stepped.step(1.0 + TIMEOUT - DT)
    assert stepped.published[-1][ELBOW] == pytest.approx(-0.4, abs=1e-3) and stepped.arms.led
    stepped.step(2 * DT)
    assert not stepped.arms.led


def test_the_latest_message_leads_a_joint(stepped):
    """A command takes one joint out of a trajectory, which goes on for the other."""
    names = ('left_elbow', 'right_elbow')
    stepped.send(trajectory((1.0, [-1.2] * 2), (9.0, [-1.2] * 2), names=names), 'arm_trajectory')
    stepped.step(1.2)
    stepped.hold(command(left_elbow=-0.5), 0.5)
    right = NAMES.index('right_elbow')
    assert stepped.published[-1][[ELBOW, right]] == pytest.approx([-0.5, -1.2])
    stepped.send(trajectory((0.5, [-1.0])), 'arm_trajectory')  # without the right elbow
    stepped.step(1.0 + BLEND_STEPS * DT)
    assert stepped.published[-1][right] == stepped.policy()[right]


@pytest.mark.parametrize('msg, said', [
    (command(left_knee=0.5, left_elbow=-0.5), r"arm_command: \['left_knee'\] are joints of a leg"),
    (command(left_elbow=float('nan')), "position of joint 'left_elbow' is NaN"),
    (command(left_elbow=float('inf')), "position of joint 'left_elbow' is NaN or infinite"),
    (command(left_elbo=0.5), r"unknown arm_command: joint 'left_elbo' \(did you mean"),
    (JointState(name=['left_elbow'], position=[0.1, 0.2]), '2 positions for 1 joints'),
    (JointState(name=['left_elbow']), '0 positions for 1 joints'),
    (JointState(), 'names no joint'),
    (JointState(name=['left_elbow'] * 2, position=[0.1] * 2), 'a joint appears twice'),
    (command(stamp=50.0, left_elbow=-0.5), 'stamped 51.000 s ago'),
    (command(stamp=150.0, left_elbow=-0.5), 'ahead of this clock')])
def test_a_wrong_command_is_refused_in_a_sentence_and_changes_nothing(stepped, msg, said):
    stepped.hold(command(left_elbow=-1.5), 1.0)
    stepped.send(msg)
    stepped.step()
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(stepped.error)
    assert stepped.arms.channels['arm_command'].refused == 1
    assert stepped.published[-1][ELBOW] == pytest.approx(-1.5)


@pytest.mark.parametrize('msg, said', [
    (trajectory(), '0 points, expected 1 to'),
    (trajectory(*[(1.0 + 0.01 * i, [0.1]) for i in range(MAX_POINTS + 1)]), '1001 points'),
    (trajectory((1.0, [0.1]), (1.0, [0.2])), 'must increase'),
    (trajectory((700.0, [0.1])), '600 s at most'),
    (trajectory((1.0, [0.1, 0.2])), '2 positions for 1 joints'),
    (trajectory((1.0, [0.1]), (2.0, [float('nan')])), 'NaN'),
    (trajectory((1.0, [0.1]), names=['right_knee']), 'joints of a leg')])
def test_a_wrong_trajectory_is_refused(stepped, msg, said):
    stepped.send(msg, 'arm_trajectory')
    stepped.step(0.1)
    assert said in stepped.error and stepped.arms.led == {}


def test_a_clock_that_jumps_back_hands_back_with_a_blend(stepped):
    stepped.hold(command(left_elbow=-1.5), 1.0)
    stepped.now = 50.0
    stepped.arms.rewind(stepped.now)
    stepped.step()
    assert stepped.arms.led == {} and stepped.published[-1][ELBOW] < -1.3
    stepped.step(0.6)
    np.testing.assert_array_equal(stepped.published[-1], stepped.policy())


@pytest.fixture
def bench_of(request):
    """Give a maker of fault benches."""
    made = []

    def make(policy, **parameters):
        made.append(FaultBench(open_policy(policy, 'onnxruntime'), ROBOT,
                               LocomotionParameters(**parameters)))
        return made[-1]
    yield make
    for one in made:
        one.close()


def standing(one):
    """Let the robot stand for a moment."""
    one.run(0.1)
    one.loop.activate(one.now)
    one.run(0.3)
    return one


def arm_status(one, sources=()):
    """Give the diagnostics of the arms."""
    return diagnostics.arm_status(one.loop, one.now, sources)


def test_only_a_standing_or_walking_robot_is_led(bench_of, balancing):
    """Refused while idle, ramping and damped; a fault drops the lead at once."""
    one, msg = bench_of(balancing), command(left_elbow=-1.5)
    one.run(0.1)
    for mode in ('idle', 'ramping'):
        one.loop.take_arms('arm_command', msg, one.now)
        assert one.refused[-1] == ('arm_command: refused, the robot must be standing or walking, '
                                   f'it is {mode}')
        if mode == 'idle':
            one.loop.activate(one.now)
            one.run(0.04)
    one.run(0.3)
    one.loop.take_arms('arm_command', msg, one.now)
    one.run(0.1)
    assert arm_status(one, ['hand']).message == '1 joints led by hand'
    one.loop.apply('emergency stop', one.now)
    one.run(0.02)
    assert one.loop.arms.led == {}
    one.loop.take_arms('arm_command', msg, one.now)
    assert 'it is fault: emergency stop' in arm_status(one).message
    assert arm_status(one).level == diagnostics.WARN


def test_the_policy_observes_its_own_action_and_the_measured_arm(bench_of, balancing):
    """As in training and evaluation: only what is published differs."""
    one = standing(bench_of(balancing))
    for _ in range(50):
        one.loop.take_arms('arm_command', command(left_elbow=-1.5), one.now)
        one.run(DT)
    controller = one.loop.machine.controller
    np.testing.assert_array_equal(
        controller.previous_action, controller._policy(controller.observation))
    own = controller.mapper.targets(controller.previous_action).positions[0]
    assert own[ELBOW] == pytest.approx(DEFAULT[ELBOW], abs=0.05)
    assert one.robot.state().joint_positions[0, ELBOW] == pytest.approx(-1.5, abs=0.2)
    start = next(term.start for term in controller.builder.slices
                 if term.name == 'joint_positions_from_default')
    seen = controller.observation[0, start + ELBOW]
    assert seen == pytest.approx(
        one.loop.sensors.state.joint_positions[0, ELBOW] - DEFAULT[ELBOW], abs=0.05)


def test_a_dead_motor_of_a_led_arm_damps(bench_of, balancing):
    one = standing(bench_of(balancing))
    one.robot.kill_motor('left_shoulder_pitch')
    for _ in range(100):
        one.loop.take_arms('arm_command', command(left_shoulder_pitch=-1.5), one.now)
        one.run(DT)
    assert "joint 'left_shoulder_pitch' does not follow" in one.loop.machine.label


def test_another_policy_takes_over_and_the_arm_stays_led(bench_of, balancing, holding):
    one = standing(bench_of(balancing))
    for folder in (balancing, holding):
        one.loop.swap(open_policy(folder, 'onnxruntime'))
        for _ in range(30):
            before = one.robot._targets[0, ELBOW]
            one.loop.take_arms('arm_command', command(left_elbow=-1.5), one.now)
            one.run(DT)
            assert abs(one.robot._targets[0, ELBOW] - before) <= STEP
    assert one.robot._targets[0, ELBOW] == pytest.approx(-1.5) and one.loop.arms.led


def test_two_commanders_are_warned_of(bench_of, balancing):
    one = standing(bench_of(balancing))
    one.loop.apply('count', one.now, arm_command=1, arm_trajectory=1)
    one.run(0.1)
    assert one.loop.guard.trips['two arm commanders'] and one.loop.guard.latched is None
    assert arm_status(one).level == diagnostics.WARN
    statuses = diagnostics.loop_statuses(one.loop, LoopTiming(DT), LocomotionParameters(), one.now,
                                         True, ['one', 'another'])
    (values,) = ({pair.key: pair.value for pair in it.values}
                 for it in statuses if it.name == 'arms')
    assert values['publishers'] == 'one, another'
    assert 'left_elbow' in values['joints that can be led']


def test_a_model_that_cannot_be_read_lets_nothing_be_led(tmp_path):
    errors = []
    arms = ArmCommand(dataclasses.replace(ROBOT, folder=str(tmp_path)), CONTRACT, SPEED, TIMEOUT,
                      errors.append)
    arms.take('arm_command', command(left_elbow=-0.5), 1.0)
    assert arms.may_be_led == [] and 'there is: none' in str(errors[0])


def test_the_wave_stays_in_the_tested_range():
    wave, ranges = ArmWave(CONTRACT), arm_range(CONTRACT)
    low, high = np.array(list(ranges.values())).T
    seen = np.array([wave.at(t).position for t in np.arange(0.0, 60.0, 0.02)])
    assert wave.at(0.0).name == list(ranges) and not set(ranges) & ROBOT.leg_joints
    assert (seen.min(0) >= low - 1e-9).all() and (seen.max(0) <= high + 1e-9).all()
    assert (seen.max(0) - seen.min(0) > 0.99 * (high - low)).all()


def test_a_led_run_replays_to_the_last_bit(bench, balancing, tmp_path):
    """With both topics, over DDS; the led joints are published while they are led."""
    one = bench(policy=str(balancing), record=True, record_folder=str(tmp_path))
    shown = []
    one.driver.create_subscription(
        String, 'locomotion/led_joints', lambda msg: shown.append(msg.data), qos.LATCHED)
    arms = one.driver.create_publisher(JointState, 'arm_command', 10)
    plans = one.driver.create_publisher(JointTrajectory, 'arm_trajectory', 10)
    one.stand()
    one.until(lambda: (arms.publish(command(left_elbow=-1.5)), shown[-1:] == ['left_elbow'])[1])
    plans.publish(trajectory((0.2, [-0.3]), names=['right_elbow']))
    one.until(lambda: 'right_elbow' in shown)
    one.until(lambda: shown[-1] == '')
    arms.publish(command(left_knee=1.5))
    one.until(lambda: 'joints of a leg' in one.driver.diagnostics['locomotion: arms'][1])
    values = one.driver.diagnostics['locomotion: arms'][2]
    assert values['publishers'] == '/driver'
    arms.publish(command(left_elbow=-1.5))
    one.until(lambda: shown[-1] == 'left_elbow')
    one.node.trigger_deactivate()
    one.until(lambda: shown[-1] == '')
    one.node.trigger_cleanup()
    (path,) = tmp_path.iterdir()
    result = replay(path)
    assert result.difference == '' and result.is_whole and result.steps > 20
