"""Checkpoint folders from the Hugging Face Hub, through its own client into its own cache."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from cnn_models.checkpoint import CONFIG, WEIGHTS, CheckpointError

COMMIT = re.compile(r"[0-9a-f]{40}")
TIMEOUT = 10  # seconds that the Hub has to answer the first question
FILE_LIMIT = 256 * 2**20  # bytes of one file that is fetched; AlexNet in float32 has 187 MB

log = logging.getLogger(__name__)


class MissingCheckpoint(CheckpointError):
    """A checkpoint that is neither here nor to be had; the message says how to get it."""


def needed(files: tuple[str, ...]) -> list[str]:
    """Those of the files without which a checkpoint cannot be used."""
    return [name for name in files if name in (CONFIG, WEIGHTS)]


def fetch(repository: str, revision: str, files: tuple[str, ...]) -> Path:
    """The folder of one commit in the Hub's cache, with these files of a repository and no others.

    A commit that is cached costs no request. While the Hub cannot be had, what is cached is served. Raises
    MissingCheckpoint.
    """
    # Imported here: it takes 0.4 s that nobody needs whose weights are all in the folder.
    from huggingface_hub import HfApi, snapshot_download, try_to_load_from_cache

    def cached() -> Path | None:
        paths = [try_to_load_from_cache(repository, name, revision=revision) for name in needed(files)]
        return Path(paths[0]).parent if all(isinstance(path, str) for path in paths) else None

    if COMMIT.fullmatch(revision) and (folder := cached()):
        return folder
    try:
        # This question comes first since `snapshot_download` waits for ever on a Hub that does not answer.
        info = HfApi().model_info(repository, revision=revision, files_metadata=True, timeout=TIMEOUT)
        sizes = {file.rfilename: file.size or 0 for file in info.siblings or () if file.rfilename in files}
        if absent := set(needed(files)) - sizes.keys():
            raise MissingCheckpoint(
                f"{repository} has no {' and no '.join(sorted(absent))}; it must be published whole"
            )
        if max(sizes.values()) > FILE_LIMIT:
            raise MissingCheckpoint(f"{repository} has files larger than any of these networks")
        return Path(snapshot_download(repository, revision=revision, allow_patterns=list(files)))
    except MissingCheckpoint:
        raise
    except Exception as error:  # the client has no common base class, and Xet raises plain RuntimeErrors
        if folder := cached():
            log.warning("%s is served from the cache: %s", repository, error)
            return folder
        raise MissingCheckpoint(_why(error, repository, revision)) from error


def _why(error: Exception, repository: str, revision: str) -> str:
    """A sentence, without its full stop, that says what the Hub's client met and what to do."""
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return f"{repository} is gated; ask for access on its page, then set HF_TOKEN"
    if isinstance(error, errors.RepositoryNotFoundError):
        return f"the Hub has no {repository}, or it is private; check the name, or set HF_TOKEN"
    if isinstance(error, errors.RevisionNotFoundError):
        return f"{repository} has no revision {revision!r}; leave it out for the newest"
    if isinstance(error, errors.OfflineModeIsEnabled):
        return f"{repository} is not in the Hub's cache and HF_HUB_OFFLINE is set; unset it"
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return f"{repository} could not be fetched ({reason}); connect to the network and try again"
