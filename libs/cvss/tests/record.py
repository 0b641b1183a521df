#!/usr/bin/env python3
"""Records what Red Hat's `cvss` answers of random vectors, into fixtures/v<version>.tsv beside this file.

The tests read the recorded files and need no Python. To record anew, with the Python package `cvss` (3.6) installed:

    tests/record.py [--rows N] [--seed N] [VERSION ...]

A row is `VECTOR<TAB>base<TAB>temporal<TAB>environmental`; `-` where the vector sets no metric of that group to more than
"not defined". A tenth of the vectors has base metrics alone, the others set some of the temporal (threat) metrics, of
the environmental ones, or of both; some are written out as "not defined". Vectors of versions 2 and 3 are shuffled now
and then, as their metrics may come in any order.

For version 4 the package scores a vector as a whole. Base and temporal score are its answers to the vector without
the metrics of the other groups.
"""

import argparse
import os
import random

from cvss import CVSS2, CVSS3, CVSS4

HERE = os.path.dirname(os.path.abspath(__file__))

# Each version's metrics in the order of its specification; the undefined value comes first in the optional groups.
BASE, TEMPORAL, ENVIRONMENTAL, SUPPLEMENTAL = range(4)
VERSION_3 = [
    (BASE, "AV:N,A,L,P AC:L,H PR:N,L,H UI:N,R S:U,C C:H,L,N I:H,L,N A:H,L,N"),
    (TEMPORAL, "E:X,H,F,P,U RL:X,U,W,T,O RC:X,C,R,U"),
    (ENVIRONMENTAL, "CR:X,H,M,L IR:X,H,M,L AR:X,H,M,L MAV:X,N,A,L,P MAC:X,L,H MPR:X,N,L,H MUI:X,N,R MS:X,U,C"),
    (ENVIRONMENTAL, "MC:X,H,L,N MI:X,H,L,N MA:X,H,L,N"),
]
METRICS = {
    "2.0": [
        (BASE, "AV:L,A,N AC:H,M,L Au:M,S,N C:N,P,C I:N,P,C A:N,P,C"),
        (TEMPORAL, "E:ND,U,POC,F,H RL:ND,OF,TF,W,U RC:ND,UC,UR,C"),
        (ENVIRONMENTAL, "CDP:ND,N,L,LM,MH,H TD:ND,N,L,M,H CR:ND,L,M,H IR:ND,L,M,H AR:ND,L,M,H"),
    ],
    "3.0": VERSION_3,
    "3.1": VERSION_3,
    "4.0": [
        (BASE, "AV:N,A,L,P AC:L,H AT:N,P PR:N,L,H UI:N,P,A VC:H,L,N VI:H,L,N VA:H,L,N SC:H,L,N SI:H,L,N SA:H,L,N"),
        (TEMPORAL, "E:X,A,P,U"),
        (ENVIRONMENTAL, "CR:X,H,M,L IR:X,H,M,L AR:X,H,M,L MAV:X,N,A,L,P MAC:X,L,H MAT:X,N,P MPR:X,N,L,H MUI:X,N,P,A"),
        (ENVIRONMENTAL, "MVC:X,H,L,N MVI:X,H,L,N MVA:X,H,L,N MSC:X,H,L,N MSI:X,S,H,L,N MSA:X,S,H,L,N"),
        (SUPPLEMENTAL, "S:X,N,P AU:X,N,Y R:X,A,U,I V:X,D,C RE:X,L,M,H U:X,Clear,Green,Amber,Red"),
    ],
}
UNDEFINED = ("X", "ND")


def random_parts(version):
    """The `(group, metric:value)` of a random vector."""
    kind = random.random()
    groups = {BASE: 1.0}
    if 0.1 < kind < 0.3 or kind > 0.55:
        groups[TEMPORAL] = random.choice([0.4, 0.8, 1.0])
    if 0.3 < kind:
        groups[ENVIRONMENTAL] = random.choice([0.1, 0.4, 0.8, 1.0])
    if kind > 0.9:
        groups[SUPPLEMENTAL] = 0.5
    parts = []
    for group, metrics in METRICS[version]:
        for metric in metrics.split():
            name, _, values = metric.partition(":")
            if random.random() < groups.get(group, 0):
                parts.append((group, f"{name}:{random.choice(values.split(','))}"))
    if version != "4.0" and random.random() < 0.1:
        random.shuffle(parts)
    return parts


def vector(version, parts, groups=range(4)):
    head = [] if version == "2.0" else [f"CVSS:{version}"]
    return "/".join(head + [part for group, part in parts if group in groups])


def is_set(parts, group):
    return any(part.split(":")[1] not in UNDEFINED for each, part in parts if each == group)


def ask(version, parts):
    if version == "4.0":
        wholes = [(BASE,), (BASE, TEMPORAL), range(4)]
        scores = [CVSS4(vector(version, parts, groups)).base_score for groups in wholes]
    else:
        scores = (CVSS2 if version == "2.0" else CVSS3)(vector(version, parts)).scores()
    has = [True, is_set(parts, TEMPORAL), is_set(parts, ENVIRONMENTAL)]
    return [f"{float(score):.1f}" if known else "-" for score, known in zip(scores, has)]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rows", type=int, default=5000, help="vectors a version (5000)")
    arguments.add_argument("--seed", type=int, default=1, help="of the choice of vectors (1)")
    arguments.add_argument("--into", default=os.path.join(HERE, "fixtures"), help="folder to write to (fixtures)")
    arguments.add_argument("versions", nargs="*", help="all when none is named")
    chosen = arguments.parse_args()
    for version in chosen.versions or METRICS:
        random.seed(f"{version} {chosen.seed}")
        rows = {}
        while len(rows) < chosen.rows:
            parts = random_parts(version)
            rows[vector(version, parts)] = ask(version, parts)
        with open(os.path.join(chosen.into, f"v{version}.tsv"), "w") as file:
            file.writelines("\t".join([text, *scores]) + "\n" for text, scores in sorted(rows.items()))
        print(version, len(rows))


if __name__ == "__main__":
    main()
