# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Code shared by the two MuJoCo backends: building, varying and reading a model.

MuJoCo's joint order and its quaternions (w, x, y, z) are converted in this file. The linear
velocity of a free joint is that of the body frame's origin in the world frame; its angular
velocity is in the body frame.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

import mujoco
import numpy as np

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.arrays import Array, Constant, concatenate, largest
from humanoid_locomotion.core.errors import SimulationError
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.robot_models.mjcf_reader import check_file, mujoco_errors
from humanoid_locomotion.sim.backend import (
    CONTACT_FORCE,
    PhysicsSpec,
    PhysicsVariation,
    ResetState,
    Terrain,
    Truth,
    all_joints,
    link_index,
)
from humanoid_locomotion.sim.terrain import CELL

BASE_QPOS, BASE_QVEL = 7, 6  # size of the free joint in qpos and qvel
FLOOR = 'floor'
THICKNESS = 1.0  # of rough ground below its lowest point [m]


def check_version(version: str) -> None:
    """Refuse the one version of MuJoCo whose physics is known to be wrong.

    Raises:
        SimulationError: It is 4.0.0, whose sparse Newton solver factors wrongly.
    """
    if version == '4.0.0':
        raise SimulationError(
            'MuJoCo 4.0.0 is installed, whose sparse Newton solver is wrong; expected 3.17: '
            'pip uninstall mujoco mujoco-core mujoco-studio, then '
            "pip install 'mujoco>=3.17,<4'")


def build_model(robot: RobotSpec, physics: PhysicsSpec, joints: Sequence[Any],
                terrain: Optional[Terrain] = None) -> mujoco.MjModel:
    """Build the robot's model on its ground, with position controllers and sensors.

    Actuators are in the order of ``joints``, then the robot's remaining joints.

    Raises:
        SimulationError: The MJCF lacks a name of ``robot.yaml``, or as :func:`check_version`.
    """
    check_version(mujoco.__version__)
    driven = all_joints(robot, joints)
    with mujoco_errors(robot.mjcf_path):
        check_file(robot.mjcf_path)
        spec = mujoco.MjSpec.from_file(str(robot.mjcf_path))
    lacking = [f'joint {it.name!r}' for it in robot.joints if spec.joint(it.name) is None]
    lacking += [f'body {name!r}' for name in (robot.base_link, *robot.feet)
                if spec.body(name) is None]
    lacking += [f'site {name!r}' for name in robot.soles if spec.site(name) is None]
    if lacking:
        raise SimulationError(f'{robot.mjcf_path}: has no {", ".join(lacking)}, which robot.yaml '
                              'names')
    if any(find(FLOOR) is not None for find in (spec.geom, spec.material, spec.texture)):
        raise SimulationError(f'{robot.mjcf_path}: has something called {FLOOR!r}, which is the '
                              "name of the simulator's ground: give it another name")
    spec.option.timestep = physics.timestep
    spec.option.iterations = physics.solver_iterations
    spec.option.ls_iterations = physics.line_search_iterations
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_PYRAMIDAL
    _add_scenery(spec)
    shape = {'type': mujoco.mjtGeom.mjGEOM_PLANE, 'size': [0, 0, 1]} if terrain is None else (
        _height_field(spec, terrain))
    spec.worldbody.add_geom(name=FLOOR, material=FLOOR, contype=1, conaffinity=1, condim=3,
                            friction=[1.0, 0.005, 0.0001], **shape)
    for joint in robot.joints:
        modelled = spec.joint(joint.name)
        if modelled.armature == 0.0:  # URDF has no attribute for it
            modelled.armature = joint.armature
    for joint in driven:
        spec.add_actuator(
            name=joint.name, target=joint.name, trntype=mujoco.mjtTrn.mjTRN_JOINT,
            gaintype=mujoco.mjtGain.mjGAIN_FIXED, biastype=mujoco.mjtBias.mjBIAS_AFFINE,
            gainprm=[joint.kp] + [0.0] * 9, biasprm=[0.0, -joint.kp, -joint.kd] + [0.0] * 7,
            forcelimited=True, forcerange=[-joint.effort, joint.effort])
    _add_sensors(spec, robot, [joint.name for joint in joints])
    with mujoco_errors(robot.mjcf_path, 'compile'):
        return spec.compile()


def _height_field(spec: Any, terrain: Terrain) -> Dict[str, Any]:
    """Add the terrain's height field; return the arguments of a geom at its position."""
    heights, low = terrain.heights, float(terrain.heights.min())
    rise = max(float(heights.max()) - low, 1e-3)
    half = [0.5 * CELL * (count - 1) for count in heights.shape[::-1]]
    spec.add_hfield(name=FLOOR, nrow=heights.shape[0], ncol=heights.shape[1],
                    size=[*half, rise, THICKNESS],
                    userdata=((heights - low) / rise).ravel().tolist())
    return {'type': mujoco.mjtGeom.mjGEOM_HFIELD, 'hfieldname': FLOOR,
            'pos': [*(terrain.corner + side for side in half), low]}


def _add_scenery(spec: Any) -> None:
    """Add what only rendering needs: sky, light and a checker floor."""
    sky, tiles = mujoco.mjtBuiltin.mjBUILTIN_GRADIENT, mujoco.mjtBuiltin.mjBUILTIN_CHECKER
    spec.visual.headlight.ambient, spec.visual.headlight.diffuse = [0.35] * 3, [0.7] * 3
    spec.add_texture(name='sky', type=mujoco.mjtTexture.mjTEXTURE_SKYBOX, builtin=sky,
                     rgb1=[0.55, 0.70, 0.85], rgb2=[0.95, 0.97, 1.0], width=256, height=256)
    spec.add_texture(name=FLOOR, type=mujoco.mjtTexture.mjTEXTURE_2D, builtin=tiles,
                     rgb1=[0.80, 0.82, 0.84], rgb2=[0.68, 0.71, 0.74], width=256, height=256)
    material = spec.add_material(name=FLOOR, texrepeat=[1, 1], texuniform=True)
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = FLOOR


def _add_sensors(spec: Any, robot: RobotSpec, joint_names: List[str]) -> None:
    site, actuator = mujoco.mjtObj.mjOBJ_SITE, mujoco.mjtObj.mjOBJ_ACTUATOR
    for i, (foot, sole) in enumerate(zip(robot.feet, robot.soles)):
        zone = f'touch_zone_{i}'
        spec.body(foot).add_site(
            name=zone, type=mujoco.mjtGeom.mjGEOM_BOX, size=[0.5, 0.5, 0.5], group=5)
        for name, kind, target in (
                ('position', mujoco.mjtSensor.mjSENS_FRAMEPOS, sole),
                ('velocity', mujoco.mjtSensor.mjSENS_FRAMELINVEL, sole),
                ('normal', mujoco.mjtSensor.mjSENS_FRAMEZAXIS, sole),
                ('force', mujoco.mjtSensor.mjSENS_TOUCH, zone)):
            spec.add_sensor(name=f'sole_{name}_{i}', type=kind, objtype=site, objname=target)
    for name in joint_names:
        spec.add_sensor(name=f'torque_{name}', type=mujoco.mjtSensor.mjSENS_ACTUATORFRC,
                        objtype=actuator, objname=name)


class MujocoLayout:
    """Index layout of qpos, qvel, ctrl and sensordata, for NumPy and PyTorch."""

    def __init__(self, model: mujoco.MjModel, robot: RobotSpec, joints: Sequence[Any],
                 terrain: Optional[Terrain] = None):
        self.num_joints, self._terrain = len(joints), terrain
        ids = [model.joint(joint.name).id for joint in joints]
        self._qpos = Constant(model.jnt_qposadr[ids], np.int64)
        self._qvel = Constant(model.jnt_dofadr[ids], np.int64)
        self.num_held = model.nu - self.num_joints
        held = all_joints(robot, joints)[self.num_joints:]
        self._held = Constant([[joint.default for joint in held]])
        rest = model.key_qpos[0].copy() if robot.passive_joints and model.nkey else (
            model.qpos0.copy())
        for joint in held:
            rest[model.joint(joint.name).qposadr] = joint.default
        self._rest_qpos, self._rest_qvel = Constant(rest[None]), Constant(np.zeros((1, model.nv)))
        self._sensors: Dict[str, Tuple[int, ...]] = {}
        for i in range(model.nsensor):
            start = int(model.sensor_adr[i])
            self._sensors[model.sensor(i).name] = (start, start + int(model.sensor_dim[i]))
        self._torques = self._sensors[f'torque_{joints[0].name}'][0]
        self.num_measured = model.nsensordata + 4  # followed by two peak forces and two slips

    def control(self, positions: Array) -> Array:
        """Return ctrl (num_envs, nu) for joint targets (num_envs, num_joints)."""
        if not self.num_held:
            return positions
        held = self._held.like(positions)
        return concatenate([positions, held + 0.0 * positions[:, :1]])

    def state(self, qpos: Array, qvel: Array) -> RobotState:
        """Return the measurable state of the robots."""
        orientation = xyzw(qpos[:, 3:7])
        return RobotState(
            joint_positions=qpos[:, self._qpos.like(qpos)],
            joint_velocities=qvel[:, self._qvel.like(qvel)],
            base_orientation=orientation,
            base_angular_velocity=qvel[:, 3:6] + 0.0,
            base_position=qpos[:, :3] + 0.0,
            base_linear_velocity=rotations.rotate_inverse(orientation, qvel[:, :3]))

    def measured(self, sensordata: Array) -> Array:
        """Return the data kept from a control step, (num_envs, :attr:`num_measured`).

        They are the last physics step's sensordata, then the soles' peak forces and slips.

        Args:
            sensordata: (num_envs, substeps, nsensordata).
        """
        forces = self._of_soles('force', sensordata)[..., 0]
        speeds = (self._of_soles('velocity', sensordata)[..., :2] ** 2).sum(-1) ** 0.5
        return concatenate([sensordata[:, -1], largest(forces, 1),
                            (speeds * (forces > CONTACT_FORCE)).mean(1)])

    def _of_soles(self, name: str, sensordata: Array) -> Array:
        left, right = (slice(*self._sensors[f'sole_{name}_{i}']) for i in (0, 1))
        joined = concatenate([sensordata[..., left], sensordata[..., right]])
        return joined.reshape(*joined.shape[:-1], 2, -1)

    def truth(self, qpos: Array, qvel: Array, measured: Array) -> Truth:
        """Return the ground truth, from the state and the data of :meth:`measured`."""
        base, soles = qpos[:, :3] + 0.0, self._of_soles('position', measured)
        if self._terrain is not None:
            for points in (base, soles):
                points[..., 2] -= self._terrain.ground(points)
        return Truth(
            base_position=base,
            base_linear_velocity=rotations.rotate_inverse(xyzw(qpos[:, 3:7]), qvel[:, :3]),
            sole_positions=soles, sole_velocities=self._of_soles('velocity', measured),
            sole_normals=self._of_soles('normal', measured),
            sole_forces=self._of_soles('force', measured)[..., 0],
            peak_sole_forces=measured[:, -4:-2] + 0.0, sole_slips=measured[:, -2:] + 0.0,
            joint_torques=measured[:, self._torques:self._torques + self.num_joints] + 0.0)

    def qpos_qvel(self, state: ResetState) -> Tuple[Array, Array]:
        """Return (num_envs, nq) and (num_envs, nv) for a reset state."""
        base = state.base_position
        qpos = self._rest_qpos.like(base) + 0.0 * base[:, :1]
        qvel = self._rest_qvel.like(base) + 0.0 * base[:, :1]
        qpos[:, :3], qpos[:, 3:7] = base, wxyz(state.base_orientation)
        qpos[:, self._qpos.like(base)] = state.joint_positions
        qvel[:, :3], qvel[:, 3:6] = state.base_linear_velocity, state.base_angular_velocity
        qvel[:, self._qvel.like(base)] = state.joint_velocities
        return qpos, qvel


def xyzw(quaternion: Array) -> Array:
    """Return MuJoCo's quaternion as xyzw, this package's order."""
    return concatenate([quaternion[..., 1:], quaternion[..., :1]])


def wxyz(quaternion: Array) -> Array:
    """Return this package's quaternion as wxyz, MuJoCo's order."""
    return concatenate([quaternion[..., 3:], quaternion[..., :3]])


# The model fields that a variation changes, including derived constants.
VARIED_FIELDS = (
    'geom_friction', 'body_mass', 'body_inertia', 'body_ipos', 'body_subtreemass',
    'body_invweight0', 'dof_invweight0', 'actuator_gainprm', 'actuator_biasprm')


class ModelVariations:
    """Computes the :data:`VARIED_FIELDS` of the model for each robot."""

    def __init__(self, model: mujoco.MjModel, robot: RobotSpec, variation: PhysicsVariation):
        self._model, self._variation = model, variation
        self._nominal = {name: getattr(model, name).copy() for name in VARIED_FIELDS}
        self._trunk = model.body(robot.trunk).id
        names = [model.body(i).name for i in range(model.nbody)]
        self._loaded = {link_index(name, names): mass
                        for name, mass in variation.link_payload.items()}
        self._data = mujoco.MjData(model)

    def apply(self, model: mujoco.MjModel, i: int) -> None:
        """Write the parameters of robot ``i`` into ``model``, a copy of the nominal one."""
        for name, value in self._nominal.items():
            getattr(model, name)[...] = value
        v = self._variation
        if v.friction is not None:
            model.geom_friction[:, 0] = v.friction[i]
        if v.mass_scale is not None:
            model.body_mass[...] *= v.mass_scale[i]
            model.body_inertia[...] *= v.mass_scale[i]
        if v.payload is not None:
            _load(model, self._trunk, v.payload[i])
        for body, payload in self._loaded.items():
            _load(model, body, payload[i])
        if v.com_offset is not None:
            model.body_ipos[self._trunk] += v.com_offset[i]
        for scale, column in ((v.kp_scale, 1), (v.kd_scale, 2)):
            if scale is not None:
                n = scale.shape[1]
                model.actuator_biasprm[:n, column] *= scale[i]
                if column == 1:
                    model.actuator_gainprm[:n, 0] *= scale[i]
        mujoco.mj_setConst(model, self._data)


def _load(model: mujoco.MjModel, body: int, payload: float) -> None:
    mass = model.body_mass[body]
    model.body_inertia[body] *= (mass + payload) / mass
    model.body_mass[body] = mass + payload
