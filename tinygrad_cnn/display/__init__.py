"""What pictures and pages of this package are drawn with: arrays in, HTML and SVG as text out.

It knows arrays only; what a Tensor, a module or a report shows is in `notebook.py` of its own room. `numbers` writes
numbers, `maps` draws arrays, `charts` curves and tables of counts, `page` puts it all into a notebook or a file;
`figures` writes matplotlib's, `terminal` knows what a terminal can show.
"""

from tinygrad_cnn.display.charts import *
from tinygrad_cnn.display.figures import *
from tinygrad_cnn.display.maps import *
from tinygrad_cnn.display.numbers import *
from tinygrad_cnn.display.page import *
from tinygrad_cnn.display.terminal import *
