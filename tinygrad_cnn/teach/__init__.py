"""For teaching: pages and pictures that show what is computed, and how its gradients come back."""

from tinygrad_cnn.teach.drawing import draw as draw
from tinygrad_cnn.teach.explain import explain as explain
from tinygrad_cnn.teach.summary import summary as summary
