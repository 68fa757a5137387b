"""What Hypothesis generates for several tests: texts, numbers and JSON documents, malformed ones among them."""

from __future__ import annotations

from hypothesis import strategies as st

texts = st.text(st.characters(), max_size=8) | st.sampled_from(["\ud800", "<b>", "lenet5", "mnist", "nan", "0" * 64])
numbers = st.integers() | st.floats() | st.sampled_from([True, 10**400, 2**63, -1])
plain = st.none() | st.booleans() | numbers | texts
documents = st.recursive(
    plain, lambda each: st.lists(each, max_size=4) | st.dictionaries(texts, each, max_size=4), max_leaves=12
)
