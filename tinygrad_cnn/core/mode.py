"""Whether ops are recorded: one switch per thread."""

import threading


class Mode(threading.local):
    """`recording`: whether ops are recorded now; `inference`: whether nothing may switch it on; `entered`: by whom."""

    recording = True
    inference = False
    entered: object = None


mode = Mode()
