# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Writes policy folders atomically: a folder appears only if it is complete and opens."""

from __future__ import annotations

from contextlib import contextmanager, suppress
import os
from pathlib import Path
import shutil
import tempfile
from typing import Any, Dict, Iterator

import numpy as np
import yaml

from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.policy.content import DEPLOY, NETWORK, read_folder, write_sums
from humanoid_locomotion.core.policy.folder import open_policy, standalone_error
from humanoid_locomotion.core.policy.onnx_graph import read_network
from humanoid_locomotion.core.policy.standalone.fields import deploy_yaml
from humanoid_locomotion.core.policy.standalone.graph import standalone_bytes


@contextmanager
def new_policy_folder(output: Path) -> Iterator[Path]:
    """Yield an empty folder to write a policy into; it is renamed to ``output`` if it opens.

    Args:
        output: Path of the policy folder, or of a link to it; replaced if it exists and holds a
            policy.

    Raises:
        LocomotionError: ``output`` exists and is not a policy folder, or the written folder
            does not open; nothing is left behind in that case.
    """
    if output.exists() and not (output / 'contract.yaml').is_file():
        raise LocomotionError(f'{output}: exists and is not a policy folder; choose another path')
    place = Path(os.path.realpath(output))
    made = [it for it in (place.parent, *place.parent.parents) if not it.exists()]
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=place.parent) as temporary:
            folder = Path(temporary) / 'policy'
            folder.mkdir()
            yield folder
            standalone_error(open_policy(folder, engine='onnxruntime'))
            if place.exists():
                place.rename(Path(temporary) / 'replaced')
            folder.rename(place)
    except BaseException:
        with suppress(OSError):  # another process may use them by now
            for it in made:
                it.rmdir()
        raise


def write_policy(folder: Path, contract: PolicyContract, network: bytes,
                 golden: Dict[str, np.ndarray]) -> None:
    """Write all files that are hashed, and their hashes, into a folder.

    Args:
        folder: An existing folder.
        contract: The contract.
        network: Content of the network's ONNX file.
        golden: The golden steps.
    """
    _write_yaml(folder / 'contract.yaml', contract.to_mapping())
    np.savez_compressed(folder / 'golden.npz', **golden)  # type: ignore[arg-type]
    _write_networks(folder, contract, network)


def rebuild(folder: Path) -> None:
    """Write the standalone policy and ``deploy.yaml`` of a policy folder again.

    Network, golden steps and measurements stay the same. A folder of version 0.2 or before, in
    which ``policy.onnx`` is the network, gets them for the first time.

    Raises:
        PolicyError: The folder does not open, before or after.
    """
    content = read_folder(folder)
    contract = open_policy(folder, engine='onnxruntime').contract
    with new_policy_folder(folder) as new:
        shutil.copytree(folder, new, dirs_exist_ok=True)
        _write_networks(new, contract, content.files[content.network_file])


def _write_networks(folder: Path, contract: PolicyContract, network: bytes) -> None:
    standalone = standalone_bytes(contract, read_network(network, folder / NETWORK))
    if standalone is not None:
        (folder / NETWORK).write_bytes(network)
        _write_yaml(folder / DEPLOY, deploy_yaml(contract))
    (folder / 'policy.onnx').write_bytes(standalone or network)
    write_sums(folder)


def _write_yaml(path: Path, data: Dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(data, sort_keys=False, default_flow_style=None),
                    encoding='utf-8')
