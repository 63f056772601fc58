# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The locomotion node as a driver and a planner see it."""

import math
import shutil

import numpy as np
import pytest

pytest.importorskip('rclpy')

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter

from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.robot import described_robot, load_robot

pytestmark = pytest.mark.ros
SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


@pytest.fixture(scope='module')
def contract(holding):
    """Give the contract of the policy in use."""
    return open_policy(holding, 'onnxruntime').contract


def test_lifecycle_from_unconfigured_to_unconfigured(bench):
    """Every transition shows its state, twice over."""
    one = bench()
    one.until_state('unconfigured')
    for _ in range(2):
        one.stand()
        assert one.node.trigger_deactivate() == SUCCESS
        one.until_state('idle')
        assert one.is_damped
        assert one.node.trigger_cleanup() == SUCCESS
        one.until_state('unconfigured')
    assert one.node.trigger_shutdown() == SUCCESS


def test_robot_that_does_not_ship_is_described_by_its_folder(tmp_path):
    """Without one no policy could be held against it; that of another robot is refused."""
    shipped = load_robot('humanoid')
    shutil.copytree(shipped.folder, tmp_path / 'mine')
    assert described_robot('humanoid', '').joints == shipped.joints
    with pytest.raises(ConfigError, match="robot: the policy is for 'wren', which does not ship"):
        described_robot('wren', '')
    assert described_robot('humanoid', str(tmp_path / 'mine')).folder == str(tmp_path / 'mine')
    with pytest.raises(ConfigError, match="describes 'humanoid', but the policy is for 'wren'"):
        described_robot('wren', str(tmp_path / 'mine'))


def test_folder_of_another_robot_fails_configure(bench):
    """Before anything moves."""
    one = bench(robot='unitree_g1')
    assert one.node.trigger_configure() == FAILURE


def test_commands_come_in_the_order_of_the_contract(bench, contract):
    """With the names, zero velocity and effort, and a stamp."""
    one = bench()
    order = list(reversed(range(len(one.driver.names))))
    one.driver.names = [one.driver.names[i] for i in order] + ['left_gripper']
    one.driver.positions = [one.driver.positions[i] for i in order] + [0.5]
    one.driver.velocities = [0.0] * len(one.driver.names)
    one.stand()
    one.until(lambda: len(one.driver.commands) > 10)
    command = one.driver.commands[-1]
    assert list(command.name) == contract.joint_names
    np.testing.assert_allclose(command.position, contract.values('default'), atol=1e-6)
    assert set(command.velocity) == set(command.effort) == {0.0}
    assert command.header.stamp.sec > 0


def test_gains_are_the_contracts_while_the_robot_stands(bench, contract):
    """And are damping before."""
    one = bench()
    one.stand()
    one.until(lambda: len(one.driver.gains) >= 1 and one.driver.gains[-1][0, 0] > 0.0)
    expected = np.stack([contract.values(key) for key in ('kp', 'kd', 'effort')], axis=1)
    np.testing.assert_array_equal(one.driver.gains[-1], expected)


def test_ramp_begins_where_the_joints_are(bench, contract):
    """The first targets are near the measured pose, the last are the default pose."""
    one = bench(ramp_speed=1.0)
    one.driver.positions = [p + 0.3 for p in one.driver.positions]
    one.stand()
    first, default = np.array(one.driver.commands[0].position), contract.values('default')
    assert np.abs(first - default - 0.3).max() < 0.1
    assert len([s for s in one.driver.states if s == 'ramping']) == 1


@pytest.mark.parametrize('spoil, sentence', [
    (lambda d: d.names.__setitem__(3, 'elsewhere'), "missing joints ['left_knee']"),
    (lambda d: d.positions.__setitem__(3, math.nan), "position of joint 'left_knee' is nan"),
    (lambda d: d.positions.pop(), "22 values in 'position' for 23 joints"),
    (lambda d: setattr(d, 'stamp_offset', -5.0), 'stamped 5.0'),
])
def test_doubtful_joint_states_never_activate(bench, spoil, sentence):
    """They are refused, counted and explained; the node stays inactive."""
    one = bench()
    spoil(one.driver)
    one.node.trigger_configure()
    one.until(lambda: 'locomotion: joint_states' in one.driver.diagnostics)
    one.spin(0.2)
    assert one.node.trigger_activate() == FAILURE
    one.until(lambda: sentence in
              one.driver.diagnostics['locomotion: joint_states'][2]['last problem'])
    assert int(one.driver.diagnostics['locomotion: joint_states'][2]['refused']) > 0
    assert not one.driver.commands


def test_robot_that_nobody_drives_does_not_activate(bench):
    """The first commands would be lost."""
    one = bench()
    one.driver.destroy_subscription(one.driver.listening)
    one.node.trigger_configure()
    one.until(lambda: one.node.interface.missing() == 'no subscriber of joint_command')
    assert one.node.trigger_activate() == FAILURE
    one.until_state('idle')


def test_messages_without_stamp_are_taken(bench):
    """Their time of arrival counts."""
    one = bench()
    one.driver.without_stamp = True
    one.stand()


def test_robot_that_lies_does_not_activate(bench):
    """The ramp would throw it about."""
    one = bench()
    one.driver.orientation = [math.sin(0.5), 0.0, 0.0, math.cos(0.5)]
    one.node.trigger_configure()
    one.until(lambda: one.node.interface.missing() == 'the base tilted by 1.00 rad')
    assert one.node.trigger_activate() == FAILURE
    one.until_state('idle')


def test_command_walks_and_silence_stands(bench):
    """A planner that falls silent is no fault."""
    one = bench(cmd_vel_timeout=0.2)
    one.stand()
    one.until(lambda: (one.driver.command(linear_x=0.5), one.driver.state == 'walking')[1])
    one.until_state('standing')


@pytest.mark.parametrize('value', [math.nan, math.inf])
def test_command_that_is_not_finite_is_refused_and_counted(bench, value):
    """It neither walks nor overwrites."""
    one = bench()
    one.stand()
    one.until(lambda: one.driver.cmd_vel.get_subscription_count() > 0)
    for _ in range(3):
        one.driver.command(linear_x=0.5, angular_x=value)
        one.spin(0.05)
    assert one.driver.state == 'standing'
    one.until(lambda: one.driver.diagnostics.get(
        'locomotion: cmd_vel', (0, '', {'refused': '0'}))[2]['refused'] == '3')
    assert 'not finite' in one.driver.diagnostics['locomotion: cmd_vel'][1]


def test_stand_ignores_commands_until_walk(bench):
    """The operator outranks the planner."""
    one = bench()
    one.stand()
    assert one.call('stand').success
    for _ in range(10):
        one.driver.command(linear_x=0.5)
        one.spin(0.03)
    assert 'walking' not in one.driver.states
    assert one.call('walk').success
    one.until(lambda: (one.driver.command(linear_x=0.5), one.driver.state == 'walking')[1])


def test_the_typed_status_says_mode_reason_and_whether_commands_are_followed(bench):
    one = bench()
    one.stand()

    def shows(**values):
        one.until(lambda: values.items() <= one.driver.status.items())

    shows(mode='standing', reason='', hold='', stiff='true', takes_commands='true',
          level=DiagnosticStatus.OK)
    one.call('stand')
    shows(mode='standing', takes_commands='false')
    one.call('emergency_stop')
    shows(mode='fault', stiff='false', takes_commands='false', level=DiagnosticStatus.ERROR)
    assert one.driver.state == f"fault: {one.driver.status['reason']}"


def test_damp_lets_go_and_walk_stands_up_again(bench):
    """No fault is involved."""
    one = bench()
    one.stand()
    assert one.call('damp').message == 'damping'
    one.until(lambda: one.is_damped)
    assert one.call('walk').success
    one.until_state('standing')


def test_bad_policy_folder_fails_configure(bench, holding, tmp_path):
    """With the reason in the log, and nothing left behind."""
    broken = tmp_path / 'broken'
    shutil.copytree(holding, broken)
    text = (broken / 'contract.yaml').read_text()
    (broken / 'contract.yaml').write_text(text.replace('kp: 151.597', 'kp: 250.0', 1))
    for policy in (str(broken), 'no_such_policy', ''):
        one = bench(policy=policy)
        assert one.node.trigger_configure() == FAILURE
        refused = one.call('stand')
        assert not refused.success and 'not configured' in refused.message


def test_autostart_stands_by_itself(bench):
    """As soon as the sensors are there."""
    one = bench(autostart=True)
    one.driver.is_silent = True
    one.until_state('idle')
    one.spin(0.3)
    assert one.driver.state == 'idle'
    one.driver.is_silent = False
    one.until_state('standing')


def test_dry_run_commands_no_robot(bench):
    """Everything runs, a robot that does not move is no fault, and nothing is commanded."""
    one = bench(dry_run=True)
    one.driver.is_frozen = True
    one.stand()
    one.spin(0.5)
    assert one.driver.state == 'standing'
    assert one.driver.count_publishers('joint_command') == 0
    assert one.driver.count_publishers('joint_gains') == 0


def test_start_damped_waits_for_a_person(bench):
    """As after a crash."""
    one = bench(autostart=True, start_damped=True)
    one.driver.orientation = [math.sin(0.8), 0.0, 0.0, math.cos(0.8)]  # it fell
    one.until_state('damping')
    one.until(lambda: len(one.driver.commands) > 3 and one.is_damped)
    assert not one.call('stand').success
    one.driver.orientation = [0.0, 0.0, 0.0, 1.0]
    one.until(lambda: one.call('stand').success)
    one.until_state('standing')


def test_swap_goes_on_with_another_policy_while_standing(bench, balancing, holding):
    """The loop misses nothing meanwhile; what does not fit or is broken is refused."""
    one = bench(cmd_vel_timeout=5.0)
    assert 'not configured' in one.call('swap').message
    one.stand()
    one.spin(0.2)
    one.node.set_parameters([Parameter('policy', value=str(balancing))])
    count, begin = len(one.driver.commands), one.driver.get_clock().now()
    assert one.call('swap').message == str(balancing)
    seconds = 1e-9 * (one.driver.get_clock().now() - begin).nanoseconds
    assert len(one.driver.commands) - count >= 0.8 * seconds / 0.02 - 2
    assert one.driver.state == 'standing'
    one.until(lambda: one.driver.diagnostics.get(
        'locomotion: policy', (0, ''))[1] == str(balancing))
    one.node.set_parameters([Parameter('policy', value='nowhere')])
    assert "unknown policy 'nowhere'" in one.call('swap').message
    one.node.set_parameters([Parameter('policy', value=str(holding))])
    one.until(lambda: (one.driver.command(linear_x=0.5), one.driver.state == 'walking')[1])
    refused = one.call('swap')
    assert not refused.success
    assert one.node.interface.loop.folder.path == balancing


def test_envelope_and_timing_are_published(bench):
    """The envelope latched, the timing once a second."""
    import json

    from std_msgs.msg import Float64MultiArray, String

    from humanoid_locomotion.nodes.ros import qos
    one, envelopes, timings = bench(), [], []
    one.driver.create_subscription(String, 'locomotion/envelope', envelopes.append, qos.LATCHED)
    one.driver.create_subscription(Float64MultiArray, 'locomotion/timing', timings.append, 1)
    one.stand()
    one.until(lambda: envelopes and timings and timings[-1].data[0] > 0.0)
    assert json.loads(envelopes[0].data)['trained'][0] == [-0.5, 1.0]
    table = np.array(timings[-1].data).reshape(4, 4)
    assert timings[-1].layout.dim[0].label == 'period,step,latency,observation_age'
    assert table[0, 0] == pytest.approx(0.02, rel=0.3)
    assert 0.0 < table[1, 1] < table[2, 3] < 0.02


def test_step_acts_on_the_measurement_that_has_just_come(bench):
    """The command follows the joint states at once, and not by a timer of its own."""
    one = bench()
    one.stand()
    one.spin(1.5)
    row = one.driver.diagnostics['locomotion: loop timing'][2]
    assert float(row['observation_age p50 [ms]']) < 5.0


def test_two_robots_in_one_graph(ros, holding):
    """Each in its namespace; one that falls does not bring down the other."""
    from harness import Bench
    pair = [Bench(namespace=name, policy=str(holding), engine='onnxruntime')
            for name in ('left', 'right')]
    try:
        for one in pair:
            one.stand()
        pair[0].call('emergency_stop')
        pair[0].until_state('fault: ')
        reason = pair[0].node.interface.machine.reason
        count = len(pair[1].driver.commands)
        pair[1].until(lambda: len(pair[1].driver.commands) > count + 5)
        assert not any('emergency' in state for state in pair[1].driver.states)
        assert pair[0].node.interface.machine.reason == reason
    finally:
        for one in pair:
            one.close()


def test_simulated_time_may_jump_back(bench):
    """A simulator that starts over: the past is forgotten, the robot stands until a reset."""
    one = bench(use_sim_time=True)
    one.driver.simulated_time = 100.0
    one.stand()
    one.driver.simulated_time = 1.0
    one.until(lambda: one.driver.simulated_time > 2.0)
    assert one.driver.state == 'standing'
    assert one.driver.commands[-1].header.stamp.sec < 3
    refused = one.call('walk')
    assert not refused.success and 'the clock jumped back by' in refused.message
    assert one.call('reset').success and one.call('walk').success
    one.driver.diagnostics.clear()
    one.until(lambda: 'locomotion: joint_states' in one.driver.diagnostics)
    # At most the first message after the jump, which comes before the clock's.
    assert int(one.driver.diagnostics['locomotion: joint_states'][2]['refused']) <= 1


def test_without_the_clock_nothing_is_commanded(bench):
    """With use_sim_time the loop follows the simulator, and waits when it does."""
    one = bench(use_sim_time=True)
    one.driver.simulated_time = 100.0
    one.stand()
    one.driver.is_silent = True
    one.spin(0.1)
    count = len(one.driver.commands)
    one.spin(0.3)
    assert len(one.driver.commands) == count
    assert one.driver.state == 'standing'


def test_a_robot_that_does_not_turn_is_asked_to_turn_more_and_the_diagnostics_say_so(bench):
    """No further than the contract's limit, and no longer than it is to walk."""
    one = bench()

    def correction() -> float:
        values = one.driver.diagnostics.get('locomotion: cmd_vel', (0, '', {}))[2]
        assert values.get('velocity corrected by [m/s]', '0.000, 0.000') == '0.000, 0.000'
        return float(values.get('turning corrected by [rad/s]', 'nan'))

    one.stand()
    one.until(lambda: correction() == 0.0)
    one.until(lambda: (one.driver.command(angular_z=0.5), correction() == 0.2)[1])
    one.until_state('standing')
    one.until(lambda: correction() == 0.0)


def test_diagnostics_cover_every_part(bench):
    """Each named after the node."""
    one = bench()
    one.stand()
    parts = ('policy', 'loop timing', 'joint_states', 'imu/data', 'cmd_vel', 'safety')
    one.until(lambda: all(f'locomotion: {part}' in one.driver.diagnostics for part in parts))
    assert 'fingerprint' in one.driver.diagnostics['locomotion: policy'][2]
