"""Line styles of networks in charts."""

from ui.common.colours import line_styles


def test_every_line_has_a_style_of_its_own_and_the_colour_of_its_architecture():
    ids = ["lenet5.mnist", "mini_resnet.mnist", *(f"user{n}/lenet5.mnist@abcdef" for n in range(4))]
    styles = line_styles(ids)
    assert len(set(styles.values())) == len(ids)
    assert {colour for id, (colour, _) in styles.items() if "lenet5" in id} == {styles["lenet5.mnist"][0]}
