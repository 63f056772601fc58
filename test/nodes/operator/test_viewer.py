# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The page shows and drives the robot, in a real browser; its parts are right without one."""

import contextlib
import functools
import math
import os
from pathlib import Path
import signal

from browser import FLAT, PATIENCE, open_page
import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('mujoco')
pytest.importorskip('viser')

from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.sim.web.viser_scene import RobotModel

pytestmark = pytest.mark.ros
UPRIGHT = np.array([0.0, 0.0, 0.0, 1.0])


# The robot.

def test_both_soles_are_on_the_floor_in_the_default_pose():
    spec = load_robot('humanoid')
    model = RobotModel(spec)
    model.pose(np.array([3.0, 1.0, spec.base_height]), UPRIGHT, spec.values('default'))
    np.testing.assert_allclose(model.soles(), 0.0, atol=0.01)


def test_the_body_follows_odometry_and_the_limbs_their_joints():
    spec = load_robot('humanoid')
    model, joints = RobotModel(spec), spec.values('default')
    names = [model.model.body(i).name for i in range(model.model.nbody)]
    turned = np.array([0.0, 0.0, math.sqrt(0.5), math.sqrt(0.5)])
    positions, quaternions = model.pose(np.array([1.0, 2.0, 0.9]), turned, joints)
    base = names.index(spec.base_link)
    np.testing.assert_allclose(positions[base], [1.0, 2.0, 0.9])
    np.testing.assert_allclose(quaternions[base], [math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5)])
    before = model.soles()
    joints[spec.joint_names.index('left_knee')] += 0.5
    model.pose(np.array([1.0, 2.0, 0.9]), turned, joints)
    lifted = model.soles() - before
    assert lifted[0] > 0.02 and lifted[1] == pytest.approx(0.0)


def test_every_shape_is_a_closed_mesh_of_a_body():
    model = RobotModel(load_robot('humanoid'))
    shapes = model.shapes()
    assert len(shapes) > 20
    for name, (body, mesh) in shapes.items():
        assert name.startswith(model.model.body(body).name) and mesh.is_watertight


# The page, in a browser.

@contextlib.contextmanager
def stage(ros, tmp_path):
    from humanoid_locomotion.reliability.faults.viewer_faults import stage as open_stage
    with open_stage(open_policy('humanoid', 'onnxruntime'), load_robot('humanoid')) as on:
        on.listener.begin()
        yield on


def middle(page, name):
    """Return where a button is."""
    box = page.get_by_role('button', name=name).bounding_box()
    return box['x'] + box['width'] / 2, box['y'] + box['height'] / 2


@pytest.mark.slow
@pytest.mark.browser
def test_a_browser_shows_and_drives_the_robot(ros, tmp_path):
    with open_page(tmp_path) as page, stage(ros, tmp_path) as on:
        drive(on, page, Path(os.environ.get('SCREENSHOT', tmp_path / 'viewer.png')))


def drive(on, page, screenshot):
    """Do by mouse and keys what a person would."""
    page.goto(on.address)
    page.get_by_text('EMERGENCY STOP').wait_for()
    page.get_by_text('standing').wait_for()
    page.get_by_text('to drive').wait_for()
    on.until(lambda: bool(on.listener.samples), 'the robot')
    page.mouse.click(289, 82)  # closes viser's remark about software rendering
    begin, still = on.listener.samples[-1].position, page.screenshot()
    # The mouse: the robot walks while the button is held, and stands when it is let go.
    page.mouse.move(*middle(page, 'forward'))
    page.mouse.down()
    on.until(lambda: on.listener.samples[-1].position[0] - begin[0] > 0.3, 'walking')
    page.get_by_text('You have the control').wait_for()
    page.screenshot(path=str(screenshot))
    page.mouse.up()
    on.spin(1.0)
    assert not on.listener.heard[-1][1] and page.screenshot() != still
    # A key.
    page.keyboard.down('j')
    on.walk()
    page.keyboard.up('j')
    on.spin(1.0)
    assert not on.listener.heard[-1][1]
    # A slider, which springs back.
    slider = page.locator('#hands input').first
    box = slider.bounding_box()
    page.mouse.move(box['x'] + box['width'] / 3, box['y'] + box['height'] / 2)
    page.mouse.down()
    page.mouse.move(box['x'] + 0.8 * box['width'], box['y'] + box['height'] / 2)
    on.walk()
    assert float(slider.input_value()) > 0.3
    page.mouse.up()
    on.spin(1.0)
    assert not on.listener.heard[-1][1] and slider.input_value() == '0'
    # The emergency stop.
    page.get_by_text('EMERGENCY STOP').click()
    on.until(lambda: on.listener.state == 'fault: emergency stop', 'the emergency stop')
    page.get_by_text('fault: emergency stop').first.wait_for()


@pytest.mark.slow
@pytest.mark.browser
def test_robot_stands_soon_after_the_browser_goes_in_any_way(ros, tmp_path):
    with open_page(tmp_path, FLAT, nice=0) as page, stage(ros, tmp_path) as on:
        group = int((tmp_path / 'chromium.pid').read_text())
        assert os.getpgid(group) == group
        context = page.context.browser.new_context()
        ways = {
            'lets go': lambda page: page.mouse.up(),
            'loses the focus': lambda page: page.evaluate(
                'window.dispatchEvent(new Event("blur"))'),
            'stands still': lambda page: page.evaluate(
                'setTimeout(() => { for (const t = Date.now(); Date.now() < t + 3000;); })'),
            'closed': lambda page: page.close(),
            'leaves the page': lambda page: page.goto('about:blank'),
            'crashed': crash,
            'stopped': lambda _: os.killpg(group, signal.SIGSTOP),
            'killed': lambda _: os.killpg(group, signal.SIGKILL)}
        seen = []
        for name, go in ways.items():
            page = hold_forward(context.new_page(), on)
            seen.append(on.outcome(name, functools.partial(go, page)))
            print(seen[-1])
            if name == 'stopped':
                os.killpg(group, signal.SIGCONT)
        assert all(one.passed for one in seen), seen


def hold_forward(page, on):
    """Open the page anew, where viser cannot unpack itself and draw, and hold a button."""
    page.set_default_timeout(1000 * PATIENCE)
    page.add_init_script('delete globalThis.DecompressionStream')
    page.goto(on.address, wait_until='commit')
    page.get_by_text('to drive').wait_for()
    page.mouse.move(*middle(page, 'forward'))
    page.mouse.down()
    return page


def crash(page):
    """Crash the tab; the answer to that never comes."""
    page.evaluate('setTimeout(() => 0)')
    with contextlib.suppress(Exception):
        page.goto('chrome://crash', timeout=500)
