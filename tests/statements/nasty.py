"""Remote texts that try to be more than text."""

from __future__ import annotations

from hypothesis import strategies as st

FRAGMENTS = (
    "<script>alert(1)</script>",
    "</td></tr></table>",
    "<img src=x onerror=alert(1)>",
    "&amp;",
    "&#60;b&#62;",
    "]]>",
    "-->",
    '" onload="x',
    "' style='x",
    "| a | b |",
    "|",
    "\\|",
    "\\",
    "`code`",
    "```",
    "**bold**",
    "_em_",
    "~~gone~~",
    "[text](https://evil.example)",
    "![image](https://evil.example/x.png)",
    "[^1]",
    "<https://evil.example>",
    "https://evil.example/path",
    "www.evil.example",
    "mailto:a@evil.example",
    "a@evil.example",
    "# heading",
    "> quote",
    "- item",
    "1. item",
    "---",
    "===",
    "$x^2$",
    ":smile:",
    "{{template}}",
    "\n",
    "\r\n\r\n",
    "\t",
    "    code",
    "\x1b[2J",
    "\u202eevil",
    "\u200b",
    "お茶",
    "e\u0301\u0301\u0301\u0301",
    "\x00",
    " ",
    "a",
    "INV-7",
)

nasty_texts = st.one_of(
    st.lists(st.sampled_from(FRAGMENTS), max_size=6).map("".join),
    st.text(max_size=30),
    st.text(alphabet="\\`*_[]<>&|~!@$#^={}:.()+-\"' \n1wWx/", max_size=30),
)
"""Made of fragments, of any characters, and of signs that mean something somewhere."""
