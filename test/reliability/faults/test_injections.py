# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Fault injections: the effect of each on a message, a filter or a stub of the fault bench."""

import copy
import math
from types import SimpleNamespace
from unittest.mock import Mock, call

import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('mujoco')

from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
from sensor_msgs.msg import Imu, JointState

from humanoid_locomotion.core.errors import JointsError, MessageError
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.ros import conversions
from humanoid_locomotion.reliability.faults import fault_cases
from humanoid_locomotion.reliability.faults import injections as do
from humanoid_locomotion.reliability.faults.fault_bench import unchanged
from humanoid_locomotion.reliability.faults.injections import CMD, IMU, JOINT, JOINTS, ODOM

NAMES = ['left_hip_pitch', 'left_hip_roll', 'left_hip_yaw', 'left_knee', 'right_knee']


def joint_states(at=10.0):
    """Return joint states in which all values differ."""
    msg = JointState(name=list(NAMES), position=[0.0, 0.1, 0.2, 0.3, 0.4],
                     velocity=[1.0, 1.1, 1.2, 1.3, 1.4], effort=[10.0, 11.0, 12.0, 13.0, 14.0])
    msg.header.stamp = conversions.to_stamp(round(1e9 * at))
    return msg


def imu():
    """Return an IMU message, turned by 90 degrees about x."""
    msg = Imu()
    msg.orientation.x = msg.orientation.w = math.sqrt(0.5)
    return msg


def odom():
    """Return an odometry message, 0.9 m high."""
    msg = Odometry()
    msg.pose.pose.position.z, msg.pose.pose.orientation.w = 0.9, 1.0
    return msg


MESSAGES = {JOINTS: joint_states, IMU: imu, ODOM: odom, CMD: TwistStamped}


@pytest.fixture
def bench():
    """Return a stub of the fault bench, of which all calls are recorded."""
    robot = Mock(joint_names=NAMES, encoder_offsets=np.zeros(len(NAMES)))
    return SimpleNamespace(filters=dict.fromkeys(MESSAGES, unchanged), elapsed=1.0, now=1001.0,
                           offset=0.0, skip_until=0.0, command=(0.0, 0.0, 0.0), robot=robot,
                           loop=Mock(), on_step=None, is_alive=True, publishes=True, run=Mock())


def edit(change, msg):
    """Apply a change to a message and return it."""
    change(msg)
    return msg


def by_joint(msg):
    """Return position, velocity and torque of each joint."""
    return dict(zip(msg.name, zip(msg.position, msg.velocity, msg.effort)))


def test_joint_that_is_falsified_is_the_knee():
    assert load_robot('humanoid').joint_names[JOINT] == 'left_knee'


def test_filter_replaces_that_of_its_topic_alone(bench):
    do.killed(IMU)(bench)
    assert bench.filters[IMU](imu()) == []
    assert all(bench.filters[topic] is unchanged for topic in (JOINTS, ODOM, CMD))


def test_delay_keeps_the_message(bench):
    do.delayed(JOINTS, 0.2)(bench)
    sent = joint_states()
    assert bench.filters[JOINTS](sent) == [(sent, 0.2)] and sent == joint_states()


@pytest.mark.parametrize('restamped, stamp', [(True, 12.0), (False, 10.0)])
def test_frozen_sensor_repeats_its_first_values(bench, restamped, stamp):
    do.frozen(JOINTS, restamped)(bench)
    bench.filters[JOINTS](joint_states(10.0))
    later = joint_states(12.0)
    later.position = [9.0] * len(NAMES)
    ((seen, delay),) = bench.filters[JOINTS](later)
    assert by_joint(seen) == by_joint(joint_states()) and delay == 0.0
    assert conversions.seconds(seen.header.stamp) == stamp


def test_frozen_values_are_safe_from_a_receiver_that_changes_them(bench):
    do.frozen(JOINTS, False)(bench)
    ((first, _),) = bench.filters[JOINTS](joint_states())
    first.position = []
    ((second, _),) = bench.filters[JOINTS](joint_states())
    assert second == joint_states()


def test_rotated_values_belong_to_the_next_joint():
    seen = by_joint(edit(do.rotate_values, joint_states()))
    true = by_joint(joint_states())
    assert list(seen) == NAMES
    assert [seen[name] for name in NAMES] == [true[name] for name in NAMES[1:] + NAMES[:1]]


def test_another_order_is_the_same_robot():
    seen = edit(do.rotate_all, joint_states())
    assert list(seen.name) != NAMES and by_joint(seen) == by_joint(joint_states())


@pytest.mark.parametrize('change, error, message', [
    (do.truncate, MessageError, "4 values in 'position' for 5 joints"),
    (do.rename, JointsError, 'right_knee'),
    (do.repeat_joint, MessageError, 'more than once'),
    (do.empty, JointsError, 'left_knee'),
    (do.put('position', JOINT, math.nan), MessageError, "position of joint 'left_knee' is nan"),
    (do.put('position', JOINT, math.inf), MessageError, "position of joint 'left_knee' is inf")])
def test_invalid_joint_states_are_what_the_reader_refuses(change, error, message):
    reader = conversions.JointReader(NAMES)
    reader.positions(joint_states())
    with pytest.raises(error, match=message):
        reader.positions(edit(change, joint_states()))


def test_nan_velocity_leaves_the_positions_valid():
    reader, seen = conversions.JointReader(NAMES), edit(
        do.put('velocity', JOINT, math.nan), joint_states())
    assert reader.positions(seen).tolist() == list(joint_states().position)
    with pytest.raises(MessageError, match="velocity of joint 'left_knee' is nan"):
        reader.velocities(seen)


@pytest.mark.parametrize('change, read', [
    (do.no_orientation, conversions.imu_orientation),
    (do.zero_quaternion, conversions.imu_orientation),
    (do.nan('orientation', 'x'), conversions.imu_orientation),
    (do.nan('angular_velocity', 'z'), conversions.imu_angular_velocity)])
def test_invalid_imu_is_what_the_reader_refuses(change, read):
    read(imu())
    with pytest.raises(MessageError, match='imu/data'):
        read(edit(change, imu()))


def test_nan_position_of_odometry_is_refused():
    conversions.odom_position(odom())
    with pytest.raises(MessageError, match='odom'):
        conversions.odom_position(edit(do.nan('pose', 'pose', 'position', 'z'), odom()))


def test_quaternion_w_first_is_valid_but_another_orientation():
    true = conversions.imu_orientation(imu())
    seen = conversions.imu_orientation(edit(do.quaternion_wxyz, imu()))
    assert seen == pytest.approx(np.roll(true, 1)) and abs(seen @ true) < 0.9


@pytest.mark.parametrize('change, field, factor', [
    (do.degrees, 'position', 180.0 / math.pi), (do.scale_velocities, 'velocity', 100.0)])
def test_units_change_one_field_of_all_joints(change, field, factor):
    seen, true = edit(change, joint_states()), joint_states()
    assert list(getattr(seen, field)) == pytest.approx(
        [factor * value for value in getattr(true, field)])
    setattr(seen, field, getattr(true, field))
    assert seen == true


@pytest.mark.parametrize('change, measured', [
    (do.no_torque, None), (do.torque, [500.0] * len(NAMES))])
def test_torques_are_as_the_reader_sees_them(change, measured):
    reader, seen = conversions.JointReader(NAMES), edit(change, joint_states())
    reader.positions(seen)
    efforts = reader.efforts(seen)
    assert (None if efforts is None else efforts.tolist()) == measured


def test_low_base_keeps_its_place_on_the_ground():
    seen, true = edit(do.low, odom()), odom()
    assert seen.pose.pose.position.z == 0.3
    seen.pose.pose.position.z = true.pose.pose.position.z
    assert seen == true


def shifts(bench, fault, times):
    """Return by how much the stamps of messages sent at some times are shifted."""
    fault(bench)
    found = []
    for bench.elapsed in times:
        ((msg, _),) = bench.filters[JOINTS](joint_states(bench.elapsed))
        found.append(conversions.seconds(msg.header.stamp) - bench.elapsed)
    return found


@pytest.mark.parametrize('fault, expected', [
    (do.stamped(JOINTS, lambda t: -0.06), [-0.06, -0.06, -0.06]),
    (do.stamped(JOINTS, lambda t: -0.5 * t), [0.0, -0.25, -1.0]),
    (do.stamped_once(JOINTS, 1000.0), [1000.0, 0.0, 0.0])])
def test_stamps_shift_by_the_time_since_the_first_message(bench, fault, expected):
    assert shifts(bench, fault, (5.0, 5.5, 7.0)) == pytest.approx(expected, abs=1e-6)


def test_drift_grows_from_nothing_and_hides_the_torques(bench):
    do.drifting(-0.5)(bench)
    for since in (0.0, 0.4):
        bench.elapsed = 1.0 + since
        ((msg, _),) = bench.filters[JOINTS](joint_states())
        moved = np.subtract(msg.position, joint_states().position)
        assert moved == pytest.approx(-0.5 * since * (np.arange(len(NAMES)) == JOINT))
        assert len(msg.effort) == 0 and msg.velocity == joint_states().velocity


def test_turning_knee_has_the_velocity_of_its_positions(bench):
    do.turning(30.0)(bench)
    seen = []
    for bench.elapsed in (1.0, 1.1):
        seen += [msg for msg, _ in bench.filters[JOINTS](joint_states())]
    speed = (seen[1].position[JOINT] - seen[0].position[JOINT]) / 0.1
    assert speed == pytest.approx(30.0) and seen[1].velocity[JOINT] == 30.0


def test_wrong_knee_is_0_3_rad_off():
    moved = np.subtract(edit(do.too_much, joint_states()).position, joint_states().position)
    assert moved == pytest.approx(0.3 * (np.arange(len(NAMES)) == JOINT))


def test_exchanged_names_exchange_the_values_of_two_joints(bench):
    do.renamed(bench)
    ((msg, _),) = bench.filters[JOINTS](joint_states())
    seen, true = by_joint(msg), by_joint(joint_states())
    assert seen['left_knee'] == true['left_hip_pitch']
    assert seen['left_hip_pitch'] == true['left_knee']
    assert {name for name in NAMES if seen[name] != true[name]} == {'left_knee', 'left_hip_pitch'}


def test_joints_are_found_by_the_prefix_of_their_name(bench):
    assert do.joint_of(bench, 'left_hip') == 'left_hip_pitch'
    do.dead('left_kn')(bench)
    do.swapped('left_knee', 'right')(bench)
    assert bench.robot.method_calls == [call.kill_motor('left_knee'),
                                        call.swap_motors('left_knee', 'right_knee')]


def test_encoder_slips_add_up(bench):
    for angle in (0.3, 0.2):
        do.slipped('left_knee', angle)(bench)
    assert bench.robot.encoder_offsets == pytest.approx([0.0, 0.0, 0.0, 0.5, 0.0])


def test_second_publisher_is_reported_for_its_topic(bench):
    do.second_source('/clock')(bench)
    bench.loop.apply.assert_called_once_with('count', 1001.0, **{'/clock': 2})


def test_temperature_names_the_joint_and_battery_its_charge(bench):
    do.temperature('left_kn', 99.0)(bench)
    do.battery(0.05)(bench)
    (hot, when), _ = bench.loop.condition.take_temperature.call_args
    assert (hot.header.frame_id, hot.temperature, when) == ('left_knee', 99.0, 1001.0)
    (low, when), _ = bench.loop.condition.take_battery.call_args
    assert low.percentage == pytest.approx(0.05) and when == 1001.0


def test_robot_hangs_before_it_is_told_to_walk(bench):
    commands = []
    bench.run.side_effect = lambda seconds: commands.append(bench.command)
    bench.robot.lift.side_effect = lambda height: commands.append('lifted')
    do.lifted(bench)
    assert commands == [(0.0, 0.0, 0.0), 'lifted', (0.0, 0.0, 0.0)] and bench.command[0] > 0.0


def test_doubled_messages_are_independent(bench):
    do.twice(bench)
    for topic in (JOINTS, IMU):
        (one, _), (other, _) = bench.filters[topic](MESSAGES[topic]())
        assert one == other and one is not other


def test_every_other_message_arrives_after_the_next_one(bench):
    do.late_burst(bench)
    delays = [bench.filters[JOINTS](joint_states())[0][1] for _ in range(6)]
    assert delays[1::2] == [0.0] * 3 and min(delays[::2]) > 4 * 0.005


def test_four_of_five_messages_are_lost_and_the_same_ones_each_time(bench):
    def arrived():
        do.lossy(bench)
        return [len(bench.filters[topic](MESSAGES[topic]()))
                for _ in range(500) for topic in (JOINTS, IMU)]
    first = arrived()
    assert np.mean(first) == pytest.approx(0.2, abs=0.04) and arrived() == first


def controller_of(bench):
    """Give the bench a controller whose policy doubles its observation; return it."""
    controller = bench.loop.machine.controller
    controller._policy = lambda obs: 2.0 * obs
    return controller


def test_policy_fault_changes_what_the_policy_answers(bench):
    controller = controller_of(bench)
    do.policy(do.one_large)(bench)
    assert controller._policy(np.ones((1, 3))).tolist() == [[2.0, 2.0, 1000.0]]


def test_crashed_policy_raises_what_is_no_error_of_the_package(bench):
    controller = controller_of(bench)
    do.policy(do.crash)(bench)
    with pytest.raises(RuntimeError, match='engine'):
        controller._policy(np.ones((1, 3)))


def test_slow_policy_takes_its_time_at_each_step(bench):
    do.slow_policy(bench)
    assert bench.skip_until == 0.0
    for bench.elapsed in (1.0, 2.0):
        bench.on_step()
        assert bench.skip_until == pytest.approx(bench.elapsed + 0.15)


def test_busy_processor_delays_steps_by_less_than_60_ms(bench):
    do.hog(bench)
    late = []
    for _ in range(200):
        bench.on_step()
        late.append(bench.skip_until - bench.elapsed)
    assert min(late) >= 0.0 and 0.05 < max(late) <= 0.06


def test_clock_changes_add_up_and_do_not_stop_the_node(bench):
    for seconds in (-1.0, 0.25):
        do.clock(seconds)(bench)
    assert bench.offset == -0.75 and bench.skip_until == 0.0


def test_stopped_node_gets_no_time_from_now_on(bench):
    do.stopped(0.5)(bench)
    assert bench.skip_until == 1.5 and bench.is_alive


def test_combined_faults_are_injected_in_order(bench):
    do.both(do.setting('publishes', False), do.request('damp'), do.pushed(2.0))(bench)
    assert bench.publishes is False
    bench.loop.apply.assert_called_once_with('damp', 1001.0)
    ((velocity,), _) = bench.robot.push.call_args
    assert velocity[0] == 2.0 and velocity[2] == 0.0
    seen = []
    do.both(*(lambda _, i=i: seen.append(i) for i in range(3)))(bench)
    assert seen == [0, 1, 2]


MOVES = {JOINTS: lambda msg, by: setattr(msg, 'position', [by + v for v in msg.position]),
         IMU: lambda msg, by: setattr(msg.angular_velocity, 'x', by),
         ODOM: lambda msg, by: setattr(msg.pose.pose.position, 'x', by)}


def arrivals(bench, topic):
    """Return all that arrives of three messages that differ, sent 0.1 s apart."""
    found = []
    for i in range(3):
        bench.elapsed = 1.0 + 0.1 * i
        msg = MESSAGES[topic]()
        msg.header.stamp = conversions.to_stamp(round(1e9 * bench.elapsed))
        MOVES.get(topic, lambda msg, i: None)(msg, 0.01 * i)
        found += bench.filters[topic](copy.deepcopy(msg))
    return found


FILTERS = [one for one in fault_cases.SENSORS if 'second publisher' not in one.name]


@pytest.mark.parametrize('fault', FILTERS, ids=[one.name for one in FILTERS])
def test_sensor_fault_changes_what_arrives_on_its_topic_alone(bench, fault):
    """A row that injects nothing would pass wherever the robot may go on."""
    true = {topic: repr(arrivals(bench, topic)) for topic in MESSAGES}
    fault.do(bench)
    changed = {topic for topic in MESSAGES if bench.filters[topic] is not unchanged}
    named = {topic for topic in MESSAGES if topic in fault.name}
    assert changed == (named or {JOINTS, IMU})
    assert all(repr(arrivals(bench, topic)) != true[topic] for topic in changed)


def test_reactions_are_those_that_the_matrix_knows():
    known = {fault_cases.DAMP, fault_cases.STAND, fault_cases.NONE, fault_cases.DRIVER,
             fault_cases.WALK}
    seen = [reactions for one in fault_cases.FAULTS for reactions in (one.standing, one.walking)]
    assert all(seen) and {reaction for reactions in seen for reaction in reactions} == known
