"""The planner node by its topics, with an ideal robot at the other end."""

import math
import time

import numpy as np
import pytest

pytest.importorskip('rclpy')

from geometry_msgs.msg import PoseStamped, Twist, TwistStamped
from nav_msgs.msg import Odometry, Path
from rclpy.node import Node
from rclpy.parameter import Parameter
from std_msgs.msg import String
from std_srvs.srv import Trigger

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.nodes.ros import qos
from humanoid_locomotion.nodes.ros.executor import make_executor

pytestmark = pytest.mark.ros
PATIENCE = 20.0
SPEED_UP = 4.0  # the ideal robot moves faster than it is told


class IdealRobot(Node):
    """Moves as it is told and says where it is."""

    def __init__(self, stamped):
        super().__init__('ideal_robot')
        self.pose, self.is_silent, self.frame = np.zeros(3), False, 'odom'
        self.commands, self.statuses, self.paths = [], [], []
        self._odom = self.create_publisher(Odometry, 'odom', qos.SENSOR_OUTPUT)
        self.goals = self.create_publisher(PoseStamped, 'goal_pose', qos.VELOCITY_COMMAND)
        self.plans = self.create_publisher(Path, 'plan', qos.VELOCITY_COMMAND)
        self.said = self.create_publisher(String, 'say_goal', qos.VELOCITY_COMMAND)
        self.create_subscription(
            TwistStamped if stamped else Twist, 'cmd_vel', self._on_command,
            qos.VELOCITY_COMMAND)
        self.create_subscription(
            String, 'planner/state', lambda msg: self.statuses.append(msg.data), qos.LATCHED)
        self.create_subscription(Path, 'planner/path', self.paths.append, qos.LATCHED)
        self.create_timer(0.02, self._publish)

    def _on_command(self, msg):
        twist = getattr(msg, 'twist', msg)
        forward, left, turn = twist.linear.x, twist.linear.y, twist.angular.z
        self.commands.append((forward, left, turn))
        cos, sin = math.cos(self.pose[2]), math.sin(self.pose[2])
        self.pose = self.pose + SPEED_UP * 0.05 * np.array(
            [cos * forward - sin * left, sin * forward + cos * left, turn])

    def _publish(self):
        if self.is_silent:
            return
        msg = Odometry()
        msg.header.frame_id = self.frame
        fill(msg.pose.pose, *self.pose)
        self._odom.publish(msg)


def fill(pose, x, y, heading=0.0):
    pose.position.x, pose.position.y = float(x), float(y)
    pose.orientation.z, pose.orientation.w = math.sin(heading / 2), math.cos(heading / 2)
    return pose


def goal(x, y, heading=0.0, frame='odom'):
    msg = PoseStamped()
    msg.header.frame_id = frame
    fill(msg.pose, x, y, heading)
    return msg


class Course:
    """The planner and its robot on one executor."""

    def __init__(self, **parameters):
        from humanoid_locomotion.nodes.navigation.node import PlannerNode
        self.robot = IdealRobot(parameters.get('enable_stamped_cmd_vel', False))
        self.planner = PlannerNode(parameter_overrides=[
            Parameter(name, value=value) for name, value in parameters.items()])
        self.executor = make_executor()
        self.executor.add_node(self.robot)
        self.executor.add_node(self.planner)
        self.until(lambda: self.robot.statuses and math.isfinite(self.planner._heard)
                   and self.robot.goals.get_subscription_count())

    def until(self, condition, seconds=PATIENCE):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.robot.statuses
            self.executor.spin_once(timeout_sec=0.02)

    def until_status(self, start):
        self.until(lambda: self.robot.statuses[-1].startswith(start))

    def spin(self, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.executor.spin_once(timeout_sec=0.02)

    def cancel(self):
        client = self.robot.create_client(Trigger, 'planner/cancel')
        self.until(client.service_is_ready)
        future = client.call_async(Trigger.Request())
        self.until(future.done)
        return future.result()

    def close(self):
        self.planner.stop()
        self.executor.shutdown()
        self.planner.destroy_node()
        self.robot.destroy_node()


@pytest.fixture
def course(ros):
    """Make courses, and free them."""
    made = []

    def make(**parameters):
        made.append(Course(**parameters))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_a_goal_pose_is_walked_to_and_shown(course):
    one = course()
    assert one.robot.statuses == ['idle']
    one.robot.goals.publish(goal(1.0, 0.5, 1.0))
    one.until_status('arrived: (1.00 m, 0.50 m, 1.00 rad)')
    np.testing.assert_allclose(one.robot.pose, [1.0, 0.5, 1.0], atol=0.15)
    (path,) = one.robot.paths
    assert path.header.frame_id == 'odom' and len(path.poses) >= 2
    assert path.poses[-1].pose.position.x == 1.0
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
    (Path(), "plan: frame '' is unknown")])
def test_what_makes_no_goal_is_refused_with_its_reason(course, msg, problem):
    one = course()
    (one.robot.plans if isinstance(msg, Path) else one.robot.goals).publish(msg)
    one.until(lambda: any(problem in status for status in one.robot.statuses))
    one.until_status('idle')
    assert one.robot.commands == []


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
