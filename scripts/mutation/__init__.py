"""The mutation score: every gradient rule made wrong in every small way, and the tests asked whether they notice.

`operators` says what is changed, `targets` where and which tests answer for it, `trial` runs those tests on one
mutant, `run` does so for all of them in forked processes, and `report` writes docs/mutation.md.
"""
