"""ONNX files of checkpoints, compared with torch: the work of `python -m training.export`.

The graph takes the bytes of images and does all that `Network.run` does, with its code: resize, normalise, network,
softmax of the logits divided by the temperature. So a user in another language has no preprocessing to repeat, and
images scaled to [0, 1], which would go wrong in silence, are refused for their type.
"""

from __future__ import annotations

import argparse
import copy
import sys
from importlib.util import find_spec
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call
from tqdm import tqdm

from cnn_models.checkpoints.folder import WEIGHTS, CheckpointError, load_model, write_file
from cnn_models.datasets.test_sets import BATCH, load_test_set
from cnn_models.network import Network
from cnn_models.runtime import place
from cnn_models.specs import Card
from training.lock import check_writable
from training.state import TrainingError

PACKAGES = ("onnx", "onnxruntime", "onnxscript")
COMPARED = 1000  # test images
TOLERANCE = 1e-5  # of a probability
OUTPUTS = ("logits", "probabilities")
CPU = torch.device("cpu")


class ExportError(RuntimeError):
    """A network that cannot be exported; the message says why and what to do."""


class Exported(NamedTuple):
    """The content of an ONNX file, and the greatest absolute differences of its outputs from those of torch."""

    content: bytes
    logits: float
    probabilities: float


class Graph(nn.Module):
    """What the file computes: images N x 28 x 28 uint8 to logits and probabilities, each N x 10 float32.

    The weights have the type that they are stored in, which halves large files, and are computed with in float32.
    """

    def __init__(self, net: Network):
        super().__init__()
        self.net = net
        self.model = copy.deepcopy(net.model).to(getattr(torch, net.card.weights_dtype))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        weights = {name: tensor.float() for name, tensor in self.model.state_dict(keep_vars=True).items()}
        logits = functional_call(self.model, weights, self.net.input(image))
        return logits, (logits / self.net.card.temperature).softmax(1)


def check_packages() -> None:
    """Raise ExportError where a package is missing that ONNX files need."""
    if missing := " ".join(name for name in PACKAGES if not find_spec(name)):
        raise ExportError(f"an ONNX file needs packages that are not installed; run `pip install {missing}`")


def to_onnx(model: nn.Module, card: Card) -> Exported:
    """The ONNX file of a network, compared with `Network.run` on test images; its metadata has one key, `card`.

    The same network gives the same bytes. Raises ExportError where torch cannot write it or the two differ.
    """
    check_packages()
    from onnx_ir.passes.common import ClearMetadataAndDocStringPass

    net = Network(place(model, CPU), card, CPU)
    example = torch.zeros(2, 28, 28, dtype=torch.uint8)  # of one image, torch.export would make a constant
    try:
        program = torch.onnx.export(
            Graph(net).eval(),
            (example,),
            input_names=["image"],
            output_names=OUTPUTS,
            dynamic_shapes=({0: "N"},),
            verbose=False,
        )
    except torch.onnx.OnnxExporterError as error:
        raise ExportError(f"torch {torch.__version__} cannot write {card.id} as ONNX: {reason(error)}") from error
    program = cast(torch.onnx.ONNXProgram, program)
    ClearMetadataAndDocStringPass()(program.model)  # stack traces, with the paths of this machine
    program.model.metadata_props["card"] = card.to_json()
    content = program.model_proto.SerializeToString()
    differences = compare(content, net)
    if not differences["probabilities"] <= TOLERANCE:
        raise ExportError(
            f"the ONNX file of {card.id} was not kept, as a probability differs from torch's by "
            f"{differences['probabilities']:.1e}, which is more than {TOLERANCE:.0e}; "
            f"try other versions of {', '.join(PACKAGES)}"
        )
    return Exported(content, **differences)


def reason(error: BaseException) -> str:
    """The first line of the error at the root of one that torch wraps in pages of advice."""
    while error.__cause__:
        error = error.__cause__
    return str(error).partition("\n")[0]


def compare(content: bytes, net: Network) -> dict[str, float]:
    """The greatest absolute difference of each output of an ONNX file from torch's, on test images; with a bar."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(content, options)
    images = torch.from_numpy(load_test_set(net.card.dataset)[0][:COMPARED].copy())  # torch warns of read-only arrays
    differences: dict[str, list[Tensor]] = {name: [] for name in OUTPUTS}
    with tqdm(total=len(images), desc=f"ONNX of {net.card.id} beside torch", unit="img") as bar:
        for part in images.split(BATCH):
            expected = net.run(part)
            for name, found in zip(OUTPUTS, session.run(OUTPUTS, {"image": part.numpy()}), strict=True):
                differences[name].append((torch.from_numpy(found) - getattr(expected, name)).abs().max())
            bar.update(len(part))
    return {name: torch.stack(each).max().item() for name, each in differences.items()}  # NaN stays


def export(args: argparse.Namespace) -> None:
    """Write the file that the arguments of `python -m training.export` name, and print what it differs by.

    Exits with a sentence where that is not possible.
    """
    folder, path = args.weights / args.id, args.out / f"{args.id}.onnx"
    try:
        check_packages()
        if not folder.is_dir():
            raise CheckpointError("checkpoint.untrained", id=args.id, folder=args.weights)
        model, card = load_model(folder)
        check_writable(args.out, (folder / WEIGHTS).stat().st_size)
        exported = to_onnx(model, card)
        write_file(path, exported.content)
    except (CheckpointError, ExportError, TrainingError) as error:
        sys.exit(f"error: {error}")
    print(f"{path}: {len(exported.content) / 1e6:.2f} MB")
    print(
        f"{COMPARED:,} test images: probabilities differ from torch's by at most {exported.probabilities:.1e}, "
        f"logits by {exported.logits:.1e}"
    )
