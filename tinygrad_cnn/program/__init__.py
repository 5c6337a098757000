"""A program as data: what was computed, op by op, where it is written, and how the gradients came back through it."""

from tinygrad_cnn.program.listing import Contribution as Contribution
from tinygrad_cnn.program.listing import Line as Line
from tinygrad_cnn.program.listing import Program as Program
from tinygrad_cnn.program.listing import Value as Value
from tinygrad_cnn.program.recording import record as record
from tinygrad_cnn.program.source import Place as Place
