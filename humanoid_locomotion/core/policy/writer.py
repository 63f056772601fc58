"""Writes policy folders atomically: a folder appears only if it is complete and opens."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
import shutil
import tempfile
from typing import Dict, Iterator

import numpy as np
import yaml

from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.policy.content import write_sums
from humanoid_locomotion.core.policy.folder import open_policy


@contextmanager
def new_policy_folder(output: Path) -> Iterator[Path]:
    """Yield an empty folder to write a policy into; it is renamed to ``output`` if it opens.

    Args:
        output: Path of the policy folder; replaced if it exists and holds a policy.

    Raises:
        LocomotionError: ``output`` exists and is not a policy folder, or the written folder
            does not open; nothing is left behind in that case.
    """
    if output.exists() and not (output / 'contract.yaml').is_file():
        raise LocomotionError(f'{output}: exists and is not a policy folder; choose another path')
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent) as temporary:
        folder = Path(temporary) / 'policy'
        folder.mkdir()
        yield folder
        open_policy(folder, engine='onnxruntime')
        if output.exists():
            shutil.rmtree(output)
        shutil.move(str(folder), str(output))


def write_policy(folder: Path, contract: PolicyContract, network: bytes,
                 golden: Dict[str, np.ndarray]) -> None:
    """Write ``policy.onnx``, ``contract.yaml``, ``golden.npz`` and their hashes into a folder."""
    (folder / 'policy.onnx').write_bytes(network)
    text = yaml.safe_dump(contract.to_mapping(), sort_keys=False, default_flow_style=None)
    (folder / 'contract.yaml').write_text(text, encoding='utf-8')
    np.savez_compressed(folder / 'golden.npz', **golden)  # type: ignore[arg-type]
    write_sums(folder)
