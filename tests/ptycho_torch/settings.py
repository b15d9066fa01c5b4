"""Every setting of the four records, and a value for it that is not its default."""

from dataclasses import fields

from ptycho_torch.translation import Settings

RECORDS = ("data", "model", "training", "inference")
#: Where another number, or the other truth, would say nothing.
OTHER = {
    "C": 9,
    "grid_size": (3, 3),
    "subsample_seed": 5,
    "x_bounds": (0.2, 0.8),
    "y_bounds": (0.2, 0.8),
    "neighbor_function": "Min_dist",
    "scan_pattern": "Rectangular",
    "normalize": "Group",
    "data_scaling": "Max",
    "mode": "Supervised",
    "architecture": "fno",
    "generator": {"name": "hybrid"},
    "lift": "none",
    "amp_activation": "sigmoid",
    "loss_function": "MAE",
    "amp_loss": "Total_Variation",
    "phase_loss": "Mean_Deviation",
    "probe_mask": "disk",
    "decoder_last_c_outer_fraction": 0.25,
    "gradient_clip_val": 0.5,
    "scheduler": "Exponential",
    "device": "cpu",
    "strategy": "auto",
    "framework": "Default",
    "orchestrator": "Mlflow",
    "num_workers": 0,
    "notes": "a note",
    "model_name": "unrolled",
    "patch_weighting": "uniform",
}


def every_setting() -> list[tuple[str, str]]:
    return [(part, item.name) for part in RECORDS for item in fields(getattr(Settings(), part))]


def other_value(part: str, name: str):
    usual = getattr(getattr(Settings(), part), name)
    if name in OTHER:
        return OTHER[name]
    return not usual if isinstance(usual, bool) else usual + 1


def as_ptychodus_passes_them() -> Settings:
    """At the defaults of Ptychodus 1.7.0, which are those of the records but for N."""
    settings = Settings()
    settings.data.N = 128
    return settings
