"""The Layers tab."""
