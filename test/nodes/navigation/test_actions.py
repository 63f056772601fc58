# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The planner's actions, with nav2_msgs where it is installed and with a fake of it everywhere."""

import inspect
import math

import numpy as np
import pytest

pytest.importorskip('rclpy')

from action_msgs.msg import GoalStatus
from diagnostic_msgs.msg import DiagnosticStatus
import fake_nav2
from nav_msgs.msg import Path
from planner_course import goal
from rclpy.action import ActionServer
from rclpy.action.server import ServerGoalHandle

from humanoid_locomotion.nodes.navigation import actions

pytestmark = pytest.mark.ros
SUCCEEDED, CANCELED, ABORTED = (GoalStatus.STATUS_SUCCEEDED, GoalStatus.STATUS_CANCELED,
                                GoalStatus.STATUS_ABORTED)


@pytest.fixture(params=['fake', 'nav2_msgs'])
def client(request, course, monkeypatch):
    """Make courses, each with a client of the planner's actions."""
    if request.param == 'nav2_msgs':
        pytest.importorskip('nav2_msgs')
    else:
        fake_nav2.install(monkeypatch)
    make = fake_nav2.RealClient if request.param == 'nav2_msgs' else fake_nav2.FakeClient

    def both(**parameters):
        one = course(**parameters)
        return one, make(one)

    return both


def end(one, sent):
    """Wait for the end of a goal; return its status, error code and message."""
    one.until(lambda: sent.result is not None)
    return sent.status, sent.result.error_code, sent.result.error_msg


def path(*poses):
    """Return a path in odom."""
    msg = Path(poses=list(poses))
    msg.header.frame_id = 'odom'
    return msg


def test_a_pose_is_walked_to_with_feedback(client):
    one, nav2 = client()
    sent = nav2.send('navigate_to_pose', pose=goal(0.5, 0.3, 0.5))
    assert end(one, sent) == (SUCCEEDED, 0, '')
    np.testing.assert_allclose(one.robot.pose, [0.5, 0.3, 0.5], atol=0.15)
    first, last = sent.feedback[0], sent.feedback[-1]
    assert first.distance_remaining == pytest.approx(math.hypot(0.5, 0.3), abs=0.05)
    assert last.distance_remaining < 0.2
    assert last.current_pose.header.frame_id == 'odom'
    assert last.navigation_time.sec + 1e-9 * last.navigation_time.nanosec > 1.0  # it settles


def test_a_path_is_followed(client):
    one, nav2 = client()
    sent = nav2.send('follow_path', path=path(goal(0.5, 0.0), goal(0.5, 0.5, 1.57)))
    assert end(one, sent) == (SUCCEEDED, 0, '')
    np.testing.assert_allclose(one.robot.pose, [0.5, 0.5, 1.57], atol=0.15)
    first = getattr(sent.feedback[0], 'tracking_feedback', sent.feedback[0])
    assert first.distance_to_goal == pytest.approx(1.0, abs=0.05)


def test_cancel_stops_the_robot(client):
    one, nav2 = client()
    sent = nav2.send('navigate_to_pose', pose=goal(5.0, 0.0))
    one.until(lambda: len(one.robot.commands) > 5)
    sent.cancel()
    assert end(one, sent) == (CANCELED, 0, '')
    one.until_status('cancelled')
    assert one.robot.commands[-1] == (0.0, 0.0, 0.0)


def test_a_new_goal_replaces_the_current_one_and_an_invalid_one_does_not(client):
    one, nav2 = client()
    first = nav2.send('navigate_to_pose', pose=goal(5.0, 0.0))
    one.until_status('walking: (5.00')
    assert end(one, nav2.send('follow_path', path=path(goal(1e12, 0.0))))[0] == ABORTED
    assert first.result is None
    second = nav2.send('follow_path', path=path(goal(4.0, 0.0)))
    assert end(one, first) == (ABORTED, 0, 'replaced by another goal')
    one.robot.goals.publish(goal(3.0, 0.0))
    assert end(one, second) == (ABORTED, 0, 'replaced by another goal')
    one.until_status('walking: (3.00')


@pytest.mark.parametrize('name, fields, code, problem', [
    ('navigate_to_pose', {'pose': goal(1.0, 0.0, frame='map')}, 9002, "frame 'map' is unknown"),
    ('navigate_to_pose', {'pose': goal(math.nan, 0.0)}, 9000, 'position is not finite'),
    ('navigate_to_pose', {'pose': goal(0.5, 0.0), 'behavior_tree': 'spin.xml'}, 9001,
     "behavior_tree is 'spin.xml'; the planner has none: leave it empty"),
    ('follow_path', {'path': path(goal(1e12, 0.0))}, 103, 'is 1e+12 m away'),
    ('follow_path', {'path': path()}, 103, 'has no poses'),
    ('follow_path', {'path': path(goal(1.0, 0.0)), 'controller_id': 'MPPI'}, 101,
     "controller_id is 'MPPI'; expected 'FollowPath' or none")])
def test_an_invalid_goal_is_aborted_with_code_and_reason(client, name, fields, code, problem):
    one, nav2 = client()
    status, found, reason = end(one, nav2.send(name, **fields))
    assert (status, found) == (ABORTED, code) and problem in reason
    assert one.robot.commands == []


def test_the_service_cancel_aborts_the_action(client):
    one, nav2 = client()
    sent = nav2.send('navigate_to_pose', pose=goal(5.0, 0.0))
    one.until_status('walking')
    assert one.cancel().success
    assert end(one, sent) == (ABORTED, 0, 'cancelled by ~/cancel')


def test_a_walk_without_odometry_or_progress_ends(client):
    one, nav2 = client(odom_timeout=0.2, progress_timeout=1.0)
    sent = nav2.send('navigate_to_pose', pose=goal(5.0, 0.0))
    one.until_status('walking')
    one.robot.is_silent = True
    assert end(one, sent) == (ABORTED, 9002, 'no odom for 1 s')
    one.until_status('failed: (5.00 m, 0.00 m, 0.00 rad), no odom for 1 s')
    assert one.status[0] == DiagnosticStatus.ERROR and one.status[1]['mode'] == 'failed'
    assert one.robot.commands[-1] == (0.0, 0.0, 0.0)
    one.robot.is_silent, one.robot.is_stuck = False, True
    one.until(lambda: not one.planner._is_lost)
    sent = nav2.send('follow_path', path=path(goal(5.0, 0.0)))
    assert end(one, sent) == (ABORTED, 105, 'no progress for 1 s')


def test_without_nav2_msgs_the_server_and_the_goals_are_used_as_rclpy_has_them(
        course, monkeypatch):
    """The fake would take another call, and has methods of its own."""
    calls, server = [], inspect.signature(ActionServer.__init__)
    fake_nav2.install(monkeypatch)

    class Server(fake_nav2.FakeServer):
        def __init__(self, *arguments, **named):
            calls.append(server.bind(self, *arguments, **named).arguments['action_name'])
            super().__init__(*arguments, **named)

    monkeypatch.setattr(actions, 'ActionServer', Server)
    course()
    assert calls == ['navigate_to_pose', 'follow_path']
    used = {name for name in vars(fake_nav2.FakeGoal) if not name.startswith('_')}
    assert used - {'cancel'} <= {*dir(ServerGoalHandle)}
