"""Exercises in derivatives that grade themselves: files with gaps, and a checker that says what is wrong in them.

`exercise` reads an exercise and makes the learner's file of it, `judging` judges a learner's functions, `apart` does
so in a process of its own, with limits. `hints` is the ladder of what is told, `record` what is written down, `results`
the page of a class, `bugs` makes "Find the bug", `graders` the files for Gradescope, nbgrader and Otter. The exercises
themselves are in ``exercises/``, one file each. A teacher's own exercise is such a file.
"""

from tinygrad_cnn.learn.apart import check_file as check_file
from tinygrad_cnn.learn.bugs import find_the_bug as find_the_bug
from tinygrad_cnn.learn.exercise import Exercise as Exercise
from tinygrad_cnn.learn.exercise import exercises as exercises
from tinygrad_cnn.learn.exercise import load as load
from tinygrad_cnn.learn.judging import assert_right as assert_right
from tinygrad_cnn.learn.judging import check as check
from tinygrad_cnn.learn.record import Result as Result
from tinygrad_cnn.learn.results import class_page as class_page

__all__ = [
    "Exercise",
    "Result",
    "assert_right",
    "check",
    "check_file",
    "class_page",
    "exercises",
    "find_the_bug",
    "load",
]
