# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Runs an ONNX policy in MuJoCo with the conventions of mjlab's exports, and nothing of ours.

The observation is the terms that ``observation_names`` lists; ``default + scale * actions`` are
the targets of position controllers; further inputs are a memory that starts at zero and comes back
as the further outputs.
"""

from __future__ import annotations

import mujoco
import numpy as np
import onnxruntime

SUBSTEPS, DOWN = 4, np.array([0.0, 0.0, -1.0])


class FieldReader:
    """A robot on a plane, moved by a policy file.

    Attributes:
        model: The MuJoCo model.
        data: Its state, ``qpos`` and ``qvel``.
        actions: (m,) the last actions.
    """

    def __init__(self, policy, mjcf, height):
        self._session = onnxruntime.InferenceSession(str(policy))
        metadata = self._session.get_modelmeta().custom_metadata_map
        self._words = {key: value.split(',') for key, value in metadata.items()}
        self.joints = self._words['joint_names']
        self.default, self.scale, kp, kd, effort = (
            np.array(self._words[key], float) for key in (
                'default_joint_pos', 'action_scale', 'joint_stiffness', 'joint_damping',
                'joint_effort'))
        spec = mujoco.MjSpec.from_file(str(mjcf))
        spec.option.timestep = float(metadata['control_period']) / SUBSTEPS
        spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
        spec.worldbody.add_geom(type=mujoco.mjtGeom.mjGEOM_PLANE, size=[0, 0, 1], conaffinity=1)
        for name, p, d, most in zip(self.joints, kp, kd, effort):
            spec.add_actuator(
                name=name, target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT,
                biastype=mujoco.mjtBias.mjBIAS_AFFINE, gainprm=[p] + [0] * 9,
                biasprm=[0, -p, -d] + [0] * 7, forcelimited=True, forcerange=[-most, most])
        self.model = spec.compile()
        self.data = mujoco.MjData(self.model)
        ids = [self.model.joint(name).id for name in self.joints]
        self.qpos, self.qvel = self.model.jnt_qposadr[ids], self.model.jnt_dofadr[ids]
        self.data.qpos[2], self.data.qpos[self.qpos] = height, self.default
        self.actions = np.zeros(len(self.joints))
        self._memory = [np.zeros(it.shape, np.float32) for it in self._session.get_inputs()[1:]]

    def step(self, command):
        """Run one control step."""
        turn = np.zeros(9)
        mujoco.mju_quat2Mat(turn, self.data.qpos[3:7])
        terms = {'base_ang_vel': self.data.qvel[3:6],
                 'projected_gravity': turn.reshape(3, 3).T @ DOWN, 'command': command,
                 'joint_pos': self.data.qpos[self.qpos] - self.default,
                 'joint_vel': self.data.qvel[self.qvel], 'actions': self.actions}
        obs = np.concatenate([terms[name] for name in self._words['observation_names']])
        names = [it.name for it in self._session.get_inputs()]
        actions, *self._memory = self._session.run(
            None, dict(zip(names, (obs[None].astype(np.float32), *self._memory))))
        self.actions = actions[0]
        self.data.ctrl[:] = self.default + self.scale * self.actions
        mujoco.mj_step(self.model, self.data, SUBSTEPS)
