"""Checkpoints from the folder, the cache and the Hugging Face Hub."""
