# SPDX-License-Identifier: Apache-2.0
"""The rules of style that a program can judge, one function each.

A rule takes a file and yields (line, what is wrong). It is registered with the
fixtures that prove it: `bad` texts that it must complain about, and `good` ones
next to them that it must leave alone. tidy_test.py runs both, then the rules
over the tree.
"""

import collections
import pathlib
import re

CXX = {".h", ".cc"}
CODE = CXX | {".go", ".py", ".sh", ".js", ".proto"}

# Each folder may include itself and what stands to its right.
ARROW = ["cli", "server", "api", "engine", "crypto"]
WIRE = re.compile(r"grpc|\.pb\.h$|^google/")
# Where a library's headers may be included: one file, or one folder.
ONLY_IN = {"lmdb.h": "engine/lmdb_environment.cc", "sodium.h": "crypto/"}

VAGUE = {"util", "utils", "common", "helper", "helpers", "manager", "managers"}

Fixture = collections.namedtuple("Fixture", "path text")
Rule = collections.namedtuple("Rule", "name check bad good")
RULES = []


class File:
    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.lines = text.splitlines()
        self.is_script = text.startswith("#!")
        self.is_cxx = pathlib.PurePath(path).suffix in CXX
        self.is_code = self.is_script or pathlib.PurePath(path).suffix in CODE

    @property
    def is_test_or_bench(self):
        stem = pathlib.PurePath(self.path).stem
        return self.path.startswith(("tests/", "bench/")) or stem.endswith(
            ("_test", "_bench", "_fuzz"))

    def includes(self):
        for number, line in enumerate(self.lines, 1):
            match = re.match(r'\s*#\s*include\s*["<]([^">]+)[">]', line)
            if match:
                yield number, match[1]


def rule(bad, good=()):
    def register(check):
        RULES.append(Rule(check.__name__, check, bad, good))
        return check
    return register


def without_comments_and_strings(text):
    """C++ with comments and literals emptied; every line keeps its number."""
    literal = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"([^()\s]*)\(.*?\)\1"'
        r'|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])*\'', re.S)

    def empty(match):
        quotes = '""' if match[0][0] in 'R"' else ""
        return quotes + "\n" * match[0].count("\n")

    text = literal.sub(empty, text)
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda directive:
                  "\n" * directive[0].count("\n"), text, flags=re.M)


def is_scope(header):
    """Whether `header {` opens a namespace or a class."""
    header = re.sub(r"^\s*template\s*<[^{}]*?>\s*(?=\w)", "", header)
    header = re.sub(r"^\s*(?:(?:public|protected|private)\s*:\s*)+", "", header)
    return bool(re.match(
        r'\s*((inline\s+)?namespace|class|struct|union|enum|extern\s*"")',
        header)) and not header.rstrip().endswith(")")


def is_initialiser(header):
    outside = re.sub(r"\([^()]*\)|operator\s*\W+|<[^<>]*>", "", header)
    return "=" in outside


def functions(text):
    """Yields (first line, last line) of every function body, by its braces."""
    code = without_comments_and_strings(text)
    opened = []  # of each open brace: None for a scope, else (line, counts)
    line, header = 1, ""
    for char in code:
        line += char == "\n"
        inside = any(opened)
        if char == "{":
            if not inside and is_scope(header):
                opened.append(None)
            else:
                opened.append((line, not inside and not is_initialiser(header)))
            header = ""
        elif char == "}":
            body = opened.pop() if opened else None
            if body and body[1]:
                yield body[0], line
            header = ""
        elif char == ";" and not inside:
            header = ""
        elif not inside:
            header += char


@rule(bad=[Fixture("engine/a.cc", "int a;\n" * 401),
           Fixture("tests/a.go", "var a int\n" * 601),
           Fixture("dev", "#!/bin/bash\n" + "true\n" * 400)],
      good=[Fixture("engine/a.cc", "int a;\n" * 400),
            Fixture("engine/a_test.cc", "int a;\n" * 600),
            Fixture("docs/a.md", "a\n" * 1000)])
def file_length(file):
    limit = 600 if file.is_test_or_bench else 400
    if file.is_code and len(file.lines) > limit:
        yield limit + 1, f"{len(file.lines)} lines, at most {limit}"


@rule(bad=[Fixture("engine/a.cc", "void F() {\n" + "G();\n" * 69 + "}\n"),
           Fixture("engine/a.cc", "namespace n {\nclass C : public B {\n public:\n"
                   "  int F(int a = 1) const {\n" + "if (a) { G('{'); }\n" * 70
                   + "  }\n};\n}\n")],
      good=[Fixture("engine/a.cc", "void F() {\n" + "G();\n" * 68 + "}\n"),
            Fixture("engine/a.h", "struct S {\n" + "int a;\n" * 99 + "};\n"),
            Fixture("engine/a.cc", "int kTable[] = {\n" + "1,\n" * 99 + "};\n")])
def function_length(file):
    for first, last in functions(file.text) if file.is_cxx else ():
        if last - first + 1 > 70:
            yield first, f"a function of {last - first + 1} lines, at most 70"


@rule(bad=[Fixture("crypto/a.h", '#include "engine/store.h"\n'),
           Fixture("engine/a.cc", '#include "api/convert.h"\n'),
           Fixture("api/a.cc", '#include "server/server.h"\n'),
           Fixture("server/a.cc", '#include "tests/support/temp_dir.h"\n'),
           Fixture("examples/embedded/main.cc", '#include "crypto/secret.h"\n')],
      good=[Fixture("server/a.cc", '#include "crypto/secret.h"\n'),
            Fixture("engine/a_test.cc", '#include "tests/support/temp_dir.h"\n'),
            Fixture("bench/a.cc", '#include "server/acceptor.h"\n')])
def include_arrows(file):
    folder = file.path.split("/")[0]
    for line, header in file.includes() if file.is_cxx else ():
        target = header.split("/")[0]
        if folder == "examples":
            wrong = target in ARROW and target != "engine"
        elif folder in ARROW:
            wrong = (target in ARROW and ARROW.index(target) < ARROW.index(folder)
                     or target == "bench"
                     or target == "tests" and not file.is_test_or_bench)
        else:
            wrong = False
        if wrong:
            yield line, f"{folder}/ may not include {header}"


@rule(bad=[Fixture("engine/a.cc", "#include <grpcpp/grpcpp.h>\n"),
           Fixture("crypto/a.h", '#include "dapr/state.pb.h"\n')],
      good=[Fixture("api/a.cc", '#include "dapr/state.grpc.pb.h"\n')])
def no_wire_in_the_engine(file):
    if file.path.startswith(("engine/", "crypto/")):
        for line, header in file.includes():
            if WIRE.search(header):
                yield line, f"{header}: the engine knows neither gRPC nor a proto"


@rule(bad=[Fixture("engine/a.cc", "#include <lmdb.h>\n"),
           Fixture("engine/a.cc", "#include <sodium.h>\n")],
      good=[Fixture("engine/lmdb_environment.cc", "#include <lmdb.h>\n"),
            Fixture("crypto/a.cc", "#include <sodium.h>\n")])
def third_party_in_its_place(file):
    for line, header in file.includes():
        place = ONLY_IN.get(header)
        if place and not file.path.startswith(place):
            yield line, f"<{header}> is included in {place} alone"


@rule(bad=[Fixture("engine/a.h", "void F(std::" "string_view a);\n")],
      good=[Fixture("engine/a.h", "// Not std::" "string_view.\n")])
def absl_string_view(file):
    if file.is_cxx:
        code = without_comments_and_strings(file.text)
        for number, line in enumerate(code.splitlines(), 1):
            if "std::" "string_view" in line:
                yield number, "absl::" "string_view is meant"


@rule(bad=[Fixture("a.cc", f"// {word}: later\n")
           for word in ("TO" "DO", "FIX" "ME", "XX" "X")],
      good=[Fixture("a.cc", 'path("/tmp/statecpp-XX' 'XXXX")\n')])
def nothing_left_to_do(file):
    for number, line in enumerate(file.lines, 1):
        if re.search(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b", line):
            yield number, "an issue is where work is kept"


@rule(bad=[Fixture("a.cc", "int a;\n"), Fixture("dev", "#!/bin/bash\ntrue\n")],
      good=[Fixture("a.cc", "// SPDX-License-Identifier: Apache-2.0\n"),
            Fixture("dev", "#!/bin/bash\n# SPDX-License-Identifier: Apache-2.0\n"),
            Fixture("BUILD", "# What it is.\n")])
def licence_line(file):
    first = file.lines[1 if file.is_script else 0:][:1]
    if file.is_code and not (
            first and first[0].endswith("SPDX-License-Identifier: Apache-2.0")):
        yield 1, "the SPDX line stands first, or right after #!"


@rule(bad=[Fixture("a.cc", "// " + "a" * 78 + "\n")],
      good=[Fixture("a.cc", "// " + "a" * 77 + "\n// " + "\u00e4" * 77 + "\n"),
            Fixture("a.cc", "// https://" + "a" * 99 + "\n"),
            Fixture("a.go", "// " + "a" * 99 + "\n")])
def line_length(file):
    for number, line in enumerate(file.lines if file.is_cxx else (), 1):
        if len(line) > 80 and "://" not in line and not line.startswith("#"):
            yield number, f"{len(line)} columns, at most 80"


@rule(bad=[Fixture("a.md", f"see /{top}/me/notes\n")
           for top in ("home", "root", "work")],
      good=[Fixture("a.md", "see docs/work/a and http://host/home/a\n")])
def no_path_of_one_machine(file):
    for number, line in enumerate(file.lines, 1):
        if re.search(r"(?<![\w.~/}-])/(home|root|work)/", line):
            yield number, "a path that other machines have not"


@rule(bad=[Fixture("engine/string_util.h", ""), Fixture("common/a.cc", ""),
           Fixture("server/InstanceManager.cc", "")],
      good=[Fixture("engine/utility_bill.h", ""),
            # Named by Dapr: the name is part of the wire contract.
            Fixture("api/proto/dapr/proto/components/v1/common.proto", "")])
def names_that_say_something(file):
    if not file.path.startswith("api/proto/"):
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", file.path).lower()
        for word in VAGUE.intersection(re.split(r"[/_.-]", words)):
            yield 1, f"'{word}' in a name hides what the thing is"
