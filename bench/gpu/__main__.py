"""What the product does on a GPU, in one command of under 8 minutes: `python -m bench.gpu`.

1. A small job on the GPU and on the CPU, and a real model's words on both: do they agree?
2. A real model learns a real speaker: its time, and its error rate. `python -m bench.gpu.pack` brings both along;
   without them this part is left out.
3. A whole job of large-v3 at full shape, with random weights, on 8 hours of made-up speech: time, memory and share of
   the chip's rate, stage by stage. Word error rates of random weights mean nothing. By default a quarter of the
   training steps is done, and the time of all is projected; `--share-of-steps 1` does them all.

The machine needs Python, torch, transformers, peft, rich and matplotlib. It needs no network and nothing of the
service; the other packages travel in the kit. Without a GPU all of it runs on the CPU.
"""

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.gpu import kit

BEGAN = time.monotonic()


def main() -> None:
    early = argparse.ArgumentParser(add_help=False)
    early.add_argument("--kit", type=Path, default=kit.FOLDER)
    with TemporaryDirectory() as packages:
        kit.unpack_wheels(early.parse_known_args()[0].kit, Path(packages))
        from bench.gpu.run import main as run

        run(__doc__, BEGAN)


if __name__ == "__main__":
    main()
