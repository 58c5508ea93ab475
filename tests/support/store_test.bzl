# SPDX-License-Identifier: Apache-2.0
"""A test that runs on plain stores and again on sealed ones."""

load("@rules_cc//cc:defs.bzl", "cc_test")

def store_test(name, **kwargs):
    """Makes NAME and NAME_sealed of the same sources.

    The second runs with STATECPP_TEST_SEALED set, by which TestKeys() and the
    programs that a test starts choose.

    Args:
      name: of the plain one.
      **kwargs: of cc_test.
    """
    cc_test(name = name, **kwargs)

    # The same binary: compiling every test twice would be most of a build.
    env = dict(kwargs.get("env", {}))
    env["STATECPP_TEST_SEALED"] = "1"
    native.sh_test(
        name = name + "_sealed",
        size = kwargs.get("size"),
        timeout = kwargs.get("timeout"),
        srcs = [":" + name],
        data = [":" + name] + kwargs.get("data", []),
        args = kwargs.get("args", []),
        env = env,
        flaky = kwargs.get("flaky", False),
        shard_count = kwargs.get("shard_count"),
        tags = kwargs.get("tags", []),
    )
