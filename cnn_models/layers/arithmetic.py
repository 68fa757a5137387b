"""Convolution arithmetic: how large a feature map becomes, and what it costs to compute.

V. Dumoulin, F. Visin: A guide to convolution arithmetic for deep learning, 2016, arXiv:1603.07285.
Square images and windows; all sizes are in pixels. A linear layer is a convolution of kernel 1 on a map of size 1.
"""


def output_size(size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """Side of the map that a convolution or pooling window leaves: floor((size + 2 padding - reach) / stride) + 1.

    `reach` is dilation (kernel - 1) + 1, the kernel itself where its values lie side by side. Dumoulin and Visin,
    relation 15. Raises ValueError when no such window can be placed.
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
    """Multiplications of a convolution that leaves channels_out x size x size.

    Each output value is one product of a whole filter with its window; additions are not counted. Section 3.1 of
    C. Szegedy et al.: Rethinking the Inception architecture, CVPR 2016, arXiv:1512.00567, reckons like this.
    """
    return kernel**2 * channels_in * channels_out * size**2


def parameters(channels_in: int, channels_out: int, kernel: int) -> int:
    """Weights of a convolution, channels_out x channels_in x kernel x kernel, and one bias per output channel."""
    return (kernel**2 * channels_in + 1) * channels_out
