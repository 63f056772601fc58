"""The mirror, against robots mirrored by hand: what they see, earn, do and how they move."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tiny import ROBOT, config, figures, random_outcome
import torch

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.controller import Controller
from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.core.state import JointTargets, RobotState
from humanoid_locomotion.core.terms import LAYOUTS
from humanoid_locomotion.sim.backend import (
    PhysicsSpec,
    PhysicsVariation,
    ResetState,
    Truth,
    open_backend,
)
from humanoid_locomotion.training.env.critic_observation import SIZE, Privileged
from humanoid_locomotion.training.env.rewards import REWARDS, Outcome
from humanoid_locomotion.training.env.symmetry import (
    action_mirror,
    joint_mirror,
    observation_mirror,
    privileged_mirror,
)
from humanoid_locomotion.training.env.tracking_error import velocity_in_heading

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
    return torch.stack((command[..., 0], -command[..., 1], -command[..., 2]), -1)


def swap_feet(values: torch.Tensor) -> torch.Tensor:
    return values.flip(1)


def swap_joints(values: torch.Tensor, names=NAMES) -> torch.Tensor:
    columns = []
    for name in names:
        side, _, rest = name.partition('_')
        twin = {'left': 'right_', 'right': 'left_'}.get(side, f'{side}_') + rest
        # H1's torso_joint turns about the vertical, as another robot's torso_yaw.
        sideways = 'roll' in name or 'yaw' in name or name == 'torso_joint'
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
        state=state, truth=truth, velocity=velocity_in_heading(state, truth),
        command=flip_command(o.command),
        action=swap_joints(o.action), previous_action=swap_joints(o.previous_action),
        joint_accelerations=swap_joints(o.joint_accelerations),
        phase=(o.phase + 0.5) % 1.0, moving=o.moving, caught=o.caught,
        creep=swap_feet(o.creep * torch.tensor([1.0, -1.0])),
        following_error=o.following_error * torch.tensor([1.0, -1.0, -1.0]))


def test_the_mirror_by_hand_is_a_reflection():
    turn, vector = rotations.normalize(torch.randn(N, 4)), torch.randn(N, 3)
    assert torch.allclose(rotations.rotate(flip_quaternion(turn), flip_y(vector)),
                          flip_y(rotations.rotate(turn, vector)), atol=1e-5)


# Vectors.

@pytest.mark.parametrize('mirror, size', [
    pytest.param(observation_mirror(CONTRACT, ROBOT), 240, id='observation'),
    pytest.param(privileged_mirror(), SIZE, id='privileged'),
    pytest.param(action_mirror(CONTRACT, ROBOT), 23, id='action')])
def test_mirrored_twice_everything_is_as_it_was(mirror, size):
    vector = torch.randn(N, size)
    assert torch.equal(mirror(mirror(vector)), vector)
    assert not torch.equal(mirror(vector), vector)
    assert torch.allclose(mirror(vector).norm(dim=-1), vector.norm(dim=-1))


@pytest.mark.parametrize('layout', sorted(LAYOUTS))
def test_a_mirrored_robot_sees_the_mirrored_observation(layout):
    contract = config(f'observation.layout={layout}', f'observation.history={HISTORY}'
                      ).contract(ROBOT)
    rng, mirror = np.random.default_rng(0), observation_mirror(contract, ROBOT)
    here, there = (Controller(contract, num_envs=N, like=torch.zeros(0)) for _ in range(2))
    phase, everyone = torch.rand(N), torch.ones(N, dtype=torch.bool)
    here.reset(everyone, phase)
    there.reset(everyone, (phase + 0.5) % 1.0)  # its left foot swings when this one's right does
    for _ in range(HISTORY + 2):
        o = random_outcome(rng, N)
        command = o.command * o.moving[:, None]
        state = replace(o.state, base_position=o.truth.base_position,
                        base_linear_velocity=o.truth.base_linear_velocity)
        obs = here.observe(state, command)
        mirrored = there.observe(flip_state(state), flip_command(command))
        assert torch.allclose(mirror(obs), mirrored, atol=1e-5)
        here.act(o.action)
        there.act(swap_joints(o.action))


@pytest.mark.parametrize('name', ['unitree_g1', 'unitree_h1'])
@pytest.mark.parametrize('layout', sorted(LAYOUTS))
def test_every_robot_sees_the_mirrored_observation_when_mirrored(name, layout):
    robot = load_robot(name)
    contract = config(f'observation.layout={layout}').contract(robot)
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
    ('humanoid', 1e-6), ('unitree_g1', 1e-3), ('unitree_h1', 1e-6)])
def test_mirrored_joints_put_the_links_where_the_mirror_shows_them(name, lopsided):
    # The signs come from the axes; here they meet the robot's geometry, slanted axes included.
    mujoco = pytest.importorskip('mujoco', minversion='3.3')
    robot = load_robot(name)
    model = mujoco.MjModel.from_xml_path(str(robot.mjcf_path))
    source, sign = joint_mirror(robot.joint_names, robot)
    rng = np.random.default_rng(0)

    def links(joints: np.ndarray) -> dict[str, np.ndarray]:
        data = mujoco.MjData(model)
        data.qpos[7:] = joints
        mujoco.mj_kinematics(model, data)
        return {model.body(i).name: data.xpos[i] for i in range(model.nbody)}

    for _ in range(20):
        joints = rng.uniform(robot.values('lower'), robot.values('upper'))
        here, there = links(joints), links(np.array(sign) * joints[source])
        for body, place in here.items():
            twin = {'left': 'right', 'right': 'left'}.get(body.split('_')[0])
            other = body if twin is None else '_'.join([twin, *body.split('_')[1:]])
            assert there[other] == pytest.approx(place * [1, -1, 1], abs=lopsided), body


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
    way_left, correction = torch.rand(N, 2), torch.randn(N, 3)
    corrected_back = correction * torch.tensor([1.0, -1.0, -1.0])
    seen = Privileged(variation, 440.0, 'cpu').build(
        o.state, o.truth, o.following_error, o.creep, way_left, correction)
    mirrored = Privileged(flipped, 440.0, 'cpu').build(
        p.state, p.truth, p.following_error, p.creep, way_left, corrected_back)
    assert torch.allclose(privileged_mirror()(seen), mirrored, atol=1e-5)


@pytest.mark.parametrize('term', sorted(REWARDS))
def test_a_mirrored_robot_earns_the_same(term):
    # What PPO rests on when it learns from mirrored samples with the returns they came with.
    o, k = random_outcome(np.random.default_rng(2), 50), figures()
    assert torch.allclose(REWARDS[term](flip_outcome(o), k), REWARDS[term](o, k), rtol=1e-4,
                          atol=1e-5)


# Refusals.

def test_a_joint_without_a_twin_is_named():
    with pytest.raises(LocomotionError, match="'left_knee' of robot 'humanoid' has no twin 'righ"):
        joint_mirror(['left_knee', 'torso_yaw'], ROBOT)


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
