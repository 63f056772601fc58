# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The mirror, against robots mirrored by hand: what they see, earn, do and how they move."""

from __future__ import annotations

from dataclasses import replace
import json
from pathlib import Path
import shutil

import numpy as np
import pytest
from tiny import ROBOT, config, context, random_outcome
import torch

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.command import GaitSpec
from humanoid_locomotion.core.contract import ObservationSpec, PolicyContract, TermSpec
from humanoid_locomotion.core.controller import Controller
from humanoid_locomotion.core.errors import ConfigError
from humanoid_locomotion.core.feedback.joint_mirror import joint_mirror
from humanoid_locomotion.core.reading.resources import config_file
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.core.state import JointTargets, RobotState
from humanoid_locomotion.core.terms import LAYOUTS, TERMS
from humanoid_locomotion.sim.backend import (
    PhysicsSpec,
    PhysicsVariation,
    ResetState,
    Truth,
    open_backend,
)
from humanoid_locomotion.training.config_file import load_config
from humanoid_locomotion.training.env.critic_observation import BLOCKS, CriticObservation
from humanoid_locomotion.training.env.rewards import REWARDS
from humanoid_locomotion.training.env.rewards.outcome import Outcome
from humanoid_locomotion.training.env.symmetry import (
    action_mirror,
    critic_mirror,
    observation_mirror,
)
from humanoid_locomotion.training.env.tracking_memory import TrackingMemory, velocity_in_heading

N, HISTORY = 5, 3
CONTRACT = config(f'observation.history={HISTORY}').contract(ROBOT)
NAMES = ROBOT.joint_names


# The mirror by hand. Everything is reflected through the plane y = 0: positions and velocities
# lose the sign of y; what turns is seen turning the other way about x and z.

def flip_y(vector: torch.Tensor) -> torch.Tensor:
    return torch.stack((vector[..., 0], -vector[..., 1], vector[..., 2]), -1)


def flip_turn(vector: torch.Tensor) -> torch.Tensor:
    return torch.stack((-vector[..., 0], vector[..., 1], -vector[..., 2]), -1)


def flip_quaternion(quaternion: torch.Tensor) -> torch.Tensor:
    return torch.cat((flip_turn(quaternion[..., :3]), quaternion[..., 3:]), -1)


def flip_command(command: torch.Tensor) -> torch.Tensor:
    return command * torch.tensor((1.0, -1.0, -1.0, 1.0)[:command.shape[-1]])


def swap_feet(values: torch.Tensor) -> torch.Tensor:
    return values.flip(1)


def swap_joints(values: torch.Tensor, names=NAMES) -> torch.Tensor:
    columns = []
    for name in names:
        side, _, rest = name.partition('_')
        twin = {'left': 'right_', 'right': 'left_'}.get(side, f'{side}_') + rest
        # H1's torso_joint turns about the vertical, fingers about the forward axis.
        sideways = name == 'torso_joint' or any(part in name for part in (
            'roll', 'yaw', 'index', 'middle', 'ring', 'little'))
        columns.append((-1.0 if sideways else 1.0) * values[:, names.index(twin)])
    return torch.stack(columns, -1)


def flip_state(state: RobotState, names=NAMES) -> RobotState:
    return RobotState(
        swap_joints(state.joint_positions, names), swap_joints(state.joint_velocities, names),
        flip_quaternion(state.base_orientation), flip_turn(state.base_angular_velocity),
        *(None if vector is None else flip_y(vector)
          for vector in (state.base_position, state.base_linear_velocity)))


def flip_truth(truth: Truth) -> Truth:
    return Truth(
        base_position=flip_y(truth.base_position),
        base_linear_velocity=flip_y(truth.base_linear_velocity),
        sole_positions=swap_feet(flip_y(truth.sole_positions)),
        sole_velocities=swap_feet(flip_y(truth.sole_velocities)),
        sole_normals=swap_feet(flip_y(truth.sole_normals)),
        sole_forces=swap_feet(truth.sole_forces),
        peak_sole_forces=swap_feet(truth.peak_sole_forces),
        sole_slips=swap_feet(truth.sole_slips),
        joint_torques=swap_joints(truth.joint_torques))


def flip_outcome(o: Outcome) -> Outcome:
    state, truth = flip_state(o.state), flip_truth(o.truth)
    return Outcome(
        context=o.context, state=state, truth=truth, velocity=velocity_in_heading(state, truth),
        command=flip_command(o.command),
        action=swap_joints(o.action), previous_action=swap_joints(o.previous_action),
        joint_accelerations=swap_joints(o.joint_accelerations),
        phase=(o.phase + 0.5) % 1.0, moving=o.moving, recovered=o.recovered,
        foot_drift=swap_feet(o.foot_drift * torch.tensor([1.0, -1.0])),
        tracking_error=o.tracking_error * torch.tensor([1.0, -1.0, -1.0]))


def test_the_mirror_by_hand_is_a_reflection():
    turn, vector = rotations.normalize(torch.randn(N, 4)), torch.randn(N, 3)
    assert torch.allclose(rotations.rotate(flip_quaternion(turn), flip_y(vector)),
                          flip_y(rotations.rotate(turn, vector)), atol=1e-5)


# Vectors.

@pytest.mark.parametrize('mirror, size', [
    pytest.param(observation_mirror(CONTRACT, ROBOT), 240, id='observation'),
    pytest.param(critic_mirror(BLOCKS), 30, id='critic'),
    pytest.param(action_mirror(CONTRACT, ROBOT), 23, id='action')])
def test_mirrored_twice_everything_is_as_it_was(mirror, size):
    vector = torch.randn(N, size)
    assert torch.equal(mirror(mirror(vector)), vector)
    assert not torch.equal(mirror(vector), vector)
    assert torch.allclose(mirror(vector).norm(dim=-1), vector.norm(dim=-1))


def seen_by(layout: str) -> PolicyContract:
    return config(f'observation.layout={layout}', f'observation.history={HISTORY}').contract(ROBOT)


OTHER = replace(
    CONTRACT, gait=GaitSpec(0.8, 0.1, 'running'), observation=ObservationSpec('other', (
        TermSpec('leg_phase_sines'), TermSpec('velocity_command', (2.0, 2.0, 0.25)),
        TermSpec('leg_phase_cosines'), TermSpec('joint_velocities'), TermSpec('yaw_rate_command'),
        TermSpec('linear_velocity_command')), HISTORY, history_order='term'))


@pytest.mark.parametrize('contract', [
    *(pytest.param(seen_by(layout), id=layout) for layout in sorted(LAYOUTS)),
    pytest.param(OTHER, id='of other stacks')])
def test_a_mirrored_robot_sees_the_mirrored_observation(contract):
    rng, mirror = np.random.default_rng(0), observation_mirror(contract, ROBOT)
    here, there = (Controller(contract, num_envs=N, like=torch.zeros(0)) for _ in range(2))
    phase, everyone = torch.rand(N), torch.ones(N, dtype=torch.bool)
    here.reset(everyone, phase)
    there.reset(everyone, (phase + 0.5) % 1.0)  # its left foot swings when this one's right does
    for _ in range(HISTORY + 2):
        o = random_outcome(rng, N)
        command = o.command[:, :3] * o.moving[:, None]
        state = replace(o.state, base_position=o.truth.base_position,
                        base_linear_velocity=o.truth.base_linear_velocity)
        obs = here.observe(state, command)
        mirrored = there.observe(flip_state(state), flip_command(command))
        assert torch.allclose(mirror(obs), mirrored, atol=1e-5)
        here.act(o.action)
        there.act(swap_joints(o.action))


@pytest.mark.parametrize('name', ['course', 'unitree_g1', 'unitree_h1'])
@pytest.mark.parametrize('layout', sorted(LAYOUTS))
def test_every_robot_sees_the_mirrored_observation_when_mirrored(name, layout):
    robot = load_robot(name)
    observed = load_config(config_file('training', name)).observation.joints
    contract = config(f'observation.layout={layout}',
                      f'observation.joints={json.dumps(observed)}').contract(robot)
    mirror, names, m = observation_mirror(contract, robot), robot.joint_names, robot.num_joints
    here, there = (Controller(contract, num_envs=N, like=torch.zeros(0)) for _ in range(2))
    default = torch.as_tensor(robot.values('default'), dtype=torch.float32)
    for _ in range(2):
        state = RobotState(
            default + torch.randn(N, m), torch.randn(N, m), rotations.normalize(torch.randn(N, 4)),
            torch.randn(N, 3), torch.randn(N, 3), torch.randn(N, 3))
        command, action = torch.zeros(N, 3), torch.randn(N, m)
        obs = here.observe(state, command)
        mirrored = there.observe(flip_state(state, names), command)
        assert torch.allclose(mirror(obs), mirrored, atol=1e-5)
        assert not torch.allclose(obs, mirrored, atol=0.1)
        here.act(action)
        there.act(swap_joints(action, names))


@pytest.mark.parametrize('name, lopsided', [
    ('humanoid', 1e-6), ('course', 1e-6), ('unitree_g1', 1e-3), ('unitree_h1', 1e-6)])
def test_mirrored_joints_move_the_links_to_mirrored_places(name, lopsided):
    # The signs come from the axes; here they meet the robot's geometry, slanted axes included.
    mujoco = pytest.importorskip('mujoco', minversion='3.3')
    robot = load_robot(name)
    model = mujoco.MjModel.from_xml_path(str(robot.mjcf_path))
    source, sign = joint_mirror(robot.joint_names, robot)
    places = [model.joint(joint).qposadr[0] for joint in robot.joint_names]
    rng = np.random.default_rng(0)

    def links(joints: np.ndarray) -> dict[str, np.ndarray]:
        data = mujoco.MjData(model)
        data.qpos[places] = joints
        mujoco.mj_kinematics(model, data)
        return {model.body(i).name: data.xpos[i] for i in range(model.nbody)}

    for _ in range(20):
        joints = rng.uniform(robot.values('lower'), robot.values('upper'))
        here, there = links(joints), links(np.array(sign) * joints[source])
        for body, place in here.items():
            twin = {'left': 'right', 'right': 'left'}.get(body.split('_')[0])
            other = body if twin is None else '_'.join([twin, *body.split('_')[1:]])
            assert there[other] == pytest.approx(place * [1, -1, 1], abs=lopsided), body


def test_a_mirror_with_another_number_of_signs_than_its_term_is_refused(monkeypatch):
    monkeypatch.setitem(TERMS, 'gait_clock', replace(TERMS['gait_clock'], mirror=(1.0,)))
    with pytest.raises(ConfigError, match='gait_clock: has 2 numbers, and its mirror 1 signs'):
        observation_mirror(CONTRACT, ROBOT)


@pytest.mark.parametrize('term, message', [
    (TermSpec('previous_action', tuple(range(23))), 'exchanges numbers whose scales differ'),
    (TermSpec('gait_clock'), 'expected leg_phase_sines and leg_phase_cosines')])
def test_an_observation_without_a_mirror_image_is_refused(term, message):
    gait = GaitSpec(0.8, 0.1, 'half_stride')
    with pytest.raises(ConfigError, match=message):
        observation_mirror(replace(CONTRACT, gait=gait, observation=ObservationSpec(
            'other', (term,))), ROBOT)


def test_a_mirrored_action_asks_for_the_mirrored_pose():
    action, mapper = 3.0 * torch.randn(N, 23), Controller(CONTRACT).mapper
    mirrored = action_mirror(CONTRACT, ROBOT)(action)
    assert torch.allclose(mapper.targets(mirrored).positions,
                          swap_joints(mapper.targets(action).positions), atol=1e-6)


def test_the_critic_of_a_mirrored_robot_sees_the_mirrored_truth():
    rng = np.random.default_rng(1)
    o = random_outcome(rng, N)
    shift = rng.normal(size=(N, 3))
    variation = PhysicsVariation(
        friction=rng.random(N), mass_scale=rng.random(N), payload=rng.random(N), com_offset=shift)
    flipped = replace(variation, com_offset=shift * [1.0, -1.0, 1.0])
    p = flip_outcome(o)
    correction, everyone = torch.randn(N, 3), torch.rand(N) < 0.5
    correction_back = correction * torch.tensor([1.0, -1.0, -1.0])
    seen = []
    for its, outcome, added in ((variation, o, correction), (flipped, p, correction_back)):
        memory = TrackingMemory(0.02, 4, N, 'cpu')
        memory.tracking_error.error.copy_(outcome.tracking_error)
        memory.foot_drift.velocity.copy_(outcome.foot_drift)
        for _ in range(30):
            memory.transition.step(outcome.command)
        memory.transition.kick(everyone)
        seen.append(CriticObservation(its, 440.0, 'cpu').build(
            outcome.state, outcome.truth, memory, added))
    assert torch.allclose(critic_mirror(BLOCKS)(seen[0]), seen[1], atol=1e-5)


@pytest.mark.parametrize('term', sorted(REWARDS))
def test_a_mirrored_robot_earns_the_same(term):
    # What PPO rests on when it learns from mirrored samples with the returns they came with.
    o = random_outcome(np.random.default_rng(2), 50)
    parameters = REWARDS[term].read({'height': 0.88} if term == 'base_height' else {}, '', '')
    it = REWARDS[term].make(context(50), parameters)
    assert torch.allclose(it.step(flip_outcome(o)), it.step(o), rtol=1e-4, atol=1e-5)


# Twins.

def copied(tmp_path, replacements, name='humanoid', **changes):
    """Give a copy of a robot with its MJCF and its joints' names changed."""
    folder = shutil.copytree(load_robot(name).folder, tmp_path / 'robot')
    for file in ('robot.yaml', 'robot.xml'):
        text = (folder / file).read_text()
        for old, new in replacements.items():
            text = text.replace(old, new)
        (folder / file).write_text(text)
    return replace(load_robot(folder), **changes)


def test_twins_are_found_whatever_the_joints_are_called(tmp_path):
    robot = copied(tmp_path, {'left_knee': 'L_knee', 'right_knee': 'R_knee',
                              'left_elbow': 'elbow_1', 'right_elbow': 'elbow_2'})
    assert joint_mirror(robot.joint_names, robot) == joint_mirror(NAMES, ROBOT)


def test_the_sign_comes_from_the_axis_of_the_model(tmp_path):
    """An axis that points the other way on one side alone turns the sign of both knees."""
    path = Path(ROBOT.folder) / 'robot.xml'
    line = next(it for it in path.read_text().splitlines() if 'name="right_knee"' in it)
    assert 'axis="0 1 0"' in line
    robot = copied(tmp_path, {line: line.replace('axis="0 1 0"', 'axis="0 -1 0"')})
    robot = replace(robot, joints=tuple(
        replace(it, default=-it.default, lower=-it.upper, upper=-it.lower)
        if it.name == 'right_knee' else it for it in robot.joints))
    (source, sign), (usual, usual_sign) = (
        joint_mirror(NAMES, it) for it in (robot, ROBOT))
    assert source == usual
    assert {name for name, one, other in zip(NAMES, sign, usual_sign) if one != other} == {
        'left_knee', 'right_knee'}


def test_tilted_axes_find_their_twins_and_signs(tmp_path):
    """By hand: (0.6, 0, 0.8) mirrored turns about (-0.6, 0, -0.8), its opposite."""
    xml = (Path(ROBOT.folder) / 'robot.xml').read_text()
    lines = {side: next(it for it in xml.splitlines() if f'name="{side}_hip_roll"' in it)
             for side in ('left', 'right')}
    assert all('axis="1 0 0"' in line for line in lines.values())
    robot = copied(tmp_path, {
        lines['left']: lines['left'].replace('axis="1 0 0"', 'axis="0.6 0.0 0.8"'),
        lines['right']: lines['right'].replace('axis="1 0 0"', 'axis="-0.6 0.0 -0.8"')})
    source, sign = joint_mirror(NAMES, robot)
    left, right = NAMES.index('left_hip_roll'), NAMES.index('right_hip_roll')
    assert (source[left], source[right]) == (right, left) and sign[left] == sign[right] == 1.0


def test_twins_are_found_by_the_lines_of_their_axes(tmp_path):
    """A joint may be anywhere on its axis; of two joints on one line, the nearer is the twin."""
    line = next(it for it in (Path(ROBOT.folder) / 'robot.xml').read_text().splitlines()
                if 'name="right_knee"' in it)
    robot = copied(tmp_path, {line: line.replace('axis="0 1 0"', 'axis="0 1 0" pos="0 0.05 0"')})
    assert joint_mirror(NAMES, robot) == joint_mirror(NAMES, ROBOT)


def test_a_joint_without_a_twin_is_named_with_the_key_to_set(tmp_path):
    robot = copied(tmp_path, {'left_knee': 'L_knee', 'right_knee': 'R_knee'})
    bent = replace(robot, joints=tuple(
        replace(joint, default=joint.default + 0.5 * (joint.name == 'L_knee'))
        for joint in robot.joints))
    with pytest.raises(ConfigError, match=r"robot\.yaml: mirrored_joints: .*fits none the mirror "
                       r"image of 'left_ankle_pitch' .*expected left_ankle_pitch: TWIN here"):
        joint_mirror(bent.joint_names, bent)
    pairs = {name: name.replace('left', 'right').replace('L_', 'R_')
             for name in robot.joint_names if name.startswith(('left_ankle', 'L_'))}
    given = replace(bent, mirrored_joints=pairs)
    assert joint_mirror(given.joint_names, given) == joint_mirror(NAMES, ROBOT)


def test_a_twin_that_is_not_part_of_the_vector_is_refused():
    with pytest.raises(ConfigError, match="fits none the mirror image of 'left_knee'"):
        joint_mirror(['left_knee', 'torso_yaw'], ROBOT)


@pytest.mark.parametrize('pairs, message', [
    ({'left_knee': 'right_kne'}, r"mirrored_joints: \['right_kne'\] are no joints"),
    ({'left_knee': 'right_knee', 'left_elbow': 'right_knee'}, 'not the twins of their twins'),
    ({'left_knee': 'right_knee', 'right_knee': 'left_elbow'}, 'not the twins of their twins')])
def test_twins_that_make_no_sense_are_refused(pairs, message):
    with pytest.raises(ValueError, match=message):
        replace(ROBOT, mirrored_joints=pairs)


# Physics.

def test_the_humanoid_moves_as_its_mirror_image_does():
    pytest.importorskip('mujoco', minversion='3.3')
    physics = PhysicsSpec(timestep=0.005, substeps=4, solver_iterations=100,
                          line_search_iterations=50, max_constraints=96, max_contacts=24)
    backend = open_backend('mujoco', load_robot('humanoid'), 2, physics, device='cpu')
    generator = torch.Generator().manual_seed(0)

    def both(values: torch.Tensor, flip) -> torch.Tensor:
        return torch.cat((values, flip(values)))

    def noise(size: int, scale: float) -> torch.Tensor:
        return scale * torch.randn(1, size, generator=generator)

    default = {k: torch.as_tensor(v[:1]) for k, v in vars(backend.default_state()).items()}
    start = ResetState(
        base_position=both(default['base_position'], flip_y),
        base_orientation=both(rotations.small_rotation(noise(3, 0.1)), flip_quaternion),
        base_linear_velocity=both(noise(3, 0.3), flip_y),
        base_angular_velocity=both(noise(3, 0.3), flip_turn),
        joint_positions=both(default['joint_positions'] + noise(23, 0.1), swap_joints),
        joint_velocities=both(noise(23, 0.3), swap_joints))
    backend.reset(np.ones(2, bool), start)
    touched = False
    for _ in range(20):
        pose = both(default['joint_positions'] + noise(23, 0.2), swap_joints)
        backend.step(JointTargets(pose))
        state, truth = ({k: torch.as_tensor(v) for k, v in vars(part).items()}
                        for part in (backend.state(), backend.truth()))
        for key, flip in (('joint_positions', swap_joints), ('joint_velocities', swap_joints),
                          ('base_position', flip_y), ('base_linear_velocity', flip_y),
                          ('base_orientation', flip_quaternion),
                          ('base_angular_velocity', flip_turn)):
            assert torch.allclose(flip(state[key][:1]), state[key][1:], atol=1e-4), key
        mirrored = flip_truth(Truth(**{k: v[:1] for k, v in truth.items()}))
        assert torch.allclose(mirrored.sole_positions, truth['sole_positions'][1:], atol=1e-4)
        assert torch.allclose(mirrored.sole_forces, truth['sole_forces'][1:], atol=0.5)
        touched |= bool(truth['sole_forces'].sum() > 100.0)
    assert touched
    backend.close()
