# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The film in the report: what the robot did, in a page that needs nothing else."""

from __future__ import annotations

import base64
import io
import re
import warnings

import numpy as np
from policy_factory import balancing_policy, make_contract
import pytest

pytest.importorskip('mujoco')
pytest.importorskip('onnxruntime')
pytest.importorskip('PIL')

from PIL import Image

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.feedback.robot_size import robot_size
from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.evaluation.plots import animation
from humanoid_locomotion.evaluation.protocol import QUICK
from humanoid_locomotion.sim.mujoco import renderer

ROBOT = load_robot('humanoid')
STEPS = round(sum(seconds for _, seconds in animation.SCENES) / 0.02)


@pytest.fixture(scope='module')
def walked():
    """Give the poses of the policy that ships."""
    return animation.poses(open_policy('humanoid', engine='onnxruntime'), ROBOT, QUICK)


def test_the_robot_walks_is_pushed_and_stands_at_the_end(walked):
    assert walked.shape == (STEPS, 7 + ROBOT.num_joints)
    place, joints = walked[:, :3], walked[:, 7:]
    pushed = round(animation.PUSH_TIME / 0.02)
    before, after = place[pushed - 1, 1] - place[0, 1], place[pushed + 20, 1] - place[0, 1]
    assert place[-1, 0] > 1.0 and abs(before) < 0.1 and after > before + 0.1
    assert place[:, 2].min() > 0.75 and np.linalg.norm(place[-1] - place[-10]) < 0.05
    assert rotations.yaw(walked[-1:, 3:7])[0] > 0.5
    names = ROBOT.joint_names
    knees = joints[:, [names.index('left_knee'), names.index('right_knee')]]
    assert np.ptp(knees, axis=0).min() > 0.3


def test_a_small_robot_is_shown_at_its_own_speeds():
    contract = make_contract('toddlerbot')
    commands = animation._commands(contract, robot_size(load_robot('toddlerbot')).scale)
    assert commands[0] == pytest.approx(np.array([[0.355, 0.0, 0.0]]))


def test_the_film_lies_in_the_page_and_lasts_as_long(walked, monkeypatch, tmp_path):
    shown = []
    monkeypatch.setattr(renderer, 'film', lambda robot, poses: shown.append(poses) or np.stack(
        [np.full((4, 6, 3), 97 * i % 256, np.uint8) for i in range(len(poses))]))
    folder = open_policy(balancing_policy(tmp_path / 'one'), engine='onnxruntime')
    html = animation.film(folder, ROBOT, QUICK)
    (data,) = re.findall(r'src="data:image/webp;base64,([^"]+)"', html)
    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        assert (image.n_frames, image.size) == (len(shown[0]), (6, 4))
        image.seek(1)
        image.load()
        assert image.info['duration'] == 40 and len(shown[0]) == -(-STEPS // 2)


def test_poses_are_rendered_and_the_camera_goes_along(walked):
    images = renderer.film(ROBOT.folder, walked[::100])
    if images is None:
        warnings.warn('no way of rendering here: the film was NOT tested', stacklevel=1)
        pytest.skip('MuJoCo cannot render here')
    assert images.shape == (4, *renderer.FILM_SIZE, 3)
    for image in images:
        middle = image[:, 150:330].astype(float)
        assert middle.std() > 20.0  # more than sky and floor
    assert np.abs(images[0].astype(float) - images[-1]).mean() > 2.0
