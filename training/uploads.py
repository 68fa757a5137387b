"""Uploads of checkpoints, or of the app as a Space, to the Hub: the work of `python -m training.publish`."""

from __future__ import annotations

import argparse
import math
import re
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import (
    CommitInfo,
    CommitOperationAdd,
    CommitOperationDelete,
    Discussion,
    HfApi,
    ModelCard,
    get_token,
)
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled, RepositoryNotFoundError, RevisionNotFoundError
from huggingface_hub.utils import httpx
from torch import nn

from cnn_models.analysis.attacks import ATTACKS
from cnn_models.analysis.averaged import AVERAGED
from cnn_models.analysis.projection import path_of
from cnn_models.analysis.seeds import SEEDS
from cnn_models.analysis.similarity_results import SIMILARITY
from cnn_models.checkpoints.evaluation import Evaluation
from cnn_models.checkpoints.folder import (
    CONFIG,
    EVALUATION,
    HISTORY,
    README,
    CheckpointError,
    files_of,
    load_model,
    read_card,
    read_evaluation,
    read_history,
    read_snapshots,
)
from cnn_models.checkpoints.ids import BUILT_IN, COMMIT
from cnn_models.checkpoints.runs import RUNS
from cnn_models.datasets.test_sets import measure
from cnn_models.folders import CLONE
from cnn_models.hub.client import TEXT_LIMIT
from cnn_models.hub.guard import guard_client
from cnn_models.runtime import best_device, place
from cnn_models.specs import Card
from training.exporter import ExportError, check_packages, to_onnx
from training.metrics import calibration_error
from training.model_card import curves_png, model_card
from training.study import FILE as STUDY

CURVES = "curves.png"
COLLECTION = "CNN Lineup"
MEASURING = 120  # seconds; a network that takes longer for the test set is measured on a part of it
TOLERANCE = 0.02  # percent by which a card may differ from a measurement on another machine
HUB_FILES = {".gitattributes"}  # added by the Hub itself
MARK = "cnn_models/specs.py"  # a Space with this file holds the app

AGAIN = "run the command again; it sends what is missing"
REFUSALS = {  # by HTTP status
    401: f"the Hub does not accept your token; run `hf auth login`, or correct HF_TOKEN where it is set, then {AGAIN}",
    403: "you may not write to {repository} ({reason}); use your own namespace, a token with write permission, or "
    "--pull-request where the repository exists",
    409: f"the Hub is busy with {{repository}} ({{reason}}); {AGAIN}",
    412: "{repository} was changed in the meantime; check it on the Hub, then run the command again",
    429: f"the Hub received too many requests; wait some minutes: {AGAIN}",
}


class PublishError(RuntimeError):
    """Something cannot be published; the message says why and what to do."""


@dataclass(frozen=True)
class Upload:
    """The complete content of a repository: bytes or local files, by their names in the repository."""

    repository: str
    type: str
    files: dict[str, bytes | Path]

    @property
    def title(self) -> str:
        """The title of its commits and pull requests."""
        name = self.repository.partition("/")[2]
        return f"{name}, checked and measured again" if self.type == "model" else "The app"

    def __str__(self) -> str:
        sizes = {n: len(c) if isinstance(c, bytes) else c.stat().st_size for n, c in self.files.items()}
        lines = [f"{self.type} {self.repository}: {len(sizes)} files, {sum(sizes.values()) / 1e6:.2f} MB"]
        return "\n".join(lines + [f"  {size:>12,}  {name}" for name, size in sizes.items()])


def pack(folder: Path, namespace: str, onnx: bool = False) -> Upload:
    """The upload of a checkpoint, checked as in a pull and measured again on the test set; with `onnx`, an ONNX file.

    Raises CheckpointError for a folder that `ModelHub` would refuse, PublishError for a card with other figures than
    those measured, ExportError for an ONNX file that differs from torch.
    """
    model, card = load_model(folder)
    if card.id != folder.name:
        raise CheckpointError("checkpoint.name", folder=folder, found=card.id, id=folder.name)
    history, evaluation = read_history(folder), read_evaluation(folder)
    check_figures(card, evaluation)
    measure_again(model, card)
    if not history or any(history[-1][figure] != card.metrics[figure] for figure in ("val_accuracy", "val_loss")):
        raise PublishError(f"{folder / HISTORY} is not of the run on its card; train {card.id} again")
    check_calibration(card, evaluation)
    text = model_card(card, evaluation, CURVES, namespace, onnx)
    ModelCard(text)  # raises for metadata that the Hub would refuse
    files = {name: folder / name for name in files_of(card) if name != README and (folder / name).is_file()}
    for name in set(files) & {CONFIG, HISTORY, EVALUATION}:
        if files[name].stat().st_size > TEXT_LIMIT:
            raise PublishError(f"{files[name]} has more than {TEXT_LIMIT / 2**20:g} MiB, the limit of a pull")
    read_snapshots(folder)  # raises CheckpointError
    made = {CURVES: curves_png(history), README: text.encode()}
    if onnx:
        made[f"{card.id}.onnx"] = to_onnx(model, card).content
    return Upload(f"{namespace}/{card.id}", "model", files | made)


def outdated(card: Card, problem: str) -> PublishError:
    return PublishError(f"{problem}; run `python -m training.evaluate {card.id}`")


def check_figures(card: Card, evaluation: Evaluation | None) -> None:
    """Raise PublishError unless the card has all figures, and the accuracy of its evaluation."""
    for figure in ("val_accuracy", "val_loss", "test_accuracy", "test_loss"):
        if not isinstance(card.metrics.get(figure), float | int):
            raise outdated(card, f"the card of {card.id} has no {figure.replace('_', ' ')}")
    recorded = card.metrics["test_accuracy"]
    if evaluation and not math.isclose(evaluation.accuracy, recorded):
        found = f"its {EVALUATION} {evaluation.accuracy:.2f} %"
        raise outdated(card, f"the card of {card.id} has {recorded:.2f} % on the test set, {found}")


def check_calibration(card: Card, evaluation: Evaluation | None) -> None:
    """Raise PublishError unless the card has the calibration errors of its evaluation."""
    if not (evaluation and evaluation.reliability):
        raise outdated(card, f"{card.id} has no {EVALUATION} of its weights")
    for figure, bins in zip(("test_ece_uncalibrated", "test_ece"), evaluation.reliability, strict=True):
        if not abs(card.metrics.get(figure, math.nan) - calibration_error(bins)) < 0.01:
            raise outdated(card, f"the {figure.replace('_', ' ')} of {card.id} is not that of its {EVALUATION}")


def measure_again(model: nn.Module, card: Card) -> None:
    """Raise PublishError unless the network has the test accuracy and loss that its card records."""
    accuracy, loss = card.metrics["test_accuracy"], card.metrics["test_loss"]
    print(f"measuring {card.id} again ...", flush=True)
    found = measure(place(model, best_device()), card, MEASURING)
    if not abs(found.accuracy - accuracy) <= (TOLERANCE if found.whole else 3 * found.error):
        measured = f"measured {found.accuracy:.2f} % on {found.count:,} images of it"
        raise outdated(card, f"the card of {card.id} has {accuracy:.2f} % on the test set, {measured}")
    if found.whole and not math.isclose(found.loss, loss, rel_tol=TOLERANCE, abs_tol=1e-3):
        raise outdated(card, f"the card of {card.id} has a test loss of {loss:.4f}, measured {found.loss:.4f}")


def pack_space(repository: str, weights: Path) -> Upload:
    """The upload of the app as a Space: code, weights, runs and measurements, README and its images.

    Raises PublishError where the package is installed without a clone, and so without the app.
    """
    if CLONE is None:
        raise PublishError("the installed package has no app; run this in a clone of CNN Lineup")
    readme = CLONE / README
    examples = re.findall(r"!\[[^\]]*\]\((?!http)([^)]+)\)", readme.read_text(encoding="utf-8"))
    paths = [CLONE / name for name in ("app.py", "requirements.txt", "LICENSE", README, *examples)]
    for part in ("cnn_models", "ui"):
        found = sorted(path for path in (CLONE / part).rglob("*") if path.is_file())
        paths += [path for path in found if "__pycache__" not in path.parts]
    files = {path.relative_to(CLONE).as_posix(): path for path in paths}
    found = []
    for id in BUILT_IN:
        if (weights / id).is_dir():
            _, card = load_model(weights / id)  # raises CheckpointError, as does `read_snapshots`
            read_snapshots(weights / id)
            found += [weights / id / name for name in files_of(card) if (weights / id / name).is_file()]
    measured = AVERAGED, SEEDS, ATTACKS, SIMILARITY, STUDY
    found += [weights / name for name in measured if (weights / name).is_file()]
    for id in BUILT_IN:
        found += [path_of(weights, id)] if path_of(weights, id).is_file() else []
        found += [path for name in (CONFIG, HISTORY, EVALUATION) for path in (weights / RUNS).glob(f"*/{id}/{name}")]
    files |= {f"weights/{path.relative_to(weights).as_posix()}": path for path in sorted(found)}
    return Upload(repository, "space", files)


def inspect(api: HfApi, upload: Upload, revision: str | None) -> tuple[str | None, list[str]]:
    """The repository's commit (None where there is no repository), and its files that the upload would delete.

    Raises PublishError where it holds something else than an earlier version of the upload.
    """
    try:
        there = api.repo_info(upload.repository, repo_type=upload.type, revision=revision)
    except RevisionNotFoundError:  # it will be created from main
        there = api.repo_info(upload.repository, repo_type=upload.type)
    except RepositoryNotFoundError:
        return None, []
    names = {file.rfilename for file in getattr(there, "siblings", None) or ()} - HUB_FILES
    is_ours = names <= {README} or (upload.type == "space" and MARK in names)
    if not is_ours and upload.type == "model" and CONFIG in names and COMMIT.fullmatch(there.sha or ""):
        with suppress(CheckpointError):
            card = read_card(Path(api.hf_hub_download(upload.repository, CONFIG, revision=there.sha)).parent)
            is_ours = card.id == upload.repository.partition("/")[2]
    if not is_ours:
        raise PublishError(
            f"{upload.repository} exists and holds something else ({', '.join(sorted(names)[:3])}); publish under "
            "another name, or delete it on the Hub"
        )
    return there.sha, sorted(names - upload.files.keys())


def find_request(api: HfApi, upload: Upload) -> Discussion | None:
    """The open pull request in which this user proposed the upload before. Raises the Hub client's errors."""
    requests = api.get_repo_discussions(
        upload.repository,
        repo_type=upload.type,
        author=api.whoami(cache=True)["name"],
        discussion_type="pull_request",
        discussion_status="open",
    )
    with suppress(RepositoryNotFoundError):
        return next((each for each in requests if each.title == upload.title), None)


def send(api: HfApi, upload: Upload, private: bool, pull_request: bool, revision: str | None) -> CommitInfo | None:
    """Replace the content of the repository in one commit, or propose it; None if it is the same already.

    `revision` is a branch, created if missing, or that of the pull request to update. Raises PublishError and the Hub
    client's errors.
    """
    repository, type = upload.repository, upload.type
    if not (pull_request and (revision or api.repo_exists(repository, repo_type=type))):
        sdk = "gradio" if type == "space" else None
        api.create_repo(repository, repo_type=type, private=private, exist_ok=True, space_sdk=sdk)
    if revision and not pull_request:
        api.create_branch(repository, repo_type=type, branch=revision, exist_ok=True)
    head, leftovers = inspect(api, upload, revision)
    operations: list[CommitOperationAdd | CommitOperationDelete] = [
        CommitOperationAdd(name, content if isinstance(content, bytes) else str(content))
        for name, content in upload.files.items()
    ]
    operations += [CommitOperationDelete(name) for name in leftovers]
    commit = api.create_commit(
        repository,
        repo_type=type,
        operations=operations,
        commit_message=upload.title,
        revision=revision,
        create_pr=pull_request and not revision,
        parent_commit=head,
    )
    return None if commit.oid == head else commit


def explain(error: BaseException, repository: str) -> str:
    """One sentence that says why the Hub's client failed and what to do."""
    while isinstance(error, RuntimeError) and error.__cause__:  # the client wraps a failed upload so
        error = error.__cause__
    if isinstance(error, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set; unset it and run the command again"
    if isinstance(error, httpx.TransportError):
        return f"the Hub cannot be reached ({error}); connect to the network, then {AGAIN}"
    if isinstance(error, RevisionNotFoundError):
        return f"{repository} has no such revision; {AGAIN}"
    if not isinstance(error, HfHubHTTPError):
        return f"{repository}: {error}; {AGAIN}"
    status = error.response.status_code
    if status != 401 and isinstance(error, RepositoryNotFoundError):
        status = 403
    reason = error.server_message or ("not found" if status == 403 else "no reason given")
    sentence = REFUSALS.get(status, f"the Hub failed with {status} at {{repository}} ({{reason}}); {AGAIN}")
    return sentence.format(repository=repository, reason=reason)


def log_in() -> None:
    """Raise PublishError unless the Hub accepts this machine's token."""
    if not get_token():
        raise PublishError("you are not logged in to the Hub; run `hf auth login`, or set HF_TOKEN to a token of yours")
    try:
        HfApi().whoami()
    except (HfHubHTTPError, httpx.TransportError, OSError) as error:  # the last when HF_HUB_OFFLINE is set
        raise PublishError(explain(error, "your account")) from error


def publish(
    uploads: list[Upload], collection: bool, private: bool, pull_request: bool, revision: str | None, dry_run: bool
) -> None:
    """Print what will be deleted, send the uploads, and put them into a collection. Raises PublishError."""
    api, target = HfApi(), ""
    guard_client()
    try:
        for upload in uploads:
            target = upload.repository
            url = f"{api.endpoint}/{'spaces/' if upload.type == 'space' else ''}{target}"
            branch = revision
            if pull_request and (request := find_request(api, upload)):
                url, branch = request.url, request.git_reference
            head, leftovers = inspect(api, upload, branch)
            if private and head and not api.repo_info(target, repo_type=upload.type).private:
                raise PublishError(f"{target} is public already; make it private on the Hub, or leave out --private")
            if leftovers:
                print(f"{target}: will delete {', '.join(leftovers)}", flush=True)
            if dry_run:
                continue
            commit = send(api, upload, private, pull_request, branch)
            print(f"{commit.pr_url or url if commit else f'{url} is up to date'}")
            if commit and upload.type == "model":
                print(f'  ModelHub().get("{target}@{commit.oid}")')
        if collection and not dry_run:
            target = "the collection"
            collect(api, uploads, private)
    except (HfHubHTTPError, httpx.TransportError, RuntimeError, ValueError, OSError) as error:
        if isinstance(error, PublishError):
            raise
        raise PublishError(explain(error, target)) from error


def collect(api: HfApi, uploads: list[Upload], private: bool) -> None:
    """Put the checkpoints into the collection of their owner, and print its address."""
    namespace = uploads[0].repository.partition("/")[0]
    found = api.create_collection(COLLECTION, namespace=namespace, private=private, exists_ok=True)
    for upload in uploads:
        api.add_collection_item(found.slug, upload.repository, "model", exists_ok=True)
    print(found.url)


def send_all(args: argparse.Namespace) -> None:
    """Pack what the arguments of `python -m training.publish` name, and send it.

    Exits with a sentence where that is not possible.
    """
    try:
        if args.onnx:
            check_packages()
        if not args.dry_run:
            log_in()  # before minutes of measuring
        if args.space:
            uploads = [pack_space(args.space, args.weights)]
        else:
            ids = [id for id in BUILT_IN if (args.weights / id).is_dir()] if args.all else [args.id]
            if missing := [id for id in ids or BUILT_IN[:1] if not (args.weights / id).is_dir()]:
                raise CheckpointError("checkpoint.untrained", id=missing[0], folder=args.weights)
            uploads = [pack(args.weights / id, args.namespace, args.onnx) for id in ids]
        print(*uploads, sep="\n")
        if get_token() or not args.dry_run:
            collection = args.all and not args.pull_request
            publish(uploads, collection, args.private, args.pull_request, args.revision, args.dry_run)
        if args.dry_run:
            unseen = "" if get_token() else ", and the repository was not compared, as you are not logged in"
            print(f"nothing was sent{unseen}; leave out --dry-run to send it")
    except (CheckpointError, ExportError, PublishError, ValueError) as error:
        sys.exit(f"error: {error}")
