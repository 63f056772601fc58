# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The robot's viser scene: shapes of its model, posed by its ROS topics."""

from __future__ import annotations

from typing import Any, Dict, Tuple

import mujoco
import numpy as np
import trimesh

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.robot_models.mjcf_reader import check_file, mujoco_errors

SHOWN_GROUPS = 3  # geom groups that MuJoCo's viewer shows, too
LINE_HEIGHT, LINE_WIDTH = 0.02, 8.0  # above the floor [m], [pixels]
COMMANDED, ACHIEVED = (230, 150, 30), (30, 110, 220)
CAMERA = np.array([1.5, -1.5, 0.35])  # position relative to the robot [m]
XYZW_TO_WXYZ = [3, 0, 1, 2]


class RobotModel:
    """Forward kinematics of a robot, by joint names.

    Args:
        robot: The robot.
    """

    def __init__(self, robot: RobotSpec):
        with mujoco_errors(robot.mjcf_path):
            check_file(robot.mjcf_path)
            self.model = mujoco.MjModel.from_xml_path(str(robot.mjcf_path))
        self._data = mujoco.MjData(self.model)
        self._addresses = [self.model.joint(name).qposadr[0] for name in robot.joint_names]
        base = self.model.body(robot.base_link).id
        self._base = int(self.model.jnt_qposadr[self.model.body_jntadr[base]])
        self._soles = [self.model.site(name).id for name in robot.soles]

    def pose(self, position: np.ndarray, orientation: np.ndarray,
             joints: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        """Return the pose of every body: positions (bodies, 3) [m], rotations (bodies, 4) wxyz.

        Args:
            position: (3,) of the base [m].
            orientation: (4,) of the base, xyzw.
            joints: (num_joints,) [rad], in the robot's order.
        """
        qpos = self._data.qpos
        qpos[self._base:self._base + 3] = position
        qpos[self._base + 3:self._base + 7] = orientation[XYZW_TO_WXYZ]
        qpos[self._addresses] = joints
        mujoco.mj_kinematics(self.model, self._data)
        return self._data.xpos.copy(), self._data.xquat.copy()

    def soles(self) -> np.ndarray:
        """Return the height of each sole above the floor at the last pose [m], (2,)."""
        heights: np.ndarray = self._data.site_xpos[self._soles, 2].copy()
        return heights

    def shapes(self) -> Dict[str, Tuple[int, trimesh.Trimesh]]:
        """Return the visible shapes by name: body index, and mesh in the frame of the body."""
        model, found = self.model, {}
        for i in range(model.ngeom):
            if model.geom_group[i] >= SHOWN_GROUPS or model.geom_bodyid[i] == 0:
                continue
            mesh = _mesh(model, i)
            if mesh is None:
                continue
            transform = np.eye(4)
            mujoco.mju_quat2Mat(rotation := np.zeros(9), model.geom_quat[i])
            transform[:3, :3], transform[:3, 3] = rotation.reshape(3, 3), model.geom_pos[i]
            mesh.apply_transform(transform)
            material = model.geom_matid[i]
            colour = model.geom_rgba[i] if material < 0 else model.mat_rgba[material]
            mesh.visual.face_colors = (255 * colour).astype(np.uint8)
            body = int(model.geom_bodyid[i])
            found[f'{model.body(body).name}/{i}'] = (body, mesh)
        return found


def _mesh(model: Any, i: int) -> Any:
    """Return the mesh of a geom in its own frame; None for unbounded shapes such as planes."""
    kind, size = mujoco.mjtGeom(model.geom_type[i]), model.geom_size[i]
    if kind == mujoco.mjtGeom.mjGEOM_SPHERE:
        return trimesh.creation.icosphere(subdivisions=2, radius=size[0])
    if kind == mujoco.mjtGeom.mjGEOM_ELLIPSOID:
        return trimesh.creation.icosphere(subdivisions=2).apply_scale(size)
    if kind == mujoco.mjtGeom.mjGEOM_CAPSULE:
        return trimesh.creation.capsule(height=2.0 * size[1], radius=size[0], count=(16, 16))
    if kind == mujoco.mjtGeom.mjGEOM_CYLINDER:
        return trimesh.creation.cylinder(radius=size[0], height=2.0 * size[1], sections=24)
    if kind == mujoco.mjtGeom.mjGEOM_BOX:
        return trimesh.creation.box(extents=2.0 * size)
    if kind == mujoco.mjtGeom.mjGEOM_MESH:
        mesh = int(model.geom_dataid[i])
        first, count = model.mesh_vertadr[mesh], model.mesh_vertnum[mesh]
        face, faces = model.mesh_faceadr[mesh], model.mesh_facenum[mesh]
        return trimesh.Trimesh(model.mesh_vert[first:first + count],
                               model.mesh_face[face:face + faces])
    return None


class Scene:
    """The robot, the floor, and two lines for velocities, in viser's scene.

    Args:
        server: viser's server.
        robot: The robot.
    """

    def __init__(self, server: Any, robot: RobotSpec):
        self._server, self.robot = server, RobotModel(robot)
        scene = server.scene
        scene.set_up_direction('+z')
        scene.add_grid('/floor', width=40.0, height=40.0, cell_size=0.5, section_size=1.0)
        model = self.robot.model
        self._bodies = {i: scene.add_frame(f'/robot/{model.body(i).name}', show_axes=False)
                        for i in range(1, model.nbody)}
        for name, (_, mesh) in self.robot.shapes().items():
            scene.add_mesh_trimesh(f'/robot/{name}', mesh)
        self._lines = {
            name: scene.add_line_segments(
                f'/{name}', np.zeros((1, 2, 3)), colour, line_width=LINE_WIDTH)
            for name, colour in (('commanded', COMMANDED), ('achieved', ACHIEVED))}
        self._seen_at = np.zeros(3)
        server.on_client_connect(self._on_connect)

    def _on_connect(self, client: Any) -> None:
        client.camera.position = self._seen_at + CAMERA
        client.camera.look_at = self._seen_at

    def show(self, position: np.ndarray, orientation: np.ndarray, joints: np.ndarray,
             commanded: np.ndarray, achieved: np.ndarray) -> None:
        """Show the robot at a pose, with velocities (3,) in the heading frame; cameras follow."""
        positions, quaternions = self.robot.pose(position, orientation, joints)
        moved = position - self._seen_at
        moved[2] *= self._seen_at[2] == 0.0  # no vertical camera motion
        with self._server.atomic():
            for i, frame in self._bodies.items():
                frame.position, frame.wxyz = positions[i], quaternions[i]
            heading = rotations.yaw_quaternion(rotations.yaw(orientation))
            velocities = {'commanded': commanded, 'achieved': achieved}
            for i, (name, line) in enumerate(self._lines.items()):
                forward, left, _ = velocities[name]
                along = rotations.rotate(heading, np.array([forward, left, 0.0]))
                start = np.array([*position[:2], LINE_HEIGHT * (1 + i)])
                line.points = np.array([[start, start + along]])
        if np.linalg.norm(moved) > 0.02:
            for client in self._server.get_clients().values():
                client.camera.position = client.camera.position + moved
                client.camera.look_at = client.camera.look_at + moved
            self._seen_at = self._seen_at + moved
