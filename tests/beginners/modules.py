"""Networks: __init__, forward, layers and how they are put together."""

import tinygrad_cnn as tg
from tests.beginners.case import mistake
from tinygrad_cnn import nn
from tinygrad_cnn.nn import functional as F

MODULES = "A network cannot be made or called"


@mistake(MODULES, "super().__init__() forgotten", AttributeError, "Net", "super().__init__()", "'fc'")
def _():
    class Net(nn.Module):
        def __init__(self):
            self.fc = nn.Linear(3, 2)

    Net()


@mistake(MODULES, "forward misspelt", NotImplementedError, "Net", "forward", "foward")
def _():
    class Net(nn.Module):
        def foward(self, x):
            return x

    Net()(tg.ones(2))


@mistake(MODULES, "forward that returns nothing", TypeError, "linear", "None", "return")
def _():
    class Body(nn.Module):
        def forward(self, x):
            x.relu()

    nn.Sequential(Body(), nn.Linear(3, 2))(tg.ones(1, 3))


@mistake(MODULES, "The loss of a forward that returns nothing", TypeError, "cross_entropy", "None", "return")
def _():
    class Net(nn.Module):
        def forward(self, x):
            x.relu()

    F.cross_entropy(Net()(tg.ones(2, 3)), tg.tensor([0, 1]))


@mistake(MODULES, "MSE of a forward that returns nothing", TypeError, "mse_loss", "None", "return")
def _():
    class Net(nn.Module):
        def forward(self, x):
            x.relu()

    F.mse_loss(Net()(tg.ones(2, 3)), tg.ones(2, 3))


@mistake(MODULES, "forward without self", TypeError, "forward", "positional argument")
def _():
    class Net(nn.Module):
        def forward(x):
            return x

    Net()(tg.ones(2))


@mistake(MODULES, "A layer that was never made", AttributeError, "'Net'", "'fc2'")
def _():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1 = nn.Linear(3, 2)

        def forward(self, x):
            return self.fc2(x)

    Net()(tg.ones(1, 3))


@mistake(MODULES, "A layer's class called with the data", TypeError, "ReLU", "(2,)", "make the layer first")
def _():
    nn.ReLU(tg.ones(2))


@mistake(MODULES, "MaxPool2d called with the data", TypeError, "MaxPool2d", "(1, 1, 4, 4)", "make the layer first")
def _():
    nn.MaxPool2d(tg.ones(1, 1, 4, 4))


@mistake(MODULES, "Linear called with the data", TypeError, "Linear", "in_features", "Tensor")
def _():
    nn.Linear(tg.ones(4, 3), 2)


@mistake(MODULES, "A list given to Sequential", TypeError, "Sequential", "list", "*")
def _():
    nn.Sequential([nn.Linear(3, 2), nn.ReLU()])


@mistake(MODULES, "A function in Sequential", TypeError, "Sequential", "relu", "nn.ReLU()")
def _():
    nn.Sequential(nn.Linear(3, 2), F.relu)


@mistake(MODULES, "A layer's class in Sequential", TypeError, "Sequential", "ReLU", "ReLU()")
def _():
    nn.Sequential(nn.Linear(3, 2), nn.ReLU)


@mistake(MODULES, "ModuleList called", NotImplementedError, "ModuleList", "forward", "for")
def _():
    nn.ModuleList([nn.Linear(3, 3)])(tg.ones(1, 3))


@mistake(MODULES, "Tensors in a ModuleList", TypeError, "ModuleList", "Tensor", "ParameterList")
def _():
    nn.ModuleList([tg.ones(3)])


@mistake(MODULES, "A tensor assigned where a parameter stands", TypeError, "weight", "Linear", "Parameter")
def _():
    layer = nn.Linear(3, 2)
    layer.weight = tg.zeros(2, 3)


@mistake(MODULES, "A parameter that is the result of an op", TypeError, "Scaled", "'scale'", "Parameter", "forward")
def _():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_parameter("scale", 2 * nn.Parameter(tg.ones(1)))

    Scaled()


@mistake(MODULES, "An argument misspelt", TypeError, "Linear", "in_feature")
def _():
    nn.Linear(in_feature=3, out_features=2)


@mistake(MODULES, "Conv2d without the size of its kernel", TypeError, "kernel_size")
def _():
    nn.Conv2d(3, 8)


@mistake(MODULES, "A probability above 1", ValueError, "Dropout", "50", "0 and 1")
def _():
    nn.Dropout(50)


@mistake(MODULES, "A name that PyTorch has and this package has not", AttributeError, "sparse_coo_tensor")
def _():
    tg.sparse_coo_tensor


@mistake(MODULES, "A function misspelt", AttributeError, "'zeroes'")
def _():
    tg.zeroes(3)


@mistake(MODULES, "A method of NumPy", AttributeError, "astypes", "astype")
def _():
    tg.zeros(3).astypes("float64")


@mistake(MODULES, "A kernel of size 0", ValueError, "Conv2d", "kernel_size", "0")
def _():
    nn.Conv2d(1, 1, 0)


@mistake(MODULES, "A padding by a wrong name", ValueError, "padding", "'full'", "same", "valid")
def _():
    nn.Conv2d(1, 1, 3, padding="full")


@mistake(MODULES, "Two inputs for a Sequential", TypeError, "Sequential.forward()", "3 were given")
def _():
    nn.Sequential(nn.Linear(3, 2))(tg.ones(1, 3), tg.ones(1, 3))
