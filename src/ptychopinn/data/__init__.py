"""From a scan to batches of neighbouring patterns."""

from ptychopinn.data.datamodule import ScanDataModule
from ptychopinn.data.dataset import GroupDataset, collate_groups
from ptychopinn.data.grouping import Groups, group_patterns
from ptychopinn.data.normalisation import MeasuredScan, normalise
from ptychopinn.data.region import select_region

__all__ = [
    "GroupDataset",
    "Groups",
    "MeasuredScan",
    "ScanDataModule",
    "collate_groups",
    "group_patterns",
    "normalise",
    "select_region",
]
