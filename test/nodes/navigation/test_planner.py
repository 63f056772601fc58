# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The planner node by its topics, with an ideal robot at the other end."""

import math

import numpy as np
import pytest

pytest.importorskip('rclpy')

from diagnostic_msgs.msg import DiagnosticStatus
from nav_msgs.msg import Path
from planner_course import goal
from rclpy.parameter import Parameter
from std_msgs.msg import String

from humanoid_locomotion.core.errors import LocomotionError

pytestmark = pytest.mark.ros


def test_a_goal_pose_is_walked_to_and_shown(course):
    one = course()
    assert one.robot.statuses == ['idle']
    one.robot.goals.publish(goal(1.0, 0.5, 1.0))
    one.until_status('arrived: (1.00 m, 0.50 m, 1.00 rad)')
    np.testing.assert_allclose(one.robot.pose, [1.0, 0.5, 1.0], atol=0.15)
    (path,) = one.robot.paths
    assert path.header.frame_id == 'odom' and len(path.poses) >= 2
    assert path.poses[-1].pose.position.x == 1.0
    one.until(lambda: one.robot.typed[-1].message == one.robot.statuses[-1])
    assert [it.message for it in one.robot.typed] == one.robot.statuses
    assert one.status == (DiagnosticStatus.OK, {
        'mode': 'arrived', 'reason': '', 'goal': '(1.00 m, 0.50 m, 1.00 rad)', 'frame': 'odom',
        'x': '1.000', 'y': '0.500', 'heading': '1.000'})
    count = len(one.robot.commands)
    one.spin(0.3)
    assert len(one.robot.commands) == count  # and then it is silent


def test_the_kitchen_is_a_goal_and_the_cellar_is_not(course):
    one = course()
    one.robot.said.publish(String(data='Kitchen'))
    one.until_status('walking: kitchen')
    one.robot.said.publish(String(data='cellar'))
    one.until(lambda: any(s.startswith("refused: unknown room 'cellar'")
                          for s in one.robot.statuses))
    one.until_status('walking: kitchen')  # what was under way goes on
    one.until_status('arrived: kitchen')


def test_a_plan_is_followed_to_its_end(course):
    one = course()
    msg = Path()
    msg.header.frame_id = 'odom'
    msg.poses = [goal(0.0, 0.0, frame=''), goal(1.0, 0.0, frame=''), goal(1.0, 1.0, 1.57)]
    one.robot.plans.publish(msg)
    one.until_status('arrived: end of the plan')
    np.testing.assert_allclose(one.robot.pose, [1.0, 1.0, 1.57], atol=0.15)


@pytest.mark.parametrize('msg, problem', [
    (goal(1.0, 0.0, frame='map'), "goal_pose: frame 'map' is unknown; odom is given in 'odom'"),
    (goal(1.0, 0.0, frame=''), "frame '' is unknown"),
    (goal(math.nan, 0.0), 'goal_pose: position is not finite'),
    (goal(0.0, 0.0, math.nan), 'goal_pose: orientation has length nan'),
    (goal(1e12, 0.0), 'goal_pose: is 1e+12 m away; at most max_distance = 1000 m is allowed'),
    (Path(), "plan: frame '' is unknown")])
def test_what_makes_no_goal_is_refused_with_its_reason(course, msg, problem):
    one = course()
    (one.robot.plans if isinstance(msg, Path) else one.robot.goals).publish(msg)
    one.until(lambda: any(problem in status for status in one.robot.statuses))
    one.until(lambda: any(it.level == DiagnosticStatus.WARN and problem in it.message
                          for it in one.robot.typed))
    one.until_status('idle')
    assert one.robot.commands == []


def test_a_plan_with_one_point_too_far_away_is_refused(course):
    one = course(max_distance=10.0)
    msg = Path(poses=[goal(11.0, 0.0, frame=''), goal(1.0, 0.0, frame='')])
    msg.header.frame_id = 'odom'
    one.robot.plans.publish(msg)
    one.until(lambda: any('plan: is 11 m away' in status for status in one.robot.statuses))


def test_a_place_too_far_away_is_refused(course, tmp_path):
    rooms = tmp_path / 'rooms.yaml'
    rooms.write_text('frame: odom\nrooms:\n  moon: {x: 384400000.0, y: 0.0}\n')
    one = course(rooms=str(rooms))
    one.robot.said.publish(String(data='moon'))
    one.until(lambda: any('say_goal: is 3.844e+08 m away' in it for it in one.robot.statuses))


@pytest.mark.parametrize('frame, said', [
    ('odom', 'walking: door'), ('robot1/odom', 'walking: door'),
    ('robot2/odom', "refused: say_goal: frame 'robot2/odom' is unknown; odom is given in "
     "'robot1/odom'"),
    ('map', "refused: say_goal: frame 'map' is unknown")])
def test_a_place_is_in_the_frame_of_odom_with_or_without_its_prefix(
        course, tmp_path, frame, said):
    rooms = tmp_path / 'rooms.yaml'
    rooms.write_text(f'frame: {frame}\nrooms:\n  door: {{x: 3.0, y: 0.0}}\n')
    one = course(rooms=str(rooms))
    one.robot.frame = 'robot1/odom'
    one.until(lambda: one.planner._odom.header.frame_id == 'robot1/odom')
    one.robot.said.publish(String(data='door'))
    one.until(lambda: any(it.startswith(said) for it in one.robot.statuses))


def test_cancel_stops_at_once(course):
    one = course()
    assert not one.cancel().success
    one.robot.goals.publish(goal(5.0, 0.0))
    one.until_status('walking')
    one.until(lambda: len(one.robot.commands) > 5)
    assert one.cancel().success
    one.until_status('cancelled')
    assert one.robot.commands[-1] == (0.0, 0.0, 0.0)


def test_silent_odometry_stops_the_robot_and_refuses_goals(course):
    one = course(odom_timeout=0.2)
    one.robot.goals.publish(goal(5.0, 0.0))
    one.until(lambda: len(one.robot.commands) > 5)
    one.robot.is_silent = True
    one.until_status('waiting: no recent odom')
    one.until(lambda: one.robot.commands[-1] == (0.0, 0.0, 0.0))
    one.robot.goals.publish(goal(1.0, 0.0))
    one.until(lambda: any('the robot is not known' in s for s in one.robot.statuses))
    assert one.status[0] == DiagnosticStatus.WARN
    one.robot.is_silent = False
    one.until_status('walking')


def test_commands_can_be_stamped(course):
    one = course(enable_stamped_cmd_vel=True)
    one.robot.goals.publish(goal(0.5, 0.0))
    one.until_status('arrived')
    assert max(command[0] for command in one.robot.commands) > 0.1


def test_a_rooms_file_that_is_missing_ends_the_node(ros):
    from humanoid_locomotion.nodes.navigation.node import PlannerNode
    with pytest.raises(LocomotionError, match=r'none\.yaml'):
        PlannerNode(parameter_overrides=[Parameter('rooms', value='none.yaml')])


def test_odom_from_before_a_reset_of_the_clock_is_not_recent(course):
    """Its age would be negative for as long as the clock went back."""
    one = course()
    now = one.planner._now()
    one.planner._heard, one.planner._now = now + 1000.0, lambda: now
    assert one.planner._silence == math.inf
