"""What raises nothing and is almost surely wrong: here the package warns."""

import tinygrad_cnn as tg
from tests.beginners.case import mistake
from tinygrad_cnn import nn, optim
from tinygrad_cnn.nn import functional as F

LOSS = "The loss does not fall"
NAN = "The loss is NaN"
MEMORY = "Memory grows"


@mistake(LOSS, "softmax before cross-entropy", tg.MistakeWarning, "cross_entropy", "softmax", "logits")
def _():
    net = nn.Sequential(nn.Linear(3, 4), nn.Softmax(dim=1))
    F.cross_entropy(net(tg.ones(2, 3)), tg.tensor([0, 1]))


@mistake(
    LOSS,
    "sigmoid before binary_cross_entropy_with_logits",
    tg.MistakeWarning,
    "binary_cross_entropy_with_logits",
    "sigmoid",
    "logits",
)
def _():
    net = nn.Sequential(nn.Linear(3, 1), nn.Sigmoid())
    F.binary_cross_entropy_with_logits(net(tg.ones(2, 3)), tg.ones(2, 1))


@mistake(LOSS, "softmax before nll_loss", tg.MistakeWarning, "nll_loss", "softmax", "log_softmax")
def _():
    net = nn.Sequential(nn.Linear(3, 4), nn.Softmax(dim=1))
    F.nll_loss(net(tg.ones(2, 3)), tg.tensor([0, 1]))


@mistake(LOSS, "MSE of log_softmax and one-hot labels", tg.MistakeWarning, "mse_loss", "log_softmax", "nll_loss")
def _():
    net = nn.Sequential(nn.Linear(3, 4), nn.LogSoftmax(dim=1))
    F.mse_loss(net(tg.ones(2, 3)), F.one_hot(tg.tensor([0, 1]), 4).float())


@mistake(LOSS, "Labels without the column that the network gives, in MSE", UserWarning, "mse_loss", "(4, 1)", "(4,)")
def _():
    net = nn.Linear(3, 1)
    F.mse_loss(net(tg.ones(4, 3)), tg.ones(4))


@mistake(LOSS, "softmax without dim", UserWarning, "softmax", "dim")
def _():
    F.softmax(tg.ones(2, 3))


@mistake(LOSS, "zero_grad forgotten", tg.MistakeWarning, "step", "zero_grad()")
def _():
    net = nn.Linear(3, 1)
    optimizer = optim.SGD(net.parameters(), lr=0.01)
    for _ in range(30):
        loss = F.mse_loss(net(tg.ones(4, 3)), tg.ones(4, 1))
        loss.backward()
        optimizer.step()


@mistake(LOSS, "Layers in a plain list", tg.MistakeWarning, "Net", "hidden", "list", "ModuleList")
def _():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = [nn.Linear(3, 3) for _ in range(2)]
            self.out = nn.Linear(3, 1)

        def forward(self, x):
            for layer in self.hidden:
                x = layer(x).relu()
            return self.out(x)

    net = Net()
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    F.mse_loss(net(tg.ones(4, 3)), tg.ones(4, 1)).backward()
    optimizer.step()


@mistake(LOSS, "A layer replaced after the optimiser was made", tg.MistakeWarning, "SGD", "out", "Sequential", "after")
def _():
    net = nn.Sequential()
    net.body, net.out = nn.Linear(3, 3), nn.Linear(3, 10)
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    net.out = nn.Linear(3, 1)
    F.mse_loss(net(tg.ones(4, 3)), tg.ones(4, 1)).backward()
    optimizer.step()


@mistake(NAN, "All labels ignored", tg.MistakeWarning, "cross_entropy", "-100", "ignore_index")
def _():
    F.cross_entropy(tg.zeros(2, 3), tg.tensor([-100, -100]))


@mistake(NAN, "A learning rate that is too large", tg.MistakeWarning, "SGD", "lr", "10")
def _():
    net = nn.Linear(3, 1)
    optimizer = optim.SGD(net.parameters(), lr=10)
    for _ in range(200):
        optimizer.zero_grad()
        F.mse_loss(net(tg.ones(4, 3)), tg.ones(4, 1)).backward()
        optimizer.step()


@mistake(MEMORY, "Losses kept with their graphs", tg.MistakeWarning, "step", "item()", "graph")
def _():
    net, losses = nn.Linear(3, 1), []
    optimizer = optim.SGD(net.parameters(), lr=0.01)
    for _ in range(1600):
        optimizer.zero_grad()
        loss = F.mse_loss(net(tg.ones(4, 3)), tg.ones(4, 1))
        loss.backward()
        optimizer.step()
        losses.append(loss)
