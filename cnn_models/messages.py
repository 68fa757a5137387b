"""The English message of every error code: the fault and the remedy, with `{names}` for the error's values."""

MESSAGES = {
    # Values from outside: names, numbers, lists.
    "value.argument": "{argument}: {why}",
    "value.name": "unknown name {name}; known are {known}",
    "value.list": "{value} is not a list of at most {most} values",
    "value.fields": "{value} is not an object with named fields",
    "value.text": "{value} is not a text of at most {most} characters",
    "value.flag": "{value} is neither true nor false",
    "value.number": "{value} is not a number from {low} to {high}",
    "value.size": "{value} has more than {most} values or {levels} levels",
    "value.control": "{value} is not a value of this control",
    # Requests.
    "request.busy": "You have too many requests in progress; wait a moment and try again.",
    # Images: what a file or an array must be.
    "image.blank": "The image is blank; draw or choose one in which something stands out.",
    "image.pixels": "The image has too many pixels; make it smaller.",
    "image.kind": "This is not an image of a known format; save it as one of {known}.",
    "image.damaged": "The image is damaged or cut short; save or upload it again.",
    "image.nofile": "There is no file {name}; choose another image.",
    "image.unread": "The file {name} cannot be read; choose another image.",
    "image.none": "There is no image here; draw one or choose a file.",
    "image.bytes": "The file is larger than {most} MB; make it smaller.",
    "image.empty": "The image has no pixels; choose another.",
    "image.size": (
        "The image is {width} × {height} pixels, but at most {millions} million and {side} on a side can "
        "be taken; make it smaller."
    ),
    "image.scans": "The image has more than {most} scans; save it again.",
    "image.segments": "The image has more than {most} segments; save it again.",
    "image.chunks": "The image has more than {most} chunks; save it again.",
    "image.blocks": "The image has more than {most} blocks before its first frame; save it again.",
    "image.strips": "The image has more than {most} strips or tiles; save it again.",
    "image.entries": "The image has more than {most} entries in its directory; save it again.",
    "image.boxes": "The image has more than {most} boxes; save it again.",
    "image.tables": "The image has more than {most} KB of tables of its parts; save it again.",
    "image.heic": "HEIC is read only where pillow-heif is installed; install it, or save the image as JPEG.",
    "image.slow": "The image takes too much time or memory to decode; save it again as PNG or JPEG.",
    "image.busy": "Many images are being decoded right now; try again in a moment.",
    "image.values": "The image has values that are not between 0 and {white}; scale them to that.",
    "image.unreadable": (
        "This browser hides the drawing from the page. Let it read the canvas (Firefox: the icon left of the address; "
        "Brave: Shields, fingerprinting), or upload an image."
    ),
    "image.unsent": "That is not an image this page sent; clear the sketchpad and try again.",
    "image.unknown": "That is not an image uploaded here; upload it first.",
    "image.unlabelled": "That is not a labelled image of this page.",
    "image.no_networks": "No network is available; choose a trained one.",
    "image.shape": "An array of shape {shape} is not an image; H x W, and H x W x 1, 3 or 4, are.",
    "image.tensor": "A tensor of shape {shape} is not an image; H x W, and 1, 3 or 4 x H x W, are.",
    "image.dtype": "An array of {kind} is not an image; arrays of uint8, uint16 and floats are.",
    # Zips of labelled images.
    "zip.columns": "{file} has other columns than {columns}; export it from the page again.",
    "zip.image": "{file}: {why}",
    "zip.damaged": "This is not a zip of labelled images ({why}); export it from the page.",
    "zip.missing": "The zip has no {file}; export it from the page again.",
    "zip.large": "{file} in the zip is larger than {most} MB; leave it out.",
    "zip.many": "There are more than {most} images; split them into several zips.",
    "zip.class": "{label} is not a class of {dataset}; take labels from the page.",
    "zip.unread": "The file cannot be read from the zip ({why}); pack it again.",
    # Many images: a folder or zip, and its table of labels.
    "batch.none": "There are no images in {source}; give a folder or a zip with files that end in {known}.",
    "batch.zip": "{file} is neither a folder nor a whole zip ({why}); pack the images again.",
    "batch.many": (
        "There are more than {most} images; choose fewer, or use `python -m cnn_models.batch`, which takes any number."
    ),
    "batch.method": "A file in the zip is neither stored nor deflated; pack the images with the usual compression.",
    "batch.large": "The files in the zip have more than {most} MB in all; leave some out, or make the images smaller.",
    "labels.large": "{file} is larger than {most} MB; leave out all columns but file and label.",
    "labels.columns": "{file} has no columns file and label; name them in its first line.",
    "labels.class": "{file}: {label} is not a class; the classes are {known}.",
    "labels.file": "{file} names {name}, which is not among the images; correct or remove its row.",
    "labels.damaged": "{file} is not a table of comma-separated values in UTF-8 ({why}); save it as one.",
    # Checkpoints: cards, files, tensors.
    "checkpoint.none": (
        "no weights for {id}; run `python -m training.train {id}`, or set CNN_HUB_NAMESPACE to their owner on the Hub"
    ),
    "checkpoint.gone.train": "no weights for {id}: {why}; or run `python -m training.train {name}`",
    "checkpoint.coming": "{id} is being downloaded; try again in a moment",
    "checkpoint.coming.far": "{id} is being downloaded ({done} of {all} MB); try again in a moment",
    "checkpoint.lookups": (
        "{id} is not looked up: you requested {count} new names within an hour; try again in {minutes} minutes"
    ),
    "checkpoint.downloads": (
        "{id} is not downloaded: {count} third-party checkpoints were this hour; try again in {minutes} minutes"
    ),
    "checkpoint.room": (
        "{id} needs {size} MB, and there is no room for it in the {most} MB of --max-memory beside the networks "
        "in use; try again, or raise it"
    ),
    "checkpoint.name": "{folder} holds {found}, not {id}; put it under its own name",
    "checkpoint.numbers": "the logits of {id} are not finite; omit it or train it again",
    "checkpoint.card": "{path} is not the card of a checkpoint: {why}",
    "checkpoint.history": "{path} is not the history of a training: {why}",
    "checkpoint.weights": "{path} is not the weights of {id}: {why}",
    "checkpoint.snapshots": "{path} is not the snapshots of {id}: {why}",
    "checkpoint.centroids": "{path} is not the centroids of {id}: {why}",
    "checkpoint.type": "{path}: {name} is {found}, but {type} on the card",
    "checkpoint.finite": "{path}: {name} is not finite; train again at a lower learning rate",
    "checkpoint.hash": "{path} was changed or damaged after it was written: its hash is not the one recorded",
    "checkpoint.bytes": "larger than {limit} bytes",
    "checkpoint.object": "a card is a JSON object",
    "checkpoint.fields": "missing or unknown fields: {names}",
    "checkpoint.architecture": "unknown architecture {name}; known are {known}",
    "checkpoint.dataset": "unknown data set {name}; known are {known}",
    "checkpoint.classes": "its classes are not those of {dataset}",
    "checkpoint.size": "{name} cannot take images of size {size}",
    "checkpoint.scale": "mean {mean} and std {std} cannot normalise an image",
    "checkpoint.temperature": "temperature {value} is not between 1/{most} and {most}",
    "checkpoint.energy": "energy threshold {value} is not a possible energy of logits",
    "checkpoint.share": "{name} is {value}, which is not a percentage",
    "checkpoint.levels": "nested in more than {most} levels",
    "checkpoint.surrogate": "it holds half a surrogate pair, which is not Unicode text",
    "checkpoint.range": "it holds a number that is not finite, or has more than 64 bits",
    "checkpoint.infinite": "it holds a number that is not finite",
    "checkpoint.text": "{name} must be a text of at most {most} characters",
    "checkpoint.number": "{name} must be a number",
    "checkpoint.whole": "{name} must be a whole number",
    "checkpoint.count": "{name} must be a whole number that is not negative",
    "checkpoint.hex": "{name} must be 64 hexadecimal digits",
    "checkpoint.list": "{name} must be a list",
    "checkpoint.json": "{name} must be a JSON object",
    "checkpoint.stored": "weights of type {type}",
    "checkpoint.large": "the file is larger than this network can be",
    "checkpoint.header": "the card in its header is not that of {file}",
    "checkpoint.tensors": "missing or unknown tensors: {names}",
    "checkpoint.shape": "{name} has shape {found} instead of {shape}",
    "checkpoint.unwritten": "{folder} was not written and is as it was before: {why}",
    "checkpoint.disk": "the disk is full; make room and run the command again",
    "checkpoint.evaluation": "{path} is not the evaluation of a checkpoint: {why}",
    "checkpoint.stale": "{path} is of other weights; run `python -m training.evaluate {id}`",
    "averaged.damaged": (
        "{path} is not the accuracies of ensembles ({why}); restore it, or remove it and run "
        "`python -m training.evaluate {option}`"
    ),
    "adversarial.damaged": (
        "{path} is not the attacks on networks ({why}); restore it, or remove it and run "
        "`python -m training.adversarial`"
    ),
    "projection.damaged": (
        "{path} is not the projection of {id} ({why}); restore it, or run `python -m training.projection`"
    ),
    "projection.impossible": "a share or a score in it is impossible",
    "similarity.damaged": (
        "{path} is not the similarities of layers ({why}); restore it, or remove it and run "
        "`python -m training.similarity`"
    ),
    "checkpoint.untrained": "no weights for {id} in {folder}; run `python -m training.train {id}`",
    # The Hugging Face Hub and its responses.
    "hub.more": "the Hub sends more than {limit} bytes for {repository}; try again later, or check HF_ENDPOINT",
    "hub.slow": "the Hub sends {repository} too slowly; try again later, or check HF_ENDPOINT",
    "hub.packed": "the Hub sends {repository} compressed, although that was not requested; check HF_ENDPOINT",
    "hub.path": "the Hub gives {value} as the {header} of {repository}, which could be a path; check HF_ENDPOINT",
    "hub.files": "{repository} has no {files}; a checkpoint must be published with all its files",
    "hub.large": "{repository} has a {file} that is larger than this network's can be",
    "hub.closed": "{repository} is gated, and only public repositories are downloaded; ask its owner to open it",
    "hub.gated": "{repository} is gated; request access on its page, then set HF_TOKEN",
    "hub.none": "the Hub has no {repository}, or it is private; check the name",
    "hub.private": "the Hub has no {repository}, or it is private; check the name, or set HF_TOKEN",
    "hub.revision": "{repository} has no revision {revision}; leave it out for the newest",
    "hub.offline": "{repository} is not in the Hub's cache and HF_HUB_OFFLINE is set; unset it",
    "hub.token": "the Hub refused the token of this machine for {repository}; run `hf auth login`",
    "hub.often": "the Hub received too many requests to send {repository}; try again in some minutes",
    "hub.server": "the Hub returned a server error ({status}) for {repository}; try again later",
    "hub.refused": "the Hub refused to send {repository} ({status}); try again later, or open its page there",
    "hub.socks": "the Hub cannot be reached through a SOCKS proxy without the package socksio; run `pip install "
    "socksio`, or unset ALL_PROXY, HTTPS_PROXY and HTTP_PROXY",
    "hub.environment": "the Hub cannot be reached with this environment ({why}); correct or unset ALL_PROXY, "
    "HTTPS_PROXY, HTTP_PROXY and SSL_CERT_FILE",
    "hub.proxy": "the proxy did not fetch {repository} ({why}); correct HTTPS_PROXY, or set NO_PROXY for the Hub",
    "hub.full": "the disk is too full for {repository}; make room in {folder}",
    "hub.write": "{repository} could not be stored in {folder}; set HF_HOME to a folder you may write",
    "hub.network": "{repository} could not be fetched ({why}); connect to the network and try again",
}
