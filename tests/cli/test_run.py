"""A PyTorch program runs with its imports rewritten, and nothing else of it."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tinygrad_cnn.cli.run import Imports, renamed

ROOT = Path(__file__).parents[2]


def rewritten(source):
    return ast.unparse(Imports().visit(ast.parse(source)))


def launch(*arguments, path=()):
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), *map(str, path)]),
        "PYTHONIOENCODING": "utf-8",
    }
    command = [sys.executable, "-m", "tinygrad_cnn", "run", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, encoding="utf-8")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import torch", "import tinygrad_cnn as torch"),
        ("import torch as th", "import tinygrad_cnn as th"),
        ("import torch.nn as nn", "import tinygrad_cnn.nn as nn"),
        ("import torch.nn", "import tinygrad_cnn.nn, tinygrad_cnn as torch"),
        ("import math, torch, torchvision", "import math, tinygrad_cnn as torch, tinygrad_cnn as torchvision"),
        ("from torch import nn, optim as o", "from tinygrad_cnn import nn, optim as o"),
        ("from torch.utils.data import *", "from tinygrad_cnn.utils.data import *"),
        ("from torchvision.transforms import ToTensor", "from tinygrad_cnn.transforms import ToTensor"),
        ("from torch.utils.tensorboard import SummaryWriter", "from tensorboardX import SummaryWriter"),
        ("from torchmetrics import Accuracy", "from torchmetrics import Accuracy"),
        ("from .torch import nn", "from .torch import nn"),
        ("import torchtext.data", "import torchtext.data"),
        ("def f():\n    import torch", "def f():\n    import tinygrad_cnn as torch"),
        ("print('import torch')", "print('import torch')"),
    ],
)
def test_an_import_becomes(before, after):
    assert rewritten(before) == after


def test_a_name_that_only_begins_like_pytorchs_is_another_package():
    assert renamed("torchaudio.datasets") == "torchaudio.datasets"
    assert renamed("mytorch.nn") == "mytorch.nn"


def test_a_program_and_the_modules_it_brings_along_train_here(tmp_path):
    (tmp_path / "model.py").write_text(
        "import torch.nn as nn\nclass Net(nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n        self.fc = nn.Linear(1, 1)\n"
        "    def forward(self, x):\n        return self.fc(x)\n"
    )
    (tmp_path / "train.py").write_text(
        "import sys\nimport torch\nfrom torch import optim\nfrom model import Net\n"
        "torch.manual_seed(0)\nx = torch.linspace(-1, 1, 8).reshape(8, 1)\nnet = Net()\n"
        "optimizer = optim.SGD(net.parameters(), lr=0.5)\n"
        "for _ in range(int(sys.argv[1])):\n"
        "    optimizer.zero_grad()\n    loss = ((net(x) - 3 * x - 1) ** 2).mean()\n"
        "    loss.backward()\n    optimizer.step()\n"
        "assert __name__ == '__main__' and __file__.endswith('train.py')\n"
        "print(torch.__name__, f'{net.fc.weight.item():.3f} {net.fc.bias.item():.3f}')\n"
    )
    done = launch(tmp_path / "train.py", 100)
    assert done.stdout == "tinygrad_cnn 3.000 1.000\n", done.stderr
    assert not list(tmp_path.rglob("*.pyc"))


def test_modules_on_the_search_path_are_rewritten_and_installed_packages_are_not(tmp_path):
    own, installed = tmp_path / "own", tmp_path / "site-packages"
    for folder, name in ((own, "mine"), (installed, "theirs")):
        folder.mkdir()
        (folder / f"{name}.py").write_text("try:\n    import torch as t\nexcept ImportError:\n    t = None\n")
    (installed / "torch.py").write_text("")
    (tmp_path / "program.py").write_text("import mine, theirs\nprint(mine.t.__name__, theirs.t.__name__)\n")
    assert launch(tmp_path / "program.py", path=[own, installed]).stdout == "tinygrad_cnn torch\n"


def test_an_error_names_the_programs_own_line(tmp_path):
    (tmp_path / "program.py").write_text("\nimport torch\n\ntorch.zeros(2) @ torch.zeros(3)\n")
    failed = launch(tmp_path / "program.py")
    assert failed.returncode == 1
    assert 'program.py", line 4' in failed.stderr


def test_show_prints_the_imports_and_runs_nothing(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("import os\nimport torch\nraise SystemExit(3)\n")
    shown = launch("--show", program)
    assert (shown.returncode, shown.stdout) == (0, f"{program}:2: import tinygrad_cnn as torch\n")


@pytest.mark.parametrize("arguments", [[], ["--shaw", "program.py"], ["--show"]])
def test_a_wrong_command_line_is_told_how(arguments):
    refused = launch(*arguments)
    assert refused.returncode == 2
    assert "--help lists the options" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_a_program_that_is_not_there_is_an_error_of_its_name(tmp_path):
    failed = launch(tmp_path / "nowhere.py")
    assert failed.returncode == 2
    assert "nowhere.py" in failed.stderr.strip().splitlines()[-1]


def test_the_version_is_that_of_the_names():
    assert rewritten("torch.__version__") == "torch.torch_names.__version__"
    assert rewritten("numpy.__version__") == "numpy.__version__"
