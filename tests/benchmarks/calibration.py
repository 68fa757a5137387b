"""What a temperature gains on the validation images, and the calibration errors on the test images, as a table.

python -m tests.benchmarks.calibration
"""

from __future__ import annotations

from cnn_models import ModelHub
from cnn_models.analysis.statistics import calibration_error_by_chance
from cnn_models.checkpoints.folder import load_model, read_evaluation
from cnn_models.network import Network
from cnn_models.runtime import best_device, place
from training.data import load
from training.metrics import calibration_error, fit_temperature, gain


def main() -> None:
    hub, device = ModelHub(), best_device()
    print("| network | errors, validation | T | gain ± standard error | z | ECE, T = 1 | ECE, card | ECE by chance |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for id, card in hub.cards().items():
        examples = load(card.dataset, train=True)[-card.recipe["held_out"] :]
        logits = (
            Network(place(load_model(hub.folder(id))[0], device), card, device).run(examples.images).logits.double()
        )
        temperature = fit_temperature(logits, examples.labels)
        mean, error = gain(temperature, logits, examples.labels)
        wrong = (logits.argmax(1) != examples.labels).sum().item()
        uncalibrated, calibrated = read_evaluation(hub.folder(id)).reliability
        errors = calibration_error(uncalibrated), calibration_error(calibrated), calibration_error_by_chance(calibrated)
        ece = " | ".join(f"{each:.2f} %" for each in errors)
        print(
            f"| {id} | {wrong} | {temperature:.2f} | {mean:.4f} ± {error:.4f} | {mean / error:.1f} | {ece} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
