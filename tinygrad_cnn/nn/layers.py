"""Every layer, container and parameter: what `nn` and `nn.modules` show."""

from tinygrad_cnn.nn.activation import *
from tinygrad_cnn.nn.attention import *
from tinygrad_cnn.nn.container import *
from tinygrad_cnn.nn.conv import *
from tinygrad_cnn.nn.distance import *
from tinygrad_cnn.nn.dropout import *
from tinygrad_cnn.nn.embedding import *
from tinygrad_cnn.nn.lazy import *
from tinygrad_cnn.nn.linear import *
from tinygrad_cnn.nn.loss import *
from tinygrad_cnn.nn.module import *
from tinygrad_cnn.nn.norm import *
from tinygrad_cnn.nn.padding import *
from tinygrad_cnn.nn.parallel import *
from tinygrad_cnn.nn.parameter import *
from tinygrad_cnn.nn.parameter_container import *
from tinygrad_cnn.nn.pooling import *
from tinygrad_cnn.nn.resampling import *
from tinygrad_cnn.nn.reshaping import *
from tinygrad_cnn.nn.rnn import *
from tinygrad_cnn.nn.transformer import *
