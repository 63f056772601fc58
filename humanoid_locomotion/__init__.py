# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Walking policies for humanoid robots: trained in simulation, run from ROS 2 velocity commands.

The names in ``__all__`` are the Python interface, described in ``docs/api.md``. Each is imported
when it is first used, so ``import humanoid_locomotion`` loads neither NumPy nor PyTorch.

    import humanoid_locomotion as hl

    policy = hl.open_policy('humanoid')
    sim = hl.make_sim(policy)
    controller = policy.controller()
    for _ in range(100):
        targets = controller.step(sim.state(), command=(0.5, 0.0, 0.0))
        sim.step(targets)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, List

if TYPE_CHECKING:
    from humanoid_locomotion.api.evaluation import evaluate
    from humanoid_locomotion.api.simulation import make_sim
    from humanoid_locomotion.api.training import TrainingResult, make_env, train
    from humanoid_locomotion.core.controller import Controller
    from humanoid_locomotion.core.errors import LocomotionError
    from humanoid_locomotion.core.policy.folder import PolicyFolder, open_policy
    from humanoid_locomotion.core.state import JointTargets, RobotState
    from humanoid_locomotion.core.terms import register_observation
    from humanoid_locomotion.evaluation.scorecard import Scorecard
    from humanoid_locomotion.sim.backend import SimBackend, register_backend
    from humanoid_locomotion.training.env.rewards import register_reward

__version__ = '0.2.0'

# The module of each name, for __getattr__; a test holds it equal to the imports above.
_MODULES = {
    'open_policy': 'core.policy.folder',
    'make_sim': 'api.simulation',
    'evaluate': 'api.evaluation',
    'train': 'api.training',
    'make_env': 'api.training',
    'register_reward': 'training.env.rewards',
    'register_observation': 'core.terms',
    'register_backend': 'sim.backend',
    'PolicyFolder': 'core.policy.folder',
    'Controller': 'core.controller',
    'RobotState': 'core.state',
    'JointTargets': 'core.state',
    'SimBackend': 'sim.backend',
    'Scorecard': 'evaluation.scorecard',
    'TrainingResult': 'api.training',
    'LocomotionError': 'core.errors',
}

__all__ = [
    '__version__',
    'open_policy', 'make_sim', 'evaluate', 'train', 'make_env',
    'register_reward', 'register_observation', 'register_backend',
    'PolicyFolder', 'Controller', 'RobotState', 'JointTargets', 'SimBackend', 'Scorecard',
    'TrainingResult', 'LocomotionError',
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562).

    Raises:
        AttributeError: The package has no such name; the message lists those it has.
    """
    if name not in _MODULES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}; its public names '
                             f'are: {", ".join(sorted(_MODULES))}')
    from importlib import import_module
    value = getattr(import_module(f'{__name__}.{_MODULES[name]}'), name)
    globals()[name] = value
    return value


def __dir__() -> List[str]:
    """List the public names besides what is imported already."""
    return sorted({*globals(), *__all__})
