"""Data sets and batches, as ``torch.utils.data``."""

from tinygrad_cnn.data.dataset import Dataset, Subset, TensorDataset, random_split
from tinygrad_cnn.data.loader import DataLoader, default_collate

__all__ = ["DataLoader", "Dataset", "Subset", "TensorDataset", "default_collate", "random_split"]
