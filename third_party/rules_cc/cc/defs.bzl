"""The names of rules_cc, bound to Bazel's native rules.

Under another Bazel, point the repository `rules_cc` at the real thing: no BUILD
file of this project changes.
"""

cc_binary = native.cc_binary
cc_import = native.cc_import
cc_library = native.cc_library
cc_test = native.cc_test
cc_toolchain = native.cc_toolchain
cc_toolchain_suite = native.cc_toolchain_suite
