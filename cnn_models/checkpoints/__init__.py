"""Checkpoints: their ids, the format of their folders, runs, snapshots, evaluations and reported figures."""
