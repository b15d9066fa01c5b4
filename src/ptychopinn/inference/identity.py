"""Which weights made an image: a fingerprint that does not depend on the file that held them."""

import hashlib

from ptychopinn.generators import Generator


def weights_digest(generator: Generator) -> str | None:
    """Return the SHA-256 of names, types, shapes and values of all weights; None without any."""
    found = hashlib.sha256()
    weights = generator.state_dict()
    for name in sorted(weights):
        values = weights[name].detach().cpu().contiguous()
        found.update(f"{name} {values.dtype} {tuple(values.shape)}".encode())
        found.update(values.numpy().tobytes())
    return found.hexdigest() if weights else None
