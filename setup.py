# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Installs the package: with colcon as ament_python, or with pip."""

from pathlib import Path

from setuptools import find_packages, setup

NAME = 'humanoid_locomotion'
SHARE = f'share/{NAME}'
ROOT = Path(__file__).resolve().parent

ROS_PACKAGES = (
    'rclpy', 'rmw-fastrtps-cpp', 'action-msgs', 'diagnostic-msgs', 'geometry-msgs',
    'lifecycle-msgs', 'nav-msgs', 'rosgraph-msgs', 'sensor-msgs', 'std-msgs', 'std-srvs',
    'trajectory-msgs')
MUJOCO = 'mujoco>=3.17,<4'  # 4.0.0 has a wrong solver: sim/mujoco/model.py refuses it
NETWORK = ('onnx>=1.17,<2', 'onnxruntime>=1.19,<2')


def share(folder, pattern='*'):
    """Return ``data_files`` entries that install a folder as it is, subfolders included."""
    entries = {}
    for path in sorted((ROOT / folder).rglob(pattern)):
        if path.is_file() and not any(part[0] in '._' for part in path.relative_to(ROOT).parts):
            where = path.parent.relative_to(ROOT)
            entries.setdefault(f'{SHARE}/{where}', []).append(str(path.relative_to(ROOT)))
    return sorted(entries.items())


setup(
    name=NAME,
    version='0.2.0',
    description='Learned walking for humanoids, from training in simulation to ROS 2',
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0 AND BSD-3-Clause AND MIT AND CC-BY-SA-4.0',
    maintainer='humanoid_locomotion maintainers',
    maintainer_email='humanoid-locomotion@example.com',
    packages=find_packages(include=[NAME, f'{NAME}.*']),
    package_data={NAME: ['py.typed', 'nodes/operator/*.html', 'robots/*/*.yaml', 'robots/*/*.xml',
                         'robots/*/*.urdf']},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{NAME}']),
        (SHARE, ['package.xml']),
        *share('launch', '*.launch.py'),
        *share('config'),
        *share('policies'),
    ],
    python_requires='>=3.8',  # 3.8 for Isaac Gym; ROS 2 and MuJoCo want 3.10
    license_files=['LICENSE', 'LICENSES/*'],
    # Lower bounds: the packages of Ubuntu 24.04, or of Isaac Gym's Python 3.8 (requirements/).
    install_requires=['numpy>=1.23,<3', 'PyYAML>=6,<7', 'rich>=13,<15', 'typer>=0.9,<1'],
    extras_require={
        'ros': [f'ros-{package}' for package in ROS_PACKAGES],
        'record': ['mcap>=1.2,<2'],
        'hub': ['huggingface_hub>=0.25,<3'],
        'sim': ['matplotlib>=3.6,<4', MUJOCO, *NETWORK, 'pillow>=10,<14'],
        'sweep': ['optuna>=5,<6'],
        'unitree': ['cyclonedds>=11,<12'],
        'viewer': [MUJOCO, 'scipy>=1.15,<2', 'trimesh>=5,<6', 'viser>=1.1,<1.2'],
        'train': ['gymnasium>=1.1,<2', MUJOCO, 'mujoco-warp>=3.17,<4', *NETWORK,
                  'tensorboard>=2.20,<3', 'torch>=1.13,<3', 'warp-lang>=1.19,<2'],
        'wandb': ['wandb>=0.18,<1'],
        # colcon runs pytest for packages that ask for it under this name.
        'test': ['pytest'],
        'dev': ['hypothesis>=6,<7', 'mypy>=2,<3', 'pytest>=8,<9', 'rsl-rl-lib>=5,<6',
                'ruff>=0.17,<1', 'types-PyYAML>=6,<7'],
    },
    entry_points={'console_scripts': [
        f'humanoid-locomotion = {NAME}.__main__:main',
        f'driver = {NAME}.nodes.hardware.driver_node:main',
        f'locomotion = {NAME}.nodes.locomotion.node:main',
        f'odometry = {NAME}.nodes.odometry.node:main',
        f'planner = {NAME}.nodes.navigation.node:main',
        f'sim = {NAME}.nodes.simulation.node:main',
        f'unitree_stand_in = {NAME}.nodes.hardware.unitree.stand_in:main',
        f'viewer = {NAME}.nodes.operator.viewer:main',
    ]},
    zip_safe=False,
)
