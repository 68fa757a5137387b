"""Facts of the data sets; `training.data` loads the images."""

from cnn_models.specs import Dataset, registry

DATASETS = registry(
    Dataset(
        name="mnist",
        title="MNIST",
        kind="digits",
        classes=tuple("0123456789"),
        size=28,
        mean=0.1307,
        std=0.3081,
        paper="LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition, 1998",
        url="https://huggingface.co/datasets/ylecun/mnist",
        licence="CC-BY-SA-3.0",
        hub_id="ylecun/mnist",
    ),
    Dataset(
        name="fashion_mnist",
        title="Fashion-MNIST",
        kind="clothing",
        classes=(
            "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
        ),
        size=28,
        mean=0.2860,
        std=0.3530,
        paper="Xiao, Rasul, Vollgraf: Fashion-MNIST: a novel image dataset for benchmarking machine learning "
        "algorithms, 2017, arXiv:1708.07747",
        url="https://github.com/zalandoresearch/fashion-mnist",
        licence="MIT",
        hub_id="zalando-datasets/fashion_mnist",
    ),
)  # fmt: skip
