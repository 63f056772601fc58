"""What a policy is put through before it gets a scorecard; a change here is a new version.

The figures are the protocol: two scorecards compare only if their ``version`` is the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
import math

from humanoid_locomotion.sim.backend import PhysicsSpec

VERSION = 1

# Forward [m/s], left [m/s], turning left [rad/s].
RESPONSE_COMMANDS = (
    (0.1, 0.0, 0.0), (0.3, 0.0, 0.0), (0.5, 0.0, 0.0), (0.8, 0.0, 0.0), (1.0, 0.0, 0.0),
    (-0.3, 0.0, 0.0), (0.0, 0.3, 0.0), (0.0, -0.3, 0.0),
    (0.0, 0.0, 0.2), (0.0, 0.0, 0.5), (0.0, 0.0, -0.5), (0.5, 0.2, 0.3))

# The commands that the gates on tracking look at.
GATED_COMMANDS = (
    (0.5, 0.0, 0.0), (0.0, 0.3, 0.0), (0.0, -0.3, 0.0), (0.0, 0.0, 0.5), (0.0, 0.0, -0.5))


@dataclass(frozen=True)
class Gates:
    """What a policy must reach to pass.

    Attributes:
        linear_error: Tracking error of every gated command must be below this [m/s].
        yaw_error: Likewise, of the turning rate [rad/s].
        standing_drift: No standing robot may wander this far [m].
        pushes_survived: Least share of pushes that the robot must survive.
    """

    linear_error: float = 0.1
    yaw_error: float = 0.1
    standing_drift: float = 0.05
    pushes_survived: float = 0.95


@dataclass(frozen=True)
class Protocol:
    """The runs. Every run starts in the default pose, slightly disturbed, at a random heading.

    Attributes:
        version: Version of this protocol.
        quick: Whether the number of runs was cut down.
        simulator: Name of the backend; never the one that policies are trained in.
        longest_timestep: Physics is at least this fine [s].
        solver_iterations: Most iterations of the constraint solver in a physics step.
        joint_noise: Largest disturbance of a joint's starting position [rad].
        settle_time: What is not measured at the start of each run [s].
        measure_time: What is measured of a steady run [s].
        response_commands: The commands whose response is measured.
        gated_commands: Those of them that the gates look at.
        response_runs: Runs of each command.
        economy_speeds: Forward speeds at which effort is measured [m/s].
        economy_runs: Runs of each speed.
        standing_runs: Runs of standing still.
        walk_runs: Runs with random commands.
        walk_time: Duration of such a run [s].
        command_time: Time between two random commands [s].
        standing_share: Share of the random commands that are zero.
        friction: Lowest and highest friction of the floor in a random walk.
        mass_scale: Lowest and highest factor on all masses in a random walk.
        push_speed: Velocity that a push adds to the base [m/s].
        push_directions: How many, evenly spread, the first from behind (forwards).
        push_runs: Runs of each direction, standing and as many walking.
        push_walk_speed: Forward speed of those that walk [m/s].
        push_window: The moment of the push is spread evenly over this time [s].
        survive_time: How long a robot must stay up after a push [s].
        fall_height: A base lower than this has fallen [m].
        fall_tilt: A base tilted further than this has fallen [rad].
        gates: What is needed to pass.
    """

    version: int = VERSION
    quick: bool = False
    simulator: str = 'mujoco'
    longest_timestep: float = 0.002
    solver_iterations: int = 50
    joint_noise: float = 0.05
    settle_time: float = 2.0
    measure_time: float = 10.0
    response_commands: tuple[tuple[float, float, float], ...] = RESPONSE_COMMANDS
    gated_commands: tuple[tuple[float, float, float], ...] = GATED_COMMANDS
    response_runs: int = 8
    economy_speeds: tuple[float, ...] = (0.5, 1.0)
    economy_runs: int = 8
    standing_runs: int = 32
    walk_runs: int = 100
    walk_time: float = 20.0
    command_time: float = 5.0
    standing_share: float = 0.2
    friction: tuple[float, float] = (0.4, 1.2)
    mass_scale: tuple[float, float] = (0.9, 1.1)
    push_speed: float = 0.6
    push_directions: int = 8
    push_runs: int = 10
    push_walk_speed: float = 0.5
    push_window: float = 1.0
    survive_time: float = 4.0
    fall_height: float = 0.5
    fall_tilt: float = 0.8
    gates: Gates = field(default_factory=Gates)

    def physics(self, control_period: float) -> PhysicsSpec:
        """Return physics that is fine enough and fits the control period [s] a whole number.

        A 50 Hz policy gets ten steps of 2 ms, a 60 Hz policy nine of 1.85 ms.
        """
        substeps = math.ceil(control_period / self.longest_timestep - 1e-6)
        return PhysicsSpec(
            timestep=control_period / substeps, substeps=substeps,
            solver_iterations=self.solver_iterations,
            line_search_iterations=self.solver_iterations,
            max_constraints=512, max_contacts=128)


FULL = Protocol()
QUICK = replace(FULL, quick=True, response_runs=2, economy_runs=2, standing_runs=8, walk_runs=20,
                push_runs=2)
