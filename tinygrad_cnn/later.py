"""Functions of the face that come from rooms which take time to load: they are loaded when they are first asked for."""

from tinygrad_cnn.func import vmap as vmap
from tinygrad_cnn.io import load as load
from tinygrad_cnn.io import save as save
from tinygrad_cnn.nn.functional import adaptive_avg_pool1d as adaptive_avg_pool1d
from tinygrad_cnn.nn.functional import adaptive_max_pool1d as adaptive_max_pool1d
from tinygrad_cnn.nn.functional import alpha_dropout as alpha_dropout
from tinygrad_cnn.nn.functional import avg_pool1d as avg_pool1d
from tinygrad_cnn.nn.functional import bilinear as bilinear
from tinygrad_cnn.nn.functional import celu as celu
from tinygrad_cnn.nn.functional import channel_shuffle as channel_shuffle
from tinygrad_cnn.nn.functional import conv_transpose1d as conv_transpose1d
from tinygrad_cnn.nn.functional import cosine_similarity as cosine_similarity
from tinygrad_cnn.nn.functional import dropout as dropout
from tinygrad_cnn.nn.functional import feature_alpha_dropout as feature_alpha_dropout
from tinygrad_cnn.nn.functional import group_norm as group_norm
from tinygrad_cnn.nn.functional import hardshrink as hardshrink
from tinygrad_cnn.nn.functional import max_pool1d as max_pool1d
from tinygrad_cnn.nn.functional import pairwise_distance as pairwise_distance
from tinygrad_cnn.nn.functional import pdist as pdist
from tinygrad_cnn.nn.functional import pixel_shuffle as pixel_shuffle
from tinygrad_cnn.nn.functional import pixel_unshuffle as pixel_unshuffle
from tinygrad_cnn.nn.functional import prelu as prelu
from tinygrad_cnn.nn.functional import rms_norm as rms_norm
from tinygrad_cnn.nn.functional import rrelu as rrelu
from tinygrad_cnn.nn.functional import threshold as threshold
