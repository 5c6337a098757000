"""``pytest -p tinygrad_cnn.gradcheck.pytest_plugin``: the plugin by its place in the package.

An installed package needs no ``-p``. The plugin itself is the module `pytest_tinygrad_cnn` beside the package, so that
pytest can load it at every start without importing NumPy; here it is named once more for where it is not installed.
"""

pytest_plugins = ("pytest_tinygrad_cnn",)
