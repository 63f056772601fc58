# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""ROS parameters as frozen dataclasses: one field is one declared and described parameter."""

from __future__ import annotations

import dataclasses
from typing import Any, List, Optional, Tuple, Type, TypeVar

from rcl_interfaces.msg import FloatingPointRange, ParameterDescriptor, SetParametersResult
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node

from humanoid_locomotion.core.command import COMMAND_AXES
from humanoid_locomotion.core.errors import ConfigError

T = TypeVar('T')

# Parameters that rclpy itself declares, or reads by prefix.
RCLPY_PARAMETERS = ('use_sim_time', 'start_type_description_service')
RCLPY_PREFIXES = ('qos_overrides.',)
JOINT_COMMAND = 'joint_command'  # the command interface of this package's drivers


def parameter(default: Any, description: str, *, within: Optional[Tuple[float, float]] = None,
              one_of: Tuple[str, ...] = (), read_only: bool = False) -> Any:
    """Return a dataclass field that is a ROS parameter.

    Args:
        default: The value without an override; its type is the parameter's type.
        description: Description, with unit.
        within: Lowest and highest value allowed, for floats.
        one_of: The values allowed, for strings; any if empty.
        read_only: Whether it is fixed once the node runs.
    """
    return dataclasses.field(default=default, metadata={
        'description': description, 'within': within, 'one_of': one_of, 'read_only': read_only})


@dataclasses.dataclass(frozen=True)
class LocomotionParameters:
    """The parameters of the locomotion node; without the values of the contract."""

    policy: str = parameter(
        'humanoid', 'Policy to run: a folder, or the name of a shipped policy')
    robot: str = parameter(
        '', 'Folder of the robot description; required if the robot is not shipped')
    engine: str = parameter(
        'auto', 'Inference engine', one_of=('auto', 'onnxruntime', 'torch'))
    device: str = parameter(
        'auto', 'Device of the torch engine', one_of=('auto', 'cpu', 'cuda'))
    autostart: bool = parameter(
        False, 'Configure at once, and activate when every sensor is fresh', read_only=True)
    start_damped: bool = parameter(
        False, 'Activate into damping; stand up only when ~/stand or ~/walk is called')
    enable_stamped_cmd_vel: bool = parameter(
        False, 'Subscribe TwistStamped instead of Twist on cmd_vel')
    dry_run: bool = parameter(
        False, 'Compute everything and publish only ~/state, ~/timing and diagnostics')
    command_interface: str = parameter(
        JOINT_COMMAND, 'Messages with joint targets: those of a driver, or of ros2_control',
        one_of=(JOINT_COMMAND, 'forward_command', 'joint_trajectory', 'mit'))
    controller: str = parameter(
        'locomotion_controller', 'Name of the ros2_control controller')
    accept_no_watchdog: bool = parameter(
        False, 'Allow command interfaces that keep the last command when this node ends')
    record: bool = parameter(
        False, 'Write inputs, observations, actions and targets to an MCAP file')
    record_folder: str = parameter(
        'recordings', 'Folder for recordings, created when the node is activated')
    cmd_vel_timeout: float = parameter(
        0.5, 'Time without cmd_vel after which the robot stands [s]', within=(0.0, 10.0))
    max_acceleration: float = parameter(
        COMMAND_AXES['lin_vel_x'].max_rate,
        'Largest rate of change of the velocity command [m/s^2]', within=(0.1, 100.0))
    max_turn_acceleration: float = parameter(
        COMMAND_AXES['ang_vel_z'].max_rate,
        'Largest rate of change of the turning command [rad/s^2]', within=(0.1, 100.0))
    arm_command_timeout: float = parameter(
        0.3, 'Time without arm_command, or after the end of arm_trajectory, in which a joint is '
        'still led [s]', within=(0.02, 10.0))
    arm_speed: float = parameter(
        3.0, 'Largest speed of the target of a led joint [rad/s]', within=(0.01, 20.0))
    sensor_timeout: float = parameter(
        0.1, 'Largest age of a sensor message [s]', within=(0.005, 1.0))
    unchanged_timeout: float = parameter(
        0.25, 'Longest time for which a sensor may repeat bit-identical values [s]',
        within=(0.02, 10.0))
    max_tilt: float = parameter(
        0.8, 'Tilt of the base at which the robot is damped [rad]', within=(0.05, 1.5))
    min_height: float = parameter(
        0.0, 'Height of the base in odom below which the robot is damped [m]; 0 disables it',
        within=(0.0, 3.0))
    allow_hanging: bool = parameter(
        False, 'Allow walking without load on the feet, as on a test stand')
    warm_motor: float = parameter(
        80.0, 'Motor temperature that causes a warning [deg C]', within=(0.0, 200.0))
    hot_motor: float = parameter(
        95.0, 'Motor temperature at which the robot stands [deg C]', within=(0.0, 200.0))
    low_battery: float = parameter(
        0.2, 'State of charge that causes a warning, 0 to 1', within=(0.0, 1.0))
    empty_battery: float = parameter(
        0.1, 'State of charge below which the robot stands, 0 to 1', within=(0.0, 1.0))
    ramp_speed: float = parameter(
        0.8, 'Speed of the joint with the largest distance to the default pose [rad/s]',
        within=(0.01, 10.0))


@dataclasses.dataclass(frozen=True)
class SimParameters:
    """The parameters of the sim node."""

    robot: str = parameter(
        'humanoid', 'Robot to simulate: a name, or the path of its folder', read_only=True)
    real_time_factor: float = parameter(
        1.0, 'Simulated seconds per second with publish_clock, if the machine is fast enough',
        within=(0.01, 100.0),
        read_only=True)
    publish_rate: float = parameter(
        200.0, 'Rate of sensor messages in simulated time [Hz]', within=(10.0, 1000.0),
        read_only=True)
    physics_timestep: float = parameter(
        0.005, 'Longest physics step [s]', within=(0.0001, 0.02), read_only=True)
    command_timeout: float = parameter(
        0.2, 'Time without joint_command after which the joints are damped [s]',
        within=(0.01, 10.0))
    publish_clock: bool = parameter(
        True, 'Publish /clock; otherwise follow the /clock of another robot (use_sim_time), or '
        'the system clock',
        read_only=True)
    base_frame: str = parameter('base_link', 'Frame of imu/data and odom', read_only=True)
    odom_frame: str = parameter('odom', 'Frame in which odom gives the pose', read_only=True)
    frame_prefix: str = parameter('', 'Prefix of all frames: robot1/', read_only=True)
    push_x: float = parameter(
        0.5, 'Forward velocity that ~/push adds [m/s]', within=(-10.0, 10.0))
    push_y: float = parameter(
        0.0, 'Leftward velocity that ~/push adds [m/s]', within=(-10.0, 10.0))
    hand_payload: float = parameter(
        0.0, 'Mass added to the last link of each arm [kg]', within=(0.0, 20.0), read_only=True)
    friction: float = parameter(
        0.0, 'Sliding friction of every contact; 0 for that of the model', within=(0.0, 5.0))


@dataclasses.dataclass(frozen=True)
class OdometryParameters:
    """The parameters of the odometry node."""

    robot: str = parameter(
        'humanoid', 'Robot: a name, or the path of its folder',
        read_only=True)
    sensor_timeout: float = parameter(
        0.1, 'Largest age of a sensor message [s]', within=(0.005, 1.0),
        read_only=True)
    base_frame: str = parameter('base_link', 'Frame of the velocity in odom', read_only=True)
    odom_frame: str = parameter('odom', 'Frame of the pose in odom', read_only=True)
    frame_prefix: str = parameter('', 'Prefix of all frames: robot1/', read_only=True)


@dataclasses.dataclass(frozen=True)
class PlannerParameters:
    """The parameters of the planner node."""

    policy: str = parameter(
        'humanoid', 'Policy with the command range: a folder, or the name of a shipped policy',
        read_only=True)
    rooms: str = parameter(
        'rooms', 'Named places: a file, or the name of one in config/nodes', read_only=True)
    enable_stamped_cmd_vel: bool = parameter(
        False, 'Publish TwistStamped instead of Twist on cmd_vel', read_only=True)
    speed: float = parameter(
        0.6, 'Speed of straight walking [m/s]', within=(0.1, 5.0), read_only=True)
    position_tolerance: float = parameter(
        0.15, 'Distance at which a goal counts as reached [m]', within=(0.1, 1.0), read_only=True)
    heading_tolerance: float = parameter(
        0.15, 'Angle at which a goal counts as reached [rad]', within=(0.1, 3.2), read_only=True)
    progress_timeout: float = parameter(
        15.0, 'Time without progress, or without odom, after which a goal is aborted [s]',
        within=(1.0, 600.0), read_only=True)
    odom_timeout: float = parameter(
        0.5, 'Time without odom after which the robot stands [s]', within=(0.05, 10.0),
        read_only=True)
    max_distance: float = parameter(
        1000.0, 'Largest distance from the robot to a goal or a point of a plan [m]',
        within=(1.0, 100_000.0), read_only=True)
    hold: bool = parameter(
        True, 'Walk back to a reached goal after a push', read_only=True)


@dataclasses.dataclass(frozen=True)
class ViewerParameters:
    """The parameters of the viewer node."""

    policy: str = parameter(
        'humanoid', 'Policy with the command range: a folder, or the name of a shipped policy',
        read_only=True)
    robot: str = parameter(
        '', 'Robot to show: a name or a folder; empty for that of the policy', read_only=True)
    host: str = parameter(
        '127.0.0.1', 'Address to serve the page on; the printed token allows to drive the robot',
        read_only=True)
    port: int = parameter(
        8080, 'Port to serve the page on, or the next free one', read_only=True)
    enable_stamped_cmd_vel: bool = parameter(
        False, 'Use TwistStamped instead of Twist on cmd_vel', read_only=True)


@dataclasses.dataclass(frozen=True)
class DriverParameters:
    """The parameters of the driver node."""

    robot: str = parameter(
        'unitree_g1', 'Robot: a name, or the path of its folder', read_only=True)
    driver: str = parameter(
        'unitree', 'Protocol: unitree, booster, or MODULE:FUNCTION that returns a port',
        read_only=True)
    interface: str = parameter(
        '', 'Network interface of the robot, as eth0; empty for lo with a simulator',
        read_only=True)
    domain: int = parameter(
        -1, 'DDS domain of the robot; -1 for 0, or for 1 with a simulator', read_only=True)
    simulator: str = parameter(
        '', "The maker's simulator, if it answers instead of the robot",
        one_of=('', 'unitree_mujoco'), read_only=True)
    release: bool = parameter(
        False, "Consent to switch off the robot's own mode that drives the motors: the robot "
        'falls unless it hangs', read_only=True)
    start: str = parameter(
        'damped', 'State of the motors until a controller commands them',
        one_of=('damped', 'limp'), read_only=True)
    require_remote: bool = parameter(
        False, 'Damp the robot while its remote is not connected', read_only=True)
    hold_button: str = parameter(
        '', 'Button of the remote without which the robot stands, as R1; empty for none',
        read_only=True)
    publish_rate: float = parameter(
        250.0, 'Highest rate of joint_states and imu/data [Hz]', within=(50.0, 500.0),
        read_only=True)


def declare(node: Node, cls: type, fix_clock: bool = True) -> None:
    """Declare every field of ``cls`` on a node.

    Args:
        node: The node.
        cls: A dataclass with fields made by :func:`parameter`.
        fix_clock: Whether to refuse changes of ``use_sim_time`` from now on.

    Raises:
        ConfigError: An override is unknown, of the wrong type or out of range.
    """
    fields = dataclasses.fields(cls)
    names = [field.name for field in fields]
    # rclpy has no public API to list undeclared overrides.
    given = node._parameter_overrides
    unknown = [name for name in given if name not in names and name not in RCLPY_PARAMETERS
               and not name.startswith(RCLPY_PREFIXES)]
    if unknown:
        raise ConfigError(node.get_fully_qualified_name(), unknown[0],
                          f'unknown parameter; the parameters are {names}')
    for field in fields:
        within = field.metadata['within']
        ranges = [] if within is None else [
            FloatingPointRange(from_value=within[0], to_value=within[1])]
        descriptor = ParameterDescriptor(
            description=field.metadata['description'],
            additional_constraints=_choices(field), read_only=field.metadata['read_only'],
            floating_point_range=ranges)
        try:
            node.declare_parameter(field.name, field.default, descriptor)
        except InvalidParameterTypeException as error:
            kind, value = type(field.default).__name__, given[field.name].value
            raise ConfigError(node.get_fully_qualified_name(), field.name,
                              f'expected {kind}, found {value!r}') from error
        except InvalidParameterValueException as error:
            raise ConfigError(
                node.get_fully_qualified_name(), field.name, f'expected a value within '
                f'{list(within)}, found {given[field.name].value!r}') from error
    if fix_clock:
        node.add_on_set_parameters_callback(_refuse_clock)


def _refuse_clock(parameters: List[Any]) -> SetParametersResult:
    is_refused = any(parameter.name == 'use_sim_time' for parameter in parameters)
    return SetParametersResult(successful=not is_refused, reason=(
        'use_sim_time is read at start: start the node again with it') if is_refused else '')


def read(node: Node, cls: Type[T]) -> T:
    """Return the current values of parameters that :func:`declare` declared.

    Raises:
        ConfigError: A string is not one of the allowed values.
    """
    values = {}
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        value = values[field.name] = node.get_parameter(field.name).value
        one_of = field.metadata['one_of']
        if one_of and value not in one_of:
            raise ConfigError(node.get_fully_qualified_name(), field.name,
                              f'expected {_choices(field)}, found {value!r}')
    return cls(**values)


def _choices(field: Any) -> str:
    one_of = field.metadata['one_of']
    return f'one of {", ".join(one_of)}' if one_of else ''
