# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""nav2.launch.py gives Nav2 its own parameters, with our changes and the limits of the policy."""

from pathlib import Path
import runpy

import pytest

pytest.importorskip('launch_ros')

import launch
import yaml

ROOT = Path(__file__).resolve().parents[2]
# What of nav2_bringup's file must stay, go, and be filled in.
BRINGUP = """
collision_monitor:
  ros__parameters: {polygons: [FootprintApproach], base_frame_id: base_footprint}
controller_server:
  ros__parameters:
    FollowPath: {plugin: "nav2_mppi_controller::MPPIController", batch_size: 2000}
local_costmap:
  local_costmap:
    ros__parameters: {keepout_filter: {enabled: KEEPOUT_ZONE_ENABLED}}
docking_server:
  ros__parameters: {max_retries: 3}
"""


@pytest.fixture
def given(tmp_path, monkeypatch):
    """Return the parameters that nav2_bringup is given, for launch arguments."""
    share = tmp_path / 'share'
    for path, text in (('ament_index/resource_index/packages/nav2_bringup', ''),
                       ('nav2_bringup/params/nav2_params.yaml', BRINGUP),
                       ('nav2_bringup/launch/navigation_launch.py', '')):
        (share / path).parent.mkdir(parents=True, exist_ok=True)
        (share / path).write_text(text)
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path))
    described = runpy.run_path(str(ROOT / 'launch' / 'nav2.launch.py'))

    def parameters(**arguments):
        context = launch.LaunchContext()
        context.launch_configurations.update(
            {'policy': 'humanoid', 'use_sim_time': 'true', **arguments})
        entities = described['generate_launch_description']().entities
        for entity in entities:
            if isinstance(entity, launch.actions.DeclareLaunchArgument):
                entity.execute(context)
        (opaque,) = [it for it in entities if isinstance(it, launch.actions.OpaqueFunction)]
        (include,) = opaque.execute(context)
        file = Path(dict(include.launch_arguments)['params_file'])
        found = yaml.safe_load(file.read_text())
        file.unlink()
        return found

    return parameters


def test_nav2_gets_its_own_parameters_our_changes_and_the_limits_of_the_policy(given):
    from humanoid_locomotion.core.policy.folder import find_policy, read_contract
    limits = read_contract(
        find_policy('humanoid') / 'contract.yaml').command_limits.velocity
    found = given()
    monitor = found['collision_monitor']['ros__parameters']
    assert monitor['polygons'] == ['FootprintApproach'] and monitor['source_timeout'] == 1.0
    assert monitor['base_frame_id'] == 'base_link'
    follow = found['controller_server']['ros__parameters']['FollowPath']
    assert 'batch_size' not in follow and 'RegulatedPurePursuit' in follow['plugin']
    forward = limits['lin_vel_x'].upper
    assert 0 < follow['desired_linear_vel'] == follow['max_linear_vel'] < forward
    costmap = found['local_costmap']['local_costmap']['ros__parameters']
    assert costmap['keepout_filter'] == {'enabled': False} and costmap['width'] == 4
    assert found['docking_server']['ros__parameters'] == {'max_retries': 3}
    smoother = found['velocity_smoother']['ros__parameters']
    assert smoother['max_velocity'] == list(limits.upper)
    assert smoother['min_velocity'] == list(limits.lower)
    assert found['/**']['ros__parameters']['enable_stamped_cmd_vel'] is True


def test_without_a_scan_the_collision_monitor_does_not_wait_for_one(given):
    assert given(scan='false')['collision_monitor']['ros__parameters']['source_timeout'] == 0.0


def test_the_lifecycle_manager_needs_no_bond_and_starts_nothing_by_itself():
    """The locomotion node has no bond, and its activation puts torque on the joints."""
    (read,) = yaml.safe_load(
        (ROOT / 'config' / 'nav2' / 'lifecycle_manager.yaml').read_text()).values()
    found = read['ros__parameters']
    assert found['node_names'] == ['locomotion']
    assert found['bond_timeout'] == 0.0 and found['autostart'] is False
