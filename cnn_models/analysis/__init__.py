"""What networks answer and why: attribution, robustness, out-of-distribution detection, ensembles, test errors."""
