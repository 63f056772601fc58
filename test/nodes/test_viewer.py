"""The page shows and drives the robot, in a real browser; its parts are right without one."""

import math
import os
from pathlib import Path
import time

from browser import PATIENCE, open_page
import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('mujoco')
pytest.importorskip('viser')

from humanoid_locomotion.core.command import CommandLimits
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.nodes.viewer_panel import DIRECTIONS, KEYS, Panel
from humanoid_locomotion.sim.web_scene import RobotModel

pytestmark = pytest.mark.ros
LIMITS = CommandLimits((-0.5, 1.0), (-0.4, 0.4), (-0.8, 0.8))
UPRIGHT = np.array([0.0, 0.0, 0.0, 1.0])
PORT = 18_080


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


# The panel, with viser's server and no browser.

@pytest.fixture
def panel():
    import viser
    server = viser.ViserServer(host='127.0.0.1', port=PORT + 1, verbose=False)
    called = []
    yield Panel(server, LIMITS, called.append, called.append)
    server.stop()


def test_nobody_drives_until_someone_does(panel):
    assert not panel.command().any()


@pytest.mark.parametrize('key, sign', [('I', [1, 0, 0]), ('K', [-1, 0, 0]), ('J', [0, 0, 1]),
                                       ('L', [0, 0, -1]), ('U', [0, 1, 0]), ('O', [0, -1, 0])])
def test_keys_drive_until_space(panel, key, sign):
    panel._press(KEYS[key])
    np.testing.assert_array_equal(np.sign(panel.command()), sign)
    panel._press(KEYS['space'])
    assert not panel.command().any()


def test_a_held_button_drives_until_it_is_let_go(panel):
    panel._hold(np.array([0.5, 0.0, 0.0]))
    assert panel.command()[0] == 0.5
    time.sleep(0.5)
    assert not panel.command().any()


def test_stop_overrules_keys_and_buttons(panel):
    panel._press('w')
    panel._hold(np.array([0.5, 0.0, 0.0]))
    panel.stop()
    assert not panel.command().any()


def test_every_direction_is_within_the_limits():
    for share in DIRECTIONS.values():
        assert np.abs(share).max() <= 1.0 and np.count_nonzero(share) == 1


# The page, in a browser.

class Robot:
    """A simulated robot, its locomotion node and its viewer, and what they say."""

    def __init__(self, logs):
        from humanoid_locomotion.nodes.session import Session, Watcher

        class Watch(Watcher):
            segment, is_done, is_heard = 0, False, True

        from geometry_msgs.msg import Twist

        from humanoid_locomotion.nodes import qos
        self.watch = Watch('watch', load_robot('humanoid').joint_names)
        self.commands = []
        self.watch.create_subscription(
            Twist, 'cmd_vel', lambda msg: self.commands.append(
                (msg.linear.x, msg.linear.y, msg.angular.z)), qos.VELOCITY_COMMAND)
        self.session = Session(self.watch, {
            'sim': {'robot': 'humanoid'}, 'viewer': {'port': PORT},
            'locomotion': {'policy': 'humanoid', 'engine': 'onnxruntime', 'autostart': True,
                           'use_sim_time': True}}, logs)
        try:
            self.session.wait_until_standing()
        except BaseException:
            self.session.close()
            raise
        self.watch.begin()

    def until(self, condition, seconds=PATIENCE):
        deadline = time.monotonic() + seconds
        self.watch.last_news = time.monotonic()  # nobody listened while the browser worked
        while not condition():
            assert time.monotonic() < deadline, (self.watch.state, self.commands[-3:])
            self.session.spin()

    @property
    def place(self):
        return self.watch.samples[-1].position


@pytest.mark.slow
@pytest.mark.browser
def test_a_browser_shows_and_drives_the_robot(ros, tmp_path):
    with open_page(tmp_path) as page:
        robot = Robot(tmp_path)
        try:
            drive(robot, page, Path(os.environ.get('SCREENSHOT', tmp_path / 'viewer.png')))
        finally:
            robot.session.close()


def drive(robot, page, screenshot):
    """Do by mouse and keys what a person would."""
    page.goto(f'http://127.0.0.1:{PORT}')
    page.get_by_text('EMERGENCY STOP').wait_for()
    page.get_by_text('standing').wait_for()
    robot.until(lambda: bool(robot.watch.samples))
    page.mouse.click(289, 100)  # closes viser's remark about software rendering
    before, still = robot.place, page.screenshot()
    # The mouse: the robot walks while the button is held, and stands when it is let go.
    page.get_by_text('forward', exact=False).first.hover()
    button = page.get_by_role('button', name='forward').bounding_box()
    page.mouse.move(button['x'] + button['width'] / 2, button['y'] + button['height'] / 2)
    page.mouse.down()
    robot.until(lambda: robot.place[0] - before[0] > 0.5)
    page.screenshot(path=str(screenshot))
    page.mouse.up()
    assert max(command[0] for command in robot.commands) == pytest.approx(0.6)
    robot.until(lambda: robot.commands[-1] == (0.0, 0.0, 0.0))
    assert page.screenshot() != still
    # The keys.
    page.mouse.click(300, 500)
    page.keyboard.press('j')
    page.keyboard.press('j')
    robot.until(lambda: robot.commands[-1][2] == pytest.approx(0.2))
    page.keyboard.press('Space')
    robot.until(lambda: robot.commands[-1] == (0.0, 0.0, 0.0))
    # The emergency stop.
    page.get_by_text('EMERGENCY STOP').click()
    robot.until(lambda: robot.watch.state == 'fault: emergency stop')
    page.get_by_text('fault: emergency stop').first.wait_for()
