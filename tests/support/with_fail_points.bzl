# SPDX-License-Identifier: Apache-2.0
"""Programs that have what engine/fail_point.h describes."""

def _no_value(ctx):
    # What is asked is the flag itself.
    return []

fail_points_flag = rule(
    implementation = _no_value,
    build_setting = config.bool(flag = True),
)

def _turn_on(settings, attr):
    return {"//engine:fail_points": True}

_fail_points_on = transition(
    implementation = _turn_on,
    inputs = [],
    outputs = ["//engine:fail_points"],
)

def _with_fail_points(ctx):
    # Through a transition an attribute is a list.
    program = ctx.attr.program[0][DefaultInfo]
    link = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(
        output = link,
        target_file = program.files_to_run.executable,
        is_executable = True,
    )
    return [DefaultInfo(
        executable = link,
        runfiles = ctx.runfiles([link]).merge(program.default_runfiles),
    )]

with_fail_points = rule(
    implementation = _with_fail_points,
    doc = "The same program, but built with fail points and sabotages.",
    attrs = {
        "program": attr.label(
            cfg = _fail_points_on,
            executable = True,
            mandatory = True,
        ),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
    },
    executable = True,
)
