"""How Sphinx builds the site: `python -m sphinx -W --keep-going -b html docs docs/_build/html`."""

import importlib
import os
import sys
from importlib.metadata import version as version_of
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]

project = "tinygrad_cnn"
author = "the authors of tinygrad_cnn"
version = release = version_of("tinygrad-cnn")
language = "en"

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.intersphinx",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "pages_of_names",
    "pages_of_ops",
    "pages_of_commands",
    "pages_of_numpy",
    "pages_of_sources",
    "steppers",
]
MADE_BESIDE = [f"gallery/{folder}*.{kind}" for folder in ("", "*/") for kind in ("py", "ipynb")]  # downloads
exclude_patterns = [
    *MADE_BESIDE,
    "_build",
    "_ext",
    "_static",
    "conf.py",
    "steppers",
    "sg_execution_times.rst",
]
templates_path = []
source_suffix = {".rst": "restructuredtext", ".md": "myst-nb", ".ipynb": "myst-nb"}
root_doc = "index"

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "attrs_inline"]
myst_heading_anchors = 4
suppress_warnings = ["myst.xref_missing", "myst.header"]  # links to files of the repository; tables under one title
nb_custom_formats = {".py": ["jupytext.reads", {"fmt": "py:percent"}]}
nb_execution_mode = "cache"
nb_execution_timeout = 120
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpydoc says what is given and what comes back
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
default_role = "code"
nitpicky = False  # single backquotes stand for code and for names alike

intersphinx_mapping = (
    {
        "python": ("https://docs.python.org/3", None),
        "numpy": ("https://numpy.org/doc/stable", None),
        "hypothesis": ("https://hypothesis.readthedocs.io/en/latest", None),
    }
    if os.environ.get("DOCS_LINKS")  # only where these sites can be reached
    else {}
)

WITH_CONTENTS = "*", "tutorial/*", "how-to/*", "reference/*", "reference/*/*", "gallery/*", "gallery/*/*"
"""Pages that have their contents beside them; chapters of the course need the width."""
html_theme = "pydata_sphinx_theme"
html_title = "tinygrad_cnn"
MATHJAX = Path(importlib.import_module("sphinx-mathjax-offline").__file__).parent / "static"
mathjax_path = "mathjax/tex-chtml.js"  # a copy beside the pages: formulas are drawn without a network
html_static_path = ["_static", str(MATHJAX)]
html_css_files = ["site.css"]
html_favicon = "_static/favicon.svg"
html_context = {"default_mode": "auto"}
html_theme_options = {
    "show_prev_next": True,
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "secondary_sidebar_items": {**{place: ["page-toc"] for place in WITH_CONTENTS}, "index": [], "course/*": []},
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_show_sphinx = False
copyright = "the authors of tinygrad_cnn, MIT"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

sphinx_gallery_conf = {
    "examples_dirs": ["../examples"],
    "gallery_dirs": ["gallery"],
    "filename_pattern": r"/(newton|own_op|mnist_cnn|layers/\w+)\.py",  # the others are shown; they take too long here
    "ignore_pattern": r"(blackboard|drawing)\.py",
    "within_subsection_order": "ExampleTitleSortKey",
    "backreferences_dir": "gallery/backreferences",
    "plot_gallery": True,
    "download_all_examples": False,
    "min_reported_time": 1e6,
    "show_memory": False,
    "remove_config_comments": True,
}
