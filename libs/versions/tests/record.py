#!/usr/bin/env python3
"""Records what the version schemes' own tools answer, into fixtures/<scheme>.tsv beside this file.

The tests read the recorded files and need none of the tools. To record anew:

    tests/record.py --data FOLDER [--rows N] [--seed N] [SCHEME ...]

FOLDER holds the advisory archives from which real version strings are taken. What each scheme needs:

    deb     dpkg                      dpkg --compare-versions; a warning about bad syntax counts as a refusal
    pep440  Python with `packaging`   packaging.version.Version
    npm     node and npm              the package `semver`, strict (no `loose`)
    cargo   cargo                     the crate `semver`: Version::parse and cmp_precedence
    go      go, 1.22 or later         golang.org/x/mod/semver for modules (the copy that go is built with), go/version
                                      for toolchains (`go...`)
    maven   a JDK and Maven 3.8.7     maven-artifact's ComparableVersion (Debian's maven)
    gem     ruby                      Gem::Version
    nuget   nothing                   a reference written here: NuGet.Versioning needs .NET, which was not at hand
    composer  php, php-composer-semver  VersionParser::normalize and version_compare
    hex     elixir                    Version
    pub     nothing                   a reference written here: pub_semver needs Dart, which was not at hand
    swift   nothing                   a reference written here: the package manager needs Swift, which was not at hand
    rpm     rpm, 4.15 or later        rpm.vercmp, of its Lua
    apk     apk-tools 3               apk version -t and -c. The rows here were recorded where no such package is, with
                                      the functions of its src/version.c behind a main that answers these two commands
    alpm    pacman's vercmp           (Debian has it in the package makepkg)
    conan   Python with `conan` 2     conan.internal.model.version.Version; `--no-deps` is enough
    cran    R                         compareVersion, and package_version for what is refused

For hackage (whose tool comes with all of GHC), bitnami, openssl and windows (which have none) the answers are NOT a tool's.
They are from a reference of ours in this file: slow, plain, and written apart from the Rust, but by the same reading of
the specification. They find slips of the encoding, not of the reading.

A row is `A<TAB>B<TAB>answer`: `<`, `>` or `=` for what the tool says of A against B. `?` means that it refuses the
version, which then stands in both columns; a version that it reads has a row against itself, too. Each scheme's rows
are the hard ones by hand (each against each), real versions of one package in pairs, real versions of different
packages in pairs, and random strings over the scheme's alphabet.

Some answers are not recorded on purpose. node-semver rounds pre-release numbers above 2^53, and go/version does not
know what a module is: these are decided and tested in npm.rs and go.rs. What rpm.vercmp reads though nobody can build it,
where vercmp and Conan have no order, and R's numbers above 2^31: see rpm.rs, alpm.rs, conan.rs and cran.rs. Maven's answers
that contradict its others: A before V and V before B, but B before A, where V is a beginning of A or B; see maven.rs.
"""

import argparse
import collections
import io
import itertools
import json
import os
import random
import re
import shutil
import subprocess
import tarfile
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))

HARD = {
    "deb": """1.0|1|0|00|1.|1.0-0|1.0-00|1.0-1|0:1.0|00:1.0|1:1.0|1:0.1|1.0~|1.0~~|1.0~~a|1.0~rc1|1.0~rc1-1|1.0a|1.0Z|1.0+|1.0-a|1.0-~
        |1.0.|1.0:1|1:2:3|1.0-rc1-2|1.0-2|1.0+dfsg-1|1.0+b1|1.0-1+b1|1.0-1~bpo11+1|1.0-1+deb12u1|1.0-1+deb12u10|1.0-1+deb12u9
        |1.0-1ubuntu1|1.0-1build1|1.10|1.9|1.09|2147483647:1|2147483648:1|99999999999999999999:1|-1:1|+1:1|:1|a:1|1:|1.0-|-1|~1|a1|unknown
        |1_0|1 0| 1.0|1.0 |1.0-1_1|1.0-1:1|1:1.0-1:1|1.0é|1.0/2|1.0,2|1.0a0|1.0a|1.0a~|1.0.a|1.0.+|1.0.~|1.0~1|1.0~a~b
        |1.20230101000000000000000000|1.20230101000000000000000001|0.0000000000000000000000000000001|1:1.2.11.dfsg-2+b1|1-1-1-1|1+-+|1--1""",
    "pep440": """1|1.0|1.0.0|01.0|v1.0|V1.0| 1.0 |0|0.0|1!0|0!1|1!1.0|01!1|1.0a|1.0a0|1.0alpha|1.0-alpha.1|1.0_ALPHA_1|1.0a1|1.0.a1|1.0b1|1.0beta1
        |1.0c1|1.0rc1|1.0pre1|1.0preview1|1.0.PRE-1|1.0rc01|1.0rc10|1.0.post|1.0.post0|1.0post1|1.0-1|1.0-r1|1.0rev1|1.0_rev_1|1.0.post.1|1.0.dev
        |1.0dev0|1.0.dev1|1.0-DEV|1.0a1.dev1|1.0a1.post1|1.0a1.post1.dev1|1.0a1-1|1.0a-1|1.0a-|1.0a.|1.0.post1.dev1|1.0.post-dev|1.0+a|1.0+A|1.0+1
        |1.0+01|1.0+10|1.0+9|1.0+a.1|1.0+a-1|1.0+a_1|1.0+1.a|1.0+1a|1.0+ubuntu.1|1.0.0+1|1.0.dev1+1|1.1|1.0.1|1.0.0.0.1|1.10|2022.12.7|2022.12.07
        |1.0a--1|1.0rcr1|1.0post-|1.0_1|1.0--1|1.0-|1.0.|1..0|.1|1.0+|1.0+a..b|1.0+a+b|1.0-1-1|1.0rc1a1|1.0.x|unknown||vv1|v|1 .0|a!1|!1|1!|1!2!3
        |1.0.post.-1|1.0.post.1.2|1.0re1|1.0prev1|1.0al1|1.0p1|1.0é|1.0-20200101-1|99999999999999999999.1|99999999999999999998.1|1.*|>=1.0|1.0r-c""",
    "npm": """0.0.0|0.0.1|1.0.0|v1.0.0|V1.0.0|=1.0.0|=v1.0.0| 1.0.0|1.0.0 |v 1.0.0|vv1.0.0|1.0.0-0|1.0.0-1|1.0.0-10|1.0.0-2|1.0.0-a|1.0.0-A|1.0.0-alpha
        |1.0.0-alpha.1|1.0.0-alpha.beta|1.0.0-beta|1.0.0-beta.2|1.0.0-beta.11|1.0.0-rc.1|1.0.0-rc1|1.0.0-rc10|1.0.0--|1.0.0---|1.0.0--1|1.0.0-a-b|1.0.0-a.-
        |1.0.0-0a|1.0.0-00a|1.0.0-01|1.0.0-1.01|1.0.0-1.0|1.0.0-1.|1.0.0-.1|1.0.0-a..b|1.0.0-|1.0.0+|1.0.0+1|1.0.0+01|1.0.0+a.b|1.0.0+a..b|1.0.0+a+b
        |1.0.0-a+b-c|1.0.0+b-c|1.0.0-a_b|1.0.0alpha|1.0.0.0|1.0|1||*|x|latest|1.x|01.0.0|1.00.0|1.0.00|1.10.0|1.9.0|2.0.0|9007199254740991.0.0
        |9007199254740992.0.0|1.0.9007199254740991|1.0.99999999999999999999|1.0.0-é|1.0.0-4.5.6.7|1.0.0-4.5.6|1.0.0-4.5.6.a|^1.0.0|1.0.0-20230101120000""",
    "cargo": """0.0.0|0.0.1|1.0.0|v1.0.0|=1.0.0| 1.0.0|1.0.0 |1.0.0-0|1.0.0-1|1.0.0-10|1.0.0-2|1.0.0-a|1.0.0-A|1.0.0-alpha|1.0.0-alpha.1|1.0.0-alpha.beta
        |1.0.0-beta|1.0.0-beta.2|1.0.0-beta.11|1.0.0-rc.1|1.0.0-rc1|1.0.0-rc10|1.0.0--|1.0.0--1|1.0.0-a-b|1.0.0-0a|1.0.0-01|1.0.0-1.|1.0.0-.1|1.0.0-a..b
        |1.0.0-|1.0.0+|1.0.0+1|1.0.0+01|1.0.0+a.b|1.0.0+a..b|1.0.0+a+b|1.0.0-a+b-c|1.0.0-a_b|1.0.0alpha|1.0.0.0|1.0|1||*|01.0.0|1.00.0|1.10.0|1.9.0
        |18446744073709551615.0.0|18446744073709551616.0.0|1.0.0-18446744073709551616|1.0.0-18446744073709551617|1.0.0-9007199254740992
        |1.0.0-9007199254740993|1.0.0-é|111.25.0+1.1.1t|111.24.0+1.1.1s|0.9.3+1.1.1k|0.9.3+3.0.0""",
    "go": """v1|v1.0|v1.0.0|v1.2|v1.2.0|v1.2.3|v1.2.4|v1.2.3-pre|v1.2.3-pre.0.20191109021931-daa7c04131f5|v1.2.4-0.20191109021931-daa7c04131f5
        |v0.0.0-20190308221718-c2843e01d9a2|v0.0.0-20200622213623-75b288015ac9|v0.0.0|v2.0.0+incompatible|v2.0.0|v2.0.1-0.20200101000000-abcdefabcdef+incompatible
        |v1.2-pre|v1-pre|v1.2+build|v01.2.3|v1.02.3|v1.2.3-01|v1.2.3-|v1.2.3+|v1.2.3-a..b|v1.2.3-a_b|v|v1.|v1.2.|v1.2.3.4|V1.2.3|v1.2.3-rc.1|v1.2.3-rc1
        |v1.2.3-0|v1.2.3-A|v1.2.3-a|v1.2.3--|v99999999999999999999.0.0|v99999999999999999998.0.0|v1.99999999999999999999|1.2.3|1.2.3-0|1.21.0-0|1.21.0-rc.2|1.21.0
        |go1|go1.0|go1.2|go1.2.2|go1.5|go1.18beta1|go1.18beta2|go1.18rc1|go1.18|go1.18.1|go1.18.10|go1.18.9|go1.20|go1.20rc1|go1.20.0|go1.21|go1.21rc1|go1.21rc2
        |go1.21rc10|go1.21.0|go1.21.3|go1.22-custom|go1.22.1-custom|go1.22.1|go1.21rc2-bigcorp|go1.21rc|go1.21alpha1|go1.21.0rc1|go1.9.2rc2|go1.21RC1|go1.21rc02
        |go1.01|go01.1|go1.|go1.21.|go1.2.3.4|go|go1.21-|go2|go1.99999999999999999999|go1.21.99999999999999999999|gov1.2.3|go1.21rc1.2|go1x|go1rc1|go1.21a1b1""",
    "maven": """1|1.0|1.0.0|1-0|1.ga|1.final|1-release|1.0.0.Final|1.0.RELEASE|1-sp|1.sp1|1-sp-1|1-alpha|1-alpha-1|1a1|1-a|1-a-1|1-a1|1.a1|1b2|1-beta-2|1m3|1-milestone-3
        |1-rc|1-cr|1-RC1|1-cr2|1.0.RC1|1.0.0.RC10|1-SNAPSHOT|1.0-SNAPSHOT|1.0-alpha-1-SNAPSHOT|1-abc|1-foo1|1-foo-1|1.foo|1.foo.1|1-jre|1-android|1-1|1-2|1.1|1.1.0|1.0.1|1-1.1|1-0.1|1-.1|1..1
        |1--1|1.-1|1-|1.|-1|.1|a|foo|foo1|1x|1x2|1x2y|01|001.02|1.10|1.9|1.0.0-beta-2|1.0.0.beta-2|1.0.0.beta.2|1.0.alpha.1|1.0.x-1|1-ga-1|1-0-alpha|1-x-0|1.x-0-y|2.0.0.M1|2.0.0.M1.1
        |4.1.0.Final-redhat-1|4.1.0.Final-redhat-00002|1.0.0.Beta1-redhat-1|1.2.redhat-3|31.1-jre|31.1-android|2.9.10.8|20030203.000550|99999999999999999999|99999999999999999998|2147483648|1.1_2|1+2|1~2""",
    "gem": """0|1|1.0|1.0.0|01|1.01|1.a|1.0.a|1.0.0.a|1.a.0|1.a0|1.a1|1.a.1|1.a.b|1.a.0.b|1.a.0.1|1.a.1.b|1.A|1.b|1.aa|1.0.pre|1.0.pre1|1.0.pre.1|1.0-1|1.0-a|1.0-|1.0--1|1.0-1-2|1.0-a.b-c|1.0.rc1
        |1.0.rc10|1.0.rc2|1.0.beta|1.0.alpha|1.1|1.10|1.9|1.0.0.1|1.0.1|1.0.0.0.0.1|7.0.0.rc1|1.13.0-java|1.0-x86-mingw32|junk|1.|.1|1..2|1.2_3|1 2|a1|1a|v1| 1.0|1.0 |1.0+1|1.0~1|1.0.0.0.a|1.0.0.0.0.a
        |99999999999999999999|99999999999999999998|1.é|1.a-1|1.a.-1|1-0|1-0.0|1.pre|1.2.0.pre.0|1.2.b1.0.0""",
    "nuget": """0|1|1.0|1.0.0|1.0.0.0|1.0.0.1|01.002|1.2.3|1.2.3.4|1.2.3.4.5|1.0-a|1.0-A|1.0-alpha|1.0-Beta|1.0-beta.1|1.0-beta.2|1.0-beta.11|1.0-beta2|1.0-beta11|1.0-1|1.0-2|1.0-10|1.0-01|1.0-a.01|1.0-0|1.0-0a
        |1.0-|1.0+|1.0+a|1.0+A|1.0+01|1.0-a+b|1.0-a+b-c|1.0+a+b|1.0-a..b|1.0-a_b|1.0--|1.0-a-b|1.0-rc|1.0-rc.1|1.0-RC.1|1.1|1.10|1.9|2147483647|2147483648|1.2147483647|1.0-2147483647|1.0-2147483648|1.0-10000000000
        |1.|.1|1..2|a|v1|V1.0| 1.0|1.0 |1.x|1.*|latest||-1|6.0.0-preview.7.21377.19|6.0.0-rc.1.21451.13|1.0.0.1-a|1.0.0.0-a|1.0.0-é""",
    "composer": """1|1.0|1.0.0|1.0.0.0|1.0.0.0.0|v1.0|V1.0|vv1|01.02|1.0.|1.0-|1.0_|1.0-dev|1.0.dev|1.0dev|1.0-.dev|1.0-alpha|1.0a|1.0a1|1.0-alpha1|1.0-alpha.1|1.0-alpha-1|1.0-alpha.1.2|1.0-ALPHA1|1.0-alpha1-dev|1.0-alpha1.dev
        |1.0-beta|1.0b2|1.0-beta2|1.0-beta10|1.0-RC|1.0rc1|1.0-RC1|1.0-RC10|1.0-rc1-dev|1.0-stable|1.0-stable1|1.0-stable-dev|1.0-patch|1.0-p1|1.0pl1|1.0-pl2|1.0-patch10|1.0-p|1.0-pa|1.0-foo|1.0-1|1.0.1|1.1|1.10|1.9
        |1.x-dev|1.0.x-dev|1.0.*-dev|1.X.dev|1.2.3.x-dev|1.2.3.4.x-dev|x-dev|1.2.3.4-dev|9999999-dev|99999|100000|100000-dev|123456|12345678|1234567|dev-main|dev-master|master|trunk|default|main-dev|feature-dev
        |20100102|20100103|2010.01.02|2010-01-02|2010:01:02|2010-1-2|20100102-203040|20100102.203040|20100102-203040-p1|20100102-beta1|201001|2010-01|2010-01-02-10-20-30|2010-01-02-10-20-30.5|20100102203040123|20100102203040123456|1.0+b|1.0.0+build.5
        |1.0-beta+b|1.0+|1.0++|1.0+a+b|1.0@dev|1.0@beta|1.0@stable|1.0@foo|^1.0|>=1.0|~1.0|*||a|latest|1..2|.1|1.0.0-beta.|1.0.0-beta1.x|1.0.0.beta|1.0.0_beta_1|1.0.0-beta_1| 1.0|1.0 |v1.x-dev|1-p1-dev|1.0-p1.5""",
    "hex": """0.0.0|0.0.1|1.0.0|v1.0.0| 1.0.0|1.0.0 |1.0.0-0|1.0.0-1|1.0.0-10|1.0.0-2|1.0.0-a|1.0.0-A|1.0.0-alpha|1.0.0-alpha.1|1.0.0-alpha.beta|1.0.0-beta|1.0.0-beta.2|1.0.0-beta.11|1.0.0-rc.1|1.0.0-rc1|1.0.0-rc10
        |1.0.0--|1.0.0--1|1.0.0-a-b|1.0.0-0a|1.0.0-01|1.0.0-1.|1.0.0-.1|1.0.0-a..b|1.0.0-|1.0.0+|1.0.0+1|1.0.0+01|1.0.0+a.b|1.0.0+a..b|1.0.0+a+b|1.0.0-a+b-c|1.0.0-a_b|1.0.0alpha|1.0.0.0|1.0|1||*|01.0.0|1.00.0|1.10.0|1.9.0
        |99999999999999999999.0.0|99999999999999999998.0.0|1.0.0-99999999999999999999|1.0.0-99999999999999999998|1.0.0-é""",
    "pub": """0.0.0|0.0.1|1.0.0|v1.0.0| 1.0.0|1.0.0 |1.0.0-0|1.0.0-1|1.0.0-10|1.0.0-2|1.0.0-a|1.0.0-A|1.0.0-alpha|1.0.0-alpha.1|1.0.0-alpha.beta|1.0.0-beta|1.0.0-beta.2|1.0.0-beta.11|1.0.0-rc.1|1.0.0-rc1|1.0.0-rc10
        |1.0.0-a-b|1.0.0-0a|1.0.0-01|1.0.0-1.|1.0.0-.1|1.0.0-a..b|1.0.0-|1.0.0+|1.0.0+1|1.0.0+2|1.0.0+10|1.0.0+01|1.0.0+1.1|1.0.0+a|1.0.0+a.b|1.0.0+a..b|1.0.0+a+b|1.0.0-a+1|1.0.0-a+b-c|1.0.0-a_b|1.0.0.0|1.0|1||*|01.0.0|1.00.0|1.10.0|1.9.0
        |9223372036854775807.0.0|9223372036854775808.0.0|1.0.0-9223372036854775807|1.0.0-9223372036854775808|1.0.0-10000000000000000000|0.8.2+1|1.0.0-é""",
    "swift": """0.0.0|0.0.1|1.0.0|v1.0.0|V1.0.0|vv1.0.0| 1.0.0|1.0.0 |1.0.0-0|1.0.0-1|1.0.0-10|1.0.0-2|1.0.0-a|1.0.0-A|1.0.0-alpha|1.0.0-alpha.1|1.0.0-alpha.beta|1.0.0-beta|1.0.0-beta.2|1.0.0-beta.11|1.0.0-rc.1|1.0.0-rc1|1.0.0-rc10
        |1.0.0--|1.0.0-a-b|1.0.0-0a|1.0.0-01|1.0.0-1.|1.0.0-.1|1.0.0-a..b|1.0.0-|1.0.0+|1.0.0+1|1.0.0+01|1.0.0+a.b|1.0.0+a..b|1.0.0+a+b|1.0.0-a+b-c|1.0.0-a_b|1.0.0.0|1.0|1||*|01.0.0|1.00.0|1.10.0|1.9.0|main
        |9223372036854775807.0.0|9223372036854775808.0.0|1.0.0-99999999999999999999|1.0.0-99999999999999999998|v2.19.2|2.19.2|1.0.0-é""",
    "rpm": """1.0|1|0|00|1.|.1|1..0|1_0|1+0|1.0.0|1.0.1|1.0a|1.0.a|1.0.Z|1.0Z|1.0~|1.0~~|1.0~1|1.0.~1|1.0~.1|1.0~rc1|1.0~rc1-1|1.0~rc1^git1|1.0^|1.0^^
        |1.0^1|1.0.^1|1.0^~|1.0~^|1.0^git1|1.0^20230101git1|1.0^a|1.0^a~b|1.0^.|1.0-1|1.0-0|1.0-a|1.0-~1|1.0-^1|1.0-1~|1.0-1^|1.0-1.el9|1.0-1.el10_0|1.0-1.el9_4.1
        |1.0-10.el9|0:1.0-1|0:1.0|:1.0|00:1.0|1:1.0-1|1:0.1|2:0|1:2:3|2147483647:1|1-2-3|1-2-4|a|b|A|aa|a1|1a|1a1|1.a1|1.1a|010|10|10.0001|10.1|10.0039|4.999.9|5.0
        |1.20230101000000000000000000|1.20230101000000000000000001|8.7p1-38.el9|3.0.7-24.el9|128.12.0-1.el10_0|fc4|FC5|2.0.1a|5.5p1|5.5p10|xyz.4|8|xyz10|6.0.rc1|6.0""",
    "apk": """1.0|1|0|00|01|1.|1..0|.1|1.0.0|1.00|1.01|1.1|1.010|1.02|1.09|1.10|1.9|01.1|1.0a|1.0b|1.0z|1.0bc|1.0a1|1.0B|1a|1a.1|1.a|1.0_alpha|1.0_alpha1|1.0_alpha01
        |1.0_alpha_pre2|1.0_beta|1.0_pre|1.0_pre20060124|1.0_rc|1.0_rc1|1.0_rc1-r1|1.0_cvs|1.0_svn|1.0_git|1.0_git20200101|1.0_hg|1.0_p|1.0_p1|1.0_p10|1.0_p9|1.0_p1_p1
        |1.0_p_p1|1.0_p_alpha|1.0_p1_rc1|1.0a_p1|1.0a_rc1|1.0a-r1|1.0_foo|1.0_|1.0_P1|1.0_p1a|1.0_alph|1.0_pr|1.0-r0|1.0-r1|1.0-r01|1.0-r10|1.0-r|1.0-1|1.0-r1-r2
        |1.0-r1_p1|1.0-r1a|1.0-r1~ab|1.0~ab|1.0~abc|1.0~0|1.0~AB|1.0~|1.0~xy|1.0~ab-r1|1.0_p1~ab|1.0~ab_p1|1.0a~ab|1.0_rc1~ab|1.0_git~ab|1.0 | 1.0|v1.0|unknown
        ||1.0+1|1:1.0|1.0.20230101000000000|1.0.9223372036854775807|2.02.06|2.02.10|1.2.07.8|1.2.12.04|006|1.06-r6|4.2.52_p2-r1|1.0é|1.0_p1.1|1.0a.1|1.0_1""",
    "alpm": """1.0|1|0|00|007|7|1_0|1+0|1..0|1...0|1.0a|1.0b|1.0beta|1.0p|1.0pre|1.0rc|1.0rc1|1.0.a|1.0.1|1.1|1.1.1|1.2|2.0|3.0.0|1a|1.a|1..a|a|a1|a.1|a.a|a..1|1a1|1a.1|1.a1
        |.1|..1|.a|1~1|1^1|1.0~rc1|1.0.0|1.0.r12.gabcdef|1.0.r9.g123456|r12.gabcdef|r9.g123456|20230101|1.20230101000000000000000000
        |1.20230101000000000000000001|1.0-1|1.0-2|1.0-10|1.0-1.1|1.0-1a|1.0-a|1.0-01|1.0-1..1|0:1.0-1|:1.0-1|1:1.0-1|1:0.1|10:1|9:1|1:2:3|99999999999999999999:1|1-2-3
        |1-2-4|5.1.004-1|5.1.016-1|3.1.0-1|8.4.0-1|1.Z|1.1Z|1.1z|1.5-1|1.5.1-1|1.5.b-1|1.5b-1|2.0a-1|2.0.a-1""",
    "conan": """1.0|1|0|0.0|00|1.0.0|1.0.0.1|1.00|1.02|1.2|1.10|1.9|1.|1..1|1.1.|1.a|1.b|1.A|1.a.1|1.ab|a|b|Z|_1|cci.20200203|cci.20211227|1.0-|1.0-0|1.0-1|1.0-9|1.0-10|1.0-a|1.0-a.1
        |1.0-a.0|1.0-a.10|1.0-a-b|1.0-rc.1|1.0-rc1|1.0-.a|1.0--|1.0+|1.0+0|1.0+1|1.0+9|1.0+10|1.0+a|1.0+a.0|1.0+a+b|1.0-a+b|1.0-a+c|1.0-b+a|1.0+a-b|1.0.0+1|1.1.1|1.1.1v|1.1.1w
        |1.1.1za|1.1.2|9d|9e|8|9|1.0.2u|1.0.2k|1.0.2|1.0.3|2.12.1|1.2.13|20230802.1|4.0.0.0.0|1.0-pre.2|99999999999999999999|99999999999999999998|1.0.a.0|1.0.a""",
    "cran": """1.0|1|0|0.0|1.0.0|1.0-0|1.0-1|1.0.1|1-0|1-0-1|1.00|1.02|1.2|1.10|1.9|01.2|7.3-60|7.3-58.1|0.0.0.9000|0.1|0.1-2|1.|.1|1..0|1.-1|1--1|-1|1.0-|1.0a|1.0-rc1|1_0|v1.0|1.0 | 1.0
        |unknown||a.b|1.0.0.0.0|2147483647.1|1.2147483647|3.1-162|1.7.8.1|2023.08.02|2023-8-2|1,0|1:0|1.0+1|1.0~1|1.é|1.1|2.0|0.999|1.0.12""",
    "hackage": """0|1|1.0|1.0.0|1.0.1|1.1|1.10|1.9|0.1|0.9.1.2|2.6.4.3|20080411|1.|.1|1..0|01|00|1.01|1.00|1.0a|1.0-r1|1-1|1.0-|v1|1.0 | 1.0||unknown|1.123456789|1.1234567890|999999999.1
        |1000000000|1.é|1_0|1,0|1.0.0.0.0.0.0|0.0|0.0.0|4.18.2.1|9.4.7|1.1.1.1|2.0""",
    "bitnami": """0|1|1.2|1.2.0|1.2.3|1.2.3.0|1.2.3.4|1.2.3-0|1.2.3-1|1.2.3-9|1.2.3-10|1.2.3-01|1.2.3-1.2|1.2.3-1-2|1.2.3-4.el9|1.2.3-4-gabcdef0|1.2.3-4-g0|1.2.3-rc1|1.2.3-rc2|1.2.3-rc10|1.2.3-rc.9
        |1.2.3-rc.10|1.2.3-rc1-1|1.2.3-rc1-9|1.2.3-rc1-10|1.2.3-alpha|1.2.3-alpha.1|1.2.3-alpha.beta|1.2.3-beta|1.2.3-BETA|1.2.3-0a|1.2.3-a1|1.2.4|1.10.0|01.2.3|1.02.3|0.0.0|6.0.0.1
        |1.2.3+1|1.2.3+ee|1.2.3-1+ee|1.2.3-rc1+1|1.2.3+|1.2.3+a..b|1.2.3+a_b|1.2.3+a+b|1.2.3-|1.2.3--1|1.2.3-a..b|1.2.3-a_b|1.2.x|1..2|.1|1.|v1.2.3|latest||1.2.3 | 1.2.3|1.é|nightly.2023-01-01.1
        |14.2.0-1-gabcdef0|99999999999999999999.0.0|99999999999999999998.0.0|1.2.3-99999999999999999999""",
    "openssl": """0.9.8|0.9.8a|0.9.8y|0.9.8z|0.9.8za|0.9.8zh|0.9.8zz|1.0.0|1.0.0a|1.0.0-beta1|1.0.0-beta5|1.0.2|1.0.2k|1.0.2k-fips|1.0.2K|1.0.2u|1.0.2zg|1.0.2-beta1|1.0.2-beta3|1.0.2-dev|1.0.2v-fips-dev
        |1.0.2v-dev|1.0.2v|1.1.0|1.1.0-pre1|1.1.0-pre6|1.1.0-pre6-dev|1.1.1|1.1.1-pre9|1.1.1-pre10|1.1.1w|1.1.1w-dev|1.1.1v|1.1.1k-FIPS|1.1.1-fips|3.0.0|3.0.0-alpha1|3.0.0-alpha1-dev|3.0.0-alpha9
        |3.0.0-alpha17|3.0.0-beta1|3.0.0-beta2|3.0.0-dev|3.0.0-fips|3.0.8+quic|3.0.8|3.0.9|3.0.11|3.1.0|3.2.0-alpha2|10.0.0|3|3.0|1.0.2.1|1.0.2kk|1.0.2zzz|1.0.2az|3.0.1a|1.00.2|1.1.1k-7.el8|1.1.1k-7
        |1.0.2-|1.0.2-beta|1.0.2-beta01|1.0.2-gamma1|1.0.2-dev-beta1|1.0.2-beta1-beta2|1.0.2-dev-dev|3.0.8+|3.0.8+a_b|fips|fips-2.0.16|v3.0.0|3.0.0 |3.0.é|unknown||OpenSSL 3.0.0|2.9.9z|1.0.2 k""",
    "windows": """10.0.19045.3803|10.0.19045.3693|10.0.19045.998|10.0.19045|10.0.19045.0|10.0.19045.1|10.0.22631.1|6.3.9600|6.1.7601.24214|10.0.10240|10|10.0|0|0.0|0.0.0.0|00|119.0.2151.97|120.0.2210.61|1.2.3.4.5|1.2.3.4
        |014.000.23026|14.0.23026.0|14.0.23026|1.0.0.1|1.0.0.10|1.0.0.9|1.00.1|99999999999999999999.1|99999999999999999998.1|KB5031356|kb5031356|KB|KB12a|5031356|22H2|10.|.10|10..0|10.0.x|v10.0|10.0 | 10.0||10,0,1
        |10-0|10.é|unknown|10.0.0.0.0.0.1|4.8.9037.0|16.0.17029.20028""",
}

ALPHABET = {
    "deb": ["0", "1", "10", "09", "a", "b", "Z", "~", "+", "-", ".", ":", "_", "~~", "+b1"],
    "pep440": ["0", "1", "10", "01", ".", "-", "_", "!", "+", "a", "b", "rc", "c", "alpha", "BETA", "pre", "preview", "post", "r", "rev", "dev", "v", " "],
    "npm": ["0", "1", "10", "01", ".", ".", "-", "+", "a", "Z", "v", "1.0.0", "1.0.0-", "2.1.3-rc.", "="],
    "cargo": ["0", "1", "10", "01", ".", ".", "-", "+", "a", "Z", "1.0.0", "1.0.0-", "2.1.3-rc."],
    "go": ["0", "1", "10", "01", ".", ".", "-", "+", "a", "rc", "beta", "v1.0.0", "v1.2.", "v1.0.0-", "go1.", "go1.21", "go1.20", "v", "go"],
    "maven": ["0", "1", "10", "01", "2", ".", "-", ".", "-", "a", "alpha", "beta-", "x", "ga", "Final", "sp", "SNAPSHOT", "rc", "m", "1.0."],
    "gem": ["0", "1", "10", "01", ".", ".", ".0", "-", "a", "b", "Z", "rc", "pre", "1.0", "1.0.a."],
    "nuget": ["0", "1", "10", "01", ".", ".", "-", "+", "a", "Z", "1.0", "1.0.0-", "2.1.3-rc.", "1.0.0.", "beta"],
    "composer": ["0", "1", "10", "01", "2010", "12", ".", "-", "_", ":", "+", "v", "x", "dev", "-dev", "alpha", "b", "RC", "p", "patch", "stable", "@dev", "1.0", "1.0.0-"],
    "hex": ["0", "1", "10", "01", ".", ".", "-", "+", "a", "Z", "1.0.0", "1.0.0-", "2.1.3-rc."],
    "pub": ["0", "1", "10", "01", ".", ".", "-", "+", "a", "Z", "1.0.0", "1.0.0-", "1.0.0+", "2.1.3-rc."],
    "swift": ["0", "1", "10", "01", ".", ".", "-", "+", "a", "Z", "v", "1.0.0", "1.0.0-", "2.1.3-rc."],
    "rpm": ["0", "1", "10", "09", "a", "b", "Z", "~", "^", "-", ".", ":", "_", "1:", "^git", "-1", ".el9"],
    "apk": ["0", "1", "10", "09", ".", ".", "_p", "_rc", "_alpha", "_git", "a", "~ab", "-r1", "-r", "1.0", "1.2"],
    "alpm": ["0", "1", "10", "09", "a", "b", "rc", ".", "..", "_", "-", ":", "+", "1:", "-1"],
    "conan": ["0", "1", "10", "9", "a", "rc", ".", ".", "-", "+", "1.0", "cci.", "_"],
    "cran": ["0", "1", "10", "09", ".", ".", "-", "-", "1.0", "0.1-", "a"],
    "hackage": ["0", "1", "10", "9", ".", ".", ".", "1.0", "2.", "09"],
    "bitnami": ["0", "1", "10", "09", "a", "rc1", ".", ".", "-", "+", "1.2.3", "1.2.3-", "2.1"],
    "openssl": ["1.0.2", "1.1.1", "0.9.8", "3.0.", "0", "1", "10", "a", "z", "k", "-beta", "-alpha", "-pre", "-dev", "-fips", "+q"],
    "windows": ["0", "1", "10", "09", ".", ".", ".", "10.0.", "19045", "KB"],
}


def lines(data, name):
    """The lines of a compressed file."""
    return subprocess.run(["zstd", "-dc", "--long=27", os.path.join(data, name)], check=True, capture_output=True).stdout.decode().splitlines()


def texts(data, name, ending):
    """The text of the files in a compressed archive whose path has that ending."""
    raw = subprocess.run(["zstd", "-dc", "--long=27", os.path.join(data, name)], check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        for member in archive:
            if member.isfile() and member.name.endswith(ending):
                yield archive.extractfile(member).read().decode(errors="replace")


LOCK_FILES = ["lockfile-fixtures-osv-scalibr.tar.zst", "lockfile-fixtures-osv-scanner.tar.zst"]
SEMVER = r"v?\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?"


def real_deb(data):
    with open("/var/lib/dpkg/status") as status:
        for version in re.findall(r"^Version: (.*)$", status.read(), re.M):
            yield version, version
    for text in texts(data, "debian-security-tracker-2023.tar.zst", "/list"):
        yield from re.findall(r"^\s*\[\w+\] - (\S+) ([^\s<(]\S*)", text, re.M)


def real_pep440(data):
    for text in texts(data, "pypa-advisory-database.tar.zst", ".yaml"):
        name = re.search(r"^\s*name: (\S+)", text, re.M)
        for version in re.findall(r"^\s*- ['\"]?([^'\":\s]*\d[^'\":\s]*)['\"]?$", text, re.M):
            if not version.startswith(("CVE-", "GHSA-", "PYSEC-", "SNYK-", "BIT-", "http")):
                yield name.group(1) if name else "", version


def real_npm(data):
    for line in lines(data, "nodejs-security-wg-npm.jsonl.zst"):
        record = json.loads(line)
        text = json.dumps([record.get("vulnerable_versions"), record.get("patched_versions"), record])
        for version in re.findall(SEMVER, text):
            yield str(record.get("module_name")), version
    for archive in LOCK_FILES:
        for text in texts(data, archive, "package-lock.json"):
            for name, version in re.findall(r'"([^"]+)": \{\s*"version": "([^"]+)"', text):
                yield name, version


def real_cargo(data):
    for text in texts(data, "rustsec-advisory-db.tar.zst", ".md"):
        name = re.search(r'^package = "([^"]+)"', text, re.M)
        for line in re.findall(r"^(?:patched|unaffected) = (.*)$", text, re.M):
            for version in re.findall(r"\d[0-9A-Za-z.+-]*", line):
                yield name.group(1) if name else "", version
    for archive in LOCK_FILES:
        for text in texts(data, archive, "Cargo.lock"):
            yield from re.findall(r'name = "([^"]+)"\s*version = "([^"]+)"', text)


def real_go(data):
    for line in lines(data, "go-vulndb-osv.jsonl.zst"):
        for affected in json.loads(line).get("affected", []):
            for events in affected.get("ranges", []):
                for event in events["events"]:
                    for version in event.values():
                        if version != "0":
                            yield affected["package"]["name"], version
    for archive in LOCK_FILES:
        for text in texts(data, archive, "go.mod"):
            yield from re.findall(r"^\s*(?:require )?(\S+\.\S+/\S+) (v\S+)", text, re.M)
    for text in texts(data, "endoflife-date.tar.zst", "/go.md"):
        for version in re.findall(r'"?(1\.\d+(?:\.\d+)?)"?\s*$', text, re.M):
            yield "toolchain", "go" + version
    for minor in range(1, 27):
        for suffix in ["", "beta1", "rc1", "rc2", ".1", ".12"] + ([".0"] if minor >= 21 else []):
            yield "toolchain", f"go1.{minor}{suffix}"


def advisories_of(data, ecosystem):
    """Packages and versions of the OSV records of one ecosystem, GitHub's among them."""
    for line in lines(data, "trustify-osv-ghsa.jsonl.zst"):
        yield from affected_of(json.loads(line), ecosystem)
    for text in texts(data, "ghsa-nvd-fixtures-trivy-db.tar.zst", ".json"):
        try:
            yield from affected_of(json.loads(text), ecosystem)
        except ValueError:
            pass


def affected_of(record, ecosystem):
    record = record.get("osv", record) if isinstance(record, dict) else {}
    for affected in record.get("affected") or []:
        package = affected.get("package") if isinstance(affected, dict) else None
        if package and package.get("ecosystem") == ecosystem:
            for events in affected.get("ranges", []):
                for event in events.get("events", []):
                    yield from ((package["name"], version) for version in event.values() if version != "0")
            yield from ((package["name"], version) for version in affected.get("versions", []))


def real_maven(data):
    yield from advisories_of(data, "Maven")
    for archive in LOCK_FILES:
        for text in texts(data, archive, "pom.xml"):
            yield from re.findall(r"<artifactId>([^<]+)</artifactId>\s*<version>([^<]+)</version>", text)
        for text in texts(data, archive, "lockfile"):
            yield from re.findall(r"^[^:\s]+:([^:\s]+):([^=:\s]+)=", text, re.M)
    for name in ["distro-fixtures-vunnel.tar.zst", "grype-nvd-fixtures.tar.zst", "sbom-cyclonedx-bom-examples.tar.zst", "sbom-trustify.tar.zst"]:
        for text in texts(data, name, "json"):
            yield from re.findall(r"pkg:maven/([^@\"?]+)@([^\"?#&\\%\s]+)", text)


def real_gem(data):
    for text in texts(data, "ruby-advisory-db.tar.zst", ".yml"):
        name = re.search(r"^gem: (\S+)", text, re.M)
        for version in re.findall(r"^\s*- ['\"]?[~><=, 0-9a-zA-Z.-]*?(\d[0-9A-Za-z.-]*)['\"]?\s*$", text, re.M):
            yield name.group(1) if name else "", version
        for version in re.findall(r"[~><=]+ (\d[0-9A-Za-z.-]*)", text):
            yield name.group(1) if name else "", version
    for archive in LOCK_FILES:
        for text in texts(data, archive, ".lock"):
            yield from re.findall(r"^    (\S+) \((\d[^)\s]*)\)$", text, re.M)


def real_nuget(data):
    for line in lines(data, "dotnet-cve.jsonl.zst"):
        for version in re.findall(r"\"v?(\d+\.\d+[0-9A-Za-z.+-]*)\"", line):
            yield "dotnet", version
    yield from advisories_of(data, "NuGet")
    for archive in LOCK_FILES:
        for text in texts(data, archive, "json"):
            yield from re.findall(r'"([^"]+)": \{\s*"type": "[^"]+",\s*(?:"requested": "[^"]+",\s*)?"resolved": "([^"]+)"', text)
    for text in texts(data, "dotnet-releases-eol.tar.zst", "json"):
        for version in re.findall(r'"(?:version|version-display|release-version)": "([^"]+)"', text):
            yield "releases", version


def real_composer(data):
    for text in texts(data, "friendsofphp-security-advisories.tar.zst", ".yaml"):
        name = re.search(r"^reference:\s*(\S+)", text, re.M)
        name = name.group(1) if name else ""
        yield from ((name, version) for version in re.findall(r"['\"][<>=]+\s*([^'\"]+)['\"]", text))
        yield from ((name, version) for version in re.findall(r"^    ['\"]?(\S*(?:x|master|dev))['\"]?:", text, re.M))
    for archive in LOCK_FILES:
        for text in texts(data, archive, ".lock"):
            yield from re.findall(r'"name": "([^"]+)",\s*"version": "([^"]+)"', text)


def real_hex(data):
    yield from advisories_of(data, "Hex")
    for archive in LOCK_FILES:
        for text in texts(data, archive, "mix.lock"):
            yield from re.findall(r"\{:hex, :(\w+), \"([^\"]+)\"", text)
    yield from real_cargo(data)  # more real Semantic Versioning


def real_pub(data):
    yield from advisories_of(data, "Pub")
    for archive in LOCK_FILES:
        for text in texts(data, archive, "pubspec.lock"):
            yield from re.findall(r"^    version: (\")([^\"]+)\"", text, re.M)
    yield from real_cargo(data)  # more real Semantic Versioning


def real_swift(data):
    for archive in LOCK_FILES:
        for text in texts(data, archive, "Package.resolved"):
            yield from re.findall(r'"(revision)"[^}]*"version" ?: "([^"]+)"', text)
    yield from real_cargo(data)  # more real Semantic Versioning
def real_rpm(data):
    for line in lines(data, "almalinux-osv.jsonl.zst"):
        for affected in json.loads(line).get("affected", []):
            for events in affected.get("ranges", []):
                for event in events["events"]:
                    for version in event.values():
                        if version != "0":
                            yield affected["package"]["name"], version


def real_apk(data):
    for text in texts(data, "alpine-secdb-2020.tar.zst", ".yaml"):
        name = ""
        for line in text.splitlines():
            if named := re.match(r"\s+name: (\S+)", line):
                name = named.group(1)
            elif version := re.match(r"\s+['\"]?([0-9][^\s:'\"]*)['\"]?:\s*$", line):
                yield name, version.group(1)


def real_alpm(data):
    for text in texts(data, "distro-fixtures-vunnel.tar.zst", "arch-advisories/all.json"):
        for advisory in json.loads(text):
            for version in [advisory.get("affected"), advisory.get("fixed")]:
                if version:
                    yield advisory["packages"][0], version
    yield from real_rpm(data)  # of the same shape, and there are many


def real_products(data):
    """Versions of many products, dotted numbers most of them."""
    for text in texts(data, "endoflife-date.tar.zst", ".md"):
        name = re.search(r"^title: (.*)$", text, re.M)
        for version in re.findall(r"^\s+(?:latest|releaseCycle): ['\"]?([^\s'\"]+)['\"]?\s*$", text, re.M):
            yield name.group(1) if name else "", version


def real_conan(data):
    for archive in LOCK_FILES:
        for text in texts(data, archive, ".json"):
            yield from re.findall(r'"([a-z0-9_]+)/([0-9][^#@"/%\s]*)[#@"]', text)
    yield from real_openssl(data)
    yield from real_products(data)


def real_cran(data):
    for archive in LOCK_FILES:
        for text in texts(data, archive, ".lock"):
            yield from re.findall(r'"Package": "([^"]+)",\s*"Version": "([^"]+)"', text)
    versions = "cat(paste(rownames(installed.packages()), installed.packages()[, 'Version']), sep = '\\n')"
    for line in subprocess.run(["Rscript", "-e", versions], check=True, capture_output=True, text=True).stdout.splitlines():
        yield tuple(line.split(" "))
    yield from real_products(data)


def real_hackage(data):
    for archive in LOCK_FILES:
        for text in texts(data, archive, ""):
            yield from re.findall(r"any\.(\S+) ==([0-9.]+)", text)
    yield from real_products(data)


def real_bitnami(data):
    for line in lines(data, "bitnami-vulndb-osv.jsonl.zst"):
        for affected in json.loads(line).get("affected", []):
            for events in affected.get("ranges", []):
                for event in events["events"]:
                    for version in event.values():
                        yield affected["package"]["name"], version


def real_openssl(_data):
    """Every release with letters and some of the rest."""
    z = [chr(letter) for letter in range(ord("a"), ord("z") + 1)]
    for series, letters in [("0.9.6", 13), ("0.9.7", 13), ("0.9.8", 34), ("1.0.0", 20), ("1.0.1", 21), ("1.0.2", 35), ("1.1.0", 12), ("1.1.1", 27)]:
        for letter in ["", *z, *("z" + second for second in z)][: letters + 1]:
            yield "openssl", series + letter
        for suffix in ["-beta1", "-beta2", "-pre1", "-pre9", "-dev", "-fips"]:
            yield "openssl", series + suffix
    for minor in range(6):
        for patch in range(18):
            yield "openssl", f"3.{minor}.{patch}"
        for suffix in ["-alpha1", "-alpha2", "-beta1", "-dev"]:
            yield "openssl", f"3.{minor}.0{suffix}"


def real_windows(data):
    for text in texts(data, "endoflife-date.tar.zst", ".md"):
        if re.search(r"^title: .*(?:Windows|Microsoft|Office|SQL Server|Exchange)", text, re.M):
            for version in re.findall(r"\b\d+(?:\.\d+){1,4}\b", text):
                yield "windows", version
    yield from real_products(data)


def ask_deb(pairs):
    for a, b in pairs:
        answer = "?"
        for operator, sign in [("lt", "<"), ("eq", "="), ("gt", ">")]:
            done = subprocess.run(["dpkg", "--compare-versions", a, operator, b], capture_output=True, text=True)
            # dpkg reads the empty string as "no version", which is none.
            if done.returncode > 1 or done.stderr or not a.strip() or not b.strip():
                break
            if done.returncode == 0:
                answer = sign
                break
        yield answer


def ask_pep440(pairs):
    from packaging.version import InvalidVersion, Version

    for a, b in pairs:
        try:
            a, b = Version(a), Version(b)
            yield "<" if a < b else ">" if a > b else "="
        except InvalidVersion:
            yield "?"


def ask_program(command, pairs, cwd):
    """A program that reads tab-separated pairs and answers each in a line."""
    text = "".join(f"{a}\t{b}\n" for a, b in pairs)
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True, cwd=cwd).stdout.splitlines()


def ask_npm(pairs):
    program = """
        const semver = require('semver');
        for (const line of require('fs').readFileSync(0, 'utf8').split('\\n').slice(0, -1)) {
            const [a, b] = line.split('\\t').map(version => semver.parse(version));
            console.log(a && b ? '<=>'[semver.compare(a, b) + 1] : '?');
        }"""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "semver@7"], cwd=folder, check=True, capture_output=True)
        return ask_program(["node", "-e", program], pairs, folder)


def ask_cargo(pairs):
    program = """
        fn main() {
            for line in std::io::stdin().lines() {
                let line = line.unwrap();
                let (a, b) = line.split_once('\\t').unwrap();
                let answer = match (semver::Version::parse(a), semver::Version::parse(b)) {
                    (Ok(a), Ok(b)) => ["<", "=", ">"][(a.cmp_precedence(&b) as i8 + 1) as usize],
                    _ => "?",
                };
                println!("{answer}");
            }
        }"""
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "src"))
        with open(os.path.join(folder, "src/main.rs"), "w") as file:
            file.write(program)
        with open(os.path.join(folder, "Cargo.toml"), "w") as file:
            file.write('[package]\nname = "answers"\nedition = "2024"\n[dependencies]\nsemver = "1"\n[workspace]\n')
        return ask_program(["cargo", "run", "--quiet"], pairs, folder)


def ask_go(pairs):
    program = """package main
        import (
            "bufio"
            "fmt"
            "go/version"
            "os"
            "strings"
            "answers/semver"
        )
        func main() {
            lines := bufio.NewScanner(os.Stdin)
            for lines.Scan() {
                pair := strings.SplitN(lines.Text(), "\\t", 2)
                compare, valid := semver.Compare, semver.IsValid
                if strings.HasPrefix(pair[0], "go") {
                    compare, valid = version.Compare, version.IsValid
                } else {
                    for i := range pair {
                        if !strings.HasPrefix(pair[i], "v") {
                            pair[i] = "v" + pair[i] // as OSV leaves it out
                        }
                    }
                }
                if valid(pair[0]) && valid(pair[1]) {
                    fmt.Println(string("<=>"[compare(pair[0], pair[1])+1]))
                } else {
                    fmt.Println("?")
                }
            }
        }"""
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "main.go"), "w") as file:
            file.write(program)
        with open(os.path.join(folder, "go.mod"), "w") as file:
            file.write("module answers\ngo 1.22\n")
        root = subprocess.run(["go", "env", "GOROOT"], check=True, capture_output=True, text=True).stdout.strip()
        shutil.copytree(os.path.join(root, "src/cmd/vendor/golang.org/x/mod/semver"), os.path.join(folder, "semver"))
        return ask_program(["go", "run", "."], pairs, folder)


def ask_maven(pairs):
    program = """
        import org.apache.maven.artifact.versioning.ComparableVersion;
        public class Answers {
            static int compare(String a, String b) { return new ComparableVersion(a).compareTo(new ComparableVersion(b)); }
            static boolean isBetween(String a, String b, String whole) {
                for (int end = 1; end < whole.length(); end++) {
                    String beginning = whole.substring(0, end);
                    if (compare(a, beginning) < 0 && compare(beginning, b) < 0) return true;
                }
                return false;
            }
            public static void main(String[] arguments) throws Exception {
                var input = new java.io.BufferedReader(new java.io.InputStreamReader(System.in, "UTF-8"));
                for (String line; (line = input.readLine()) != null; ) {
                    String[] pair = line.split("\\t", -1);
                    String a = pair[0], b = pair[1];
                    int answer = compare(a, b);
                    boolean circle = answer > 0 && (isBetween(a, b, a) || isBetween(a, b, b))
                        || answer < 0 && (isBetween(b, a, a) || isBetween(b, a, b));
                    System.out.println(circle ? "circle" : answer < 0 ? "<" : answer > 0 ? ">" : "=");
                }
            }
        }"""
    jar = "/usr/share/maven/lib/maven-artifact-3.x.jar"
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "Answers.java"), "w") as file:
            file.write(program)
        return ask_program(["java", "-cp", jar, "Answers.java"], pairs, folder)


def ask_gem(pairs):
    program = """
        def version(text) = Gem::Version.correct?(text) ? Gem::Version.new(text) : nil
        $stdin.set_encoding("UTF-8")
        $stdin.each_line(chomp: true) do |line|
            a, b = line.split("\t", -1).map { |text| version(text) }
            puts a && b ? "<=>"[(a <=> b) + 1] : "?"
        end"""
    return ask_program(["ruby", "-e", program], pairs, None)


def ask_composer(pairs):
    program = """
        require '/usr/share/php/Composer/Semver/autoload.php';
        $parser = new Composer\\Semver\\VersionParser();
        while (($line = fgets(STDIN)) !== false) {
            try {
                [$a, $b] = array_map(fn($text) => $parser->normalize($text), explode("\t", rtrim($line, "\n")));
                $branch = str_starts_with($a, 'dev-') || str_starts_with($b, 'dev-');
                echo $branch ? '?' : '<=>'[version_compare($a, $b) + 1], "\n";
            } catch (UnexpectedValueException $e) {
                echo "?\n";
            }
        }"""
    return ask_program(["php", "-r", program], pairs, None)


def ask_hex(pairs):
    program = """
        for line <- IO.stream(:stdio, :line) do
          [a, b] = line |> String.trim_trailing("\n") |> String.split("\t")
          with {:ok, a} <- Version.parse(a), {:ok, b} <- Version.parse(b) do
            IO.puts(%{lt: "<", eq: "=", gt: ">"}[Version.compare(a, b)])
          else
            _ -> IO.puts("?")
          end
        end"""
    return ask_program(["elixir", "--erl", "+fnu", "-e", program], pairs, None)


def ask_reference(read, pairs):
    """`read` gives a list that Python orders as the scheme would, or None for what it refuses."""
    for a, b in pairs:
        a, b = read(a), read(b)
        yield "?" if a is None or b is None else "<" if a < b else ">" if a > b else "="


IDENTIFIERS = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"


def identifiers(text, limit, leading_zeros=False):
    """Numbers before words; None when a number has zeros in front and may not."""
    parts = text.split(".")
    if not leading_zeros and any(re.fullmatch(r"0[0-9]+", part) for part in parts):
        return None
    return [(0, int(part), "") if re.fullmatch(r"[0-9]+", part) and int(part) <= limit else (1, 0, part) for part in parts]


def ask_nuget(pairs):
    def read(text):
        match = re.fullmatch(rf"([0-9]+(?:\.[0-9]+){{0,3}})(?:-({IDENTIFIERS}))?(?:\+({IDENTIFIERS}))?", text.strip())
        if not match:
            return None
        numbers = [int(number) for number in match.group(1).split(".")]
        labels = identifiers(match.group(2).upper(), 2**31 - 1) if match.group(2) else []
        if labels is None or max(numbers) >= 2**31:
            return None
        return numbers + [0] * (4 - len(numbers)), not labels, labels

    return ask_reference(read, pairs)


def ask_pub(pairs):
    def read(text):
        match = re.fullmatch(rf"([0-9]+)\.([0-9]+)\.([0-9]+)(?:-({IDENTIFIERS}))?(?:\+({IDENTIFIERS}))?", text)
        if not match or any(int(number) >= 2**63 for number in match.groups()[:3]):
            return None
        before, build = (identifiers(part, 2**63 - 1, True) if part else [] for part in match.groups()[3:])
        return [int(number) for number in match.groups()[:3]], not before, before, build

    return ask_reference(read, pairs)


def ask_swift(pairs):
    def read(text):
        number = "(0|[1-9][0-9]*)"
        match = re.fullmatch(rf"v?{number}\.{number}\.{number}(?:-({IDENTIFIERS}))?(?:\+{IDENTIFIERS})?", text)
        if not match or any(int(number) >= 2**63 for number in match.groups()[:3]):
            return None
        before = identifiers(match.group(4), float("inf")) if match.group(4) else []
        return before if before is None else ([int(number) for number in match.groups()[:3]], not before, before)

    return ask_reference(read, pairs)
def sign(order):
    return "<=>"[order + 1]


def compare(a, b):
    return (a > b) - (a < b)


def ask_rpm(pairs):
    """All in one run, whose questions are a Lua program."""

    def quoted(text):
        return '"' + "".join(f"\\{byte:03d}" for byte in text.encode()) + '"'

    rows = "".join(f"ask({quoted(a)}, {quoted(b)})\n" for a, b in pairs)
    program = """
        function ask(a, b)
            local read, order = pcall(rpm.vercmp, a, b)
            print((read and ({[-1] = "<", [0] = "=", [1] = ">"})[order] or "?") .. "\\n") -- rpm's print ends no line
        end
        """ + rows
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(program)
        file.flush()
        done = subprocess.run(["rpm", "--eval", '%{lua: dofile("' + file.name + '")}'], capture_output=True, text=True, check=True)
        return done.stdout.split()


def ask_apk(pairs):
    for a, b in pairs:
        valid = all(subprocess.run(["apk", "version", "-c", version], capture_output=True).returncode == 0 for version in (a, b))
        answer = subprocess.run(["apk", "version", "-t", a, b], capture_output=True, text=True, check=True).stdout.strip()
        yield answer if valid else "?"


def ask_alpm(pairs):
    for a, b in pairs:
        yield sign(int(subprocess.run(["vercmp", a, b], capture_output=True, text=True, check=True).stdout))


def ask_conan(pairs):
    from conan.internal.model.version import Version

    for a, b in pairs:
        a, b = Version(a), Version(b)
        yield "=" if a == b else "<" if a < b else ">"


def ask_cran(pairs):
    program = """
        for (line in readLines(file("stdin"), encoding = "UTF-8")) {
            pair <- strsplit(paste0(line, "\\t."), "\\t")[[1]][1:2]
            read <- !anyNA(suppressWarnings(package_version(pair, strict = FALSE)))
            cat(if (read) c("<", "=", ">")[compareVersion(pair[1], pair[2]) + 2] else "?", "\\n", sep = "")
        }"""
    with tempfile.TemporaryDirectory() as folder:
        return ask_program(["Rscript", "-e", program], pairs, folder)


def ask_ours(read):
    """From a reference of ours: `read` gives what Python orders, or None for what is refused."""

    def ask(pairs):
        for a, b in pairs:
            a, b = read(a), read(b)
            yield "?" if a is None or b is None else sign(compare(a, b))

    return ask


def read_hackage(version):
    """Cabal: dotted numbers of up to nine digits without leading zeros."""
    if not re.fullmatch(r"(?:0|[1-9][0-9]{0,8})(?:\.(?:0|[1-9][0-9]{0,8}))*", version):
        return None
    return [int(number) for number in version.split(".")]


def read_windows(version):
    """Dotted numbers; a missing one is 0."""
    if not re.fullmatch(r"[0-9]+(?:\.[0-9]+)*", version):
        return None
    numbers = [int(number) for number in version.split(".")]
    return numbers + [0] * (1024 - len(numbers))


def read_bitnami(version):
    """Semantic Versioning with any number of numbers and the revision behind the release."""
    part = r"[0-9A-Za-z]+(?:[.-][0-9A-Za-z]+)*"
    matched = re.fullmatch(rf"([0-9]+(?:\.[0-9]+)*)(?:-({part}))?(?:\+{part})?", version)
    if not matched:
        return None
    identifiers = [(0, int(word), "") if word.isdigit() else (1, 0, word) for word in re.split("[.-]", matched.group(2) or "") if word]
    place = 0 if not identifiers else 1 if identifiers[0][0] == 0 else -1
    return read_windows(matched.group(1)), place, identifiers


def read_openssl(version):
    """Numbers, letters before 3, pre-releases; `-fips` and `+...` are how it was built."""
    version = re.sub(r"-fips(?=-|$)", "", re.sub(r"\+[0-9a-z.-]+$", "", version.lower()))
    number = "(0|[1-9][0-9]*)"
    matched = re.fullmatch(rf"{number}\.{number}\.{number}(z?[a-z])?(?:-(alpha|beta|pre){number})?(-dev)?", version)
    if not matched or (matched.group(4) and int(matched.group(1)) >= 3):
        return None
    major, minor, patch, letters, word, count, dev = matched.groups()
    letters = letters or ""
    letter_count = sum(ord(letter) - ord("a") + 1 for letter in letters)  # a is 1, z is 26, za is 27
    place = ["alpha", "beta", "pre", None].index(word)
    # A development version stands before what it leads to; one of a release before all the pre-releases.
    if dev:
        place, dev = (place, 0) if word else (-1, 0)
    return int(major), int(minor), int(patch), letter_count, place, int(count or 0), 1 if dev is None else 0


SCHEMES = {
    "deb": (real_deb, ask_deb),
    "pep440": (real_pep440, ask_pep440),
    "npm": (real_npm, ask_npm),
    "cargo": (real_cargo, ask_cargo),
    "go": (real_go, ask_go),
    "maven": (real_maven, ask_maven),
    "gem": (real_gem, ask_gem),
    "nuget": (real_nuget, ask_nuget),
    "composer": (real_composer, ask_composer),
    "hex": (real_hex, ask_hex),
    "pub": (real_pub, ask_pub),
    "swift": (real_swift, ask_swift),
    "rpm": (real_rpm, ask_rpm),
    "apk": (real_apk, ask_apk),
    "alpm": (real_alpm, ask_alpm),
    "conan": (real_conan, ask_conan),
    "cran": (real_cran, ask_cran),
    "hackage": (real_hackage, ask_ours(read_hackage)),
    "bitnami": (real_bitnami, ask_ours(read_bitnami)),
    "openssl": (real_openssl, ask_ours(read_openssl)),
    "windows": (real_windows, ask_ours(read_windows)),
}


def kind(version):
    """Go's modules and toolchains are never put in one question."""
    return version.startswith("go")


def is_askable(scheme, a, b):
    """Whether the tool has an order where these two stand."""
    if scheme == "alpm":  # vercmp leaves the release out when only one has it
        return ("-" in a) == ("-" in b)
    if scheme == "conan":  # text that starts with a digit against a number, or text, with more or fewer digits
        parts = [[re.match("([0-9]*)(.*)", item).groups() for item in re.split("[.+-]", version)] for version in (a, b)]
        mixed = any(digits and rest for version in parts for digits, rest in version)
        return not mixed or [len(digits) for digits, _ in parts[0]] == [len(digits) for digits, _ in parts[1]]
    return kind(a) == kind(b)


def is_refused_by_us_alone(scheme, version):
    """What the tool reads and we refuse, or read otherwise; the reasons are in the files of the schemes."""
    if scheme in ["rpm", "alpm"]:
        epoch, colon, rest = version.partition(":")
        parts = (rest if colon else version).rsplit("-", 1)
        wanted = "[0-9A-Za-z]" if scheme == "rpm" else "[0-9A-Za-z]$"
        bad_epoch = colon and not re.fullmatch("[0-9]*" if scheme == "alpm" else "[0-9]{0,9}|[01][0-9]{9}", epoch)
        return bad_epoch or not version.isascii() or " " in version or not all(re.search(wanted, part) for part in parts)
    if scheme == "conan":  # Python's int() also reads 1_0 and -1
        foreign = not re.fullmatch("[0-9A-Za-z_][0-9A-Za-z_+.-]*", version)
        return foreign or re.search("[0-9]_[0-9]|[.+-][+-][0-9]", version)
    # R has 32 bits for a number, apk-tools 64.
    return re.search(r"\d{10}", version) if scheme == "cran" else re.search(r"\d{20}", version) if scheme == "apk" else False


def is_recordable(scheme, version):
    rounded = scheme == "npm" and any(int(number) >= 2**53 for number in re.findall(r"\d+", version.partition("-")[2]))
    # Without `v` and three numbers it is a toolchain for us, which golang.org/x/mod/semver does not know.
    short = scheme == "go" and not version.startswith(("v", "go")) and version.count(".") < 2
    # Maven reads any text; what it lets nobody release is refused in maven.rs. Ruby reads nothing as 0.
    foreign = scheme == "maven" and not re.fullmatch(r"[^\\/:\"<>|?*\[\](){},$\s\x7f-\U0010ffff]+", version)
    empty = scheme == "gem" and not version.strip()
    # version_compare cuts numbers to 64 bits.
    cut = scheme == "composer" and any(int(number) >= 2**63 for number in re.findall(r"\d+", version))
    # Both take `-5` and Dart `0x1F` for a number; see nuget.rs and dart.rs.
    signed = scheme in ("nuget", "pub") and re.search(r"(^|[.+-])(-\d+|-?0[xX][0-9a-fA-F]+)(?=$|[.+])", version.partition("-")[2])
    alone = is_refused_by_us_alone(scheme, version)
    return not (foreign or empty or cut or signed or rounded or short or alone or "\t" in version or "\n" in version)


def record(scheme, data, rows):
    real, ask = SCHEMES[scheme]
    packages = collections.defaultdict(list)
    for package, version in real(data):
        if version not in packages[package]:
            packages[package].append(version)
    hard = [version.strip("\n") for version in re.split(r"\n? {8}\||\|", HARD[scheme])]
    random_strings = ["".join(random.choices(ALPHABET[scheme], k=random.randint(1, 6))) for _ in range(rows // 4)]

    pairs = [(a, b) for a, b in itertools.combinations(hard, 2)]
    of_one_package = [pair for versions in packages.values() for pair in itertools.pairwise(versions)]
    pairs += random.sample(of_one_package, min(rows // 3, len(of_one_package)))
    every = sorted({version for versions in packages.values() for version in versions})
    pairs += [tuple(random.sample(every, 2)) for _ in range(rows // 3)]

    alone = sorted({version for version in hard + random_strings + [version for pair in pairs for version in pair] if is_recordable(scheme, version)})
    readable = [version for version, answer in zip(alone, ask([(version, version) for version in alone])) if answer == "="]
    known = set(readable)
    random_readable = [version for version in random_strings if version in known]
    pairs += [tuple(random.choices(random_readable, k=2)) for _ in range(rows // 4)]
    pairs = [random.choice([(a, b), (b, a)]) for a, b in pairs if a in known and b in known and a != b and is_askable(scheme, a, b)]
    pairs = sorted(set(random.sample(pairs, min(rows, len(pairs)))))

    path = os.path.join(HERE, "fixtures", f"{scheme}.tsv")
    with open(path, "w") as file:
        others = [version for version in alone if version not in hard]
        chosen = [version for version in alone if version in hard] + random.sample(others, min(rows // 2, len(others)))
        itself = [(version, version, "=" if version in known else "?") for version in chosen]
        answered = [(a, b, answer) for (a, b), answer in zip(pairs, ask(pairs)) if answer != "circle"]
        for row in sorted(set(itself + answered)):
            file.write("\t".join(row) + "\n")
    with open(path) as file:
        print(scheme, collections.Counter(line[-2] for line in file))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", required=True, help="folder of the advisory archives")
    arguments.add_argument("--rows", type=int, default=2400, help="pairs of different versions a scheme (2400)")
    arguments.add_argument("--seed", type=int, default=1, help="of the choice of rows (1)")
    arguments.add_argument("schemes", nargs="*", help="all when none is named")
    chosen = arguments.parse_args()
    for scheme in chosen.schemes or SCHEMES:
        random.seed(f"{scheme} {chosen.seed}")
        record(scheme, chosen.data, chosen.rows)


if __name__ == "__main__":
    main()
