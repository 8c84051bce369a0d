"""The page as a Hugging Face Space: on ZeroGPU, on a GPU of its own, or on a CPU."""

import os
from pathlib import Path

os.environ.setdefault("UNSAID_PUBLIC", "1")  # the list of models is the limit

from chat import zero

zero.prepare()  # before anything imports torch

from chat.ui.serve import serve_space  # noqa: E402

if __name__ == "__main__":
    serve_space(Path(__file__).resolve().parent)
