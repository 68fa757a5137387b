"""The outcomes that the benchmark of photographs counts."""

import pytest

from cnn_models.analysis.verdict import Reason, Verdict
from tests.benchmarks.photos import Case, cases_of, outcome

DIGIT = Case("7.jpg", "plain", "mnist", "7.jpg", right=frozenset("7"))
SEVERAL = DIGIT._replace(right=frozenset(), digits="1 0", warning="several")
TURNED = DIGIT._replace(turn=90, warning="turned")
LOOPED = DIGIT._replace(warning="any")


def verdict(label: str, code: str = "", /, **values: object) -> Verdict:
    return Verdict(label, {label: 5}, {label: 1.0}, Reason("unanimous", {}), Reason(code, values) if code else None)


@pytest.mark.parametrize(
    ("case", "found", "column", "is_wanted"),
    [
        (DIGIT, verdict("7"), "right, unwarned", True),
        (DIGIT, verdict("1"), "silently wrong", False),
        (DIGIT, verdict("7", "ood"), "right, warned", False),
        (DIGIT, verdict("1", "ood"), "wrong, warned", False),
        (DIGIT, verdict("7", "several", digits="7 1"), "right, warned", False),
        (DIGIT, None, "refused", False),
        (SEVERAL, verdict("6"), "silently wrong", False),
        (SEVERAL, verdict("6", "ood"), "wrong, warned", False),
        (SEVERAL, verdict("1", "several", digits="1 0"), "right, warned", True),
        (SEVERAL, verdict("1", "several", digits="1 6"), "wrong, warned", False),
        (TURNED, verdict("1", "turned", degrees=90, label="7"), "right, warned", True),
        (TURNED, verdict("1", "turned", degrees=270, label="7"), "wrong, warned", False),
        (TURNED, verdict("1", "turned", degrees=90, label="1"), "wrong, warned", False),
        (TURNED, verdict("7"), "right, unwarned", True),
        (LOOPED, verdict("8", "unsure"), "wrong, warned", True),
        (LOOPED, verdict("8"), "silently wrong", False),
    ],
)
def test_an_answer_is_counted_once_and_by_what_is_wanted(case, found, column, is_wanted):
    assert outcome(found, case) == (column, is_wanted)


def test_the_table_of_cases_says_what_is_right(tmp_path):
    table = tmp_path / "cases.csv"
    table.write_text(
        "file,kind,right,wanted\n"
        'digits/several_10.jpg,several digits,none,"says that there are several digits, and reads each: 1 0"\n'
        'digits/turned_2.jpg,turned,2,"2, or a warning with a button to turn it"\n'
        'digits/looped_9.png,looped,9,"9, or a warning"\n'
        "clothing/shirt_01.jpg,a garment,Shirt|Coat,Shirt|Coat\n"
    )
    several, turned, looped, shirt = cases_of(table)
    assert (several.right, several.digits, several.warning) == (frozenset(), "1 0", "several")
    assert (turned.right, turned.warning) == ({"2"}, "turned")
    assert (looped.right, looped.warning) == ({"9"}, "any")
    assert (shirt.right, shirt.dataset, shirt.warning) == ({"Shirt", "Coat"}, "fashion_mnist", "")
    assert shirt.image == tmp_path / "clothing" / "shirt_01.jpg" and shirt.kind.endswith("shirt")
