"""What counts as fresh, with messages made of plain objects and times made by hand."""

import math
from types import SimpleNamespace as Object

import pytest

pytest.importorskip('rclpy')

import policy_factory

from humanoid_locomotion.core.errors import MessageError
from humanoid_locomotion.nodes.sensors import Channel, CommandInbox, Sensors

pytestmark = pytest.mark.ros


def twist(x):
    """Give a velocity command."""
    return Object(linear=Object(x=x, y=0.0, z=0.0), angular=Object(x=0.0, y=0.0, z=0.0))


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


def test_odometry_is_asked_for_only_by_contracts_that_need_it():
    """The deployable layout walks without."""
    blind = Sensors(policy_factory.make_contract(), 0.1, pytest.fail)
    seeing = Sensors(policy_factory.make_contract(layout='full_state'), 0.1, pytest.fail)
    assert blind.stale(1.0) == 'no joint_states, no imu/data'
    assert seeing.stale(1.0) == 'no joint_states, no imu/data, no odom'
    assert blind.state.base_position is None


def test_command_expires():
    """Silence is a command to stand."""
    inbox = CommandInbox(0.5, pytest.fail)
    assert inbox.command(1.0).tolist() == [[0.0, 0.0, 0.0]]
    inbox.take(twist(0.25), now=1.0)
    assert inbox.command(1.5).tolist() == [[0.25, 0.0, 0.0]]
    assert inbox.command(1.51).tolist() == [[0.0, 0.0, 0.0]]


def test_refused_command_leaves_the_last_one_to_expire():
    """A planner gone mad does not hold a robot in motion."""
    errors = []
    inbox = CommandInbox(0.5, errors.append)
    inbox.take(twist(0.25), now=1.0)
    inbox.take(twist(math.nan), now=1.4)
    assert (inbox.channel.accepted, inbox.channel.refused, len(errors)) == (1, 1, 1)
    assert inbox.command(1.45).tolist() == [[0.25, 0.0, 0.0]]
    assert inbox.command(1.6).tolist() == [[0.0, 0.0, 0.0]]
