"""The recipes (hyper-parameters) of every checkpoint: `best` is the default, `source` that of the course texts."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from cnn_models.specs import Architecture, Dataset

HELD_OUT = 5_000
"""The size of the validation set: the last training images. Tuning uses these, never the test set."""

INITS = ("default", "xavier_uniform", "he", "lecun")  # see `training.init`
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class Recipe:
    """Every hyper-parameter of a training.

    - `lr`: the learning rate, or the peak of a `one_cycle` schedule.
    - `average`: the decay per step of the exponential moving average (EMA) of the weights that is kept, 0 for none.
    - `degrees`, `shear` (degrees), `shift` (pixels), `scale` (a fraction): the most of each in random affine maps.
    - `elastic`: sigma of elastic deformation in pixels; `erase`: the side of an erased square; `cutmix`: the share of
      batches with CutMix; `flip`: random mirroring.
    - `size`: the side of the input; `mean`, `std`: its normalisation; 0 takes the architecture's and the data set's.
    - `small_size`: the side of the input in the first `small_epochs`, which cost less.
    - `precision`: of convolutions and matrix products, weights stay float32; `compile`: torch.compile.
    - `teachers`: networks whose mean probabilities at a `temperature` are the soft targets that replace the labels, for
      `views` augmented copies of each image; an epoch takes all copies.
    - `held_out`: the size of the validation set, the last training images; with 0, the test set is the validation set.
    """

    epochs: int
    batch_size: int
    lr: float
    optimizer: str = "adamw"
    weight_decay: float = 0.01
    schedule: str = "one_cycle"
    init: str = "default"
    average: float = 0.999
    degrees: float = 0.0
    shift: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    elastic: float = 0.0
    erase: int = 0
    cutmix: float = 0.0
    flip: bool = False
    size: int = 0
    small_size: int = 0
    small_epochs: int = 0
    precision: str = "float32"
    compile: bool = False
    mean: float = 0.0
    std: float = 0.0
    teachers: tuple[str, ...] = ()
    views: int = 0
    temperature: float = 1.0
    held_out: int = HELD_OUT

    def filled(self, architecture: Architecture, dataset: Dataset, changed: dict) -> Recipe:
        """The recipe with size, mean, std and changes filled in; `small_epochs` stays the same share of the epochs.

        Raises ValueError for epochs, batch size or learning rate that are not positive.
        """
        defaults = {"size": architecture.input_size, "mean": dataset.mean, "std": dataset.std}
        small = {"small_epochs": self.small_epochs * changed.get("epochs", self.epochs) // self.epochs}
        recipe = replace(self, **{k: v for k, v in defaults.items() if not getattr(self, k)} | small | changed)
        if recipe.epochs < 1 or recipe.batch_size < 1 or not recipe.lr > 0:
            raise ValueError("epochs, batch size and learning rate must be positive")
        return recipe

    def size_in(self, epoch: int) -> int:
        """The side of the network's input in an epoch (from 0)."""
        return self.small_size if epoch < self.small_epochs else self.size

    def learning_rate(self, progress: float) -> float:
        """The learning rate at a progress of 0 to 1 (one-cycle: Smith & Topin 2017, arXiv:1708.07120)."""
        if self.schedule == "constant":
            return self.lr
        warmup = 0.15
        if progress < warmup:
            return self.lr * (0.04 + 0.96 * progress / warmup)
        return self.lr * max(1e-3, 0.5 + 0.5 * math.cos(math.pi * (progress - warmup) / (1 - warmup)))


# The runs of the course texts: plain SGD, MNIST's mean and std for both data sets, the test set as validation.
SOURCE = Recipe(
    epochs=10, batch_size=128, lr=0.1, optimizer="sgd", weight_decay=0.0, schedule="constant", average=0.0,
    mean=0.1307, std=0.3081, held_out=0,
)  # fmt: skip

# The defaults of the other recipes: light affine augmentation, as the images are centred already.
DIGITS = Recipe(epochs=40, batch_size=128, lr=3e-3, degrees=12, shift=2, scale=0.15, shear=8)
CLOTHES = Recipe(epochs=50, batch_size=128, lr=3e-3, degrees=3, shift=1, scale=0.05, flip=True)
ELASTIC = replace(DIGITS, elastic=0.8)  # for networks that fit the training digits without it
ELASTIC_LIGHT = replace(ELASTIC, degrees=10, scale=0.1, shear=5)  # LeNet-5: still lighter overfits
# To fine-tune: a constant schedule, as the average of the weights gains most, and erased squares against overfitting.
FINE_TUNE = replace(CLOTHES, epochs=4, lr=2e-4, schedule="constant", average=0.999, erase=10)


def distilled(recipe: Recipe, **changed) -> Recipe:
    """The recipe of a small network distilled from soft targets, by default GoogLeNet's for 5 views."""
    return replace(recipe, **{"epochs": 16, "teachers": ("googlenet",), "views": 5, "temperature": 4.0} | changed)


# The experiments behind them, with results: training/README.md.
RECIPES: dict[str, dict[str, Recipe]] = {
    "lenet5.mnist": {
        "source": replace(SOURCE, epochs=5, batch_size=256, lr=0.9),
        "best": replace(ELASTIC_LIGHT, epochs=60),  # 130 and 240 epochs: at most one more validation digit correct
        # Mini ResNet at temperature 1, for 15 views: a better teacher than GoogLeNet, and hotter is worse.
        "distilled": distilled(ELASTIC_LIGHT, teachers=("mini_resnet",), views=15, temperature=1.0),
        # To the accuracy of the source run in a tenth of its time: more accurate than with AdamW, and sooner.
        "fast": Recipe(epochs=1, batch_size=192, lr=0.016, optimizer="muon", init="lecun", average=0.98),
    },
    "lenet5.fashion_mnist": {
        "best": replace(CLOTHES, epochs=130),  # still gains after 50 epochs
        "distilled": distilled(CLOTHES),
    },
    "alexnet.mnist": {
        # Half of the epochs at 127, three times as fast as 224; the large images come while the learning rate is still
        # high and the average short.
        "best": replace(DIGITS, epochs=6, lr=5e-4, init="he", average=0.99, small_size=127, small_epochs=3),
        # To fine-tune that (--init): elastic deformation, as 99.4 % of the training digits were correct by then.
        "further": replace(ELASTIC, epochs=4, lr=3e-4, average=0.995),
    },
    "alexnet.fashion_mnist": {
        "source": SOURCE,
        "source_xavier": replace(SOURCE, lr=0.01, init="xavier_uniform"),
        # As on digits, over twice as many epochs.
        "best": replace(CLOTHES, epochs=12, lr=5e-4, init="he", average=0.995, small_size=127, small_epochs=6),
        "further": FINE_TUNE,  # to fine-tune that: another cycle gains less than an average at a constant learning rate
        # To fine-tune that: CutMix instead of erased squares; its price is a worse detection of OOD images.
        "mixed": replace(FINE_TUNE, epochs=5, erase=0, cutmix=0.5),
    },
    "googlenet.mnist": {
        # All epochs at 96: it gains nothing from smaller images.
        "best": replace(DIGITS, epochs=8, lr=1e-3, init="he", average=0.995),
    },
    "googlenet.fashion_mnist": {
        "source": replace(SOURCE, batch_size=256, lr=0.01, init="xavier_uniform", size=224),
        "best": replace(CLOTHES, epochs=15, lr=1e-3, init="he", average=0.995),
        # To fine-tune that: at a higher learning rate than AlexNet's, to a lower validation loss than another cycle.
        "further": replace(FINE_TUNE, epochs=5, lr=3e-4),
        # To fine-tune that: CutMix instead of erased squares; no more accurate, and a worse detection of OOD images.
        "mixed": replace(FINE_TUNE, epochs=12, lr=1e-3, schedule="one_cycle", erase=0, cutmix=0.5),
    },
    "mini_inception.mnist": {
        "source": replace(SOURCE, batch_size=64, lr=0.01),
        "best": replace(DIGITS, init="lecun"),  # unit gain, as there is no activation function inside the branches
        "distilled": distilled(ELASTIC, init="lecun"),
    },
    "mini_inception.fashion_mnist": {
        "source": SOURCE,
        "best": replace(CLOTHES, init="lecun"),  # a better first epoch than the default initialisation
        "distilled": distilled(CLOTHES, init="lecun"),  # no better than `best`
    },
    "mini_resnet.mnist": {
        "source": replace(SOURCE, batch_size=64, lr=0.01),
        "best": replace(ELASTIC, epochs=60, init="he"),  # without elastic deformation it overfits
        "distilled": distilled(ELASTIC, init="he"),
    },
    "mini_resnet.fashion_mnist": {
        "source": SOURCE,
        "best": replace(CLOTHES, init="he"),  # blocks start as the identity; Muon is faster, and no better after 50
        "distilled": distilled(CLOTHES, init="he"),  # no better than `best`
        # To the accuracy of the source run in a tenth of its time. On a processor without products in bfloat16 rather
        # with --precision float32: the same accuracy, half as long again.
        "fast": Recipe(
            epochs=2, batch_size=96, lr=6e-3, optimizer="muon", init="he", average=0.99, precision="bfloat16"
        ),
    },
}

# Without augmentation. The networks of 56 layers take 2.5 minutes an epoch on one core with AMX.
DEPTH_STUDY = Recipe(epochs=10, batch_size=128, lr=1e-3, init="he", average=0.0, precision="bfloat16")


def recipe_for(id: str, name: str) -> Recipe:
    """The recipe of this name for a checkpoint id. Raises ValueError, which lists those there are."""
    if id not in RECIPES:
        raise ValueError(f"unknown checkpoint {id!r}; known are {', '.join(RECIPES)}")
    if name not in RECIPES[id]:
        having = ", ".join(known for known, recipes in RECIPES.items() if name in recipes)
        raise ValueError(f"{id} has no recipe {name!r}, only {', '.join(RECIPES[id])}; {name!r} exists for {having}")
    return RECIPES[id][name]
