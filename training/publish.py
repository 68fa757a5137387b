"""Send checkpoints, or the app as a Space, to the Hugging Face Hub.

python -m training.publish lenet5.mnist --namespace me [--private] [--pull-request] [--revision BRANCH] [--dry-run]
python -m training.publish lenet5.mnist --namespace me --onnx
python -m training.publish --all --namespace me
python -m training.publish --space me/cnn-lineup
"""

from __future__ import annotations

import argparse
import re

from cnn_models import command


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.publish", description=str(__doc__).splitlines()[0])
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("id", type=command.checkpoint_id, nargs="?", help="a checkpoint id, e.g. lenet5.mnist")
    target.add_argument("--all", action="store_true", help="every checkpoint in the folder, and a collection of them")
    target.add_argument("--space", metavar="OWNER/NAME", help="the app, as a Space of this name")
    parser.add_argument("--namespace", help="the user or organisation on the Hub to publish under")
    parser.add_argument("--private", action="store_true", help="create missing repositories as private")
    parser.add_argument("--pull-request", action="store_true", help="propose the change instead of making it")
    parser.add_argument("--revision", help="the branch to write to, created if missing; by default main")
    parser.add_argument("--onnx", action="store_true", help="send an ONNX file as well, see training.export")
    parser.add_argument(
        "--dry-run", action="store_true", help="check everything, show what would be sent and deleted, send nothing"
    )
    parser.add_argument("--weights", **command.weights())
    args = parser.parse_args(argv)
    if args.space and not re.fullmatch(r"[\w.-]+/[\w.-]+", args.space):
        parser.error(f"{args.space!r} is not the name of a Space; write it as owner/name")
    if not args.space and not re.fullmatch(r"[\w.-]+", args.namespace or ""):
        parser.error("give a user or organisation: --namespace NAME")
    if args.pull_request and args.revision:
        parser.error("a pull request goes to main; leave out --revision")
    if args.space and args.onnx:
        parser.error("a Space holds no ONNX files; leave out --onnx")
    return args


def main(argv: list[str] | None = None) -> None:
    args = parse(argv)
    # The Hub's client would first send all of the files that are on their way.
    with command.ending_at_once("stopped; run the command again; it sends what is missing"):
        from training.uploads import send_all

        send_all(args)


if __name__ == "__main__":
    command.run(main)
