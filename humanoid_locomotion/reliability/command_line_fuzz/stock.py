# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Valid files of every kind that a command reads, from which the fuzz makes damaged ones."""

from __future__ import annotations

from pathlib import Path
import shutil
import tempfile
from typing import Callable, List

from sensor_msgs.msg import Imu, JointState

from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.policy.onnx_graph import CONTRACT_KEY
from humanoid_locomotion.core.reading.resources import config_file, policy_folders
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.locomotion.control_loop import ControlLoop
from humanoid_locomotion.nodes.locomotion.recording import Recorder
from humanoid_locomotion.nodes.ros.parameters import LocomotionParameters

# Options of a training that takes a second, after the names of robot and backend.
TINY = ('--num-envs', '2', '--iterations', '1', '--set', 'ppo.rollout_steps=4',
        '--set', 'ppo.hidden_sizes=[8]', '--set', 'ppo.minibatches=2')
STEPS = 5  # number of recorded control steps


def fill(stock: Path, train: Callable[[List[str]], object]) -> None:
    """Write ``policy/``, ``robot/``, ``run/`` and ``files/``; ROS 2 need not be initialised.

    Args:
        stock: The folder to fill.
        train: Runs the command line of a short training.
    """
    policy, robot = policy_folders()['humanoid'], load_robot('humanoid')
    files = stock / 'files'
    files.mkdir()
    shutil.copytree(policy, stock / 'policy')
    shutil.copytree(robot.folder, stock / 'robot')
    train(['train', '--backend', 'fake', '--device', 'cpu', *TINY, '--output', str(stock / 'run')])
    for source, name in (
            (policy / 'policy.onnx', 'policy.onnx'), (policy / 'scorecard.json', 'scorecard.json'),
            (robot.mjcf_path, 'robot.xml'), (robot.urdf_path, 'robot.urdf'),
            (config_file('nodes', 'rooms'), 'rooms.yaml'),
            (config_file('training', 'humanoid'), 'training.yaml'),
            (next((stock / 'run').glob('checkpoints/*.pt')), 'checkpoint.pt')):
        shutil.copyfile(source, files / name)
    (files / 'page.md').write_text('# A page\n\n<!-- policy -->\n<!-- /policy -->\n')
    (files / 'fill.yaml').write_text('observation_names: [command]\n')
    (files / 'sweep.yaml').write_text('objective: reward\nparameters: {ppo.gamma: [0.9]}\n')
    _adoptable(policy / 'network.onnx', files / 'theirs.onnx')
    _record(stock / 'policy', files / 'recording.mcap')


def _adoptable(source: Path, path: Path) -> None:
    """Write a network like another training stack: with flat metadata only."""
    import onnx
    model = onnx.load(source)
    flat = [entry for entry in model.metadata_props if entry.key != CONTRACT_KEY]
    del model.metadata_props[:]
    model.metadata_props.extend(flat)
    onnx.save(model, path)


def _record(policy: Path, path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        parameters = LocomotionParameters(
            policy=str(policy), engine='onnxruntime', record=True, record_folder=folder)
        opened = open_policy(policy, 'onnxruntime')
        robot = load_robot(opened.contract.robot)
        loop = ControlLoop(opened, robot, parameters, lambda _: None, False)
        recorder = Recorder(parameters, loop, False)
        joints = JointState(name=robot.joint_names, position=robot.values('default').tolist(),
                            velocity=[0.0] * robot.num_joints)
        imu = Imu()
        imu.orientation.w, imu.linear_acceleration.z = 1.0, 9.81
        for step in range(1, STEPS + 1):
            now = step * opened.contract.control_period
            for msg in (joints, imu):
                msg.header.stamp.nanosec = round(1e9 * now)
            loop.sensors.take_joint_states(joints, now)
            loop.sensors.take_imu(imu, now)
            recorder.message('joint_states', joints, now)
            recorder.message('imu/data', imu, now)
            recorder.step(now, loop.step(now))
        recorder.close()
        shutil.copyfile(recorder.path, path)
