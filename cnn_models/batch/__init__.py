"""Many images at once: those of a folder or zip (`files`), their `labels`, a row for each (`rows`), and a `summary`."""
