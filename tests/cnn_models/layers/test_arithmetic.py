import itertools

import pytest

from cnn_models.layers.arithmetic import multiplications, output_size, parameters


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "expected"),
    [(28, 5, 1, 2, 28), (224, 11, 4, 1, 54), (54, 3, 2, 0, 26), (96, 7, 2, 3, 48), (5, 5, 1, 0, 1), (1, 3, 1, 1, 1)],
)
def test_output_size(size, kernel, stride, padding, expected):
    assert output_size(size, kernel, stride, padding) == expected


@pytest.mark.parametrize("size", range(1, 12))
def test_output_size_counts_the_places_of_a_window(size):
    for kernel, stride, padding, dilation in itertools.product(range(1, 6), (1, 2, 3), (0, 1, 2), (1, 2)):
        reach = range(0, kernel * dilation, dilation)[-1] + 1  # from the first value of the window to the last
        if places := len(range(-padding, size + padding - reach + 1, stride)):
            assert output_size(size, kernel, stride, padding, dilation) == places
        else:
            with pytest.raises(ValueError, match="does not fit"):
                output_size(size, kernel, stride, padding, dilation)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"size": 4, "kernel": 5}, "a kernel of 5 does not fit in 4 pixels"),
        ({"size": 0, "kernel": 1}, "must all be 1 or more"),
        ({"size": 4, "kernel": 0}, "must all be 1 or more"),
        ({"size": 4, "kernel": 2, "stride": 0}, "must all be 1 or more"),
        ({"size": 4, "kernel": 2, "padding": -1}, "padding -1 must be 0 or more"),
    ],
)
def test_impossible_windows_are_refused(settings, why):
    with pytest.raises(ValueError, match=why):
        output_size(**settings)


def test_a_1x1_convolution_saves_nine_tenths():
    """192 x 28 x 28 to 32 x 28 x 28 by 5x5, straight and through 16 channels."""
    straight = multiplications(192, 32, kernel=5, size=28)
    through = multiplications(192, 16, kernel=1, size=28) + multiplications(16, 32, kernel=5, size=28)
    assert (straight, through) == (120_422_400, 2_408_448 + 10_035_200)
    assert through == 12_443_648


def test_parameters():
    assert parameters(1, 6, kernel=5) == 156
    assert parameters(6400, 4096, kernel=1) == 26_218_496  # a linear layer
