# SPDX-License-Identifier: Apache-2.0
"""A fuzz target, and the test that plays its corpus."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_test")

def fuzz_target(name, srcs, deps, tags = [], **kwargs):
    """Makes THING_fuzz, a fuzzer, and THING_corpus_test.

    The fuzzer is built by `--config=clang` and `--config=fuzz` alone, which
    tests/fuzz/fuzz.py does.
    The test is of the usual compiler, and replays
    //tests/fuzz:corpus/THING.

    Args:
      name: THING_fuzz.
      srcs: a file that defines FuzzOne (fuzz_target.h).
      deps: of srcs.
      tags: of the test.
      **kwargs: of both.
    """
    thing = name[:-len("_fuzz")]
    deps = deps + ["//tests/fuzz:fuzz_target"]
    cc_binary(
        name = name,
        testonly = True,
        srcs = srcs + [
            "//tests/fuzz:fuzz_entry.cc",
            "//tests/fuzz:sodium_malloc.cc",
        ],
        linkopts = ["-fsanitize=fuzzer"],
        tags = ["manual"],
        deps = deps,
        **kwargs
    )
    cc_test(
        name = thing + "_corpus_test",
        size = "small",
        srcs = srcs + ["//tests/fuzz:replay_main.cc"],
        args = ["tests/fuzz/corpus/" + thing],
        data = ["//tests/fuzz:corpus_of_" + thing],
        tags = tags,
        deps = deps,
        **kwargs
    )
