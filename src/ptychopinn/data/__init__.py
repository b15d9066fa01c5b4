"""From a scan to batches of neighbouring patterns.

`ptychopinn.data.datamodule` stands apart: it needs Lightning, which takes longer to import than a
reconstruction takes.
"""

from ptychopinn.data.dataset import GroupDataset, collate_groups
from ptychopinn.data.descriptors import DescriptorRanges, ScanDescriptors, describe_scan
from ptychopinn.data.grouping import Groups, group_patterns
from ptychopinn.data.normalisation import MeasuredScan, mean_pattern, normalise
from ptychopinn.data.region import select_region

__all__ = [
    "DescriptorRanges",
    "GroupDataset",
    "Groups",
    "MeasuredScan",
    "ScanDescriptors",
    "collate_groups",
    "describe_scan",
    "group_patterns",
    "mean_pattern",
    "normalise",
    "select_region",
]
