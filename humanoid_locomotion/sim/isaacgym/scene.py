# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Builds the scene of the Isaac Gym backend: simulation parameters, robots, friction and masses.

Every parameter with an unexpected default is set: y up, FLEX, angular damping, a speed limit.
Values without a comment are those of legged_gym. Isaac Gym takes friction and masses per robot
and only before it starts, so this module is the only one with a loop over robots.
"""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from humanoid_locomotion.core.errors import JointsError, SimulationError
from humanoid_locomotion.core.robot import GRAVITY, RobotSpec
from humanoid_locomotion.robot_models.urdf import UrdfTree
from humanoid_locomotion.sim.backend import PhysicsSpec, PhysicsVariation, Terrain
from humanoid_locomotion.sim.isaacgym.importing import gymapi
from humanoid_locomotion.sim.isaacgym.spec import IsaacGymSpec
from humanoid_locomotion.sim.terrain import CELL

HEIGHT_STEP = 1e-3  # [m] of a height field, which holds 16 bits
SPACING = 3.0  # [m] between robots; they cannot collide, but overlapping pairs would be counted
FRICTION = 0.8  # of the feet without a variation, as in the MJCF files
FRICTION_LEVELS = 64  # distinct materials; PhysX supports 64,000
LEFT_LEG, RIGHT_LEG, ELSEWHERE = 1, 2, 3  # shapes with a common bit do not collide


def sim_params(physics: PhysicsSpec, settings: IsaacGymSpec, on_gpu: bool) -> gymapi.SimParams:
    """Return the parameters of a simulation."""
    params = gymapi.SimParams()
    params.dt, params.substeps = physics.timestep, 1
    params.up_axis, params.gravity = gymapi.UP_AXIS_Z, gymapi.Vec3(0.0, 0.0, -GRAVITY)
    params.use_gpu_pipeline = on_gpu
    physx = params.physx
    physx.use_gpu = on_gpu
    physx.solver_type = 1  # temporal Gauss-Seidel
    physx.num_position_iterations = settings.position_iterations
    physx.num_velocity_iterations = settings.velocity_iterations
    physx.contact_offset, physx.rest_offset = settings.contact_offset, 0.0
    physx.bounce_threshold_velocity = 0.5
    physx.max_depenetration_velocity = settings.max_depenetration_velocity
    physx.max_gpu_contact_pairs = settings.max_contact_pairs
    physx.default_buffer_size_multiplier = settings.buffer_multiplier
    physx.num_threads = 10
    # One simulate is one substep. NVIDIA advises against the mode for all substeps.
    physx.contact_collection = gymapi.CC_LAST_SUBSTEP
    return params


def asset_options() -> gymapi.AssetOptions:
    """Return the import options for a robot's URDF."""
    options = gymapi.AssetOptions()
    options.default_dof_drive_mode = int(gymapi.DOF_MODE_EFFORT)
    options.fix_base_link = options.disable_gravity = False
    options.collapse_fixed_joints = True  # links without mass would get a default mass
    options.replace_cylinder_with_capsule = True  # as robot.urdf expects
    options.flip_visual_attachments = False
    options.density = 0.001
    options.override_com = options.override_inertia = False
    options.angular_damping = options.linear_damping = 0.0
    options.max_angular_velocity = options.max_linear_velocity = 1000.0
    options.armature = 0.0  # joint by joint, in dof_properties
    options.use_physx_armature = True
    options.thickness = 0.01
    return options


class Asset(NamedTuple):
    """A robot imported by Isaac Gym.

    Attributes:
        handle: Isaac Gym's asset handle.
        dof_names: Joint names in Isaac Gym's order.
        body_names: Link names in Isaac Gym's order, the base first.
        shape_filters: The collision filter of every shape.
        trunk: Index of the link that carries a payload.
    """

    handle: gymapi.Asset
    dof_names: List[str]
    body_names: List[str]
    shape_filters: List[int]
    trunk: int


def load_robot_asset(gym: gymapi.Gym, sim: gymapi.Sim, robot: RobotSpec) -> Asset:
    """Import a robot's URDF and check its links and joints.

    Raises:
        SimulationError: Isaac Gym cannot read it, or finds other links.
        JointsError: It finds other joints.
    """
    path = robot.urdf_path
    handle = gym.load_asset(sim, str(path.parent), path.name, asset_options())
    if handle is None:
        raise SimulationError(f'{path}: Isaac Gym cannot load it; see its own output')
    dof_names = list(gym.get_asset_dof_names(handle))
    if sorted(dof_names) != sorted(robot.joint_names):
        missing = set(robot.joint_names) ^ set(dof_names)
        raise JointsError(f'{path} in Isaac Gym', sorted(missing), dof_names)
    body_names = list(gym.get_asset_rigid_body_names(handle))
    wanted = [*robot.feet, robot.trunk]
    if body_names[0] != robot.base_link or not set(wanted) <= set(body_names):
        raise SimulationError(f'{path}: expected the links {robot.base_link!r} (first) and '
                              f'{wanted}, Isaac Gym found {body_names}')
    return Asset(handle, dof_names, body_names, _shape_filters(gym, handle, robot, body_names),
                 body_names.index(robot.trunk))


def _shape_filters(gym: gymapi.Gym, handle: gymapi.Asset, robot: RobotSpec,
                   bodies: List[str]) -> List[int]:
    """Allow contacts between the legs and no other self-collision.

    Neighbouring links overlap at their joints, and URDF cannot state which of them may.
    """
    tree = UrdfTree(robot.urdf_path)
    left, right = (set(tree.ancestors(foot)) for foot in robot.feet)
    filters = [ELSEWHERE] * gym.get_asset_rigid_shape_count(handle)
    for name, shapes in zip(bodies, gym.get_asset_rigid_body_shape_indices(handle)):
        of_link = LEFT_LEG if name in left - right else (
            RIGHT_LEG if name in right - left else ELSEWHERE)
        for shape in range(shapes.start, shapes.start + shapes.count):
            filters[shape] = of_link
    return filters


def dof_properties(gym: gymapi.Gym, asset: Asset, robot: RobotSpec) -> np.ndarray:
    """Return the joint properties: torque-driven, since the backend computes the PD law."""
    properties = gym.get_asset_dof_properties(asset.handle)
    joints = {joint.name: joint for joint in robot.joints}
    for row, name in enumerate(asset.dof_names):
        joint = joints[name]
        for field, value in (
                ('hasLimits', True), ('lower', joint.lower), ('upper', joint.upper),
                ('driveMode', int(gymapi.DOF_MODE_EFFORT)), ('velocity', joint.velocity),
                ('effort', joint.effort), ('stiffness', 0.0), ('damping', 0.0),
                ('friction', 0.0), ('armature', joint.armature)):
            properties[field][row] = value
    return properties


def places(num_envs: int) -> np.ndarray:
    """Return where each robot is created, on a square grid (num_envs, 3) [m]."""
    side = int(np.ceil(np.sqrt(num_envs)))
    rows, columns = np.divmod(np.arange(num_envs), side)
    return SPACING * np.stack((rows, columns, np.zeros(num_envs)), -1).astype(np.float32)


def origins(num_envs: int, on_terrain: bool) -> np.ndarray:
    """Return the origin of each robot's world (num_envs, 3) [m].

    All Isaac Gym environments share one origin, so that their frames equal the world frame. On a
    flat floor robots are moved apart; on rough ground all of them use the one ground.
    """
    return np.zeros((num_envs, 3), np.float32) if on_terrain else places(num_envs)


class Friction(NamedTuple):
    """Coefficients of the floor and of each robot's shapes (num_envs,)."""

    floor: float
    shapes: np.ndarray


def friction(wanted: np.ndarray) -> Friction:
    """Return friction coefficients that give each robot (num_envs,) the wanted sliding friction.

    PhysX uses the mean of two materials by default, and Isaac Gym cannot change that.
    """
    low, high = float(wanted.min()), float(wanted.max())
    step = max(high - low, 1e-6) / (FRICTION_LEVELS - 1)
    rounded = low + step * np.round((wanted - low) / step)
    floor = min(low, 1.0)
    return Friction(floor, 2.0 * rounded - floor)


def populate(gym: gymapi.Gym, sim: gymapi.Sim, asset: Asset, robot: RobotSpec, num_envs: int,
             variation: PhysicsVariation, terrain: Optional[Terrain] = None,
             ground: str = 'trimesh') -> List[gymapi.Env]:
    """Add floor and robots, each with its own physics; return Isaac Gym's environments.

    Raises:
        SimulationError: Isaac Gym did not accept a value.
    """
    wanted = np.full(num_envs, FRICTION) if variation.friction is None else variation.friction
    rubbing = friction(np.asarray(wanted, np.float64))
    if terrain is None:
        _add_plane(gym, sim, rubbing.floor)
    elif ground == 'trimesh':
        _add_mesh(gym, sim, rubbing.floor, terrain)
    else:
        _add_height_field(gym, sim, rubbing.floor, terrain)
    properties, made_at = dof_properties(gym, asset, robot), places(num_envs)
    nowhere, per_row = gymapi.Vec3(0.0, 0.0, 0.0), int(np.ceil(np.sqrt(num_envs)))
    envs = []
    for i in range(num_envs):
        env = gym.create_env(sim, nowhere, nowhere, per_row)
        pose = gymapi.Transform()
        pose.p = gymapi.Vec3(float(made_at[i, 0]), float(made_at[i, 1]), robot.base_height)
        pose.r = gymapi.Quat(0.0, 0.0, 0.0, 1.0)
        # Robots of different groups never touch; shapes filter themselves, so the robot has none.
        actor = gym.create_actor(env, asset.handle, pose, robot.name, i, 0)
        _require(gym.set_actor_dof_properties(env, actor, properties), 'DOF properties')
        shapes = gym.get_actor_rigid_shape_properties(env, actor)
        for shape, own_filter in zip(shapes, asset.shape_filters):
            shape.friction, shape.restitution = float(rubbing.shapes[i]), 0.0
            shape.filter = own_filter
        _require(gym.set_actor_rigid_shape_properties(env, actor, shapes), 'shape properties')
        _vary_masses(gym, env, actor, variation, i, asset)
        envs.append(env)
    _check_taken(gym, envs[-1], properties)
    return envs


def _add_plane(gym: gymapi.Gym, sim: gymapi.Sim, friction: float) -> None:
    plane = gymapi.PlaneParams()
    plane.normal, plane.distance = gymapi.Vec3(0.0, 0.0, 1.0), 0.0
    plane.static_friction = plane.dynamic_friction = friction
    plane.restitution = 0.0
    gym.add_ground(sim, plane)


def _add_mesh(gym: gymapi.Gym, sim: gymapi.Sim, friction: float, terrain: Terrain) -> None:
    vertices, triangles = mesh(terrain)
    params = gymapi.TriangleMeshParams()
    params.nb_vertices, params.nb_triangles = len(vertices), len(triangles)
    params.transform.p = gymapi.Vec3(terrain.corner, terrain.corner, 0.0)
    params.static_friction = params.dynamic_friction = friction
    params.restitution = 0.0
    gym.add_triangle_mesh(sim, vertices.ravel(), triangles.ravel(), params)


def _add_height_field(gym: gymapi.Gym, sim: gymapi.Sim, friction: float,
                      terrain: Terrain) -> None:
    """Add the terrain as legged_gym does: samples with y running fastest, its rows along y."""
    samples = np.round(terrain.heights.T / HEIGHT_STEP).astype(np.int16)
    params = gymapi.HeightFieldParams()
    params.row_scale = params.column_scale = CELL
    params.vertical_scale = HEIGHT_STEP
    params.nbColumns, params.nbRows = samples.shape
    params.transform.p = gymapi.Vec3(terrain.corner, terrain.corner, 0.0)
    params.static_friction = params.dynamic_friction = friction
    params.restitution = 0.0
    gym.add_heightfield(sim, np.ascontiguousarray(samples).ravel(), params)


def mesh(terrain: Terrain) -> Tuple[np.ndarray, np.ndarray]:
    """Return the surface of :meth:`Terrain.ground`: each cell as two triangles, seen from above.

    Returns:
        Vertices (num_vertices, 3) float32 [m] from the corner of the grid; indices
        (num_triangles, 3) uint32.
    """
    rows, columns = terrain.heights.shape
    y, x = np.meshgrid(np.arange(rows) * CELL, np.arange(columns) * CELL, indexing='ij')
    vertices = np.stack((x, y, terrain.heights), -1).reshape(-1, 3).astype(np.float32)
    here = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    right, ahead, across = here + 1, here + columns, here + columns + 1
    triangles = np.concatenate((np.stack((here, right, across), -1),
                                np.stack((here, across, ahead), -1)))
    return vertices, triangles.astype(np.uint32)


def _vary_masses(gym: gymapi.Gym, env: gymapi.Env, actor: int, variation: PhysicsVariation,
                 i: int, asset: Asset) -> None:
    """Scale every link, then load links and shift the trunk's centre of mass."""
    v, trunk = variation, asset.trunk
    if (v.mass_scale is None and v.payload is None and v.com_offset is None
            and not v.link_payload):
        return
    bodies = gym.get_actor_rigid_body_properties(env, actor)
    factors = np.full(len(bodies), 1.0 if v.mass_scale is None else v.mass_scale[i])
    if v.payload is not None:
        factors[trunk] += v.payload[i] / bodies[trunk].mass
    for name, payload in v.link_payload.items():
        link = asset.body_names.index(name)
        factors[link] += payload[i] / bodies[link].mass
    for body, factor in zip(bodies, factors.tolist()):
        body.mass = body.mass * factor
        inertia = gymapi.Mat33()
        inertia.x, inertia.y, inertia.z = (
            row * factor for row in (body.inertia.x, body.inertia.y, body.inertia.z))
        body.inertia = inertia
    if v.com_offset is not None:
        x, y, z = (float(shift) for shift in v.com_offset[i])
        bodies[trunk].com = bodies[trunk].com + gymapi.Vec3(x, y, z)
    # Recomputing inertia would take the shapes' volumes: many links have no shape.
    _require(gym.set_actor_rigid_body_properties(env, actor, bodies, False), 'body properties')
    taken = gym.get_actor_rigid_body_properties(env, actor)
    if not np.allclose([body.mass for body in taken], [body.mass for body in bodies], rtol=1e-4):
        raise SimulationError('Isaac Gym did not take the masses that it was given')


def _check_taken(gym: gymapi.Gym, env: gymapi.Env, wanted: np.ndarray) -> None:
    """Compare the joint properties with the wanted ones: some importers drop them."""
    found = gym.get_actor_dof_properties(env, 0)
    for field in ('driveMode', 'stiffness', 'damping', 'armature'):
        if not np.allclose(found[field], wanted[field], rtol=1e-4, atol=1e-6):
            raise SimulationError(f'Isaac Gym did not take the DOF property {field}: wanted '
                                  f'{wanted[field].tolist()}, found {found[field].tolist()}')


def _require(success: bool, what: str) -> None:
    if not success:
        raise SimulationError(f'Isaac Gym refused the {what}; see its own output')


class Properties(NamedTuple):
    """What Isaac Gym says that a robot is like.

    Attributes:
        masses: (num_links,) [kg].
        centres: Centres of mass in the links' frames (num_links, 3) [m].
        inertias: (num_links, 3, 3) [kg m^2].
        frictions: (num_shapes,).
        dofs: The joints' properties.
    """

    masses: np.ndarray
    centres: np.ndarray
    inertias: np.ndarray
    frictions: np.ndarray
    dofs: np.ndarray


def read_properties(gym: gymapi.Gym, env: gymapi.Env) -> Properties:
    """Read the properties of the robot of an environment."""
    def vector(it: gymapi.Vec3) -> List[float]:
        return [it.x, it.y, it.z]

    bodies = gym.get_actor_rigid_body_properties(env, 0)
    return Properties(
        np.array([body.mass for body in bodies]), np.array([vector(it.com) for it in bodies]),
        np.array([[vector(row) for row in (it.inertia.x, it.inertia.y, it.inertia.z)]
                  for it in bodies]),
        np.array([shape.friction for shape in gym.get_actor_rigid_shape_properties(env, 0)]),
        gym.get_actor_dof_properties(env, 0))


def centres_of_mass(gym: gymapi.Gym, envs: Sequence[gymapi.Env]) -> Dict[str, np.ndarray]:
    """Return the links' centres of mass, in their frames.

    Returns:
        ``base`` (num_envs, 3), each robot's own, and ``links`` (num_links, 3), those of the
        first robot [m].
    """
    found = np.array([read_properties(gym, env).centres for env in envs], np.float32)
    return {'base': found[:, 0], 'links': found[0]}
