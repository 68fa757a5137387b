"""Shared by the tabs: texts, charts, colours, theme, the sketchpad."""
