# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The picture of a robot: outlines of shapes, and what is labelled in which colour."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import numpy as np
import pytest

pytest.importorskip('mujoco')

import mujoco

from humanoid_locomotion.robot_check.drawing import (
    LEFT,
    RIGHT,
    VIEWS,
    Scene,
    _outline,
    picture,
)

ANGLE = 0.6  # [rad] about the x axis
SIN, COS = math.sin(ANGLE), math.cos(ANGLE)
TETRAHEDRON = '<mesh name="it" vertex="0 0 0  1 0 0  0 1 0  0 0 1"/>'


def scene(body, assets='', **parts):
    """Give a robot of one body."""
    model = mujoco.MjModel.from_xml_string(
        f'<mujoco><asset>{assets}</asset><worldbody><geom type="plane" size="0 0 1"/>'
        f'<body name="it" pos="0 0 1"><freejoint/>{body}</body></worldbody></mujoco>')
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    return Scene(model, data, **{'feet': [], 'soles': [], 'twins': {}, **parts})


@pytest.mark.parametrize('kind, size, half_height', [
    ('sphere', '0.2', 0.2),
    ('capsule', '0.1 0.3', 0.1 + 0.3 * COS),
    ('cylinder', '0.1 0.3', 0.3 * COS + 0.1 * SIN),
    ('box', '0.1 0.2 0.3', 0.2 * SIN + 0.3 * COS),
    ('ellipsoid', '0.1 0.2 0.3', math.hypot(0.2 * SIN, 0.3 * COS))])
def test_an_outline_is_as_high_as_its_shape(kind, size, half_height):
    it = scene(f'<geom type="{kind}" size="{size}" euler="{math.degrees(ANGLE)} 0 0"/>')
    outline = _outline(it, 1, VIEWS['front'])
    assert np.ptp(outline[:, 2]) == pytest.approx(2.0 * half_height, rel=1e-6)
    assert outline[:, 2].mean() == pytest.approx(1.0, abs=1e-6)


def test_the_outline_of_a_mesh_goes_through_its_vertices():
    it = scene('<geom type="mesh" mesh="it"/>', TETRAHEDRON)
    outline = _outline(it, 1, VIEWS['front'])
    assert np.ptp(outline[:, 1:], axis=0) == pytest.approx([1.0, 1.0], rel=1e-6)


def test_feet_are_coloured_by_side_and_names_are_escaped():
    feet = ''.join(
        f'<body name="{name}" pos="0 {y} -0.5"><joint name="{name}&lt;b>" axis="0 1 0"/>'
        f'<geom type="sphere" size="0.1"/><site name="{name}_sole" pos="0 0 -0.1"/></body>'
        for name, y in (('l', 0.2), ('r', -0.2)))
    it = scene(f'<geom type="box" size="0.1 0.1 0.3" contype="0" conaffinity="0"/>{feet}',
               feet=['l', 'r'], soles=['l_sole', 'r_sole'], twins={'l<b>': 'r<b>', 'r<b>': 'l<b>'})
    drawn = picture(it)
    front, side = (ElementTree.fromstring(f'{part}</svg>')
                   for part in drawn.split('</svg>')[:2])
    shapes = {shape.find('title').text: shape.get('fill') for shape in front.iter('polygon')}
    assert shapes == {'it: shape, does not collide': '#777', 'l: shape': LEFT, 'r: shape': RIGHT}
    centres = {circle.find('title').text: float(circle.get('cx'))
               for circle in front.iter('circle')}
    assert centres['r<b>'] < centres['l<b>'], 'its left is at the right of one who faces it'
    assert len([it for it in front.iter('line') if it.get('stroke-dasharray')]) == 1
    assert 'NaN' not in drawn and 'nan' not in drawn
    assert len(list(side.iter('polygon'))) == 3
