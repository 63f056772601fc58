# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Unitree's messages: fields, memory layout and serialization. Needs NumPy only.

A message is a NumPy structured scalar with the layout of the vendor's C struct, over which the
checksum is computed. On the wire it is CDR (XCDR1), which has the same fields in the same order
with other padding. So both directions are one gather of bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Iterator, List, Tuple, Union

import numpy as np

from humanoid_locomotion.nodes.hardware.unitree.checksum import checksum

CDR_HEADER = b'\x00\x01\x00\x00'  # XCDR1, little endian


@dataclass(frozen=True)
class Struct:
    """A struct of the vendor's IDL.

    Attributes:
        module: First module of the type name: ``unitree_hg`` or ``unitree_go``.
        name: Name of the struct.
        fields: Name, type (a struct, NumPy's code, ``string`` or ``bytes``) and number of each
            field. A struct with a string or bytes has no fixed layout.
    """

    module: str
    name: str
    fields: Tuple[Tuple[str, Union[str, Struct], int], ...]

    @cached_property
    def dtype(self) -> np.dtype:
        """The layout of the C struct."""
        def layout(kind: Union[str, Struct]) -> np.dtype:
            return kind.dtype if isinstance(kind, Struct) else np.dtype('<' + kind)

        return np.dtype([(name, layout(kind)) if number == 1 else (name, layout(kind), (number,))
                         for name, kind, number in self.fields], align=True)

    @property
    def type_name(self) -> str:
        """The DDS type name."""
        return f'{self.module}::msg::dds_::{self.name}'

    @cached_property
    def _bytes_in_cdr(self) -> Tuple[np.ndarray, np.ndarray]:
        """Positions in the CDR and in the C struct of every byte that both have."""
        cdr: List[int] = []
        memory: List[int] = []
        end = 0
        for offset, size in _primitives(self, 0):
            end += -end % size
            cdr += range(end, end + size)
            memory += range(offset, offset + size)
            end += size
        return np.array(cdr), np.array(memory)

    def new(self) -> Any:
        """Return a message of zeros."""
        return np.zeros((), self.dtype)

    def encode(self, message: Any) -> bytes:
        """Return the CDR of a message, with its header."""
        cdr, memory = self._bytes_in_cdr
        body = np.zeros(-(-(cdr[-1] + 1) // 4) * 4, np.uint8)
        body[cdr] = np.frombuffer(message.tobytes(), np.uint8)[memory]
        return CDR_HEADER + body.tobytes()

    def decode(self, data: bytes) -> Any:
        """Return the message that a CDR with header holds.

        Raises:
            ValueError: It is too short, or not little-endian XCDR1.
        """
        cdr, memory = self._bytes_in_cdr
        if data[:2] != CDR_HEADER[:2] or len(data) <= 4 + cdr[-1]:
            raise ValueError(f'{self.type_name}: found {len(data)} bytes with the header '
                             f'{data[:4].hex()}, expected {5 + cdr[-1]} bytes of XCDR1')
        raw = np.zeros(self.dtype.itemsize, np.uint8)
        raw[memory] = np.frombuffer(data, np.uint8, offset=4)[cdr]
        return raw.view(self.dtype)[0]


def _primitives(struct: Struct, start: int) -> Iterator[Tuple[int, int]]:
    """Yield offset and size in the C struct of every primitive value, in order."""
    for name, kind, number in struct.fields:
        offset = start + struct.dtype.fields[name][1]  # type: ignore[index]
        for i in range(number):
            if isinstance(kind, Struct):
                yield from _primitives(kind, offset + i * kind.dtype.itemsize)
            else:
                size = np.dtype(kind).itemsize
                yield offset + i * size, size


def crc_of(message: Any) -> int:
    """Return the CRC that belongs into a message's last word."""
    return checksum(message.tobytes()[:-4])


def sign(message: Any) -> None:
    """Write the CRC of a message into it."""
    message['crc'] = crc_of(message)


def _struct(module: str, name: str, **fields: Any) -> Struct:
    """Return a struct; a field is ``type`` or ``(type, number)``."""
    pairs = [(key, it if isinstance(it, tuple) else (it, 1)) for key, it in fields.items()]
    return Struct(module, name, tuple((key, kind, number) for key, (kind, number) in pairs))


# unitree_hg: G1 and H1-2
HG_MOTORS = 35
HG_IMU = _struct('unitree_hg', 'IMUState_', quaternion=('f4', 4), gyroscope=('f4', 3),
                 accelerometer=('f4', 3), rpy=('f4', 3), temperature='i2')
HG_MOTOR_STATE = _struct(
    'unitree_hg', 'MotorState_', mode='u1', q='f4', dq='f4', ddq='f4', tau_est='f4',
    temperature=('i2', 2), vol='f4', sensor=('u4', 2), motorstate='u4', reserve=('u4', 4))
HG_MOTOR_COMMAND = _struct('unitree_hg', 'MotorCmd_', mode='u1', q='f4', dq='f4', tau='f4',
                           kp='f4', kd='f4', reserve='u4')
HG_STATE = _struct(
    'unitree_hg', 'LowState_', version=('u4', 2), mode_pr='u1', mode_machine='u1', tick='u4',
    imu_state=HG_IMU, motor_state=(HG_MOTOR_STATE, HG_MOTORS), wireless_remote=('u1', 40),
    reserve=('u4', 4), crc='u4')
HG_COMMAND = _struct('unitree_hg', 'LowCmd_', mode_pr='u1', mode_machine='u1',
                     motor_cmd=(HG_MOTOR_COMMAND, HG_MOTORS), reserve=('u4', 4), crc='u4')
HG_BATTERY = _struct(
    'unitree_hg', 'BmsState_', version_high='u1', version_low='u1', fn='u1', cell_vol=('u2', 40),
    bmsvoltage=('u4', 3), current='i4', soc='u1', soh='u1', temperature=('i2', 12), cycle='u2',
    manufacturer_date='u2', bmsstate=('u4', 5), reserve=('u4', 3))

# unitree_go: H1
GO_MOTORS = 20
GO_IMU = _struct('unitree_go', 'IMUState_', quaternion=('f4', 4), gyroscope=('f4', 3),
                 accelerometer=('f4', 3), rpy=('f4', 3), temperature='u1')
GO_MOTOR_STATE = _struct(
    'unitree_go', 'MotorState_', mode='u1', q='f4', dq='f4', ddq='f4', tau_est='f4', q_raw='f4',
    dq_raw='f4', ddq_raw='f4', temperature='u1', lost='u4', reserve=('u4', 2))
GO_BATTERY = _struct(
    'unitree_go', 'BmsState_', version_high='u1', version_low='u1', status='u1', soc='u1',
    current='i4', cycle='u2', bq_ntc=('u1', 2), mcu_ntc=('u1', 2), cell_vol=('u2', 15))
GO_MOTOR_COMMAND = _struct('unitree_go', 'MotorCmd_', mode='u1', q='f4', dq='f4', tau='f4',
                           kp='f4', kd='f4', reserve=('u4', 3))
GO_BATTERY_COMMAND = _struct('unitree_go', 'BmsCmd_', off='u1', reserve=('u1', 3))
GO_STATE = _struct(
    'unitree_go', 'LowState_', head=('u1', 2), level_flag='u1', frame_reserve='u1',
    sn=('u4', 2), version=('u4', 2), bandwidth='u2', imu_state=GO_IMU,
    motor_state=(GO_MOTOR_STATE, GO_MOTORS), bms_state=GO_BATTERY, foot_force=('i2', 4),
    foot_force_est=('i2', 4), tick='u4', wireless_remote=('u1', 40), bit_flag='u1',
    adc_reel='f4', temperature_ntc1='u1', temperature_ntc2='u1', power_v='f4', power_a='f4',
    fan_frequency=('u2', 4), reserve='u4', crc='u4')
GO_COMMAND = _struct(
    'unitree_go', 'LowCmd_', head=('u1', 2), level_flag='u1', frame_reserve='u1', sn=('u4', 2),
    version=('u4', 2), bandwidth='u2', motor_cmd=(GO_MOTOR_COMMAND, GO_MOTORS),
    bms_cmd=GO_BATTERY_COMMAND, wireless_remote=('u1', 40), led=('u1', 12), fan=('u1', 2),
    gpio='u1', reserve='u4', crc='u4')

# unitree_api: requests to the robot's services, which motion_switcher.py serializes
API_IDENTITY = _struct('unitree_api', 'RequestIdentity_', id='i8', api_id='i8')
API_LEASE = _struct('unitree_api', 'RequestLease_', id='i8')
API_POLICY = _struct('unitree_api', 'RequestPolicy_', priority='i4', noreply='?')
API_REQUEST_HEADER = _struct('unitree_api', 'RequestHeader_', identity=API_IDENTITY,
                             lease=API_LEASE, policy=API_POLICY)
API_REQUEST = _struct('unitree_api', 'Request_', header=API_REQUEST_HEADER, parameter='string',
                      binary='bytes')
API_STATUS = _struct('unitree_api', 'ResponseStatus_', code='i4')
API_RESPONSE_HEADER = _struct('unitree_api', 'ResponseHeader_', identity=API_IDENTITY,
                              status=API_STATUS)
API_RESPONSE = _struct('unitree_api', 'Response_', header=API_RESPONSE_HEADER, data='string',
                       binary='bytes')

MESSAGES = (HG_STATE, HG_COMMAND, HG_BATTERY, GO_STATE, GO_COMMAND, API_REQUEST, API_RESPONSE)
