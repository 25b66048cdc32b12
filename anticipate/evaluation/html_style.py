"""The page's looks, in one place: plain CSS, both colour schemes, paper.

Reads  nothing.
Gives  ``STYLE``, scoped to ``.anticipate-report`` so that a notebook keeps its own.
Never  a font or a file from outside.
"""

from __future__ import annotations

STYLE = """
.anticipate-report{--paper:#ffffff;--panel:#f5f6f8;--line:#dfe3e8;--ink:#22262b;--soft:#5b636d;
--faint:#8d949c;--ours:#1f6fb2;--plain-1:#b3540e;--plain-2:#7a6a9b;--plain-3:#5f7d4f;
--plain-4:#8a8a8a;--good:#17693f;--fair:#2c6f8f;--weak:#8a6100;--bad:#a63030;
--font:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;
color-scheme:light dark;background:var(--paper);color:var(--ink);font:16px/1.5 var(--font)}
@media (prefers-color-scheme:dark){.anticipate-report{--paper:#16191d;--panel:#1f2429;
--line:#343b43;--ink:#e7eaee;--soft:#a9b1ba;--faint:#7b848d;--ours:#6db3f2;--plain-1:#f0a35e;
--plain-2:#b9a6e0;--plain-3:#9cc488;--plain-4:#a8a8a8;--good:#5cc58b;--fair:#6fbfe0;--weak:#e0b44c;
--bad:#f08a8a}}
body.page{margin:0}
.anticipate-report *{box-sizing:border-box}
.anticipate-report main{max-width:68rem;margin:0 auto;padding:2rem 1.25rem 3rem}
.anticipate-report h1{font-size:1.9rem;line-height:1.2;margin:0 0 .5rem;letter-spacing:-.01em}
.anticipate-report h2{font-size:1.35rem;margin:0 0 .25rem}
.anticipate-report p{margin:.25rem 0;max-width:46rem}
.anticipate-report .facts{display:flex;flex-wrap:wrap;gap:.4rem 2rem;margin:1rem 0 0}
.anticipate-report .facts dt{color:var(--soft);font-size:.8rem}
.anticipate-report .facts dd{margin:0;font-variant-numeric:tabular-nums}
.anticipate-report .cards{display:grid;gap:.75rem;margin:1.5rem 0 2.5rem;
grid-template-columns:repeat(auto-fill,minmax(19rem,1fr))}
.anticipate-report .card{display:grid;grid-template-columns:auto 1fr;column-gap:.9rem;
align-content:center;
align-items:center;padding:.85rem 1rem;background:var(--panel);border:1px solid var(--line);
border-radius:.6rem;color:inherit;text-decoration:none}
.anticipate-report .card:hover,.anticipate-report .card:focus-visible{border-color:var(--ours)}
.anticipate-report .card .grade{grid-row:span 2;min-width:2.6rem;height:2.6rem;font-size:1.35rem}
.anticipate-report .card .what{font-weight:600}
.anticipate-report .card .said{color:var(--soft);font-size:.86rem;line-height:1.35}
.anticipate-report .grade{display:inline-flex;align-items:center;justify-content:center;
min-width:1.7rem;height:1.55rem;padding:0 .35rem;border-radius:.4rem;font-weight:700;
border:1.5px solid currentColor;line-height:1}
.anticipate-report .grade sup{font-size:.7em;margin-left:.1em}
.anticipate-report .grade.A{color:var(--good)}
.anticipate-report .grade.B{color:var(--fair)}
.anticipate-report .grade.C{color:var(--weak)}
.anticipate-report .grade.D{color:var(--bad)}
.anticipate-report .grade.none{color:var(--faint)}
.anticipate-report section{padding:1.75rem 0 1.5rem;border-top:1px solid var(--line)}
.anticipate-report .note,.anticipate-report footer{color:var(--soft);font-size:.9rem}
.anticipate-report .pictures{display:grid;gap:1rem;margin:1rem 0;
grid-template-columns:repeat(auto-fit,minmax(min(22rem,100%),1fr))}
@media (min-width:62rem){.anticipate-report .beside{display:grid;gap:1.5rem;
grid-template-columns:minmax(20rem,5fr) 7fr;align-items:start}}
.anticipate-report figure{margin:0;padding:.75rem;border:1px solid var(--line);
border-radius:.6rem;max-width:34rem}
.anticipate-report figure svg{display:block;width:100%;height:auto}
.anticipate-report figcaption{color:var(--soft);font-size:.84rem;margin-top:.4rem}
.anticipate-report .scroll{overflow-x:auto}
.anticipate-report table{border-collapse:collapse;width:100%;margin:.75rem 0;font-size:.93rem;
background:none;color:inherit}
.anticipate-report th,.anticipate-report td{padding:.42rem .6rem;text-align:left;
vertical-align:top;border-bottom:1px solid var(--line);background:none}
.anticipate-report thead th{color:var(--soft);font-weight:600;font-size:.82rem;white-space:nowrap}
.anticipate-report tbody th{font-weight:500}
.anticipate-report tbody tr:first-child th{font-weight:700}
.anticipate-report td small,.anticipate-report tbody th small{display:block;color:var(--soft);
font-weight:400;font-size:.82rem}
.anticipate-report .n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.anticipate-report .g{text-align:center}
.anticipate-report details{margin:.35rem 0}
.anticipate-report summary{cursor:pointer;color:var(--ours);font-size:.93rem}
.anticipate-report details tbody tr:first-child th{font-weight:500}
.anticipate-report footer{border-top:1px solid var(--line);padding-top:1rem}
.anticipate-report .hidden{position:absolute;width:1px;height:1px;overflow:hidden;
clip-path:inset(50%);white-space:nowrap}
@media print{.anticipate-report section,.anticipate-report figure{break-inside:avoid}
.anticipate-report .card{break-inside:avoid}}
""".replace("\n", "")
