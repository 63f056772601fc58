# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The Isaac Gym backend keeps the laws of the port, on a fake that has the real one's traps."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

pytest.importorskip('mujoco')
torch = pytest.importorskip('torch')

import fake_gym

fake_gym.install()

from gym_laws import COARSE, JOINTS, STATE, tumbling
from mujoco_suite import MujocoSuite
from port_suite import ALL, PHYSICS, ROBOT, N, hold, posed, state, truth

from humanoid_locomotion.core.errors import JointsError, SimulationError
from humanoid_locomotion.core.reading.resources import config_file, robot_folders
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.core.state import JointTargets
from humanoid_locomotion.sim.backend import (
    IsaacGymSpec,
    PhysicsVariation,
    Terrain,
    open_backend,
)
from humanoid_locomotion.sim.isaacgym import backend as isaacgym_backend
from humanoid_locomotion.sim.isaacgym import scene
from humanoid_locomotion.training.config_file import load_config


@pytest.fixture(autouse=True)
def _obedient():
    fake_gym.violations()
    yield
    assert fake_gym.violations() == []


class TestIsaacGym(MujocoSuite):
    """The laws of the port, and nothing that the real Isaac Gym forbids."""

    name = 'isaacgym'


class TestOnTheGpuPipeline(MujocoSuite):
    """The same with the GPU pipeline's rules, though the memory is the CPU's."""

    name = 'isaacgym'

    @pytest.fixture(autouse=True)
    def _gpu(self, monkeypatch):
        fake_gym.pretend_gpu(monkeypatch)


@pytest.fixture
def backend():
    """Give three robots in the default pose."""
    opened = open_backend('isaacgym', ROBOT, N, PHYSICS, device='cpu')
    yield opened
    opened.close()


def needs_mujoco():
    """Skip where the MuJoCo backend itself does not run: on Python 3.8."""
    pytest.importorskip('mujoco', minversion='3.3')


@pytest.mark.parametrize('name', robot_folders())
def test_every_robot_moves_as_in_mujoco(name):
    needs_mujoco()
    robot = load_robot(name)
    physics = dataclasses.replace(COARSE, timestep=0.00025, substeps=20)
    ends = []
    for simulator in ('isaacgym', 'mujoco'):
        it = open_backend(simulator, robot, 1, physics, device='cpu')
        rest = it.default_state()
        it.reset(np.ones(1, bool), dataclasses.replace(
            rest, base_position=rest.base_position + np.float32([0, 0, 1]),
            base_angular_velocity=np.array([[0.5, 1.0, -0.5]], np.float32)))
        for _ in range(4):
            it.step(JointTargets(rest.joint_positions + np.float32(0.05)))
        ends.append(state(it))
        it.close()
    for key, tolerance in (('joint_positions', 2e-3), ('base_position', 2e-4),
                           ('base_orientation', 5e-4), ('base_linear_velocity', 5e-3)):
        assert getattr(ends[0], key) == pytest.approx(
            getattr(ends[1], key), abs=tolerance), key


def test_what_is_left_to_mujoco_is_how_the_pd_law_is_integrated():
    """Explicit here, implicit there: the difference halves with the step, whatever the state."""
    needs_mujoco()
    largest = []
    for factor in (1, 4, 16):
        physics = dataclasses.replace(COARSE, timestep=0.005 / factor, substeps=4 * factor)
        both = [open_backend(name, ROBOT, 2, physics, JOINTS, 'cpu')
                for name in ('isaacgym', 'mujoco')]
        start = tumbling(both[0], np.random.default_rng(3), 3.0)
        for it in both:
            it.reset(np.ones(2, bool), start)
            it.step(JointTargets(start.joint_positions + np.float32(0.1)))
        here, there = (vars(state(it)) for it in both)
        largest.append(max(np.abs(here[key] - there[key]).max() for key in STATE
                           if 'velocit' not in key))
        for it in both:
            it.close()
    assert largest[1] < 0.4 * largest[0] and largest[2] < 0.4 * largest[1]
    assert largest[2] < 2e-3


@pytest.mark.parametrize('name', robot_folders())
def test_friction_without_a_variation_is_that_of_the_mjcf(name):
    needs_mujoco()
    import mujoco
    robot = load_robot(name)
    model = mujoco.MjModel.from_xml_path(str(robot.mjcf_path))
    feet = {model.body(foot).id for foot in robot.feet}
    found = {float(model.geom_friction[geom, 0]) for geom in range(model.ngeom)
             if model.geom_bodyid[geom] in feet and model.geom_conaffinity[geom] & 1}
    assert found == {scene.FRICTION}


def test_coefficients_join_to_the_wanted_friction_in_few_materials():
    wanted = np.random.default_rng(0).uniform(0.4, 1.2, 5000)
    rubbing = scene.friction(wanted)
    joined = 0.5 * (rubbing.shapes + rubbing.floor)
    assert joined == pytest.approx(wanted, abs=0.5 * 0.8 / 63 + 1e-9)
    assert len(set(rubbing.shapes.tolist())) <= scene.FRICTION_LEVELS
    assert rubbing.shapes.min() >= 0.0
    slippery = scene.friction(np.array([0.05, 0.9]))
    assert slippery.shapes.min() >= 0.0


def test_friction_and_masses_must_come_before_the_start(backend):
    hold(backend)
    with pytest.raises(SimulationError, match='only before it starts: call randomize before'):
        backend.randomize(PhysicsVariation(friction=np.full(N, 0.5)))
    backend.randomize(PhysicsVariation(kp_scale=np.full((N, ROBOT.num_joints), 0.5)))
    backend.reset(ALL, posed(backend, base_position=[0.0, 0.0, 3.0]))
    hold(backend, 1, backend.default_state().joint_positions + np.float32(0.05))
    assert np.all(np.isfinite(state(backend).joint_positions))


def test_a_step_is_no_part_of_a_graph(backend):
    assert not backend.capturable


def test_bits_are_not_promised():
    with pytest.raises(SimulationError, match='not deterministic; use mujoco'):
        open_backend('isaacgym', ROBOT, 1, PHYSICS, device='cpu', deterministic=True)


def test_a_urdf_with_other_joints_is_refused(tmp_path):
    text = ROBOT.urdf_path.read_text(encoding='utf-8').replace('"left_elbow"', '"left_hinge"')
    (tmp_path / 'robot.urdf').write_text(text)
    other = dataclasses.replace(ROBOT, folder=str(tmp_path))
    with pytest.raises(JointsError, match=r"missing joints \['left_elbow', 'left_hinge'\]"):
        open_backend('isaacgym', other, 1, PHYSICS, device='cpu')


def test_a_urdf_that_is_absent_is_named(tmp_path):
    other = dataclasses.replace(ROBOT, folder=str(tmp_path))
    with pytest.raises(SimulationError, match=r'robot\.urdf: Isaac Gym cannot load it'):
        open_backend('isaacgym', other, 1, PHYSICS, device='cpu')


def test_other_links_are_refused():
    other = dataclasses.replace(ROBOT, base_link='pelvis')
    with pytest.raises(SimulationError, match="expected the links 'pelvis' "):
        open_backend('isaacgym', other, 1, PHYSICS, device='cpu')


@pytest.mark.parametrize('call, error', [
    ('create_sim', 'could not create a simulation on cpu'),
    ('prepare_sim', 'could not prepare the simulation'),
    ('set_actor_dof_properties', 'refused the DOF properties'),
    ('set_actor_rigid_shape_properties', 'refused the shape properties'),
    ('set_actor_root_state_tensor_indexed', 'refused a state')])
def test_a_call_that_fails_is_not_passed_over(monkeypatch, call, error):
    from isaacgym import gymapi
    answer = None if call == 'create_sim' else False
    monkeypatch.setattr(gymapi.Gym, call, lambda *arguments: answer)
    with pytest.raises(SimulationError, match=error):
        hold(open_backend('isaacgym', ROBOT, 1, PHYSICS, device='cpu'))


@pytest.mark.parametrize('field', ['driveMode', 'damping', 'armature'])
def test_a_figure_that_is_dropped_is_noticed(monkeypatch, field):
    from isaacgym import gymapi
    get = gymapi.Gym.get_actor_dof_properties

    def dropped(*arguments):
        found = get(*arguments)
        found[field] = 1.0
        return found

    monkeypatch.setattr(gymapi.Gym, 'get_actor_dof_properties', dropped)
    with pytest.raises(SimulationError, match=f'did not take the DOF property {field}: wanted'):
        hold(open_backend('isaacgym', ROBOT, 1, PHYSICS, device='cpu'))


def test_masses_that_are_dropped_are_noticed(monkeypatch):
    from isaacgym import gymapi
    monkeypatch.setattr(gymapi.Gym, 'set_actor_rigid_body_properties', lambda *arguments: True)
    backend = open_backend('isaacgym', ROBOT, 1, PHYSICS, device='cpu')
    backend.randomize(PhysicsVariation(payload=np.array([2.0])))
    with pytest.raises(SimulationError, match='did not take the masses'):
        hold(backend)


def test_a_robot_that_is_no_longer_finite_can_be_reset(backend):
    hold(backend)
    backend._root[1] = torch.nan
    backend._measured['sole_forces'][1] = torch.nan
    backend.reset(np.array([False, True, False]), backend.default_state())
    hold(backend)
    for arrays in (state(backend), truth(backend)):
        assert all(np.isfinite(value).all() for value in vars(arrays).values())


def test_a_window_shows_the_robots_until_it_is_closed():
    backend = open_backend('isaacgym', ROBOT, 1, PHYSICS, device='cpu', viewer=True)
    hold(backend)
    viewer = backend._window._viewer
    assert viewer.frames == 1
    hold(backend, 4)
    assert backend._window._viewer is None  # the fake's window closes after three frames
    backend.close()


def test_v_pauses_the_window_and_escape_ends_the_program():
    from isaacgym import gymapi
    backend = open_backend('isaacgym', ROBOT, 1, PHYSICS, device='cpu', viewer=True)
    hold(backend)
    viewer = backend._window._viewer
    viewer.pressed.append(gymapi.KEY_V)
    hold(backend, 3)
    assert viewer.frames == 1
    viewer.pressed.append(gymapi.KEY_V)
    hold(backend)
    assert viewer.frames == 2
    viewer.pressed.append(gymapi.KEY_ESCAPE)
    with pytest.raises(KeyboardInterrupt):
        hold(backend)
    backend.close()


def test_a_second_simulation_in_a_process_is_refused(monkeypatch):
    cls = isaacgym_backend.IsaacGymBackend
    monkeypatch.setattr(cls, 'max_simulations', cls._opened + 1)
    open_backend('isaacgym', ROBOT, 1, PHYSICS, device='cpu').close()
    with pytest.raises(SimulationError, match='holds one simulation in a process'):
        open_backend('isaacgym', ROBOT, 1, PHYSICS, device='cpu')


def test_physx_has_the_settings_of_the_config():
    spec = IsaacGymSpec(position_iterations=7, max_contact_pairs=2 ** 18, buffer_multiplier=2.0)
    backend = open_backend('isaacgym', ROBOT, 1, PHYSICS, device='cpu', isaacgym=spec)
    physx = backend._sim.params.physx
    assert (physx.num_position_iterations, physx.max_gpu_contact_pairs,
            physx.default_buffer_size_multiplier) == (7, 2 ** 18, 2.0)
    plain = open_backend('isaacgym', ROBOT, 1, PHYSICS, device='cpu')._sim.params.physx
    assert (plain.num_position_iterations, plain.max_gpu_contact_pairs) == (4, 2 ** 23)


ROUGH = load_config(config_file('training', 'unitree_g1_rough')).terrain


def test_the_mesh_of_a_terrain_is_its_surface():
    terrain = Terrain(dataclasses.replace(ROUGH, levels=2, border=1.0))
    vertices, triangles = scene.mesh(terrain)
    corners = vertices[triangles]
    assert (np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, 2] > 0).all()
    weights = np.random.default_rng(0).dirichlet((1, 1, 1), len(corners))
    points = np.einsum('tv,tvk->tk', weights, corners) + [terrain.corner, terrain.corner, 0.0]
    assert points[:, 2] == pytest.approx(terrain.ground(points), abs=2e-4)


@pytest.mark.parametrize('ground', ['trimesh', 'heightfield'])
def test_robots_stand_on_rough_ground_as_in_mujoco(ground):
    needs_mujoco()
    spec = dataclasses.replace(ROUGH, kinds=('steps',), levels=2, border=1.0)
    found = []
    for name in ('isaacgym', 'mujoco'):
        it = open_backend(name, ROBOT, 1, COARSE, device='cpu', terrain=spec,
                          isaacgym=IsaacGymSpec(ground=ground))
        rest = it.default_state()
        start = it.terrain.starts[1, 0] + np.float32([1.25, 0.1, 0.0])  # on stairs
        start[2] = it.terrain.ground(start) + 0.05
        it.reset(np.ones(1, bool), dataclasses.replace(
            rest, base_position=rest.base_position + start))
        for _ in range(8):
            it.step(JointTargets(rest.joint_positions))
        found.append(truth(it))
        it.close()
    one, other = found
    assert one.base_position == pytest.approx(other.base_position, abs=0.01)
    assert one.sole_positions == pytest.approx(other.sole_positions, abs=0.02)
    assert (one.sole_forces > 10.0).any() == (other.sole_forces > 10.0).any()


def test_a_window_that_does_not_open_is_said(monkeypatch):
    from isaacgym import gymapi
    monkeypatch.setattr(gymapi.Gym, 'create_viewer', lambda *arguments: None)
    backend = open_backend('isaacgym', ROBOT, 1, PHYSICS, device='cpu', viewer=True)
    with pytest.raises(SimulationError, match='could not open a window; it needs a display'):
        hold(backend)
