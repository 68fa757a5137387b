"""Switches for the parts of real networks: what the drawing and the test set lose without them, on the spot."""

from __future__ import annotations

import dataclasses
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import gradio as gr

from cnn_models import ARCHITECTURES, ModelHub
from cnn_models.analysis.ablation import WHOLE_BELOW, parts, without
from cnn_models.datasets.test_sets import BATCH, COUNT, Measured, measure_part
from cnn_models.errors import TranslatableError
from cnn_models.hub.model_hub import LoadedModel
from cnn_models.layers import architecture_layers
from cnn_models.predict import Answer, predict
from cnn_models.runtime import is_out_of_memory
from ui.common.drawing import Drawing, drawing_of
from ui.common.modules import event_js, on_load
from ui.common.names import class_mark
from ui.common.numbers import percent
from ui.common.reading import fields, known, number, text, those_known
from ui.common.strips import png
from ui.common.texts import mark, mark_error, say
from ui.learn.switch_grid import SEPARATOR, grid, part_mark

T = TypeVar("T")
REMEMBERED = 1000  # measurements
PART = 500  # test pictures for each row of a table at first, of a network that takes long for all of them
LATEST = 1e15  # milliseconds that a page may have been open
EVERY = 0.25  # seconds between two looks at a measurement that is under way
MODULE = "learn/switches.js"
More = Callable[[LoadedModel, Drawing, str], str]


class Bench:
    """Networks with parts off, measured on the test pictures; remembered, as everyone asks for the same."""

    def __init__(self, hub: ModelHub, names: Sequence[str]):
        self.hub, self.names = hub, names
        self._right: dict[tuple, list[int]] = {}  # of each batch of test pictures so far
        self._turn = threading.Lock()  # several batches at once would slow each other, and all else

    def load(self, name: object, value: object, dataset: object) -> tuple[LoadedModel, Drawing, Answer]:
        """The network and the drawing that a visitor asks for, and the answer. Raises TranslatableError.

        The answer shows that the network fits where it runs: on the CPU, if the GPU is full.
        """
        name, drawing = known(name, self.names), drawing_of(value, dataset)
        id = f"{name}.{drawing.dataset}"
        net, whole = self.hub.run(id, lambda net: (net, predict(net, drawing.grid)))
        return net, drawing, whole

    def measured(self, net: LoadedModel, off: Sequence[str], count: int = 0) -> Measured:
        """A network, some parts of which are off, on the first `count` test pictures; on those that are known, if 0."""
        key = net.card.weights_sha256, tuple(sorted(off))
        if key not in self._right and len(self._right) >= REMEMBERED:
            self._right.clear()
        right = self._right.setdefault(key, [])
        while len(right) * BATCH < count:
            with self._turn:
                if len(right) * BATCH < count:  # nobody else was quicker
                    part = slice(len(right) * BATCH, (len(right) + 1) * BATCH)
                    right.append(measure_part(net.model, net.card, part).right)
        count = count or len(right) * BATCH
        return Measured(sum(right[: count // BATCH]), count)

    def show(self, name: object, off: object, value: object, dataset: object, more: More) -> Iterator[tuple]:
        """HTML of the answers to the drawing, of the measurement (again and again), and what there is `more`."""
        try:
            net, drawing, whole = self.load(name, value, dataset)
            off = those_known(off, parts(net.model))
            lesser = cut(net, off)
            less = predict(lesser, drawing.grid)
            picture = f"<img src='{png(drawing.grid)}' alt=''>"
            text = mark("switches.drawn" if drawing.drawn else "switches.undrawn")
            shown = f"<div class='machine-head'>{picture}<p>{text}</p></div>"
            bars = _bar("switches.whole", whole.probabilities[whole.label], whole.label)
            bars += _bar("switches.cut", less.probabilities[whole.label], less.label) if off else ""
            title = f"{mark('machine.chance')} {class_mark(whole.label)}"
            rest = more(lesser, drawing, whole.label)
            shown += f"<h2>{title}</h2>{bars}"
            yield shown, measuring([]), rest
            both = [(net, [])] + [(lesser, off)] * bool(off)
            known = min(self.measured(*each).count for each in both)
            counts = range(max(known, BATCH), COUNT + 1, BATCH)
            for found in _now_and_then([self.measured(*each, count) for each in both] for count in counts):
                yield shown, measuring(found), rest  # all of it: no message builds on another
        except (TranslatableError, RuntimeError) as error:
            yield _why(error), "", ""

    def alone(self, name: object, value: object, dataset: object) -> Iterator[str]:
        """HTML of a table: each part off by itself, a row more each time, then of more and more test pictures."""
        try:
            net, drawing, whole = self.load(name, value, dataset)
            cuts = {part: cut(net, [part]) for part in parts(net.model)}
            answers = {part: predict(lesser, drawing.grid) for part, lesser in cuts.items()}
            counts, table = rounds(net.card.architecture), ""
            for number, count in enumerate(counts):
                rows, before = [], self.measured(net, [], count)
                for part, lesser in cuts.items():
                    rows.append(_row(part, answers[part], whole.label, self.measured(lesser, [part], count), before))
                    if not number or len(rows) == len(cuts):  # else of as many pictures as before
                        table = _table(rows, class_mark(whole.label), count)
                    yield _progress(number * len(cuts) + len(rows), len(counts) * len(cuts)) + table
        except (TranslatableError, RuntimeError) as error:
            yield _why(error)


class Turns:
    """What visitors are told, of what they asked for last: by the clock of their page, as requests overtake each other.

    gradio's own `cancels` fails where that ends by itself meanwhile.
    """

    def __init__(self):
        self._last: dict[str | None, float] = {}  # when it was asked for, by session

    def end(self, request: gr.Request, when: object) -> None:
        """What a visitor asked for before goes no further. Raises Refused."""
        if self._last.get(request.session_hash, math.inf) < number(when, 0, LATEST):
            self._last.pop(request.session_hash, None)

    def told(self, request: gr.Request, when: object, found: Iterator[T]) -> Iterator[T | dict]:
        """What is found, until it is ended, or something newer is asked for; then, that nothing changes.

        Raises Refused.
        """
        session, when = request.session_hash, number(when, 0, LATEST)
        if when < self._last.get(session, -math.inf):
            return
        self._last[session] = when
        try:
            for each in found:
                if self._last.get(session) != when:
                    break
                yield each
            if self._last.get(session) != when:
                yield gr.skip()  # as gradio shows what came last once more, now over what is newer
        finally:  # also when the page was closed
            if self._last.get(session) == when:
                self._last.pop(session, None)


def switches(hub: ModelHub, tabs: tuple[gr.Tab, gr.Tab], names: Sequence[str], why: str, more: More) -> None:
    """Chooser of the network, its switches and what they do; `more` is HTML that belongs to a network and a drawing.

    `tabs` are the page's own and the one around it.
    """
    bench, answers, tables = Bench(hub, names), Turns(), Turns()

    def show(
        name: object, off: object, when: object, value: object, dataset: object, request: gr.Request
    ) -> Iterator[tuple]:
        if dataset:
            off = text(off).split(SEPARATOR)
            yield from answers.told(request, when, bench.show(name, off, value, dataset, more))
        else:  # this page is not the one that is open
            yield gr.skip(), gr.skip(), gr.skip()

    def alone(name: object, when: object, value: object, dataset: object, request: gr.Request) -> Iterator[str]:
        yield from tables.told(request, when, bench.alone(name, value, dataset))

    def clear(when: object, request: gr.Request) -> str:
        tables.end(request, when)
        return ""

    def choose(name: object, when: object, request: gr.Request) -> tuple[str, str]:
        switched = grid(known(name, names))
        answers.end(request, when)
        return switched, clear(when, request)

    with gr.Row():
        with gr.Column(scale=0, min_width=280):
            network = gr.Radio(
                [(ARCHITECTURES[name].title, name) for name in names],
                value=names[0], label=say("en", "why.network"), show_label=False, container=False,
                visible=len(names) > 1,
            )  # fmt: skip
            off = gr.HTML(grid(names[0]), js_on_load=on_load(MODULE), elem_id=f"{why}-off", apply_default_css=False)
            each = gr.Button(say("en", "switches.each"), size="sm")
        with gr.Column(scale=1):
            gr.HTML(mark(f"learn.{why}.why", "p class='lesson-why'"), apply_default_css=False)
            shown = gr.HTML("", elem_id=f"learn-{why}", apply_default_css=False)
            test = gr.HTML("", elem_id=f"{why}-test", apply_default_css=False)
            table = gr.HTML("", elem_id=f"{why}-each", apply_default_css=False)
            rest = gr.HTML("", elem_id=f"{why}-more", apply_default_css=False)
    parts_off, *sent = [gr.Textbox(visible=False) for _ in range(3)]
    when = gr.Number(visible=False)
    event = {"show_progress": "hidden", "api_visibility": "private"}
    now, off_id = event_js(MODULE, "time"), f"{why}-off"
    asked = (
        {"inputs": [network, parts_off, when, *sent], "outputs": [shown, test, rest]}
        | {"js": event_js(MODULE, "withParts", off_id)}
        | {"trigger_mode": "multiple"}  # the newest ends the others
        | event
    )

    def leave(when: object, opened: gr.EventData, request: gr.Request) -> None:
        if fields(opened._data, {}).get("value") not in [tab.label for tab in tabs]:
            answers.end(request, when)
            tables.end(request, when)

    page, whole = tabs
    gr.on([tab.parent.select for tab in tabs], leave, when, js=now, queue=False, **event)
    listing = event_js(MODULE, "withTime")
    each.click(alone, [network, when, *sent], table, trigger_mode="once", js=listing, **event)
    # Meanwhile there may be another drawing, or another data set.
    gr.on([page.select, whole.select], clear, when, table, js=now, queue=False, **event)
    gr.on([page.select, off.input], show, **asked)
    whole.select(show, **asked | {"js": event_js(MODULE, "withPartsIfOpen", off_id, why)})
    chosen = network.input(
        choose, [network, when], [off, table], js=event_js(MODULE, "withNoneOff", off_id), queue=False, **event
    )
    chosen.then(show, **asked)


def rounds(architecture: str) -> range:
    """On how many test pictures each row of a table is measured, and again: all at once, if that takes some seconds."""
    step = COUNT if architecture_layers(architecture).macs < WHOLE_BELOW else PART
    return range(step, COUNT + 1, step)


def measuring(found: Sequence[Measured]) -> str:
    """The accuracy of the whole network, and of the one with parts off if some are, and how far the measurement is."""
    count = found[0].count if found else 0
    bars = [
        _bar(key, each.accuracy / 100) for key, each in zip(("switches.whole", "switches.cut"), found, strict=False)
    ]
    key, counts = "switches.test" if count == COUNT else "switches.part", {"count": f"{count:,}", "all": f"{COUNT:,}"}
    return f"<h2>{mark(key, **counts)}</h2>{''.join(bars)}{_progress(count, COUNT)}"


def cut(net: LoadedModel, off: Sequence[str]) -> LoadedModel:
    """The network with parts off."""
    return dataclasses.replace(net, model=without(net.model, off))


def _why(error: Exception) -> str:
    """What to tell of an error; one of the code's own is raised again."""
    if isinstance(error, RuntimeError) and is_out_of_memory(error):
        said = mark("switches.memory")
    elif isinstance(error, TranslatableError):
        said = mark_error(error)
    else:
        raise error
    return f"<p class='lesson-misfit'>{said}</p>"


def _now_and_then(found: Iterator[T]) -> Iterator[T]:
    """Some of them and the last."""
    last, each = time.monotonic(), None
    for each in found:
        if time.monotonic() > last + EVERY:
            last = time.monotonic()
            yield each
    yield each


def _bar(key: str, share: float, label: str = "") -> str:
    reads = f" {mark('switches.reads')} {class_mark(label)}" if label else ""
    return (
        f"<div class='lesson-bar'>{mark(key, 'b')} <span>{percent(share)} %{reads}</span>"
        f"<div><i class='lesson-a' style='width:{100 * share:.2f}%'></i></div></div>"
    )


def _progress(done: int, whole: int) -> str:
    """A bar, unless all is done."""
    return f"<progress value='{done}' max='{whole}'></progress>" if done < whole else ""


def _row(part: str, answer: Answer, label: str, found: Measured, before: Measured) -> str:
    return (
        f"<tr><th scope='row'>{part_mark(part)}</th><td>{percent(answer.probabilities[label])} %</td>"
        f"<td>{class_mark(answer.label)}</td><td>{found.accuracy:.2f} %</td>"
        f"<td>{found.accuracy - before.accuracy:+.2f}</td></tr>"
    )


def _table(rows: Sequence[str], label: str, count: int) -> str:
    """The rows, of `count` test pictures."""
    heads = "".join(
        f"<th scope='col'>{head}</th>"
        for head in (
            "",
            f"{mark('machine.chance')} {label}",
            mark("switches.reads"),
            mark("switches.accuracy"),
            mark("switches.change"),
        )
    )
    key = "switches.each.of" if count == COUNT else "switches.each.part"
    return (
        f"{mark(key, 'p', count=f'{count:,}', all=f'{COUNT:,}')}<div class='training-figures'>"
        f"<table class='switches-table'><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )
