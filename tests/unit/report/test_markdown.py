from __future__ import annotations

from dataclasses import replace

from pipelines.model import Result, Run, Status
from pipelines.report.markdown import render


def test_the_page_tells_what_happened_before_why(mixed_run: Run) -> None:
    page = render(mixed_run)
    order = ["## shop: failed in 41s", "1 failed, 1 error, 1 blocked, 2 passed (1 cached)", "| ❌ | `test.unit` |", "### ❌ test.unit"]
    assert [page.find(text) for text in order] == sorted(page.find(text) for text in order)
    assert -1 not in [page.find(text) for text in order]
    assert "⚠️ `scan.shop`: database of fixtures" in page
    assert "| shop | not published | python (built) |" in page
    assert "<pre>collected 3 items\nE   assert 1 == 2</pre>" in page


def test_text_of_others_cannot_break_the_page(mixed_run: Run) -> None:
    nasty = "a | b\n# c <img src=x> `d` \x1b[31mred"
    step = Result(id="test.x", kind="test", name="x", status=Status.FAILED, reason=nasty, tail=("</pre><script>",))
    page = render(replace(mixed_run, results=(step,)))
    assert r"a \| b \# c \<img src=x\> \`d\` red" in page
    assert "<script>" not in page
    assert "\x1b" not in page


def test_a_run_without_steps_is_still_a_page(mixed_run: Run) -> None:
    assert "nothing ran" in render(replace(mixed_run, results=(), exit_code=0))
