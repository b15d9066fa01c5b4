"""The LightningModule of the original design as a bundle of `ptychopinn`, and back."""

import numpy as np

from ptycho_torch.checkpoint import Carried
from ptycho_torch.model import PtychoPINN_Lightning
from ptycho_torch.translation import Settings
from ptychopinn.bundle import Bundle
from ptychopinn.errors import BundleError
from ptychopinn.scan import PatternBatch


def bundle_of(module: PtychoPINN_Lightning, golden: PatternBatch | None = None) -> Bundle:
    """Return a trained module as a bundle.

    Args:
        module: Trained.
        golden: A small input, for a bundle that is to be written.

    Raises:
        BundleError: It was never trained.
    """
    known = module.carried
    if known is None:
        raise BundleError("model: found one that was not trained; train it or load another.")
    return Bundle(
        config=module.config,
        generator=module.generator.cpu().eval(),
        size=module.size,
        probe=known.probe,
        pattern_counts=known.pattern_counts,
        history=known.history,
        golden=golden,
    )


def module_of(bundle: Bundle, settings: Settings) -> PtychoPINN_Lightning:
    """Return a bundle as a module, for checkpoints that Ptychodus loads.

    Args:
        bundle: Trained by `ptychopinn` or with it.
        settings: What the checkpoint is to say; N, C, architecture and its width as the bundle has
            them.

    Raises:
        BundleError: The settings describe another network.
    """
    module = PtychoPINN_Lightning(
        settings.model, settings.data, settings.training, settings.inference
    )
    if module.config.generator != bundle.config.generator or module.size != bundle.size:
        raise BundleError(
            f"model: found {bundle.config.generator} for {bundle.size}, wanted "
            f"{module.config.generator} for {module.size}."
        )
    module.generator.load_state_dict(bundle.generator.state_dict())
    module.carried = Carried(
        domain="counts",
        mask=np.ones(bundle.probe.shape[-2:], dtype=bool),
        probe=bundle.probe,
        pattern_counts=bundle.pattern_counts,
        history=bundle.history,
    )
    return module
