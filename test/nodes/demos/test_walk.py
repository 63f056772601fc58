# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""`walk` judges rightly, and the two nodes stand a robot up in processes of their own."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip('rclpy')

from humanoid_locomotion.core.errors import LocomotionError, UnknownNameError
from humanoid_locomotion.nodes.demos.node_process import NodeProcess
from humanoid_locomotion.nodes.demos.walk_profile import (
    Sample,
    Segment,
    SegmentResult,
    WalkResult,
    fallen,
    heading_velocity,
    measure,
)

pytestmark = pytest.mark.ros
UPRIGHT = np.array([0.0, 0.0, 0.0, 1.0])
STAND, FORWARD = Segment('stand', (0.0, 0.0, 0.0), 2.0), Segment('on', (0.5, 0.0, 0.0), 4.0)
SAMPLE = Sample(0.0, 0, np.array([0.0, 0.0, 0.9]), UPRIGHT, np.zeros(3))


def result(forward, fall=''):
    """Give the result of a walk at a forward velocity."""
    return WalkResult([SegmentResult(STAND, np.zeros(3)),
                       SegmentResult(FORWARD, np.array([forward, 0.0, 0.0]))], fall, 1.0, {})


@pytest.mark.parametrize('walk_result, code', [
    (result(0.45), 0), (result(0.0), 1), (result(float('nan')), 1), (result(0.45, 'fell'), 1)])
def test_exit_code_is_zero_only_for_a_walk_without_a_fall(walk_result, code):
    """Standing still is not walking, and neither is knowing nothing."""
    assert walk_result.exit_code == code


def test_means_leave_out_the_first_second_of_each_segment():
    """Which is for speeding up."""
    samples = [dataclasses.replace(SAMPLE, time=t, segment=int(t >= 2.0), velocity=np.array(
        [0.4 if t >= 3.0 else 9.0, 0.0, 0.0])) for t in np.arange(1.0, 6.0, 0.1)]
    stand, forward = measure([STAND, FORWARD], samples)
    assert stand.achieved[0] == 9.0
    np.testing.assert_allclose(forward.error, [-0.1, 0.0, 0.0], atol=1e-9)


def test_a_fall_is_seen_by_tilt_or_height():
    """And described."""
    lying = np.array([np.sin(0.5), 0.0, 0.0, np.cos(0.5)])
    assert fallen(SAMPLE, 0.9) == ''
    assert fallen(dataclasses.replace(SAMPLE, orientation=lying), 0.9).startswith('tilted by 1.00')
    assert fallen(dataclasses.replace(SAMPLE, position=np.array([0.0, 0.0, 0.4])), 0.9)


def test_velocity_is_judged_in_the_heading_frame():
    """A robot that leans forward by 0.3 rad and walks level is not sinking."""
    lean = np.array([0.0, np.sin(0.15), 0.0, np.cos(0.15)])
    in_base = np.array([np.cos(0.3), 0.0, np.sin(0.3)])
    np.testing.assert_allclose(
        heading_velocity(lean, in_base, np.zeros(3)), [1.0, 0.0, 0.0], atol=1e-9)


def test_unknown_policy_is_refused_before_anything_starts():
    """With the names of those that ship."""
    from humanoid_locomotion.nodes.demos.walk import walk
    with pytest.raises(UnknownNameError, match='unknown policy'):
        walk('no_such_policy')


def test_node_that_ends_is_reported_with_its_last_words(ros, tmp_path):
    """A parameter that cannot be used ends the node with exit code 2."""
    process = NodeProcess('locomotion', {'max_tilt': 9.0}, tmp_path / 'log')
    try:
        process._process.wait(30.0)
        with pytest.raises(LocomotionError, match=r'code 2:\n.*max_tilt: expected a value within'):
            process.check()
    finally:
        process.stop()


def test_a_process_that_is_told_to_stop_damps_first(ros, holding, tmp_path):
    """SIGINT reaches the node while it can still publish."""
    from harness import Driver

    from humanoid_locomotion.nodes.ros.executor import make_executor
    driver, executor = Driver(), make_executor()
    executor.add_node(driver)
    process = NodeProcess('locomotion', {'policy': holding, 'engine': 'onnxruntime',
                                         'autostart': True}, tmp_path / 'log')

    def spin_until(condition):
        for _ in range(6000):
            driver.measure()
            executor.spin_once(timeout_sec=0.005)
            if condition():
                return
        pytest.fail(f'waited in vain, the node is {driver.state!r}:\n{process.tail()}')

    try:
        spin_until(lambda: driver.state == 'standing')
        assert driver.gains[-1][0, 0] > 0.0
        process.stop()
        assert process._process.returncode == 0
        spin_until(lambda: driver.state == 'idle' and (driver.gains[-1][:, 0] == 0.0).all())
    finally:
        process.stop()
        executor.shutdown()
        driver.destroy_node()


@pytest.mark.slow
def test_two_processes_stand_a_robot_up(balancing, tmp_path):
    """Through real topics: it stands, and `walk` says that it did not walk."""
    pytest.importorskip('mujoco')
    import subprocess
    import sys
    code = ('import sys; from pathlib import Path; '
            'from humanoid_locomotion.nodes.demos.walk import walk'
            '; sys.exit(walk(sys.argv[1], engine="onnxruntime", seconds_scale=0.15, '
            'output=Path(sys.argv[2])))')
    done = subprocess.run([sys.executable, '-c', code, str(balancing), str(tmp_path)],
                          capture_output=True, text=True, timeout=180.0, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert 'stood, but did not walk' in done.stdout, done.stdout + done.stderr
    assert 'the robot is released from the gantry' in (tmp_path / 'sim.log').read_text()
    assert 'walking' in (tmp_path / 'locomotion.log').read_text()
    assert (tmp_path / 'walk.png').stat().st_size > 10_000


@pytest.mark.slow
def test_a_robot_walks_with_waved_arms_and_a_payload(tmp_path):
    """In processes of their own; every joint of the arms is led."""
    pytest.importorskip('mujoco')
    import subprocess
    import sys
    done = subprocess.run(
        [sys.executable, '-m', 'humanoid_locomotion', 'walk', '--policy', 'unitree_g1', '--wave',
         '--hand-payload', '2', '--seconds-scale', '0.5', '--output', str(tmp_path)],
        capture_output=True, text=True, timeout=180.0, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '14 joints were led by arm_command' in done.stdout
