"""Misspelt public names, one a line: each is an error to `mypy` and to `pyright`. Nothing here is executed."""

import tinygrad_cnn as tg
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import Tensor, autograd, func, linalg, nn, ops, optim, random, transforms
from tinygrad_cnn.autograd import functional
from tinygrad_cnn.nn import init, utils
from tinygrad_cnn.optim import lr_scheduler
from tinygrad_cnn.utils import data

x = Tensor([1.0])
layer = nn.Linear(2, 3)

tg.zeroes(2)  # error
tg.Tenser([1.0])  # error
tg.float23  # error
tg.no_gard()  # error
tg.manuel_seed(0)  # error
tg.linalg.inverze(x)  # error
tg.optim.Adamm(layer.parameters())  # error
x.sqtr()  # error
x.shap  # error
x.bakward()  # error
x.max(1).value  # error
x.sum().itme()  # error
F.rellu(x)  # error
F.cross_entropi(x, x)  # error
nn.Linaer(2, 3)  # error
nn.Conv2D(1, 2, 3)  # error
layer(x).relo()  # error
init.kaiming_unifrom_(x)  # error
utils.clip_grad_nrm_([x], 1.0)  # error
ops.matmull(x, x)  # error
linalg.slogdett(x)  # error
linalg.slogdet(x).logdet  # error
optim.SDG(layer.parameters())  # error
optim.SGD(layer.parameters()).stepp()  # error
lr_scheduler.StepLr(optim.SGD(layer.parameters()), 2)  # error
autograd.grads(x, x)  # error
functional.jacobien(F.relu, x)  # error
func.vmapp(F.relu)  # error
random.manual_sed(0)  # error
transforms.ToTenser()  # error
data.Dataloader(x)  # error
with tg.no_grad(1):  # error
    pass
