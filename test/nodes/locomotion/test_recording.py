# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A recording replays to the last bit, and a single bit that differs is found."""

import errno
import threading

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('mcap')

from diagnostic_msgs.msg import DiagnosticStatus
from harness import Bench
import numpy as np
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from sensor_msgs.msg import Imu

from humanoid_locomotion.core.errors import ConfigError, LocomotionError
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.locomotion import replay as replaying
from humanoid_locomotion.nodes.locomotion.recording import (
    Recorder,
    definition,
    nanoseconds,
    seconds,
)
from humanoid_locomotion.nodes.locomotion.replay import replay

pytestmark = pytest.mark.ros
SUCCESS = TransitionCallbackReturn.SUCCESS


@pytest.fixture(scope='module')
def recorded(ros, balancing, holding, tmp_path_factory):
    """Give the recording of a node that stood, walked, was swapped, faulted and was reset."""
    folder = tmp_path_factory.mktemp('recordings')
    one = Bench(policy=str(balancing), engine='onnxruntime', record=True,
                record_folder=str(folder))
    one.stand()
    one.until(lambda: (one.driver.command(linear_x=0.5), one.driver.state == 'walking')[1])
    one.until_state('standing')
    one.node.set_parameters([Parameter('policy', value=str(holding))])
    assert one.call('swap').success
    one.spin(0.2)
    one.call('emergency_stop')
    one.call('reset')
    one.call('stand')
    one.until_state('standing')
    one.node.trigger_deactivate()
    one.node.trigger_cleanup()
    one.close()
    (path,) = folder.iterdir()
    return path


def test_recording_replays_to_the_last_bit(recorded, holding):
    """Messages, requests and times in, the same observations, actions and targets out."""
    result = replay(recorded)
    assert result.difference == '' and result.steps > 40
    assert result.policy == holding


def test_single_bit_is_found(recorded, monkeypatch):
    """With the step, the figure and both values."""
    import numpy as np

    from humanoid_locomotion.core.action import ActionMapper
    from humanoid_locomotion.core.state import JointTargets
    targets = ActionMapper.targets

    def off(self, action):
        positions = targets(self, action).positions
        positions[0, 3] = np.nextafter(positions[0, 3], np.float32(9.0))
        return JointTargets(positions)

    monkeypatch.setattr(ActionMapper, 'targets', off)
    assert 'targets[3] is' in replay_without_golden(recorded, monkeypatch).difference


def replay_without_golden(path, monkeypatch):
    """Replay with a mapper that the golden steps would refuse to let through."""
    from humanoid_locomotion.core.policy import folder as policy
    monkeypatch.setattr(policy, 'GOLDEN_TOLERANCE', 1.0)
    return replay(path)


def test_other_policy_and_other_files_are_refused(recorded, tmp_path):
    """By what is wrong with them."""
    with pytest.raises(ConfigError, match='fingerprint: recorded with'):
        replay(recorded, policy='humanoid')
    (tmp_path / 'text.mcap').write_text('not MCAP')
    for path in (tmp_path / 'text.mcap', tmp_path / 'absent.mcap'):
        with pytest.raises(ConfigError, match='is not a readable MCAP file'):
            replay(path)


def test_file_carries_the_definitions_of_its_messages(recorded):
    """So that viewers that know nothing of this package can show it."""
    from mcap.reader import make_reader
    with recorded.open('rb') as file:
        summary = make_reader(file).get_summary()
    topics = {channel.topic for channel in summary.channels.values()}
    assert {'joint_states', 'imu/data', 'cmd_vel', 'locomotion/event',
            'locomotion/control_step'} == topics
    schema = next(s for s in summary.schemas.values() if s.name == 'sensor_msgs/msg/JointState')
    assert b'string[] name' in schema.data and b'MSG: builtin_interfaces/Time' in schema.data


def test_definition_contains_what_it_refers_to_once():
    """Depth first or breadth first does not matter; twice would."""
    text = definition('nav_msgs', 'Odometry')
    assert text.count('MSG: geometry_msgs/Vector3\n') == 1
    assert 'MSG: geometry_msgs/PoseWithCovariance\n' in text


@pytest.mark.parametrize('now', [0.005, 1795382867.492152, 1795382867.999999, 100.04])
def test_time_survives_the_file(now):
    """As the very same float."""
    now = seconds(nanoseconds(now))
    assert seconds(nanoseconds(now)) == now


def test_disk_that_fails_is_said_at_once_and_the_robot_stands_on(
        bench, tmp_path, monkeypatch, capfd):
    """In one log line and in the diagnostics; afterwards the node starts again as if new."""
    def fail(self, *_):
        raise OSError('no space left')

    monkeypatch.setattr(Recorder, '_write', fail)
    one = bench(record=True, record_folder=str(tmp_path))
    one.stand()
    one.until(lambda: 'no space left' in one.driver.diagnostics.get(
        'locomotion: recording', (0, ''))[1])
    assert one.driver.diagnostics['locomotion: recording'][0] == DiagnosticStatus.ERROR
    one.spin(0.2)
    assert capfd.readouterr().err.count('ends here: OSError: no space left') == 1
    assert one.driver.state == 'standing'
    assert one.node.trigger_deactivate() == one.node.trigger_cleanup() == SUCCESS
    one.until(lambda: not one.driver.count_publishers('joint_command'))
    one.stand()
    assert one.driver.count_publishers('joint_command') == 1


@pytest.mark.parametrize('where', ['close', 'event'])
def test_a_recorder_that_raises_leaves_no_topic_behind(bench, tmp_path, monkeypatch, where):
    """A second publisher of joint_command would damp the next robot."""
    one = bench(record=True, record_folder=str(tmp_path))
    one.stand()
    interface = one.node.interface

    def fail(*_, **__):
        raise RuntimeError('broken')
    monkeypatch.setattr(Recorder, where, fail)
    with pytest.raises(RuntimeError, match='broken'):
        interface.close()
    one.until(lambda: not one.driver.count_publishers('joint_command'))
    one.until(lambda: one.is_damped)
    assert not one.driver.count_publishers('joint_gains')
    assert not one.driver.count_subscribers('joint_states')


def test_what_raises_at_configure_leaves_no_topic_behind(bench, monkeypatch):
    from humanoid_locomotion.nodes.locomotion import ros_interface

    def fail(*_):
        raise RuntimeError('broken')
    one = bench()
    monkeypatch.setattr(ros_interface, 'Reporter', fail)
    assert one.node.trigger_configure() == TransitionCallbackReturn.ERROR
    one.until(lambda: not one.driver.count_publishers('joint_command'))
    assert not one.driver.count_subscribers('joint_states')


class FullDisk:
    """Stands for the system's file: takes so many bytes, then no more."""

    room = 0

    def __init__(self, path, mode):
        self._file = open(path, mode, buffering=0)  # noqa: SIM115
        self.tell, self.close = self._file.tell, self._file.close
        self.truncate, self.seek = self._file.truncate, self._file.seek

    def write(self, data):
        """Write what there is room for, as a system does; refuse the rest."""
        left = self.room - self.tell()
        if left <= 0:
            raise OSError(errno.ENOSPC, 'No space left on device')
        return self._file.write(data[:left])


def a_loop(holding, folder):
    """Give the parameters and a control loop that is still."""
    from humanoid_locomotion.core.policy.folder import open_policy
    from humanoid_locomotion.nodes.locomotion.control_loop import ControlLoop
    from humanoid_locomotion.nodes.ros.parameters import LocomotionParameters
    given = LocomotionParameters(
        policy=str(holding), engine='onnxruntime', record_folder=str(folder))
    return given, ControlLoop(open_policy(holding, 'onnxruntime'), load_robot('humanoid'), given,
                              lambda _: None)


def test_full_disk_leaves_a_file_of_whole_records(tmp_path, holding, monkeypatch):
    """What was recorded before replays; the control loop never notices."""
    from humanoid_locomotion.nodes.locomotion import recording
    monkeypatch.setattr(recording.io, 'FileIO', FullDisk)
    monkeypatch.setattr(FullDisk, 'room', 1_500_000)
    given, loop = a_loop(holding, tmp_path)
    said = []
    recorder = Recorder(given, loop, False, said.append)
    noise = np.random.default_rng(0)
    for step in range(1, 3000):
        recorder.message('imu/data', Imu(), 0.02 * step)
        recorder.message('locomotion/control_step', (noise.random(100), [('noise', 100)]),
                         0.02 * step)
    recorder.close()
    assert len(said) == 1 and 'No space left' in said[0]
    assert 'No space left' in recorder.problem and recorder.path.stat().st_size <= 1_500_000
    with recorder.path.open('rb') as file:
        records = replaying._Records(file)
        assert records.metadata()['format'] == '1'
        seen = list(records.messages())
    assert not records.is_whole and 10 < len(seen) < 5998
    assert {topic for topic, _, _ in seen} == {'imu/data', 'locomotion/control_step'}


def test_close_on_a_full_disk_raises_nothing(tmp_path, holding, monkeypatch):
    """The robot is damped by then; its node must come to its end."""
    from humanoid_locomotion.nodes.locomotion import recording
    monkeypatch.setattr(recording.io, 'FileIO', FullDisk)
    monkeypatch.setattr(FullDisk, 'room', 20_000)
    given, loop = a_loop(holding, tmp_path)
    recorder = Recorder(given, loop, False)
    FullDisk.room = 0
    recorder.event(0.1, 'stand')
    recorder.close()
    assert 'No space left' in recorder.problem


def test_disk_that_hangs_is_not_waited_for(tmp_path, holding, monkeypatch):
    """As a network's may."""
    from humanoid_locomotion.nodes.locomotion import recording
    monkeypatch.setattr(recording, 'PATIENCE', 0.1)
    hangs = threading.Event()
    monkeypatch.setattr(Recorder, '_write', lambda *_: hangs.wait(10.0))
    given, loop = a_loop(holding, tmp_path)
    recorder = Recorder(given, loop, False)
    recorder.event(0.1, 'stand')
    recorder.close()
    assert 'was blocked for' in recorder.problem
    hangs.set()


def test_folder_that_cannot_be_made_is_refused(tmp_path, holding):
    """By its name, when the node is configured."""
    (tmp_path / 'file').write_text('a file')
    given, loop = a_loop(holding, tmp_path / 'file' / 'below')
    with pytest.raises(ConfigError, match=r'cannot be written .* choose another record_folder'):
        Recorder(given, loop, False)


def test_recording_that_broke_off_replays_to_there(recorded, tmp_path):
    """And says so."""
    whole = replay(recorded)
    cut = tmp_path / 'cut.mcap'
    data = recorded.read_bytes()
    cut.write_bytes(data[:len(data) // 2])
    result = replay(cut)
    assert whole.is_whole and not result.is_whole
    assert result.difference == '' and 0 < result.steps <= whole.steps


@pytest.mark.parametrize('change', [
    lambda metadata: metadata.pop('parameters'), lambda metadata: metadata.pop('policy'),
    lambda metadata: metadata.update(parameters='[' * 100_000),
    lambda metadata: metadata.update(parameters='{"policy": 1e999}'),
    lambda metadata: metadata.update(is_simulated='maybe'),
    lambda metadata: metadata.update(engine='nope')])
def test_odd_metadata_are_refused(recorded, tmp_path, change):
    """In a sentence of ours."""
    from mcap.writer import Writer
    with recorded.open('rb') as file:
        metadata = replaying._Records(file).metadata()
    change(metadata)
    with (tmp_path / 'odd.mcap').open('wb') as file:
        writer = Writer(file)
        writer.start()
        writer.add_metadata('humanoid_locomotion', metadata)
        writer.finish()
    with pytest.raises(LocomotionError):
        replay(tmp_path / 'odd.mcap')


def test_type_that_the_recorder_never_writes_is_refused(recorded, tmp_path):
    """Since its module would be imported by the name in the file."""
    from mcap.writer import Writer
    with recorded.open('rb') as file:
        metadata = replaying._Records(file).metadata()
    with (tmp_path / 'odd.mcap').open('wb') as file:
        writer = Writer(file)
        writer.start()
        writer.add_metadata('humanoid_locomotion', metadata)
        schema = writer.register_schema('antigravity/msg/Evil', 'ros2msg', b'')
        channel = writer.register_channel('imu/data', 'cdr', schema)
        writer.add_message(channel, 1, b'x', 1)
        writer.finish()
    with pytest.raises(LocomotionError, match="unknown type of message 'antigravity/msg/Evil'"):
        replay(tmp_path / 'odd.mcap')


def test_full_queue_loses_and_counts(monkeypatch, tmp_path, holding):
    """The control loop never waits for a disk."""
    from humanoid_locomotion.core.policy.folder import open_policy
    from humanoid_locomotion.nodes.locomotion import recording
    from humanoid_locomotion.nodes.locomotion.control_loop import ControlLoop
    from humanoid_locomotion.nodes.ros.parameters import LocomotionParameters
    monkeypatch.setattr(recording, 'ROOM', 2)
    monkeypatch.setattr(Recorder, '_work', lambda self: None)
    given = LocomotionParameters(record_folder=str(tmp_path))
    loop = ControlLoop(open_policy(holding, 'onnxruntime'), load_robot('humanoid'), given,
                       lambda _: None)
    recorder = Recorder(given, loop, False)
    for _ in range(5):
        recorder.event(0.0, 'stand')
    assert recorder.lost == 3
