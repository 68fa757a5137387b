"""What the tabs share: texts, charts, colours, theme, the sketchpad."""
