"""Numbers as texts."""

from __future__ import annotations

FAINT = 0.00495  # probabilities that round to less than 0.50 % are shown as dots


def percent(probability: float) -> str:
    """A probability in percent with two decimals; 0.00 and 100.00 are exact."""
    text = f"{100 * probability:.2f}"
    if text == "100.00" and probability < 1:
        return ">99.99"
    if text == "0.00" and probability > 0:
        return "<0.01"
    return text


def memory(size: int) -> str:
    """Bytes with a unit, in powers of 1,000; empty for 0."""
    if not size:
        return ""
    return f"{size / 1e6:.2f} MB" if size >= 1e6 else f"{size / 1e3:.1f} kB" if size >= 1e3 else f"{size} B"


def milliseconds(time: float) -> str:
    """A time in milliseconds with its unit."""
    return f"{time:.3f} ms" if time < 1 else f"{time:.1f} ms"


def whole_percent(share: float) -> str:
    """A share in whole percent; 0% and 100% are exact."""
    if 0 < share < 0.01:
        return "<1%"
    return ">99%" if 0.99 < share < 1 else f"{share:.0%}"
