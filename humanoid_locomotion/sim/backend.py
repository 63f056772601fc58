# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The backend interface that every simulator implements, and its data types.

A backend steps many robots in parallel, each alone on an unbounded floor or on rough ground. It
returns NumPy or PyTorch arrays and accepts both. Joints are in the order given when it was opened.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass, field, fields
import importlib
import importlib.util
from typing import (
    Any,
    Callable,
    Dict,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Type,
    TypeVar,
)

import numpy as np

from humanoid_locomotion.core.arrays import Array
from humanoid_locomotion.core.errors import (
    ConfigError,
    JointsError,
    LocomotionError,
    MissingPackageError,
    SimulationError,
    UnknownNameError,
)
from humanoid_locomotion.core.robot import RobotSpec
from humanoid_locomotion.core.state import JointTargets, RobotState
from humanoid_locomotion.sim.isaacgym.spec import IsaacGymSpec as IsaacGymSpec
from humanoid_locomotion.sim.terrain import Terrain as Terrain
from humanoid_locomotion.sim.terrain import TerrainSpec as TerrainSpec

CONTACT_FORCE = 5.0  # load above which a foot is in contact [N]


@dataclass(frozen=True)
class PhysicsSpec:
    """Time steps and solver settings of the physics.

    Attributes:
        timestep: Duration of one physics step [s].
        substeps: Physics steps per control step.
        solver_iterations: Largest number of iterations of MuJoCo's solver in a physics step.
        line_search_iterations: Largest number of iterations of its line search.
        max_constraints: Constraint rows that a GPU backend allocates per robot.
        max_contacts: Contacts that a GPU backend allocates per robot.
    """

    timestep: float = 0.005
    substeps: int = 4
    solver_iterations: int = 3
    line_search_iterations: int = 6
    max_constraints: int = 64
    max_contacts: int = 16

    def __post_init__(self) -> None:
        for it in fields(self):
            if getattr(self, it.name) <= 0:
                raise ValueError(f'{it.name} must be above 0, found {getattr(self, it.name)}')

    @property
    def control_period(self) -> float:
        """Time between two control steps [s]."""
        return self.timestep * self.substeps


@dataclass(frozen=True)
class Truth:
    """Quantities that only a simulator knows, for rewards, terminations and the critic.

    Quantities of the feet are those of the last physics step (MuJoCo: at its start, one
    ``timestep`` ago; Isaac Gym: at its end), and zero between a reset and the next step. Two of
    them, peak force and slip, cover all physics steps of the last control step, so that events
    shorter than a control step, such as a touch-down, are not missed by the rewards.

    Attributes:
        base_position: (num_envs, 3) [m]: x and y in the world, z above the ground below.
        base_linear_velocity: (num_envs, 3) [m/s], in the base frame.
        sole_positions: (num_envs, 2, 3) [m], as ``base_position``, left first.
        sole_velocities: (num_envs, 2, 3) [m/s], in the world frame.
        sole_normals: (num_envs, 2, 3), the soles' z axis in the world frame.
        sole_forces: (num_envs, 2) [N], contact force of each foot along the contact normals.
        peak_sole_forces: (num_envs, 2) [N], the largest of the last control step.
        sole_slips: (num_envs, 2) [m/s], horizontal speed of the soles, zero while their load is
            below :data:`CONTACT_FORCE`, mean over the last control step.
        joint_torques: (num_envs, num_joints) [Nm], as applied.
    """

    base_position: Array
    base_linear_velocity: Array
    sole_positions: Array
    sole_velocities: Array
    sole_normals: Array
    sole_forces: Array
    peak_sole_forces: Array
    sole_slips: Array
    joint_torques: Array


@dataclass(frozen=True)
class ResetState:
    """The state to reset robots to.

    Attributes:
        base_position: (num_envs, 3) [m].
        base_orientation: (num_envs, 4), xyzw, base to world.
        base_linear_velocity: (num_envs, 3) [m/s], in the world frame.
        base_angular_velocity: (num_envs, 3) [rad/s], in the base frame.
        joint_positions: (num_envs, num_joints) [rad].
        joint_velocities: (num_envs, num_joints) [rad/s].
    """

    base_position: Array
    base_orientation: Array
    base_linear_velocity: Array
    base_angular_velocity: Array
    joint_positions: Array
    joint_velocities: Array


@dataclass(frozen=True)
class PhysicsVariation:
    """Changes of each robot's physics relative to the model; None keeps a parameter.

    Attributes:
        friction: (num_envs,) Sliding friction of the feet on the floor.
        mass_scale: (num_envs,) Factor on every link's mass and inertia.
        payload: (num_envs,) Mass added to the robot's trunk [kg], distributed as its own mass.
        com_offset: (num_envs, 3) Shift of the trunk's centre of mass, in its frame [m].
        kp_scale: (num_envs, num_joints) Factor on the position gains.
        kd_scale: (num_envs, num_joints) Factor on the damping gains.
        link_payload: (num_envs,) by the name of a link: mass added to it [kg], distributed as its
            own mass.
    """

    friction: Optional[np.ndarray] = None
    mass_scale: Optional[np.ndarray] = None
    payload: Optional[np.ndarray] = None
    com_offset: Optional[np.ndarray] = None
    kp_scale: Optional[np.ndarray] = None
    kd_scale: Optional[np.ndarray] = None
    link_payload: Mapping[str, np.ndarray] = field(default_factory=dict)


class SimBackend(abc.ABC):
    """A simulator of many robots.

    Attributes:
        robot: The simulated robot.
        physics: Time steps and solver settings.
        num_envs: Number of robots.
        joint_names: The order of the joints in every array of the interface.
        device: Device of the arrays, as PyTorch names it.
        capturable: Whether, on a GPU, a step can be part of a CUDA graph.
        has_viewer: Whether it can show the moving robots in a window.
        has_terrain: Whether it supports rough ground.
        terrain: The rough ground, if there is one.
    """

    capturable = True
    has_viewer = False
    has_terrain = False
    terrain: Optional[Terrain] = None
    robot: RobotSpec
    physics: PhysicsSpec
    num_envs: int
    joint_names: Sequence[str]
    device: str = 'cpu'

    @abc.abstractmethod
    def reset(self, mask: Array, state: ResetState) -> None:
        """Reset the robots in ``mask`` (num_envs,) bool to their rows of ``state``."""

    @abc.abstractmethod
    def step(self, targets: JointTargets) -> None:
        """Advance by one control step with PD control of the joints to ``targets``."""

    @abc.abstractmethod
    def state(self) -> RobotState:
        """Return the measurable state of the robots, without noise, including odometry.

        The arrays are valid until the next step.
        """

    @abc.abstractmethod
    def truth(self) -> Truth:
        """Return the simulator's ground truth; valid until the next step."""

    @abc.abstractmethod
    def add_base_velocity(self, linear: Array, angular: Array) -> None:
        """Push the robots by adding a velocity to their base.

        Args:
            linear: (num_envs, 3) [m/s], in the world frame.
            angular: (num_envs, 3) [rad/s], in the base frame.
        """

    @abc.abstractmethod
    def randomize(self, variation: PhysicsVariation) -> None:
        """Vary the physics of each robot, relative to the model; called before the first step."""

    @abc.abstractmethod
    def snapshot(self) -> Dict[str, Array]:
        """Return copies of all arrays that are carried over between steps, by name.

        The variation of :meth:`randomize` is not part of it.
        """

    @abc.abstractmethod
    def restore(self, snapshot: Mapping[str, Array]) -> None:
        """Restore the state of every robot from a :meth:`snapshot`."""

    def overflow(self) -> Optional[Array]:
        """Return per robot whether contacts or constraints ever exceeded the allocated number.

        (num_envs,) bool, on the device; None if nothing can overflow.
        """
        return None

    def room_used(self) -> Dict[str, Array]:
        """Return the current use of ``physics.max_constraints`` and ``max_contacts``.

        ``constraints`` is the largest number of any robot, ``contacts`` the mean over robots,
        since they share their allocation; () each, on the device. Empty if nothing can overflow.
        """
        return {}

    def close(self) -> None:  # noqa: B027, most simulators have nothing to free
        """Free the simulator's resources."""

    def default_state(self) -> ResetState:
        """Return the state of every robot standing in the default pose, as NumPy arrays."""
        n = self.num_envs
        joints = {joint.name: joint.default for joint in self.robot.joints}
        pose = np.array([joints[name] for name in self.joint_names], np.float32)
        return ResetState(
            base_position=np.tile(
                np.array([0.0, 0.0, self.robot.base_height], np.float32), (n, 1)),
            base_orientation=np.tile(np.array([0, 0, 0, 1], np.float32), (n, 1)),
            base_linear_velocity=np.zeros((n, 3), np.float32),
            base_angular_velocity=np.zeros((n, 3), np.float32),
            joint_positions=np.tile(pose, (n, 1)),
            joint_velocities=np.zeros((n, pose.size), np.float32))


def link_index(name: str, names: Sequence[str]) -> int:
    """Return the index of a link among the links of a simulated robot.

    Raises:
        UnknownNameError: The robot has no such link.
    """
    if name not in names:
        raise UnknownNameError('link', name, names)
    return names.index(name)


def all_joints(robot: RobotSpec, joints: Sequence[Any]) -> List[Any]:
    """Return the commanded joints, then the robot's other joints.

    Raises:
        JointsError: The robot lacks a commanded joint.
    """
    named = [joint.name for joint in joints]
    missing = [name for name in named if name not in robot.joint_names]
    if missing:
        raise JointsError(f'robot {robot.name!r}', missing, robot.joint_names)
    return list(joints) + [joint for joint in robot.joints if joint.name not in named]


Backend = TypeVar('Backend', bound=SimBackend)


class _Entry(NamedTuple):
    module: str
    cls: str
    package: str
    install: str
    registered: Optional[Type[SimBackend]] = None


_SIM = 'humanoid_locomotion.sim.'
BACKENDS: Dict[str, _Entry] = {
    'fake': _Entry(_SIM + 'fake', 'FakeBackend', 'numpy', 'pip install numpy'),
    'mujoco': _Entry(_SIM + 'mujoco.backend', 'MujocoBackend', 'mujoco',
                     "pip install 'humanoid_locomotion[sim]'"),
    'mujoco_warp': _Entry(_SIM + 'mujoco_warp.backend', 'MujocoWarpBackend', 'mujoco_warp',
                          "pip install 'humanoid_locomotion[train]'"),
    'isaacgym': _Entry(_SIM + 'isaacgym.backend', 'IsaacGymBackend', 'isaacgym',
                       'download Preview 4 from NVIDIA for a Python 3.8 (docs/isaacgym.md) and '
                       'give that interpreter with --python, in a launch file python:='),
}


def register_backend(name: str) -> Callable[[Type[Backend]], Type[Backend]]:
    """Register a simulator by a name; a decorator of its class.

    Args:
        name: Name for ``backend=`` and ``--backend``.

    Raises:
        ConfigError: The name is taken, or the class is not a :class:`SimBackend`.
    """
    def register(cls: Type[Backend]) -> Type[Backend]:
        if not (isinstance(cls, type) and issubclass(cls, SimBackend)):
            raise ConfigError('register_backend', name, f'found {cls!r}, expected a subclass of '
                              'SimBackend')
        if name in BACKENDS:
            raise ConfigError('register_backend', name, 'the name is taken by '
                              f'{BACKENDS[name].module}.{BACKENDS[name].cls}, choose another')
        BACKENDS[name] = _Entry(cls.__module__, cls.__qualname__, cls.__module__.split('.')[0],
                                '', cls)
        return cls

    return register


def import_backend(name: str) -> Type[SimBackend]:
    """Import the class of a simulator. For Isaac Gym, call it before PyTorch is imported.

    Args:
        name: A key of :data:`BACKENDS`.

    Raises:
        UnknownNameError: No backend of that name; the message lists the known ones.
        MissingPackageError: Its simulator is not installed; the message says how to install it.
        SimulationError: It cannot be imported or cannot run in this process; the message gives
            the reason.
    """
    if name not in BACKENDS:
        raise UnknownNameError('backend', name, BACKENDS)
    entry = BACKENDS[name]
    if entry.registered is not None:
        return entry.registered
    if importlib.util.find_spec(entry.package) is None:
        raise MissingPackageError(f'the backend {name}', entry.package, entry.install)
    try:
        cls: Type[SimBackend] = getattr(importlib.import_module(entry.module), entry.cls)
    except ImportError as error:
        if isinstance(error, LocomotionError):
            raise
        raise SimulationError(f'the backend {name} cannot be imported '
                              f'({" ".join(str(error).split())}); install its packages again: '
                              f'{entry.install}') from error
    return cls


def open_backend(name: str, robot: RobotSpec, num_envs: int, physics: PhysicsSpec,
                 joints: Optional[Sequence[Any]] = None, device: str = 'auto',
                 deterministic: bool = False, viewer: bool = False,
                 terrain: Optional[TerrainSpec] = None,
                 isaacgym: Optional[IsaacGymSpec] = None) -> SimBackend:
    """Open a simulator.

    Args:
        name: A key of :data:`BACKENDS`.
        robot: The robot to simulate.
        num_envs: Number of robots.
        physics: Time steps and solver settings.
        joints: The joints that targets command, in their order, each with ``name``, ``kp``,
            ``kd`` and ``effort`` (of a contract or a robot); the robot's by default. The other
            joints of the robot hold their default position.
        device: ``auto``, ``cpu`` or ``cuda``.
        deterministic: Whether equal starts must give bit-identical results; ignored by
            simulators that are deterministic in any case.
        viewer: Whether to show the robots in a window.
        terrain: Specification of the ground; None for a flat floor.
        isaacgym: Solver and buffers of PhysX; other simulators ignore it.

    Raises:
        LocomotionError: As :func:`import_backend`, or the robot lacks a joint, or the simulator
            does not support a window or rough ground.
    """
    make: Any = import_backend(name)
    if viewer and not make.has_viewer:
        raise SimulationError(f'the backend {name} has no viewer window; isaacgym has one')
    if terrain is not None and not make.has_terrain:
        raise SimulationError(f'the backend {name} has a flat floor only; mujoco, mujoco_warp and '
                              'isaacgym support rough ground')
    more: Dict[str, Any] = {'viewer': True} if viewer else {}
    if terrain is not None:
        more['terrain'] = Terrain(terrain)
    if name == 'isaacgym':
        more['settings'] = isaacgym
    backend: SimBackend = make(
        robot, num_envs, physics, joints or robot.joints, device, deterministic, **more)
    return backend
