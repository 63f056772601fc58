# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The commands ``policy push`` and ``policy fetch``: policy folders on the Hugging Face hub.

``huggingface_hub`` is optional. Its own settings hold: the token of ``hf auth login``, ``HF_HOME``
for its cache, ``HF_ENDPOINT`` for another hub.
"""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
import tempfile
from typing import Any, Dict, Iterator

from rich.console import Console
import typer

from humanoid_locomotion.cli import inputs
from humanoid_locomotion.cli.output import working
from humanoid_locomotion.core.errors import LocomotionError, MissingPackageError, PolicyError
from humanoid_locomotion.core.policy import content
from humanoid_locomotion.core.reading.files import read_bytes

console = Console()
# The files that are pushed and fetched, and the largest size of each [bytes].
LIMITS = {content.SUMS: content.MAX_SUMS_BYTES, **content.LIMITS, **content.BESIDE,
          **dict.fromkeys(('card.md', 'scorecard.png', 'field.png'), 16 * 1024 * 1024)}
TIMEOUT = 30.0  # until the hub lists a repository [s]


def push(
        source: str = typer.Argument(
            ..., help='Policy folder, or name of one that ships; or a run folder or checkpoint, '
            'which is exported with its training state first.'),
        repo: str = typer.Argument(..., help='Repository of the hub, as OWNER/NAME.'),
        public: bool = typer.Option(
            False, '--public', help='Everybody may read a repository that this makes.')) -> None:
    """Send a policy folder to a repository of the Hugging Face hub."""
    from humanoid_locomotion.core.policy.folder import open_policy, standalone_error
    hub = _hub()
    with tempfile.TemporaryDirectory() as scratch:
        folder = _folder_of(source, Path(scratch))
        content.check_hashes(folder)
        standalone_error(open_policy(folder))
        with _one_sentence(repo):
            api = hub.HfApi()
            api.create_repo(repo, private=not public, exist_ok=True)
            commit = api.upload_folder(
                repo_id=repo, folder_path=str(folder), allow_patterns=list(LIMITS),
                delete_patterns=list(LIMITS),  # those of a policy that was there before
                commit_message='Policy folder of humanoid_locomotion').oid
    console.print(f'pushed {source}; humanoid-locomotion policy fetch {repo}@{commit} --output '
                  'FOLDER gets it', soft_wrap=True, markup=False, highlight=False)


def fetch(
        repo: str = typer.Argument(
            ..., help='Repository of the hub, as OWNER/NAME or OWNER/NAME@REVISION.'),
        output: Path = typer.Option(..., help='Policy folder to write, as policies/NAME.')
) -> None:
    """Get a policy folder from the Hugging Face hub; every file is checked against its hash."""
    from humanoid_locomotion.core.policy.vetting import open_vetted
    from humanoid_locomotion.core.policy.writer import new_policy_folder
    hub, (name, _, revision) = _hub(), repo.partition('@')
    inputs.folder_to_write(output)
    with new_policy_folder(output) as folder:
        with _one_sentence(repo):
            listed = hub.HfApi().repo_info(
                name, revision=revision or None, files_metadata=True, timeout=TIMEOUT)
            files = {it.rfilename: it for it in listed.siblings if it.rfilename in LIMITS}
            _check_listed(repo, files)
            got = Path(hub.snapshot_download(
                name, revision=listed.sha, allow_patterns=list(files)))
        for file, entry in files.items():
            data = read_bytes(got / file, LIMITS[file])
            if not _is_as_listed(data, entry):
                raise PolicyError(repo, f'{file} does not have the hash that the hub lists; '
                                  f'remove {got.parents[1]} and fetch it again')
            (folder / file).write_bytes(data)
        try:
            content.check_hashes(folder)
            with working('opening it in a separate process'):
                fingerprint = open_vetted(folder).contract.fingerprint
        except PolicyError as error:  # its path is that of a temporary folder
            raise PolicyError(f'{repo}: {Path(error.path).name}', error.problem) from error
    console.print(f'wrote {output}, from {name}@{listed.sha}, fingerprint {fingerprint}',
                  soft_wrap=True, markup=False, highlight=False)


def _hub() -> Any:
    try:
        import huggingface_hub
    except ImportError as error:
        raise MissingPackageError('sharing policies', 'huggingface_hub',
                                  "pip install 'humanoid_locomotion[hub]'") from error
    return huggingface_hub


def _folder_of(source: str, scratch: Path) -> Path:
    """Return the policy folder to push; a run or checkpoint is exported into ``scratch``."""
    from humanoid_locomotion.core.policy.folder import find_policy
    path = Path(source)
    if not (path.is_file() or (path / 'checkpoints').is_dir()):
        return find_policy(source)
    from humanoid_locomotion.training.run.options import require_torch
    require_torch('policy push of a run')
    from humanoid_locomotion.training.export import export
    return export(path, scratch / 'policy', training_state=True)


def _check_listed(repo: str, files: Dict[str, Any]) -> None:
    """Check names and sizes before anything is downloaded."""
    missing = [name for name in (content.SUMS, *content.REQUIRED) if name not in files]
    if missing:
        raise PolicyError(repo, f'is not a policy folder: it lacks {", ".join(missing)}')
    for name, entry in files.items():
        if entry.size is None or entry.size > LIMITS[name]:
            raise PolicyError(repo, f'{name} has {entry.size} bytes, expected at most '
                              f'{LIMITS[name]}')


def _is_as_listed(data: bytes, entry: Any) -> bool:
    """Return whether a file has the hash in the hub's list: SHA-256 in LFS, or git's."""
    if entry.lfs is not None:
        return hashlib.sha256(data).hexdigest() == entry.lfs.sha256
    return hashlib.sha1(b'blob %d\0' % len(data) + data).hexdigest() == entry.blob_id


@contextlib.contextmanager
def _one_sentence(repo: str) -> Iterator[None]:
    """Convert an error of the hub's client, which are of many kinds, to one sentence."""
    try:
        yield
    except LocomotionError:
        raise
    except Exception as error:
        text = ' '.join(str(error).split()) or 'no reason given'
        raise LocomotionError(f'{repo}: the hub cannot be reached or refuses this '
                              f'({type(error).__name__}: {text[:300]})') from error
