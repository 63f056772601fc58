# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""What counts as fresh, with messages made of plain objects and times made by hand."""

import math
from types import SimpleNamespace as Object

import pytest

pytest.importorskip('rclpy')

import policy_factory

from humanoid_locomotion.core.errors import MessageError
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.locomotion.sensors import Channel, Sensors

pytestmark = pytest.mark.ros
NAMES = load_robot('humanoid').joint_names


def test_channel_is_stale_until_something_came():
    """An age without a message is infinite."""
    assert Channel('imu/data').age(1.0) == math.inf


def test_stamps_must_not_run_backwards():
    """Two sources, or a reordered network: either way the older one is refused."""
    channel = Channel('imu/data')
    channel.accept(stamp=10.0, now=10.0)
    with pytest.raises(MessageError, match=r'0\.020 s before its predecessor'):
        channel.check_stamp(9.98, now=10.0, timeout=0.1)
    channel.check_stamp(10.0, now=10.0, timeout=0.1)


def test_old_stamps_are_refused_and_absent_ones_are_not():
    """A stamp of zero means no stamp."""
    channel = Channel('imu/data')
    channel.check_stamp(0.0, now=10.0, timeout=0.1)
    with pytest.raises(MessageError, match=r'stamped 0.200 s ago, allowed is 0.1 s'):
        channel.check_stamp(9.8, now=10.0, timeout=0.1)


def test_simulated_message_before_its_clock_is_as_fresh_as_its_stamp():
    """After a pause of the process, queues are read in any order."""
    simulated, real = Channel('imu/data', is_simulated=True), Channel('imu/data')
    for channel in (simulated, real):
        channel.accept(stamp=10.3, now=10.0)
    assert simulated.age(10.3) == 0.0
    assert real.age(10.3) == pytest.approx(0.3)


def test_time_that_jumps_back_keeps_the_channel_alive():
    """Messages of the new time are taken, and silence is measured from the jump."""
    channel = Channel('imu/data', is_simulated=True)
    channel.accept(stamp=100.0, now=100.0)
    channel.rewind(1.0)
    assert channel.age(1.05) == pytest.approx(0.05)
    channel.check_stamp(1.05, now=1.05, timeout=0.1)


def test_odometry_is_read_where_it_is_asked_for():
    """And another contract that needs it is told so where it is not."""
    blind = Sensors(NAMES, 0.1, pytest.fail)
    seeing = Sensors(NAMES, 0.1, pytest.fail, odometry=True)
    assert list(blind.channels) == ['joint_states', 'imu/data']
    assert list(seeing.channels) == ['joint_states', 'imu/data', 'odom']
    assert blind.lacks(policy_factory.make_contract(layout='full_state')) == 'odom'
    assert blind.state.base_position is None


def joints(**changes):
    """Give a JointState of the humanoid."""
    contract = policy_factory.make_contract()
    return Object(**{'header': Object(stamp=Object(sec=0, nanosec=0)),
                     'name': contract.joint_names, 'effort': [],
                     'position': contract.values('default').tolist(),
                     'velocity': [0.0] * contract.num_actions, **changes})


def test_a_rehearsal_reads_what_was_used_last_and_changes_nothing():
    """Nor does it stumble over nothing, or over a message that was refused."""
    refused = []
    sensors = Sensors(NAMES, 0.1, refused.append)
    sensors.rehearse()
    sensors.take_joint_states(joints(), 1.0)
    sensors.take_joint_states(joints(velocity=[math.nan] * len(joints().name)), 1.01)
    before = sensors.state.joint_positions.copy(), sensors.channels['joint_states'].age(2.0)
    sensors.rehearse()
    assert len(refused) == 1
    assert (sensors.state.joint_positions == before[0]).all()
    assert sensors.channels['joint_states'].age(2.0) == before[1]
    assert sensors.channels['joint_states'].accepted == 1


def test_age_counts_from_the_stamp():
    """A message that was long under way is old though it came just now."""
    channel = Channel('imu/data')
    channel.accept(stamp=9.95, now=10.0)
    assert channel.age(10.0) == pytest.approx(0.05)
    channel.accept(stamp=0.0, now=10.0)
    assert channel.age(10.0) == 0.0


def test_same_figures_are_timed_until_one_changes():
    """From the moment of engaging at the earliest."""
    sensors = Sensors(NAMES, 0.1, pytest.fail)
    channel = sensors.channels['joint_states']
    for now in (1.0, 2.0, 3.0):
        sensors.take_joint_states(joints(), now)
    assert channel.unchanged == 2.0
    sensors.engage(3.0)
    sensors.take_joint_states(joints(), 3.1)
    assert channel.unchanged == pytest.approx(0.1)
    moved = joints()
    moved.velocity[4] = 1e-7
    sensors.take_joint_states(moved, 3.2)
    assert channel.unchanged == 0.0


def test_refusal_is_pending_until_a_message_is_used():
    """It tells a sensor that sends rubbish from one that sends nothing."""
    errors = []
    sensors = Sensors(NAMES, 0.1, errors.append)
    sensors.take_joint_states(joints(velocity=[]), 1.0)
    channel = sensors.channels['joint_states']
    assert "0 values in 'velocity'" in channel.pending_problem and len(errors) == 1
    sensors.take_joint_states(joints(), 1.1)
    assert channel.pending_problem == '' and channel.problem


@pytest.mark.parametrize('effort, known', [([], False), ([1.0], False), ([1.0] * 23, True),
                                           ([math.nan] * 23, False)])
def test_torques_are_read_where_there_are_any(effort, known):
    """Drivers without torque sensors send none, or NaN."""
    sensors = Sensors(NAMES, 0.1, pytest.fail)
    sensors.take_joint_states(joints(effort=effort), 1.0)
    assert (sensors.joint_efforts is not None) is known


def test_torques_of_a_refused_message_are_not_used():
    """No more than its positions are."""
    sensors = Sensors(NAMES, 0.1, lambda error: None)
    sensors.take_joint_states(joints(effort=[1.0] * 23), 1.0)
    sensors.take_joint_states(joints(effort=[1e6] * 23, velocity=[math.nan] * 23), 1.01)
    assert (sensors.joint_efforts == 1.0).all()


def imu(frame_id, orientation=(0.0, 0.0, 0.0, 1.0), rate=(0.0, 0.0, 0.0)):
    """Give an Imu."""
    return Object(header=Object(stamp=Object(sec=0, nanosec=0), frame_id=frame_id),
                  orientation=Object(**dict(zip('xyzw', orientation))),
                  angular_velocity=Object(**dict(zip('xyz', rate))),
                  orientation_covariance=[0.0] * 9, angular_velocity_covariance=[0.0] * 9)


@pytest.mark.parametrize('frame_id, heading, rate', [
    ('torso_yaw_link', -0.4, -1.5), ('robot_2/torso_yaw_link', -0.4, -1.5),
    ('base_link', 0.0, 0.5), ('imu', 0.0, 0.5), ('', 0.0, 0.5), ('somewhere', 0.0, 0.5)])
def test_an_imu_on_another_link_is_turned_into_the_base(frame_id, heading, rate):
    """The chest looks ahead and turns at 0.5 rad/s on a waist turned by 0.4 rad, at 2 rad/s."""
    contract = policy_factory.make_contract()
    sensors = Sensors(contract.joint_names, 0.1, pytest.fail, robot=load_robot('humanoid'))
    waist = contract.joint_names.index('torso_yaw')
    measured = joints()
    measured.position[waist], measured.velocity[waist] = 0.4, 2.0
    sensors.take_joint_states(measured, 1.0)
    sensors.take_imu(imu(frame_id, rate=(0.0, 0.0, 0.5)), 1.0)
    assert sensors.state.base_orientation[0] == pytest.approx(
        [0.0, 0.0, math.sin(0.5 * heading), math.cos(0.5 * heading)])
    assert sensors.state.base_angular_velocity[0] == pytest.approx([0.0, 0.0, rate])
    turned_from = frame_id.rpartition('/')[2] if heading else ''
    assert sensors.channels['imu/data'].turned_from == turned_from


def test_an_imu_that_cannot_be_turned_is_refused_again_and_again():
    """One message after another: none of them slips through as the base's."""
    contract, robot, errors = policy_factory.make_contract(), load_robot('unitree_h1'), []
    sensors = Sensors(contract.joint_names, 0.1, errors.append, robot=robot)
    for now in (1.0, 1.1):
        sensors.take_imu(imu('torso_link'), now)
    assert len(errors) == 2 and "missing joints ['torso_joint']" in str(errors[1])
    assert sensors.channels['imu/data'].accepted == 0


def test_a_frozen_imu_is_seen_though_the_joints_that_turn_it_move():
    """What counts is what it sends, not what becomes of it."""
    contract = policy_factory.make_contract()
    sensors = Sensors(contract.joint_names, 0.1, pytest.fail, robot=load_robot('humanoid'))
    waist = contract.joint_names.index('torso_yaw')
    for now in (1.0, 2.0, 3.0):
        measured = joints()
        measured.position[waist] = 0.1 * now
        sensors.take_joint_states(measured, now)
        sensors.take_imu(imu('torso_yaw_link'), now)
    assert sensors.channels['joint_states'].unchanged == 0.0
    assert sensors.channels['imu/data'].unchanged == 2.0


@pytest.mark.parametrize('simulated, ahead, taken', [
    (False, 0.05, True), (False, 0.2, False), (False, 1000.0, False), (True, 0.5, True),
    (True, 1000.0, False)])
def test_stamps_far_in_the_future_are_refused(simulated, ahead, taken):
    """A simulator's clock may come a little after its messages."""
    channel = Channel('imu/data', is_simulated=simulated)
    if taken:
        channel.check_stamp(10.0 + ahead, now=10.0, timeout=0.1)
        return
    with pytest.raises(MessageError, match=r'ahead of this clock, allowed is .* clocks'):
        channel.check_stamp(10.0 + ahead, now=10.0, timeout=0.1)


def test_a_stamp_ahead_does_not_lock_later_ones_out():
    """Whatever it says, the next true stamp is no older than now."""
    channel = Channel('imu/data')
    channel.accept(stamp=10.09, now=10.0)
    channel.check_stamp(10.01, now=10.01, timeout=0.1)
    channel.accept(stamp=10.01, now=10.01)
    assert channel.age(10.01) == 0.0


def test_before_a_simulators_clock_is_heard_no_stamp_is_ahead():
    """The first measurements come before the first clock."""
    channel = Channel('imu/data', is_simulated=True)
    channel.check_stamp(100.0, now=0.0, timeout=0.1)
    channel.accept(stamp=100.0, now=0.0)
    channel.accept(stamp=100.005, now=100.0)
    assert channel.lag == pytest.approx(-0.005)


def test_a_stamp_from_before_the_clock_does_not_look_fresh_later():
    """It said 1000 s, the clock says 5 s, and nothing came since."""
    channel = Channel('joint_states', is_simulated=True)
    channel.check_stamp(1000.0, now=0.0, timeout=0.1)
    channel.accept(stamp=1000.0, now=0.0)
    assert channel.age(5.0) == pytest.approx(5.0)
    channel.check_stamp(5.0, now=5.0, timeout=0.1)


@pytest.mark.parametrize('simulated', [True, False])
def test_a_clock_that_is_reset_locks_no_topic_out(simulated):
    """Also where nobody hears of the reset but by the time of the next message."""
    errors = []
    sensors = Sensors(NAMES, 0.1, errors.append, is_simulated=simulated)

    def take(now):
        stamp = Object(sec=int(now), nanosec=round(1e9 * (now % 1.0)))
        sensors.take_joint_states(joints(header=Object(stamp=stamp)), now)
    take(1000.0)
    assert sensors.channels['joint_states'].age(1000.0) == pytest.approx(0.0)
    take(2.0)
    assert not errors and sensors.channels['joint_states'].age(2.5) == pytest.approx(0.5)
    take(1.0)
    assert not errors and sensors.channels['joint_states'].accepted == 3


@pytest.mark.parametrize('simulated, bound', [(True, 1.0), (False, 0.1)])
def test_no_stamp_makes_a_silent_sensor_look_fresh_for_longer_than_the_bound(simulated, bound):
    """Law: whatever is sent, after the bound and the time-out the topic is silent."""
    for now in (0.0, 5.0):
        for ahead in (-1000.0, -0.05, 0.05, 0.9, 1000.0):
            channel = Channel('imu/data', is_simulated=simulated)
            try:
                channel.check_stamp(now + ahead, now, timeout=0.1)
            except MessageError:
                continue
            channel.accept(now + ahead, now)
            assert channel.age(5.0 + bound + 0.2) > 0.1


def test_lag_is_averaged_and_its_growth_counts_from_engaging():
    """One late message is noise; a clock that drifts is not."""
    channel = Channel('imu/data')

    def run(begin, lags):
        for i, lag in enumerate(lags):
            now = begin + 0.01 * i
            channel.accept(stamp=now - lag, now=now)
    run(10.0, [0.004] * 100)
    assert channel.lag == channel.least_lag == pytest.approx(0.004)
    run(11.0, [0.09])
    assert channel.lag < 0.01
    run(11.01, [0.004] * 300)
    run(15.0, [0.004 + 0.0002 * i for i in range(200)])
    assert channel.lag - channel.least_lag == pytest.approx(0.04, abs=0.008)
    channel.engage(17.0)
    assert channel.lag - channel.least_lag == 0.0


def test_an_unknown_frame_is_said_once_with_those_that_exist():
    """The robot is named in the diagnostics too; the base's own names are no news."""
    said, robot = [], load_robot('humanoid')
    contract = policy_factory.make_contract()
    sensors = Sensors(contract.joint_names, 0.1, pytest.fail, robot=robot,
                      on_warning=said.append)
    channel = sensors.channels['imu/data']
    for frame in ('base_link', '', 'imu', 'robot_2/base_link', 'left_knee_link'):
        sensors.take_imu(imu(frame), 1.0)
        assert channel.unknown_frame == '' and not said, frame
    for now, frame in enumerate(['somewhere', 'somewhere', 'base_link', 'somewhere', 'there']):
        sensors.take_imu(imu(frame), 1.0 + 0.01 * now)
    assert channel.unknown_frame == 'there' and len(said) == 2
    assert said[0].startswith("imu/data: frame_id 'somewhere' is not a frame of the robot")
    assert 'base_link, imu, ' in said[0] and 'torso_yaw_link' in said[0]
    for i in range(1000):
        sensors.take_imu(imu(f'frame {i}'), 2.0)
    assert len(said) < 30


def test_zeros_for_every_torque_mean_that_none_is_measured():
    """A driver without torque sensors often sends them."""
    sensors = Sensors(NAMES, 0.1, pytest.fail)
    sensors.take_joint_states(joints(effort=[0.0] * 23), 1.0)
    assert sensors.joint_efforts is None


def test_a_position_that_jumps_is_noticed_until_it_is_engaged_anew():
    sensors = Sensors(NAMES, 0.1, pytest.fail)
    moved = joints().position
    sensors.take_joint_states(joints(), 1.0)
    moved[0] += 0.3
    sensors.take_joint_states(joints(position=moved), 1.005)
    assert sensors.encoders.slip[0] == pytest.approx(0.3, abs=0.01)
    sensors.engage(1.01)
    assert sensors.encoders.slip[0] == 0.0
