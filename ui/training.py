"""The Training tab: curves of any checkpoints overlaid, with their recipes and final figures."""

from __future__ import annotations

from html import escape

import gradio as gr
from plotly import graph_objects as go

from cnn_models import ARCHITECTURES, DATASETS, ModelHub
from cnn_models.checkpoint import CheckpointError, read_history
from cnn_models.specs import Card

# Okabe & Ito's palette, told apart by colour-blind eyes too; it repeats after seven.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c8c8c")
GREY = "#8a8a8a"  # text and grid of a plot, readable on light and dark
NONE = "<p class='training-none'>{}</p>"


def name_of(card: Card) -> str:
    return f"{ARCHITECTURES[card.architecture].title} · {DATASETS[card.dataset].title}"


def curves(cards: list[Card], histories: list[list[dict]], quantity: str, unit: str) -> go.Figure:
    """One chart: `quantity` (accuracy or loss) over epochs, training dotted and validation solid, a colour a run."""
    figure = go.Figure()
    for index, (card, rows) in enumerate(zip(cards, histories, strict=True)):
        for part, dash in (("val", "solid"), ("train", "dot")):
            word = {"val": "validation", "train": "training"}[part]
            figure.add_scatter(
                x=[row["epoch"] for row in rows],
                y=[row[f"{part}_{quantity}"] for row in rows],
                name=name_of(card),
                legendgroup=card.id,
                showlegend=part == "val",
                mode="lines" if len(rows) > 1 else "markers",
                line={"color": COLOURS[index % len(COLOURS)], "dash": dash, "width": 2},
                hovertemplate=f"{escape(name_of(card))}, {word}<br>epoch %{{x}}: %{{y:.4~f}} {unit}<extra></extra>",
            )
    axis = {"gridcolor": "rgba(138,138,138,0.25)", "zeroline": False, "linecolor": GREY}
    figure.update_layout(
        title={"text": f"{quantity.capitalize()}{f' ({unit})' if unit else ''}", "font": {"size": 15}, "x": 0.01},
        height=400,
        margin={"l": 50, "r": 10, "t": 40, "b": 40},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": GREY, "family": "system-ui, sans-serif"},
        xaxis=axis | {"title": "epoch"},
        yaxis=axis | scale(quantity, histories),
        legend={"orientation": "h", "y": -0.18},
    )
    return figure


def scale(quantity: str, histories: list[list[dict]]) -> dict:
    """The vertical axis: logarithmic for the loss; for the accuracy from where the runs are past their start."""
    if quantity == "loss":
        ticks = [digit * 10**power for power in range(-4, 2) for digit in (1, 2, 5)]
        return {"type": "log", "tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}
    settled = [
        row[f"{part}_accuracy"] for rows in histories for row in rows[len(rows) // 4 :] for part in ("val", "train")
    ]
    return {"range": [min(settled) - 0.5, 100.2]} if settled else {}


def figures(cards: list[Card]) -> str:
    """The final figures of the checkpoints as a table, each with its recipe folded away below it."""
    rows = []
    for index, card in enumerate(cards):
        values = [card.metrics.get(key) for key in ("val_accuracy", "test_accuracy", "test_loss")]
        texts = [f"{v:.2f} %" if v is not None else "–" for v in values[:2]]
        texts.append(f"{values[2]:.4f}" if values[2] is not None else "–")
        recipe = "".join(
            f"<dt>{escape(key)}</dt><dd>{escape(str(value))}</dd>"
            for key, value in sorted(card.recipe.items())
            if key != "changed"
        )
        rows.append(
            f"<tr><th scope='row'><i style='background:{COLOURS[index % len(COLOURS)]}'></i>"
            f"{escape(name_of(card))}</th>"
            + "".join(f"<td>{text}</td>" for text in texts)
            + f"<td>{card.recipe.get('epochs', '–')}</td></tr>"
            f"<tr><td colspan='5'><details><summary>Recipe “{escape(str(card.recipe.get('name')))}”: "
            f"<code>{escape(card.command)}</code></summary><p>{escape(card.split.capitalize())}. "
            f"Seed {card.seed}, commit <code>{escape(card.commit[:12])}</code>, {escape(card.date)}.</p>"
            f"<dl>{recipe}</dl></details></td></tr>"
        )
    return (
        "<div class='training-figures'><table><thead><tr><th scope='col'>checkpoint</th><th>validation</th>"
        "<th>test</th><th>test loss</th><th>epochs</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def training_tab(hub: ModelHub) -> None:
    """Chooser, two charts and the table; everything is read from `history.csv` and the cards."""
    cards = hub.cards()

    def show(ids: list[str]) -> tuple[go.Figure, go.Figure, str]:
        chosen, histories, refused = [], [], []
        for id in (id for id in cards if id in ids):
            try:
                histories.append(read_history(hub.folder(id)))
                chosen.append(cards[id])
            except CheckpointError as error:
                refused.append(str(error))
        table = figures(chosen) if chosen else NONE.format("Choose at least one checkpoint.")
        table += "".join(NONE.format(escape(text)) for text in refused)
        return curves(chosen, histories, "accuracy", "%"), curves(chosen, histories, "loss", ""), table

    if not cards:
        gr.HTML(
            NONE.format(
                "No checkpoint is there yet: train one with <code>python -m training.train lenet5.mnist</code>."
            )
        )
        return
    first = next(iter(cards.values())).dataset
    value = [id for id, card in cards.items() if card.dataset == first]
    chooser = gr.CheckboxGroup(
        [(name_of(card), id) for id, card in cards.items()],
        value=value,
        show_label=False,
        container=False,
        elem_id="training-checkpoints",
    )
    accuracy_figure, loss_figure, table = show(value)
    gr.Markdown("Solid: on pictures held out from training. Dotted: on the augmented pictures trained on.")
    with gr.Row():
        accuracy = gr.Plot(accuracy_figure, show_label=False, container=False, elem_id="training-accuracy")
        loss = gr.Plot(loss_figure, show_label=False, container=False, elem_id="training-loss")
    details = gr.HTML(table, elem_id="training-figures", apply_default_css=False)
    chooser.input(
        show,
        chooser,
        [accuracy, loss, details],
        queue=False,
        show_progress="hidden",
        trigger_mode="always_last",
        api_visibility="private",
    )
