"""Whether ops are recorded: one switch per thread."""

import threading


class Mode(threading.local):
    """`recording`: whether ops are recorded now; `inference`: whether nothing may switch recording on."""

    recording = True
    inference = False


mode = Mode()
