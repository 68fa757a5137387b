"""Errors of checkpoints that are not available; `cnn_models.hub.client` maps the errors of huggingface_hub to them."""

from __future__ import annotations

from cnn_models.checkpoints.folder import CheckpointError


class MissingCheckpoint(CheckpointError):
    """A checkpoint that is neither on this machine nor available from the Hub; the message gives the remedy."""


class NotPublic(MissingCheckpoint):
    """A repository that was requested without a token, and is private, gated or deleted."""


class DownloadPending(MissingCheckpoint):
    """A checkpoint whose download continues; the message gives its progress."""


class BadResponse(MissingCheckpoint):
    """A response that is too large, too slow or compressed, or has a path in place of a name."""
