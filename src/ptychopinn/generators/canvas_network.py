"""The small U-Net that works on the object canvas between two physics steps."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F


class _Residual(nn.Module):
    """Two 3x3 convolutions with GELU and a bypass, channels and size kept."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.second(F.gelu(self.first(x)))


class CanvasNetwork(nn.Module):
    """A correction of the object from its present state.

    The canvas is folded (2x2 pixels into channels), so that the first level works at half
    resolution: errors that physics leaves are of long wavelength. Every further level halves the
    resolution again. The last layer starts at zero: an untrained network changes nothing.

    Args:
        inputs: Channels in.
        width: Channels at the first level; each level below has 1.5 times as many.
        depth: Number of levels.

    Shapes:
        (B, inputs, H, W) real to (B, 2, H, W) real; any H and W.
    """

    def __init__(self, inputs: int, width: int, depth: int) -> None:
        super().__init__()
        self.multiple_px = 2**depth
        """Canvases that begin at multiples of this are folded in the same way."""
        self.halo_px = _reach_px(depth)
        """No pixel sees farther than this; a multiple of `multiple_px`."""
        widths = [int(width * 1.5**level) for level in range(depth)]
        self.fold = nn.Conv2d(4 * inputs, width, 3, padding=1)
        self.encoder = nn.ModuleList(_Residual(w) for w in widths)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairwise(widths))
        self.up = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(widths))
        self.decoder = nn.ModuleList(_Residual(w) for w in widths[:-1])
        self.unfold = nn.Conv2d(width, 8, 3, padding=1)
        nn.init.zeros_(self.unfold.weight)
        nn.init.zeros_(self.unfold.bias)  # type: ignore[arg-type]

    def _folded(self, x: torch.Tensor) -> torch.Tensor:
        """Return ``fold(pixel_unshuffle(x, 2))`` in half of its time: nothing is moved first."""
        kernel = _folded_kernel(self.fold.weight)
        return F.conv2d(x, kernel, self.fold.bias, stride=2, padding=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the correction, real and imaginary part."""
        height, width = x.shape[-2:]
        multiple = self.multiple_px
        x = F.pad(x, (0, -width % multiple, 0, -height % multiple))
        # Channels last: a third less time on a CPU.
        x = self._folded(x.contiguous(memory_format=torch.channels_last))
        skips = []
        for level, block in enumerate(self.encoder):
            x = block(x)
            if level < len(self.down):
                skips.append(x)
                x = self.down[level](x)
        for level in reversed(range(len(self.down))):
            x = skips[level] + F.interpolate(self.up[level](x), scale_factor=2.0, mode="bilinear")
            x = self.decoder[level](x)
        return F.pixel_shuffle(self.unfold(x), 2)[..., :height, :width]


def _folded_kernel(weight: torch.Tensor) -> torch.Tensor:
    """Return the kernel of a strided convolution that does what one on folded pixels does.

    Args:
        weight: (O, 4 I, 3, 3), input 4 i + 2 a + b the pixel at row a, column b of a cell.

    Returns:
        (O, I, 6, 6).
    """
    outputs, inputs, side, _ = weight.shape
    cells = weight.view(outputs, inputs // 4, 2, 2, side, side)
    return cells.permute(0, 1, 4, 2, 5, 3).reshape(outputs, inputs // 4, 2 * side, 2 * side)


def _reach_px(depth: int) -> int:
    """Return how far a pixel of the answer can see, rounded up to whole cells of the lowest level.

    A pixel of level l is 2^(l + 1) pixels of the canvas wide. Fold and unfold see one such pixel of
    level 0 far, a residual block two of its level; interpolation one of the level below; and each
    change of level may round up to a whole pixel.
    """
    cells = [2 ** (level + 1) for level in range(depth)]
    blocks = 2 * sum(cells) + 2 * sum(cells[:-1])
    levels = 2 * sum(cells[1:])
    reach = 2 * 2 + blocks + levels + cells[-1]
    return -(-reach // cells[-1]) * cells[-1]
