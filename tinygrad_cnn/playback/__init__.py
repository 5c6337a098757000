"""`compile`: what a function does is written down once, as a tape of calls on arrays, and played back.

Read `tape` (what a tape is), `recorder` (how one is written), `tracing` (what a rule is made of), `player` (how one is
played back) and `compiling` (when).
"""

from tinygrad_cnn.playback.compiling import compile as compile
