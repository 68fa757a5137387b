"""Analyses of predictions: saliency, robustness, out-of-distribution detection, ensembles, test errors."""
