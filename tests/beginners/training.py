"""Optimisers, schedules and the training loop."""

import tinygrad_cnn as tg
from tests.beginners.case import mistake
from tinygrad_cnn import nn, optim

TRAINING = "The optimiser refuses"


@mistake(TRAINING, "A network without parameters", ValueError, "SGD", "empty", "list", "ModuleList")
def _():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = [nn.Linear(3, 3), nn.Linear(3, 2)]

    optim.SGD(Net().parameters(), lr=0.1)


@mistake(TRAINING, "parameters used up before the optimiser is made", ValueError, "Adam", "empty", "parameters()")
def _():
    parameters = nn.Linear(3, 2).parameters()
    total = sum(p.numel() for p in parameters)
    optim.Adam(parameters, lr=1 / total)


@mistake(TRAINING, "parameters without the brackets", TypeError, "SGD", "parameters()")
def _():
    optim.SGD(nn.Linear(3, 2).parameters, lr=0.1)


@mistake(TRAINING, "The network itself", TypeError, "SGD", "Linear", "parameters()")
def _():
    optim.SGD(nn.Linear(3, 2), lr=0.1)


@mistake(TRAINING, "One tensor instead of a list", TypeError, "SGD", "Tensor", "[")
def _():
    optim.SGD(tg.ones(3, requires_grad=True), lr=0.1)


@mistake(TRAINING, "The state dict", TypeError, "SGD", "str", "parameters()")
def _():
    optim.SGD(nn.Linear(3, 2).state_dict(), lr=0.1)


@mistake(TRAINING, "A result instead of a leaf", ValueError, "SGD", "result of an op", "leaf", "detach()")
def _():
    w = 0.1 * tg.ones(3, requires_grad=True)
    optim.SGD([w], lr=0.1)


@mistake(TRAINING, "A learning rate below 0", ValueError, "SGD", "-0.1", "lr")
def _():
    optim.SGD(nn.Linear(3, 2).parameters(), lr=-0.1)


@mistake(TRAINING, "A learning rate as a string", TypeError, "Adam", "lr", "'0.1'")
def _():
    optim.Adam(nn.Linear(3, 2).parameters(), lr="0.1")


@mistake(TRAINING, "betas with one number", TypeError, "Adam", "betas", "0.9")
def _():
    optim.Adam(nn.Linear(3, 2).parameters(), betas=0.9)


@mistake(TRAINING, "Momentum for Adam", TypeError, "Adam", "momentum")
def _():
    optim.Adam(nn.Linear(3, 2).parameters(), momentum=0.9)


@mistake(TRAINING, "Nesterov without momentum", ValueError, "SGD", "nesterov", "momentum")
def _():
    optim.SGD(nn.Linear(3, 2).parameters(), lr=0.1, nesterov=True)


@mistake(TRAINING, "The same parameters in two groups", ValueError, "SGD", "(2, 3)", "more than one group")
def _():
    net = nn.Sequential(nn.Linear(3, 2))
    optim.SGD([{"params": net.parameters()}, {"params": net[0].parameters()}], lr=0.1)


@mistake(TRAINING, "A group without parameters", KeyError, "params")
def _():
    optim.SGD([{"lr": 0.1}], lr=0.1)


@mistake(TRAINING, "LBFGS without a closure", TypeError, "LBFGS", "closure")
def _():
    optim.LBFGS(nn.Linear(3, 2).parameters()).step()


@mistake(TRAINING, "A loss given to step", TypeError, "step", "closure", "Tensor", "backward()")
def _():
    w = nn.Parameter(tg.ones(3))
    loss = (w * w).sum()
    optim.SGD([w], lr=0.1).step(loss)


@mistake(TRAINING, "A schedule of a network", TypeError, "StepLR", "Linear", "Optimizer")
def _():
    optim.lr_scheduler.StepLR(nn.Linear(3, 2), step_size=10)


@mistake(TRAINING, "The schedule steps before the optimiser", UserWarning, "lr_scheduler.step()", "optimizer.step()")
def _():
    optimizer = optim.SGD(nn.Linear(3, 2).parameters(), lr=0.1)
    scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=10)
    scheduler.step()


@mistake(TRAINING, "ReduceLROnPlateau without the loss", TypeError, "step", "metrics")
def _():
    optimizer = optim.SGD(nn.Linear(3, 2).parameters(), lr=0.1)
    optimizer.step()
    optim.lr_scheduler.ReduceLROnPlateau(optimizer).step()


@mistake(TRAINING, "The state of an optimiser of another network", ValueError, "load_state_dict", "2", "4")
def _():
    small, large = nn.Linear(3, 2), nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2))
    state = optim.Adam(small.parameters()).state_dict()
    optim.Adam(large.parameters()).load_state_dict(state)


@mistake(
    TRAINING,
    "Clipping to gradients that are not finite",
    RuntimeError,
    "norm",
    "non-finite",
    "error_if_nonfinite=False",
)
def _():
    w = nn.Parameter(tg.ones(3))
    w.grad = tg.full((3,), float("nan"))
    nn.utils.clip_grad_norm_([w], 1.0, error_if_nonfinite=True)
