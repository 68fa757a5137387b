"""Checkpoints from `weights/` and from the Hugging Face Hub."""
