"""For teaching: pages and pictures that show what is computed, and how its gradients come back."""

from tinygrad_cnn.teach.compare import compare as compare
from tinygrad_cnn.teach.drawing import draw as draw
from tinygrad_cnn.teach.explain import explain as explain
from tinygrad_cnn.teach.plot import plot_confusion as plot_confusion
from tinygrad_cnn.teach.plot import plot_feature_maps as plot_feature_maps
from tinygrad_cnn.teach.plot import plot_filters as plot_filters
from tinygrad_cnn.teach.plot import plot_history as plot_history
from tinygrad_cnn.teach.plot import plot_landscape as plot_landscape
from tinygrad_cnn.teach.plot import plot_saliency as plot_saliency
from tinygrad_cnn.teach.prediction import predict as predict
from tinygrad_cnn.teach.sheet import sheet as sheet
from tinygrad_cnn.teach.show import show as show
from tinygrad_cnn.teach.summary import summary as summary
