# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Connection to Unitree's DDS network. Importing this module needs cyclonedds."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
import socket
from typing import Any, Callable, Dict, List, Optional, Tuple

from humanoid_locomotion.core.errors import ConfigError, MissingPackageError
from humanoid_locomotion.nodes.hardware.unitree.messages import Struct

try:
    from cyclonedds import _clayer
    from cyclonedds.builtin import (
        BuiltinDataReader,
        BuiltinTopicDcpsParticipant,
        BuiltinTopicDcpsPublication,
    )
    from cyclonedds.core import DDSException, InstanceState, Listener
    from cyclonedds.domain import Domain, DomainParticipant
    from cyclonedds.idl import make_idl_struct, types
    from cyclonedds.idl.annotations import autoid, final
    from cyclonedds.pub import DataWriter
    from cyclonedds.qos import Policy, Qos
    from cyclonedds.sub import DataReader
    from cyclonedds.topic import Topic
except ImportError as error:
    raise MissingPackageError('the connection to Unitree robots', 'cyclonedds',
                              "pip install 'humanoid_locomotion[unitree]'") from error

CONFIGURATION = """<CycloneDDS><Domain Id="any"><General><Interfaces>
<NetworkInterface name="{interface}" multicast="{multicast}"/>
</Interfaces></General>{discovery}</Domain></CycloneDDS>"""
# Of the programs on a loopback interface, some are found by multicast, which it lacks by default,
# and others, such as unitree_mujoco, by their port.
LOOPBACK = """<Discovery><ParticipantIndex>auto</ParticipantIndex>
<Peers><Peer Address="127.0.0.1"/></Peers></Discovery>"""
ONLY_FATAL = 1  # Cyclone's mask of what it logs
_domains: Dict[int, Tuple[str, Any]] = {}  # of this process: their interface and DDS entity


class Raw:
    """A serialized message, with its CDR header.

    Attributes:
        data: The bytes.
        sample_info: Cyclone's information on a received message.
    """

    sample_info: Any

    def __init__(self, data: bytes):
        self.data = data

    def serialize(self, **_: Any) -> bytes:
        """Return the bytes; Cyclone calls it for a message to write."""
        return self.data

    @classmethod
    def deserialize(cls, data: bytes) -> Raw:
        """Return the message of these bytes; Cyclone calls it for a message that was read."""
        return cls(data)

    deserialize_key = deserialize


SEQUENCE: Any = types.sequence
ARRAY: Any = types.array
TYPES = {'u2': types.uint16, 'i2': types.int16, 'u4': types.uint32, 'i4': types.int32,
         'i8': types.int64, 'f4': types.float32, '?': bool, 'string': str}


def _declare(struct: Struct, byte: Any) -> Any:
    """Return Cyclone's class of a struct, with this type of its bytes."""
    kinds = {**TYPES, 'u1': byte, 'bytes': SEQUENCE[byte]}
    fields = {}
    for name, kind, number in struct.fields:
        declared = _declare(kind, byte) if isinstance(kind, Struct) else kinds[kind]
        fields[name] = declared if number == 1 else ARRAY[declared, number]
    return final(autoid('sequential')(make_idl_struct(
        struct.name, struct.type_name.replace('::', '.'), fields)))


def raw_type(message: Struct, has_octets: bool = True) -> Any:
    """Return a class for Cyclone that reads and writes the bytes of a message.

    Unitree's robots and C++ software use Cyclone DDS 0.10.2, which announces a byte as ``octet``.
    It ends with a segmentation fault where another program announces a ``uint8``, as newer
    versions do for Unitree's Python types. A topic with one does not match one with the other.

    Args:
        message: The message.
        has_octets: Whether its bytes are announced as ``octet``, else as ``uint8``.
    """
    idl = _declare(message, types.byte if has_octets else types.uint8).__idl__
    return type(message.name, (Raw,), {
        '__idl__': idl, '__idl_typename__': message.type_name.replace('::', '.')})


def type_hash(message_type: Any) -> bytes:
    """Return the hash of the type information that a class of :func:`raw_type` announces."""
    return bytes(message_type.__idl__.get_type_id().value)


@dataclass(frozen=True)
class Publisher:
    """Somebody who publishes a topic.

    Attributes:
        participant: Hexadecimal GUID of the DDS participant.
        type_name: Type that it publishes.
        type_hash: Hash of its type information, empty if it has none.
        process: Its process, as far as the participant tells.
    """

    participant: str
    type_name: str
    type_hash: bytes
    process: str


class Reader:
    """Reads the messages of one topic; it keeps the newest ``depth``."""

    def __init__(self, participant: Any, topic: Any, depth: int, reliable: bool,
                 on_data: Optional[Callable[[], None]] = None):
        policies: List[Any] = [Policy.History.KeepLast(depth)]
        if reliable:
            policies.append(Policy.Reliability.Reliable(max_blocking_time=0))
        listener = None if on_data is None else Listener(on_data_available=lambda _: on_data())
        self._depth, self._reader = depth, DataReader(
            participant, topic, Qos(*policies), listener)

    def take(self) -> List[bytes]:
        """Return the messages that arrived since the last call, CDR with header."""
        return [it.data for it in self._reader.take(self._depth) if isinstance(it, Raw)]


class Writer:
    """Writes messages to one topic; nobody who reads slowly holds it up."""

    def __init__(self, participant: Any, topic: Any):
        self._type = topic.data_type
        self._writer = DataWriter(participant, topic, Qos(
            Policy.History.KeepLast(1), Policy.Reliability.Reliable(max_blocking_time=0)))

    def write(self, data: bytes) -> None:
        """Send one message, CDR with header."""
        self._writer.write(self._type(data))


class Wire:
    """A DDS participant on one network interface.

    Args:
        interface: Name of the network interface.
        domain: Number of the DDS domain: 0 on the robot, 1 in Unitree's simulators.

    Attributes:
        participant: Hexadecimal GUID of the participant.
        has_octets: For topics to be opened: see :func:`raw_type`.

    Raises:
        ConfigError: There is no such interface, it cannot be used, or this process uses the
            domain on another one.
    """

    def __init__(self, interface: str, domain: int):
        names = [name for _, name in socket.if_nameindex()]
        if interface not in names:
            raise ConfigError('unitree', 'interface', f'there is no network interface '
                              f'{interface!r}, there is: {", ".join(names)}')
        used, _ = _domains.get(domain, (interface, None))
        if used != interface:
            raise ConfigError('unitree', 'interface', f'found {interface!r}, but this process '
                              f'uses domain {domain} on {used!r}')
        try:
            if domain not in _domains:
                is_local = interface == 'lo'
                _domains[domain] = interface, Domain(domain, CONFIGURATION.format(
                    interface=interface, multicast='true' if is_local else 'default',
                    discovery=LOOPBACK if is_local else ''))
            self._participant: Any = DomainParticipant(domain)
        except DDSException as error:
            raise ConfigError('unitree', 'interface', f'DDS domain {domain} cannot be opened on '
                              f'{interface!r}: {error}') from error
        # Otherwise it logs every packet that cannot be sent while the interface is down.
        ctypes.CDLL(_clayer.__file__).dds_set_log_mask(ONLY_FATAL)
        self.participant: str = self._participant.get_guid().hex
        self.has_octets = True
        self._topics: Dict[Tuple[str, str], Any] = {}
        self._endpoints: List[Any] = []  # which end when nobody refers to them
        self._publications = BuiltinDataReader(self._participant, BuiltinTopicDcpsPublication)
        self._participants = BuiltinDataReader(self._participant, BuiltinTopicDcpsParticipant)
        self._publishers: Dict[str, Tuple[str, str, str, bytes]] = {}
        self._processes: Dict[str, str] = {}

    def _topic(self, name: str, message: Struct) -> Any:
        key = name, message.type_name
        if key not in self._topics:
            self._topics[key] = Topic(self._participant, name, raw_type(message, self.has_octets))
        return self._topics[key]

    def reader(self, name: str, message: Struct, depth: int = 1, reliable: bool = False,
               on_data: Optional[Callable[[], None]] = None) -> Reader:
        """Return a reader of a topic; ``on_data`` is called in another thread at each message."""
        self._endpoints.append(
            Reader(self._participant, self._topic(name, message), depth, reliable, on_data))
        return self._endpoints[-1]

    def writer(self, name: str, message: Struct) -> Writer:
        """Return a writer of a topic."""
        self._endpoints.append(Writer(self._participant, self._topic(name, message)))
        return self._endpoints[-1]

    def publishers(self, name: str) -> List[Publisher]:
        """Return who publishes a topic at present, this participant included."""
        for it in self._participants.take(1000):
            values = {str(p.key): str(p.value) for p in it.qos if isinstance(p, Policy.Property)} \
                if it.qos else {}
            self._processes[it.key.hex] = 'process {} ({}) on {}'.format(*(
                values.get(f'__{key}', 'unknown') for key in ('Pid', 'ProcessName', 'Hostname')))
        for it in self._publications.take(1000):
            if it.sample_info.instance_state == InstanceState.Alive:
                self._publishers[it.key.hex] = (
                    it.topic_name, it.participant_key.hex, it.type_name,
                    bytes(it.type_id.value) if it.type_id is not None else b'')
            else:
                self._publishers.pop(it.key.hex, None)
        return [Publisher(participant, type_name, type_hash,
                          self._processes.get(participant, 'unknown'))
                for topic, participant, type_name, type_hash in self._publishers.values()
                if topic == name]

    def close(self) -> None:
        """Leave the network."""
        if self._participant is not None:
            self._participant.__del__()  # deletes its topics, readers and writers with it
            self._participant = None
