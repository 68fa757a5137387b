"""Convolution arithmetic: sizes of feature maps, and their cost.

V. Dumoulin, F. Visin: A guide to convolution arithmetic for deep learning, 2016, arXiv:1603.07285.
Square images and windows; all sizes are in pixels. A linear layer is a convolution of kernel 1 on a map of size 1.
"""


def output_size(size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """The output size of a convolution or pooling: floor((size + 2 padding - reach) / stride) + 1.

    `reach` is dilation (kernel - 1) + 1, the kernel without dilation. Dumoulin and Visin, relation 15. Raises
    ValueError where the window does not fit.
    """
    if size < 1 or kernel < 1 or stride < 1 or dilation < 1:
        raise ValueError(f"size {size}, kernel {kernel}, stride {stride} and dilation {dilation} must all be 1 or more")
    if padding < 0:
        raise ValueError(f"padding {padding} must be 0 or more")
    reach = dilation * (kernel - 1) + 1
    if reach > size + 2 * padding:
        apart = f", {dilation} apart," if dilation > 1 else ""
        raise ValueError(
            f"a kernel of {kernel}{apart} does not fit in {size} pixels with {padding} of padding on each side"
        )
    return (size + 2 * padding - reach) // stride + 1


def multiplications(channels_in: int, channels_out: int, kernel: int, size: int) -> int:
    """The multiplications of a convolution with an output of channels_out x size x size, without additions.

    As in C. Szegedy et al.: Rethinking the Inception architecture, CVPR 2016, arXiv:1512.00567, section 3.1.
    """
    return kernel**2 * channels_in * channels_out * size**2


def parameters(channels_in: int, channels_out: int, kernel: int) -> int:
    """The parameters of a convolution: channels_out x channels_in x kernel x kernel weights, channels_out biases."""
    return (kernel**2 * channels_in + 1) * channels_out
