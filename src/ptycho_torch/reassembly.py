"""Patches onto a canvas, by the names of the original design."""

from ptycho.tf_helper import reassemble_position
from ptychopinn.reassembly import PatchSum, merge_patches

__all__ = ["PatchSum", "merge_patches", "reassemble_position"]
