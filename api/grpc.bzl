"""Compiles .proto files with Debian's protoc into a cc_library.

cc_proto_library would want a com_google_protobuf repository, which an offline
Bazel has not; a genrule and the system's protoc do the same.
"""

load("@rules_cc//cc:defs.bzl", "cc_library")

def cc_grpc_library(name, protos, services = [], deps = [], visibility = None):
    """A library of the messages in `protos` and the stubs of `services`.

    Args:
      name: of the cc_library.
      protos: files below this package's folder `proto/`, named as they import
        each other.
      services: those of `protos` that declare services.
      deps: libraries that generated code needs.
      visibility: of the cc_library.
    """
    outs = []
    for proto in protos:
        stem = proto[:-len(".proto")]
        outs += [stem + ".pb.h", stem + ".pb.cc"]
        if proto in services:
            outs += [stem + ".grpc.pb.h", stem + ".grpc.pb.cc"]

    plain = [p for p in protos if p not in services]
    commands = []
    protoc = "/usr/bin/protoc -I {0}/proto --cpp_out=$(RULEDIR)/{{}} ".format(native.package_name())
    root = "generated"
    commands.append("mkdir -p $(RULEDIR)/" + root)
    if plain:
        commands.append(protoc.format(root) + " ".join(plain))
    if services:
        commands.append(
            protoc.format(root) +
            "--plugin=protoc-gen-grpc=/usr/bin/grpc_cpp_plugin --grpc_out=$(RULEDIR)/{} ".format(root) +
            " ".join(services),
        )
    native.genrule(
        name = name + "_generated",
        srcs = ["proto/" + p for p in protos],
        outs = [root + "/" + o for o in outs],
        cmd = " && ".join(commands),
    )
    cc_library(
        name = name,
        srcs = [root + "/" + o for o in outs if o.endswith(".cc")],
        hdrs = [root + "/" + o for o in outs if o.endswith(".h")],
        # The generated code is protoc's; our warnings are not for it.
        copts = ["-w"],
        includes = [root],
        visibility = visibility,
        deps = deps,
    )
