# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Policies of unitree_rl_gym and RoboMimic_Deploy are imported with the YAML that names them."""

from __future__ import annotations

from foreign_files import G1, deploy, write_deploy, write_network
import numpy as np
import pytest
import yaml

from humanoid_locomotion.core.errors import ConfigError, LocomotionError
from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.policy.import_onnx import adopt
from humanoid_locomotion.core.robot import load_robot

pytest.importorskip('onnxruntime')

SCALES = {'ang_vel_scale': 0.25, 'dof_pos_scale': 1.0, 'dof_vel_scale': 0.05,
          'action_scale': 0.25, 'cmd_scale': [2.0, 2.0, 0.25]}
KP, KD = ([float(value) for value in G1.values(key)] for key in ('kp', 'kd'))
LEGS, REST = list(range(12))[::-1], list(range(12, 29))  # the legs in an order of their own
RL_GYM = {
    **SCALES, 'policy_path': '{ROOT}/deploy/pre_train/g1/motion.onnx', 'control_dt': 0.02,
    'lowcmd_topic': 'rt/lowcmd', 'leg_joint2motor_idx': LEGS, 'kps': [KP[i] for i in LEGS],
    'kds': [KD[i] for i in LEGS], 'default_angles': [0.01 * i for i in range(12)],
    'arm_waist_joint2motor_idx': REST, 'arm_waist_kps': [2.0 * KP[i] for i in REST],
    'arm_waist_kds': [KD[i] for i in REST], 'arm_waist_target': [0.001 * i for i in range(17)],
    'num_actions': 12, 'num_obs': 47, 'max_cmd': [0.8, 0.5, 1.57]}
ORDER = list(range(29))[::-1]
ROBOMIMIC = {
    **SCALES, 'policy_path': 'policy.onnx', 'joint2motor_idx': ORDER,
    'kps': [KP[i] for i in ORDER], 'kds': [KD[i] for i in ORDER], 'default_angles': [0.0] * 29,
    'tau_limit': [88.0] * 29, 'num_actions': 29, 'num_obs': 96, 'cmd_init': [0, 0, 0],
    'cmd_range': {'lin_vel_x': [-0.4, 0.7], 'lin_vel_y': [-0.4, 0.4], 'ang_vel_z': [-1.5, 1.5]}}


def rl_gym(folder, text=None, **changes):
    """Write a policy of unitree_rl_gym; return its path and its weight."""
    path = folder / 'deploy' / 'pre_train' / 'g1' / 'motion.onnx'
    weight = write_network(path, 47, 12)
    data = {key: value for key, value in {**RL_GYM, **changes}.items() if value is not None}
    config = folder / 'deploy' / 'deploy_real' / 'configs' / 'g1.yaml'
    config.parent.mkdir(parents=True)
    config.write_text('# \n' + yaml.safe_dump(data) if text is None else text)
    return path, weight


def golden(opened):
    with np.load(opened.path / 'golden.npz') as steps:
        return {key: steps[key].astype(np.float64) for key in steps.files}


def test_a_policy_of_unitree_rl_gym_moves_the_legs_and_holds_the_rest(tmp_path):
    path, weight = rl_gym(tmp_path)
    adopt(path, G1, tmp_path / 'policy')
    opened = open_policy(tmp_path / 'policy', engine='onnxruntime')
    it, steps, i = opened.contract, golden(opened), 30
    assert it.commanded_joints == [G1.joint_names[motor] for motor in LEGS]
    assert it.held_joints == G1.joint_names[12:] and it.joints[15].kp == 2.0 * KP[15]
    # Twice the robot's kp needs more than its kd, so that the arms do not swing.
    assert it.joints[3].kd == KD[8] and it.joints[15].kd == pytest.approx(0.1 * KP[15])
    assert it.command_limits['ang_vel_z'].to_config() == [-1.57, 1.57]
    legs, pose = steps['joint_positions'][i][:12], 0.01 * np.arange(12)
    phase = 2.0 * np.pi * i * 0.02 / 0.8
    expected = np.concatenate((
        0.25 * steps['base_angular_velocity'][i], steps['observation'][i][3:6], [1.0, 0.0, 0.0],
        legs - pose, 0.05 * steps['joint_velocities'][i][:12], steps['action'][i - 1],
        [np.sin(phase), np.cos(phase)]))
    assert steps['observation'][i] == pytest.approx(expected, abs=1e-5)
    action = np.tanh(expected @ weight)
    assert steps['joint_targets'][i] == pytest.approx(
        np.concatenate((pose + 0.25 * action, 0.001 * np.arange(17))), abs=1e-5)
    # The clock does not rest while standing: after 0.2 s it is a quarter of a stride.
    assert steps['observation'][10][-2:] == pytest.approx([1.0, 0.0], abs=1e-6)


def test_a_policy_of_robomimic_moves_all_joints(tmp_path):
    path = tmp_path / 'loco_mode' / 'model' / 'policy.onnx'
    write_network(path, 96, 29)
    (tmp_path / 'loco_mode' / 'config').mkdir()
    (tmp_path / 'loco_mode' / 'config' / 'LocoMode.yaml').write_text(yaml.safe_dump(ROBOMIMIC))
    adopt(path, G1, tmp_path / 'policy')
    it = open_policy(tmp_path / 'policy', engine='onnxruntime').contract
    assert it.joint_names == G1.joint_names[::-1] and it.commanded is None and it.gait is None
    assert it.command_limits['lin_vel_x'].to_config() == [-0.4, 0.7]
    assert it.control_period == 0.02


def test_a_yaml_beside_the_policy_is_found_and_one_of_another_policy_is_not(tmp_path):
    write_network(tmp_path / 'a' / 'policy.onnx', 96, 29)
    (tmp_path / 'a' / 'some.yaml').write_text(yaml.safe_dump(
        {**ROBOMIMIC, 'policy_path': 'other.onnx', 'action_scale': 0.1}))
    with pytest.raises(ConfigError, match='missing keys'):
        adopt(tmp_path / 'a' / 'policy.onnx', G1, tmp_path / 'policy')
    (tmp_path / 'a' / 'this.yaml').write_text(yaml.safe_dump(ROBOMIMIC))
    adopt(tmp_path / 'a' / 'policy.onnx', G1, tmp_path / 'policy')
    it = open_policy(tmp_path / 'policy', engine='onnxruntime').contract
    assert it.joints[0].action_scale == 0.25


@pytest.mark.parametrize('changes, message', [
    ({'leg_joint2motor_idx': None}, 'missing key joint2motor_idx or leg_joint2motor_idx'),
    ({'kps': None}, r"missing keys \['kps'\]; the keys are"),
    ({'kds': [2.0] * 11}, 'kds: found 11 values for 12 motors, expected 12'),
    ({'arm_waist_kds': [-1.0] * 17}, 'kd must be above 0, found -1.0'),
    ({'arm_waist_target': []}, 'arm_waist_target: found 0 values for 12 motors, expected 17'),
    ({'num_actions': 10}, 'kps: found 12 values for 12 motors, expected 10'),
    ({'num_obs': 48}, 'num_obs: found 48, expected 45, or 2 more with a phase, for 12 actions'),
    ({'cmd_scale': [2.0, 2.0]}, 'cmd_scale: expected 3 values, found 2'),
    ({'leg_joint2motor_idx': [0] * 12}, r'joint2motor_idx: found \[0, 0, .* of 0 to 28'),
    ({'arm_waist_joint2motor_idx': list(range(13, 30))}, r'joint2motor_idx: found \[11, 10, '),
    ({'ang_vel_scale': 'much'}, 'ang_vel_scale: expected float, found str'),
    ({'max_cmd': [-1.0, 0.5, 1.0]}, 'range must contain 0'),
    ({'kps': [1000.0] * 12}, 'kp is 1000 Nm/rad'),
    ({'max_cmd': None}, r"missing keys \['command_lower', 'command_upper'\]"),
    ({'text': "policy_path: 'motion.onnx'\nkps: [1, 2"}, 'g1.yaml: is not valid YAML'),
    ({'text': "policy_path: motion.onnx\nx: !!python/name:os.system ''"},
     r"g1.yaml: line 2 has the tag .*os.system', expected plain data")])
def test_a_yaml_that_does_not_fit_is_refused_by_its_key_and_nothing_is_written(
        tmp_path, changes, message):
    path, _ = rl_gym(tmp_path, **changes)
    with pytest.raises(LocomotionError, match=message):
        adopt(path, G1, tmp_path / 'policies' / 'other')
    assert not (tmp_path / 'policies').exists()


def test_a_motor_that_the_robot_does_not_have_is_refused(tmp_path):
    path, _ = rl_gym(tmp_path, policy_path='motion.onnx', leg_joint2motor_idx=list(range(12)))
    with pytest.raises(ConfigError, match="expected motors of robot 'unitree_h1' once each"):
        adopt(path, load_robot('unitree_h1'), tmp_path / 'policy')


def test_a_folder_in_the_place_of_the_yaml_is_refused(tmp_path):
    path, _ = rl_gym(tmp_path)
    config = tmp_path / 'deploy' / 'deploy_real' / 'configs' / 'g1.yaml'
    config.unlink()
    config.mkdir()
    with pytest.raises(ConfigError, match=r'g1\.yaml: is no regular file, expected a YAML file'):
        adopt(path, G1, tmp_path / 'policy')


def test_a_policy_of_another_robot_is_refused(tmp_path):
    # The H1-2 has 27 motors; as motors of a G1 they are 27 of 29, of other joints.
    path, _ = rl_gym(tmp_path, policy_path='{ROOT}/deploy/pre_train/h1_2/motion.onnx')
    with pytest.raises(ConfigError, match=r"g1.yaml: policy_path: .*/h1_2/motion.onnx', a policy "
                       "of another robot than 'unitree_g1'; expected --robot unitree_h1_2"):
        adopt(path, G1, tmp_path / 'policy')


def test_of_two_formats_none_is_chosen(tmp_path):
    path, _ = rl_gym(tmp_path)
    write_deploy(path.parent / 'deploy.yaml', deploy())
    with pytest.raises(ConfigError, match=r'configs/g1.yaml: describes motion.onnx in another form'
                       r'at than .*/deploy.yaml; expected one of them'):
        adopt(path, G1, tmp_path / 'policy')


def test_of_two_files_that_name_the_policy_none_is_chosen(tmp_path):
    write_network(tmp_path / 'policy.onnx', 96, 29)
    for name in ('a.yaml', 'b.yaml'):
        (tmp_path / name).write_text(yaml.safe_dump(ROBOMIMIC))
    with pytest.raises(ConfigError, match=r"a.yaml: policy_path: names policy.onnx, and so does "
                       r"\['b.yaml'\] beside it; expected one such file"):
        adopt(tmp_path / 'policy.onnx', G1, tmp_path / 'policy')
