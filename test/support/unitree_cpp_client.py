# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads states and writes commands with Unitree's C++ SDK for some time: ROBOT SECONDS.

It is a process of its own, since a segmentation fault of the SDK would end the test. It uses
domain 0 and prints how many different states it read.
"""

import sys
import time

import unitree_interface as sdk

CONFIG = ('<CycloneDDS><Domain Id="any"><General><Interfaces><NetworkInterface name="lo" '
          'priority="default" multicast="true"/></Interfaces></General></Domain></CycloneDDS>')


def main():
    robot = {'g1': sdk.G1_HG_CONFIG, 'h1': sdk.H1_GO2_CONFIG}[sys.argv[1]]
    client = sdk.UnitreeInterface('lo', robot, dds_config=CONFIG)
    end, states = time.monotonic() + float(sys.argv[2]), set()
    while time.monotonic() < end:
        position = client.read_low_state().motor.q
        states.add(tuple(position))
        command = sdk.MotorCommand(len(position))
        command.q_target = list(position)
        for name in ('dq_target', 'tau_ff', 'kp'):
            setattr(command, name, [0.0] * len(position))
        command.kd = [1.0] * len(position)
        client.write_low_command(command)
        time.sleep(0.005)
    print(f'{len(states)} states')


if __name__ == '__main__':
    main()
