"""The page of a class: which exercises went well, and which diagnosis came how often."""

from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path

from tinygrad_cnn.display import document, many, stacked_table
from tinygrad_cnn.learn.hints import MEANING
from tinygrad_cnn.learn.record import COULD_NOT_RUN, NOT_DONE, RIGHT, VERDICTS, WRONG, Result

__all__ = ["class_page", "read_results"]

MARK = {RIGHT: "✓", WRONG: "✗", COULD_NOT_RUN: "!", NOT_DONE: "…"}
MISSING = "–"


def read_results(folder: Path) -> tuple[list[Result], list[str]]:
    """The results in a folder and the folders in it, and of each file that is none, why.

    Of a student's results for one exercise the last one counts, by the time of the file.
    """
    latest: dict[tuple[str, str], Result] = {}
    problems = []
    for path in sorted(folder.rglob("*.json"), key=lambda p: (p.stat().st_mtime, str(p))):
        try:
            result = Result.from_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, TypeError) as error:
            problems.append(f"{path.relative_to(folder)}: {error}")
            continue
        latest[result.student, result.exercise] = result
    return list(latest.values()), problems


def class_page(
    results: Sequence[Result],
    problems: Sequence[str] = (),
    *,
    exercises: Sequence[str] | None = None,
    students: Sequence[str] = (),
) -> str:
    """One HTML page that needs nothing else.

    Parameters
    ----------
    results : of each student and exercise one
    problems : what could not be read, one sentence each
    exercises : the names of those that were set; what is missing of them is listed. Without it, what a student has
        handed in is counted
    students : names, beside those in the results: of all who should have handed in

    Examples
    --------
    >>> from tinygrad_cnn import learn
    >>> page = learn.class_page([learn.Result("tanh", "wrong", "wrong.", kind="sign", student="Ada")])
    >>> "1 student" in page, "sign" in page
    (True, True)
    """
    everyone = sorted({*students, *(r.student for r in results)}, key=str.casefold)
    names = sorted({*(exercises or ()), *(r.exercise for r in results)})
    right = sum(r.verdict == RIGHT for r in results)
    told = (
        f"{many(len(everyone), 'student')}, {many(len(names), 'exercise')}, {right} of {len(results)} answers are right"
    )
    unread = "".join(f"<li>{escape(p)}</li>" for p in problems)
    body = f"""<header>
<h1>The exercises of a class</h1>
<p class="tg-lead">{told}.</p>
</header>
<main>
<h2>Which mistakes</h2>
{_kinds(results)}
<h2>Which exercises</h2>
{_exercises(results, names)}
<h2>Who</h2>
{_students(results, everyone, names, exercises)}
{f"<h2>Files that could not be read</h2><ul>{unread}</ul>" if unread else ""}
</main>"""
    return document("The exercises of a class", body)


def _kinds(results: Sequence[Result]) -> str:
    wrong = [r for r in results if r.verdict == WRONG]
    if not wrong:
        return "<p>No answer is wrong.</p>"
    rows = []
    for kind, count in Counter(r.kind or "unknown" for r in wrong).most_common():
        where = Counter(r.exercise for r in wrong if (r.kind or "unknown") == kind).most_common()
        listed = ", ".join(f"{escape(name)} ({n})" for name, n in where)
        rows.append([escape(kind), str(count), escape(MEANING.get(kind, "")), listed])
    return stacked_table(["diagnosis", "how often", "this means", "in"], rows, numbers=[1], wraps=[2, 3])


def _exercises(results: Sequence[Result], names: Sequence[str]) -> str:
    rows = []
    for name in names:
        verdicts = Counter(r.verdict for r in results if r.exercise == name)
        kinds = Counter(r.kind for r in results if r.exercise == name and r.verdict == WRONG).most_common(3)
        most = ", ".join(f"{escape(kind or 'unknown')} ({n})" for kind, n in kinds)
        rows.append([escape(name), *(str(verdicts[v]) for v in VERDICTS), most])
    return stacked_table(
        ["exercise", *VERDICTS, "most frequent diagnoses"], rows, numbers=range(1, 1 + len(VERDICTS)), wraps=[5]
    )


def _students(
    results: Sequence[Result], students: Sequence[str], names: Sequence[str], asked: Sequence[str] | None
) -> str:
    by_both = {(r.student, r.exercise): r for r in results}
    rows = []
    for student in students:
        theirs = [r for name in names if (r := by_both.get((student, name))) is not None]
        missing = [name for name in asked or () if (student, name) not in by_both]
        counted = [r for r in theirs if asked is None or r.exercise in asked]
        cells = [f"{escape(r.exercise)} {MARK[r.verdict]}{_of_kind(r)}" for r in theirs]
        cells += [f"{escape(name)} {MISSING}" for name in missing]
        done = f"{sum(map(bool, counted))} of {len(counted) + len(missing)}"
        rows.append([escape(student or "(no name)"), done, ", ".join(cells) or "nothing handed in"])
    legend = ", ".join(f"{mark} {verdict}" for verdict, mark in MARK.items())
    legend += f", {MISSING} not handed in" if asked else ""
    return stacked_table(["student", "right", "answers"], rows, caption=legend, numbers=[1], wraps=[2])


def _of_kind(result: Result) -> str:
    return f" ({escape(result.kind)})" if result.verdict == WRONG and result.kind else ""
