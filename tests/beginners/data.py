"""Datasets, loaders, transforms, and saving and loading."""

import numpy as np

import tinygrad_cnn as tg
from tests.beginners.case import mistake
from tinygrad_cnn import nn, transforms
from tinygrad_cnn.utils.data import DataLoader, Dataset, TensorDataset, random_split

DATA = "Data cannot be loaded"
FILES = "A model cannot be saved or loaded"


@mistake(DATA, "Inputs and labels of different lengths", ValueError, "TensorDataset", "(4, 3)", "(5,)")
def _():
    TensorDataset(tg.zeros(4, 3), tg.zeros(5))


@mistake(DATA, "A dataset without __len__", TypeError, "RandomSampler", "Squares", "__len__")
def _():
    class Squares(Dataset):
        def __getitem__(self, k):
            return k * k

    next(iter(DataLoader(Squares(), shuffle=True)))


@mistake(DATA, "A dataset without __getitem__", NotImplementedError, "Squares", "__getitem__")
def _():
    class Squares(Dataset):
        def __len__(self):
            return 4

    next(iter(DataLoader(Squares())))


@mistake(DATA, "Examples of different sizes", RuntimeError, "(3,)", "(4,)", "pad_sequence", "collate_fn")
def _():
    next(iter(DataLoader([tg.zeros(3), tg.zeros(4)], batch_size=2)))


@mistake(DATA, "None among the examples", TypeError, "collate", "NoneType", "return")
def _():
    class Squares(Dataset):
        def __len__(self):
            return 4

        def __getitem__(self, k):
            k * k

    next(iter(DataLoader(Squares(), batch_size=2)))


@mistake(DATA, "Pictures that no transform made tensors", TypeError, "collate", "Image", "ToTensor")
def _():
    from PIL import Image

    next(iter(DataLoader([Image.new("L", (8, 8))] * 2, batch_size=2)))


@mistake(DATA, "A batch of size 0", ValueError, "DataLoader", "batch_size", "0")
def _():
    DataLoader([1, 2, 3], batch_size=0)


@mistake(DATA, "shuffle and a sampler", ValueError, "DataLoader", "sampler", "shuffle")
def _():
    DataLoader([1, 2, 3], shuffle=True, sampler=[0, 1])


@mistake(DATA, "next of a loader", TypeError, "DataLoader", "iter(")
def _():
    next(DataLoader([1, 2, 3]))


@mistake(DATA, "A batch of a loader by its number", TypeError, "DataLoader", "next(iter(")
def _():
    DataLoader([1, 2, 3])[0]


@mistake(DATA, "An empty dataset, shuffled", ValueError, "0")
def _():
    DataLoader([], shuffle=True)


@mistake(DATA, "Parts that do not add up", ValueError, "random_split", "9", "10")
def _():
    random_split(range(10), [8, 1])


@mistake(DATA, "ToTensor of a tensor", TypeError, "to_tensor", "Tensor", "NumPy array")
def _():
    transforms.ToTensor()(tg.zeros(1, 8, 8))


@mistake(DATA, "Normalize before ToTensor", TypeError, "normalize", "ndarray", "ToTensor")
def _():
    transforms.Compose([transforms.Normalize(0.5, 0.5), transforms.ToTensor()])(np.zeros((8, 8), np.uint8))


@mistake(DATA, "Three means for a grey picture", ValueError, "normalize", "[0.5, 0.5, 0.5]", "or 1", "(1, 8, 8)")
def _():
    transforms.Normalize([0.5] * 3, [0.5] * 3)(tg.zeros(1, 8, 8))


@mistake(DATA, "Normalize with a deviation of 0", ValueError, "normalize", "std", "0")
def _():
    transforms.Normalize([0.5], [0.0])(tg.zeros(1, 8, 8))


@mistake(FILES, "The weights of another network", RuntimeError, "Linear", "weight", "[2, 3]", "[2, 4]")
def _():
    nn.Linear(4, 2).load_state_dict(nn.Linear(3, 2).state_dict())


@mistake(
    FILES, "A state dict whose names do not fit", RuntimeError, "Linear", "Missing key", "Unexpected key", "0.weight"
)
def _():
    nn.Linear(3, 2).load_state_dict(nn.Sequential(nn.Linear(3, 2)).state_dict())


@mistake(
    FILES, "Names that begin with module.", RuntimeError, "module.weight", "consume_prefix_in_state_dict_if_present"
)
def _():
    state = {f"module.{name}": value for name, value in nn.Linear(3, 2).state_dict().items()}
    nn.Linear(3, 2).load_state_dict(state)


@mistake(FILES, "The name of a file given to load_state_dict", TypeError, "state_dict", "str", "load(")
def _():
    nn.Linear(3, 2).load_state_dict("net.pt")


@mistake(FILES, "A network given to load_state_dict", TypeError, "state_dict", "Linear", "state_dict()")
def _():
    nn.Linear(3, 2).load_state_dict(nn.Linear(3, 2))


@mistake(FILES, "A file that is not there", FileNotFoundError, "no-such-file.pt")
def _():
    tg.load("no-such-file.pt")


@mistake(FILES, "state_dict without the brackets", TypeError, "state_dict", "method", "state_dict()")
def _():
    nn.Linear(3, 2).load_state_dict(nn.Linear(3, 2).state_dict)
