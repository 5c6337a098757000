"""The formulas in the docstrings of ops as MathML, so that a page can show a rule as mathematics.

A docstring says ``y = a / b        da = g / b,  db = -g (a / b) / b``. `rule_of` finds the part of an input, and
`mathml` reads such text: products without a sign, fractions, powers, roots, sums, brackets that are 1 or 0. What it
cannot read it shows as text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from html import escape

from tinygrad_cnn.core.op import Op

SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿᵀᵏˣˢ", "0123456789+-()nTkxs")
SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋ₙ", "0123456789+-n")
FUNCTIONS = {
    "exp", "ln", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "arsinh", "arcosh",
    "artanh", "sigmoid", "softmax", "max", "min", "mean", "det", "erf", "erfc", "erfcx", "var", "input", "weight",
    "conv", "diag", "up", "trunc", "cof", "sign", "log₁₀", "log₂", "erfinv",
}  # fmt: skip
TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<number>\d+(?:\.\d+)?)|(?P<pow>\*\*)|(?P<compare><=|>=)|(?P<name>(?:[α-ωΑ-ΟΡΤ-Ω]|(?:(?![α-ωΑ-Ω⁰¹²³⁴-⁹⁺⁻⁽⁾ⁿᵀᵏˣˢ])[^\W\d_])+)\u0304?[₀-₉₊₋ₙ]*'?)"
    r"|(?P<sup>[⁰¹²³⁴-⁹⁺⁻⁽⁾ⁿᵀᵏˣˢ]+)|(?P<sub>_\{[^}]*\}|_[\wΣ]+)|(?P<sign>.)"
)
LEADING = "ᵀᵏˣˢⁿ"
"""Letters that are written high: part of no name."""


def formulas(op: type[Op]) -> tuple[str, str]:
    """What an op computes, and its derivatives: the two parts of the first line of its docstring."""
    value, _, derivatives = op.formula().partition("        ")
    return value.strip(), derivatives.strip()


def rule_of(op: type[Op], name: str) -> str:
    """The right side of the derivative of an input, as the docstring gives it; "" if it does not."""
    _, text = formulas(op)
    names = "|".join(map(re.escape, op.inputs))
    found = re.search(rf"\bd{re.escape(name.removesuffix('s') if op.variadic else name)}(?:_i|\[\w\])? = ", text)
    if found is None:
        return ""
    rest = text[found.end() :]
    other = re.search(rf"[,;]\s+d(?:{names})(?:\[\w\])? = ", rest)
    return (rest if other is None else rest[: other.start()]).strip()


def mathml(text: str, names: Mapping[str, str] = {}, lead: str = "", known: Collection[str] = ()) -> str:
    """MathML of a formula in text.

    `names` says what to write for a letter, `lead` is MathML that stands before it, `known` are the variables of more
    than one letter. A formula in words stays text.
    """
    said, _, rest = _split(text)
    try:
        reader = _Reader(said, names, known)
        body = reader.sum()
        while reader.kind():
            body += reader.relation()
    except (ValueError, IndexError):
        body = f"<mtext>{escape(said)}</mtext>"
    note = f"<mtext>, {escape(rest)}</mtext>" if rest else ""
    return f'<math displaystyle="true">{lead}{body}{note}</math>'


def _split(text: str) -> tuple[str, str, str]:
    """A formula and the words after it: ``g, 0 where y = 0``."""
    found = re.search(
        r",\s+(?=[a-z0-9]+\s(?:where|is|so|out)\b|spread|repeated|the |with |in |by |if |right |NaN|0 )", text
    )
    return (text, "", "") if found is None else (text[: found.start()], ", ", text[found.end() :])


class _Reader:
    """Reads a formula from left to right."""

    def __init__(self, text: str, names: Mapping[str, str], known: Collection[str]) -> None:
        self.tokens = [(str(m.lastgroup), m.group()) for m in TOKEN.finditer(text)]
        self.names, self.known, self.at = names, known, 0

    def kind(self, skip: bool = True) -> str:
        """What comes next; "" at the end."""
        while skip and self.at < len(self.tokens) and self.tokens[self.at][0] == "space":
            self.at += 1
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def text(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1][1]

    def relation(self) -> str:
        """``= …``, ``>= …``, or a comma."""
        if self.kind() in ("compare", "sign") and self.text() in (
            "=",
            "<",
            ">",
            "<=",
            ">=",
            ",",
            ";",
            ":",
            "≥",
            "≤",
            "…",
        ):
            sign = {"<=": "≤", ">=": "≥"}.get(self.text(), self.text())
            self.take()
            return f"<mo>{escape(sign)}</mo>" + (self.sum() if self.kind() else "")
        if self.kind() == "name":
            return self.product()
        raise ValueError(self.text())

    def sum(self) -> str:
        made = ""
        if self.kind() == "sign" and self.text() in "-+":
            made = f"<mo>{'−' if self.take() == '-' else '+'}</mo>"
        made += self.product()
        while self.kind() == "sign" and self.text() in ("-", "+"):
            made += f"<mo>{'−' if self.take() == '-' else '+'}</mo>{self.product()}"
        return made

    def product(self) -> str:
        made, parts = "", 0
        while True:
            kind, text = self.kind(), self.text()
            if kind == "sign" and text == "/" and parts:
                self.take()
                self.kind()
                made = f"<mfrac><mrow>{made}</mrow><mrow>{self.factor()}</mrow></mfrac>"
            elif kind == "sign" and text in "·×@":
                self.take()
                made += "<mo>·</mo>"
            elif kind in ("name", "number") or (kind == "sign" and text in "([|√ΣΠ∫⌊⌈∞"):
                if text == "|" and parts and not self._opens():
                    return made
                factor = self.factor()
                between = '<mspace width="0.2em"/>' if made and not made.endswith("</mo>") else ""
                made, parts = made + between + factor, parts + 1
            elif not parts:
                raise ValueError(text)
            else:
                return made

    def _opens(self) -> bool:
        return self.at > 0 and self.tokens[self.at - 1][0] == "space"

    def factor(self) -> str:
        kind, text = self.kind(), self.take()
        if kind == "number":
            made = f"<mn>{text}</mn>"
        elif kind == "name":
            made = self._name(text)
        elif text in "([|⌊⌈":
            close = {"(": ")", "[": "]", "|": "|", "⌊": "⌋", "⌈": "⌉"}[text]
            inner = self.sum()
            while self.kind() and self.text() != close:
                inner += self.relation()
            if self.kind() != "sign" or self.take() != close:
                raise ValueError(text)
            made = f"<mrow><mo>{text}</mo>{inner}<mo>{close}</mo></mrow>"
        elif text == "√":
            return f"<msqrt>{self.factor()}</msqrt>"
        elif text in "ΣΠ":
            sign, under = {"Σ": "∑", "Π": "∏"}[text], ""
            if self.kind(False) == "sub":
                under = self.take()[1:].strip("{}")
            made = f"<munder><mo>{sign}</mo><mrow>{_index(under)}</mrow></munder>" if under else f"<mo>{sign}</mo>"
            return made + (self.factor() if self.kind() in ("name", "number") or self.text() in "(√Σ" else "")
        elif text == "∞":
            made = "<mn>∞</mn>"
        else:
            raise ValueError(text)
        return self._after(made)

    def _after(self, made: str) -> str:
        """Powers and indices."""
        while True:
            kind, text = self.kind(False), self.text()
            if kind == "sup":
                self.take()
                made = f"<msup><mrow>{made}</mrow><mrow>{_index(text.translate(SUPERSCRIPTS))}</mrow></msup>"
            elif kind == "sub":
                self.take()
                made = f"<msub><mrow>{made}</mrow><mrow>{_index(text[1:].strip('{}'))}</mrow></msub>"
            elif kind == "sign" and text == "[":
                start, deep = self.at, 0
                while deep or self.at == start:  # an index may have an index
                    part = self.take()
                    deep += (part == "[") - (part == "]")
                inside = "".join(text for _, text in self.tokens[start + 1 : self.at - 1])
                made = f"<msub><mrow>{made}</mrow><mrow>{_index(inside)}</mrow></msub>"
            elif self.kind() == "pow":
                self.take()
                self.kind()
                power = self.factor()
                power = power.removeprefix("<mrow><mo>(</mo>").removesuffix("<mo>)</mo></mrow>")
                made = f"<msup><mrow>{made}</mrow><mrow>{power}</mrow></msup>"
            else:
                return made

    def _name(self, text: str) -> str:
        for k, letter in enumerate(text):
            if letter in LEADING and k:  # `aᵀ` is a name and a power
                self.tokens.insert(self.at, ("sup", text[k:]))
                text = text[:k]
                break
        if text in FUNCTIONS:
            argument = ""
            if self.kind() in ("name", "number") or (self.kind() == "sign" and self.text() in "(√"):
                argument = self.factor()
            return f'<mi>{escape(text)}</mi><mspace width="0.15em"/>{argument}'
        if len(text.rstrip("'").translate(SUBSCRIPTS)) > 1 and not (
            text in self.known or text[1:].strip("₀₁₂₃₄₅₆₇₈₉₊₋ₙ\u0304'") == ""
        ):
            raise ValueError(f"{text} is a word")
        return letter_of(self.names.get(text, text), text == "g")


def letter_of(name: str, g: bool = False) -> str:
    """A variable: a letter in italics by style, the gradient from above in the accent, a longer name as text."""
    base = name.translate(SUBSCRIPTS)
    if len(name) > 1 and base != name:
        letter = name[: next(k for k, c in enumerate(name) if c != base[k])]
        return f"<msub>{letter_of(letter)}<mrow>{_index(base[len(letter) :])}</mrow></msub>"
    if len(name) > 1:
        return f"<mtext>{escape(name)}</mtext>"
    return f'<mi mathvariant="normal" class="v{" g" if g else ""}">{escape(name)}</mi>'


def _index(text: str) -> str:
    """What stands below or above."""
    made = ""
    for kind, part in ((str(m.lastgroup), m.group()) for m in TOKEN.finditer(text)):
        if kind == "number":
            made += f"<mn>{part}</mn>"
        elif kind == "name":
            made += "".join(f'<mi mathvariant="normal" class="v">{escape(c)}</mi>' for c in part)
        elif kind != "space":
            made += f"<mo>{escape({'-': '−', '<=': '≤', '>=': '≥'}.get(part, part))}</mo>"
    return made
