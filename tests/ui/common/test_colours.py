"""Lines of several networks on one chart."""

from ui.common.colours import line_styles


def test_every_line_looks_different_and_those_of_one_architecture_share_its_colour():
    ids = ["lenet5.mnist", "mini_resnet.mnist", *(f"user{n}/lenet5.mnist@abcdef" for n in range(4))]
    looks = line_styles(ids)
    assert len(set(looks.values())) == len(ids)
    assert {colour for id, (colour, _) in looks.items() if "lenet5" in id} == {looks["lenet5.mnist"][0]}
