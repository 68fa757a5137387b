"""Checkpoints: ids, folders, runs, snapshots, evaluations and reported figures."""
