#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Checks what deploy/ ships, as far as that goes without Docker or a cluster.

    check_deploy.py PROGRAM [TEST]...

PROGRAM is `statecpp`. deploy/README.md says what is run here and what is only
compared with its schema.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
DEPLOY = ROOT / "deploy"
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(DEPLOY / "debian"))
import tools  # noqa: E402

# There once this runs in the tools' environment.
try:
    import jsonschema
    import kubernetes_validate
    import yaml
except ImportError:
    pass

PROGRAM = None
KUBERNETES = ("1.29", "1.37")  # the oldest that the manifests name, and a new one
MANIFESTS = ("native-sidecar.yaml", "injected.yaml")
SERVICES = ("statecpp.service", "statecpp-backup.service")
OF_THE_BASE = {"libc6", "libgcc-s1", "libstdc++6"}


def output(*command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, **more)
    if done.returncode:
        raise AssertionError(f"{command} exited {done.returncode}:\n{done.stdout}")
    return done.stdout


def documents(name):
    with open(DEPLOY / name, encoding="utf-8") as file:
        return list(yaml.safe_load_all(file))


def of_kind(kinds, objects):
    return [one for one in objects if one["kind"] in kinds]


def workload(name):
    """The object that makes pods."""
    found, = of_kind(("StatefulSet", "Deployment"), documents(f"k8s/{name}"))
    return found


def container(name):
    """The container of statecpp, in the pod or in the component's annotation."""
    pod = workload(name)["spec"]["template"]["spec"]
    for one in pod.get("initContainers", ()):
        if one["name"] == "statecpp":
            return one
    component, = of_kind(("Component",), documents(f"k8s/{name}"))
    return json.loads(component["metadata"]["annotations"][
        "dapr.io/component-container"])


def backup_container(name):
    """The container that has backups made."""
    pod = workload(name)["spec"]["template"]["spec"]
    found, = (one for one in pod.get("initContainers", []) + pod["containers"]
              if one["name"] == "statecpp-backup")
    return found


def closed(schema):
    """That schema, taking no field that it does not name."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: closed(one) for name, one in schema.items()}
    if "properties" in made and "additionalProperties" not in made:
        made["additionalProperties"] = False
    return made


def known_flags(verb):
    return set(re.findall(r"--[a-z][a-z-]*", output(PROGRAM, verb, "--help")))


def flags_in(arguments):
    return {argument.split("=")[0] for argument in arguments
            if argument.startswith("--")}


class EveryShapeTest(unittest.TestCase):
    def images(self):
        compose, = documents("compose/compose.yaml")
        yield from (one["image"] for one in compose["services"].values())
        for name in MANIFESTS:
            pod = workload(name)["spec"]["template"]["spec"]
            yield from (one["image"] for one in pod["containers"])
            yield container(name)["image"]
            yield backup_container(name)["image"]
        yield from re.findall(r"(?m)^ARG DEBIAN=(\S+)", dockerfile())

    def test_no_image_is_of_no_version(self):
        for image in self.images():
            self.assertRegex(image, r":[\w.-]*\d[\w.-]*$")
            self.assertNotIn(":latest", image)

    def test_names_the_programs_version(self):
        version = output(PROGRAM, "version").split()[-1]
        self.assertIn(f"ARG VERSION={version}\n", dockerfile())
        changelog = (DEPLOY / "debian/changelog").read_text(encoding="utf-8")
        self.assertTrue(changelog.startswith(f"statecpp ({version})"))
        ours = [image for image in self.images() if "statecpp" in image]
        self.assertEqual(len(ours), 3 + 2 * 2 + 1)
        for image in ours:
            self.assertTrue(image.endswith(f"statecpp:{version}"), image)

    def test_names_no_flag_that_the_program_has_not(self):
        compose, = documents("compose/compose.yaml")
        given = [one["command"] for one in compose["services"].values()
                 if one["image"].startswith("statecpp:")]
        given += [re.search(r"^ExecStart=\S+ (.*)", unit(name), re.M)[1].split()
                  for name in SERVICES]
        for name in MANIFESTS:
            given += [container(name)["args"], backup_container(name)["args"]]
        self.assertEqual({arguments[0] for arguments in given},
                         {"serve", "keygen", "backup"})
        for arguments in given:
            self.assertLessEqual(flags_in(arguments), known_flags(arguments[0]))

    def test_every_shape_backs_up_all_stores_and_keeps_some(self):
        compose, = documents("compose/compose.yaml")
        flags = {"--all", "--into=/backup", "--keep=7", "--every=24h"}
        self.assertLessEqual(flags, set(compose["services"]["backup"]["command"]))
        for name in MANIFESTS:
            self.assertLessEqual(flags, set(backup_container(name)["args"]))

    def test_names_a_key_and_no_data_root_in_a_container(self):
        for name in MANIFESTS:
            self.assertIn("--data-root=/data", container(name)["args"])
            self.assertIn("--key-file=/keys/statecpp.key", container(name)["args"])


def dockerfile():
    return (DEPLOY / "docker/Dockerfile").read_text(encoding="utf-8")


def packages_of_image():
    listed = re.search(r"--no-install-recommends((?:[\s\\]+[a-z][\w.+-]*)+)",
                       dockerfile())[1]
    return set(listed.replace("\\", " ").split())


class ImageTest(unittest.TestCase):
    def test_hadolint_finds_nothing(self):
        self.assertEqual(output(tools.environment() / "bin/hadolint",
                                DEPLOY / "docker/Dockerfile"), "")

    def test_has_the_libraries_of_the_program_and_no_others(self):
        with tempfile.TemporaryDirectory() as folder:
            tree = pathlib.Path(folder)
            (tree / "debian").mkdir()
            (tree / "debian/control").write_text("Source: statecpp\n")
            said = output("dpkg-shlibdeps", "-O", "--warnings=0", PROGRAM, cwd=tree)
        needed = said.split("shlibs:Depends=", 1)[1].splitlines()[0]
        needed = {one.split()[0] for one in needed.split(", ")}
        self.assertEqual(packages_of_image(), needed - OF_THE_BASE)

    def test_apt_would_install_its_packages(self):
        output("apt-get", "install", "--simulate", "--no-install-recommends",
               *packages_of_image())

    def test_is_built_as_everybody_builds(self):
        self.assertIn("RUN ./dev build ", dockerfile())
        for name in ("LICENSE", "NOTICE", "dev"):
            self.assertTrue((ROOT / name).exists())

    def test_runs_as_the_user_of_daprds_images(self):
        last = dockerfile().rsplit("\nFROM ", 1)[1]
        self.assertEqual(re.findall(r"^USER (.*)$", last, re.M), ["65532:65532"])
        self.assertIn("-o 65532 -g 65532", last)


class ComposeTest(unittest.TestCase):
    def setUp(self):
        self.compose, = documents("compose/compose.yaml")
        self.services = self.compose["services"]

    def test_is_valid_by_composes_own_schema(self):
        schema = json.loads((tools.go_module(tools.COMPOSE) /
                             "schema/compose-spec.json").read_text("utf-8"))
        jsonschema.validators.validator_for(schema)(schema).validate(self.compose)

    def test_takes_the_daprd_that_the_tests_run(self):
        pinned = re.search(r"github.com/dapr/dapr v(\S+)",
                           (ROOT / "tests/dapr/go.mod").read_text())[1]
        for name in ("order-dapr", "billing-dapr"):
            self.assertEqual(self.services[name]["image"], f"daprio/daprd:{pinned}")

    def test_starts_each_daprd_when_the_store_answers(self):
        self.assertEqual(self.services["statecpp"]["healthcheck"]["test"],
                         ["CMD", "/usr/bin/statecpp", "health"])
        for name in ("order-dapr", "billing-dapr"):
            self.assertEqual(self.services[name]["depends_on"]["statecpp"],
                             {"condition": "service_healthy"})

    def test_each_pair_meets_at_the_sockets_and_on_localhost(self):
        folder = "dapr-sockets:/tmp/dapr-components-sockets"
        for name in ("statecpp", "order-dapr", "billing-dapr"):
            self.assertIn(folder, self.services[name]["volumes"])
        for app in ("order", "billing"):
            self.assertEqual(self.services[f"{app}-dapr"]["network_mode"],
                             f"service:{app}")

    def test_every_file_and_volume_that_it_names_is_there(self):
        here = DEPLOY / "compose"
        for service_ in self.services.values():
            for source in (one.split(":")[0] for one in service_["volumes"]):
                there = (here / source).exists() if source.startswith(".") \
                    else source in self.compose["volumes"]
                self.assertTrue(there, source)
            for option in service_.get("security_opt", ()):
                if option.startswith("seccomp:"):
                    self.assertTrue((here / option.split(":")[1]).is_file())

    def test_keeps_the_key_apart_from_the_data(self):
        volumes = self.services["statecpp"]["volumes"]
        self.assertIn("state-key:/keys:ro", volumes)
        self.assertIn("state-data:/data", volumes)

    def test_gives_no_privilege(self):
        for name in ("statecpp", "keygen", "backup", "order-dapr", "billing-dapr"):
            one = self.services[name]
            self.assertEqual((one["user"], one["read_only"], one["cap_drop"]),
                             ("65532:65532", True, ["ALL"]), name)
            self.assertIn("no-new-privileges:true", one["security_opt"])
        self.assertEqual(self.services["statecpp"]["network_mode"], "none")

    def test_the_backups_container_has_the_servers_folders_and_no_key(self):
        volumes = self.services["backup"]["volumes"]
        self.assertEqual(volumes, ["state-data:/data", "state-backup:/backup"])
        self.assertLessEqual(set(volumes), set(self.services["statecpp"]["volumes"]))
        self.assertEqual(self.services["backup"]["depends_on"],
                         {"statecpp": {"condition": "service_healthy"}})


class KubernetesTest(unittest.TestCase):
    def test_every_object_is_valid_by_kubernetes_schemas(self):
        for name in MANIFESTS:
            for one in documents(f"k8s/{name}"):
                for version in KUBERNETES if one["kind"] != "Component" else ():
                    kubernetes_validate.validate(one, version, strict=True)

    def test_the_injected_container_is_valid_too(self):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"},
               "spec": {"containers": [container("injected.yaml")]}}
        for version in KUBERNETES:
            kubernetes_validate.validate(pod, version, strict=True)

    def test_every_component_is_valid_by_daprs_schema(self):
        dapr = tools.go_module("github.com/dapr/dapr", ROOT / "tests/dapr")
        crd = yaml.safe_load((dapr / "charts/dapr/crds/components.yaml").read_text())
        schema = closed(crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
        schema["properties"]["metadata"] = {"type": "object"}
        files = [f"k8s/{name}" for name in MANIFESTS]
        for name in files + ["compose/components/statestore.yaml"]:
            component, = of_kind(("Component",), documents(name))
            jsonschema.Draft202012Validator(schema).validate(component)
            self.assertEqual(component["spec"]["type"], "state.cpp")

    def test_the_pod_monitor_is_valid_and_finds_the_port(self):
        operator = tools.go_module(tools.PROMETHEUS_OPERATOR)
        crd = yaml.safe_load((operator / "example/prometheus-operator-crd" /
                              "monitoring.coreos.com_podmonitors.yaml").read_text())
        schema = closed(crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
        schema["properties"]["metadata"] = {"type": "object"}
        monitor, = documents("k8s/podmonitor.yaml")
        jsonschema.Draft202012Validator(schema).validate(monitor)
        # Where the address's flag and the alerts' job expect them.
        made = workload("native-sidecar.yaml")["spec"]["template"]
        self.assertEqual(monitor["spec"]["selector"]["matchLabels"],
                         made["metadata"]["labels"])
        endpoint, = monitor["spec"]["podMetricsEndpoints"]
        port, = container("native-sidecar.yaml")["ports"]
        self.assertEqual(endpoint["port"], port["name"])
        self.assertIn(f"--metrics-address=0.0.0.0:{port['containerPort']}",
                      container("native-sidecar.yaml")["args"])
        self.assertIn("statecpp", monitor["metadata"]["name"])

    def test_the_state_is_on_a_claim_and_all_mounts_are_declared(self):
        for name in MANIFESTS:
            made = workload(name)["spec"]
            declared = {one["name"] for one in made["template"]["spec"]["volumes"]}
            claims = {one["metadata"]["name"]
                      for one in made.get("volumeClaimTemplates", ())}
            claims |= {one["name"] for one in made["template"]["spec"]["volumes"]
                       if "persistentVolumeClaim" in one}
            mounts = {one["mountPath"]: one["name"]
                      for one in container(name)["volumeMounts"]}
            self.assertIn(mounts["/data"], claims, name)
            self.assertIn(mounts["/backup"], claims, name)
            self.assertNotEqual(mounts["/data"], mounts["/backup"], name)
            # Which are those of whoever has the server make backups.
            del mounts["/keys"]
            mounts.pop("/tmp/dapr-components-sockets", None)
            self.assertEqual(mounts, {
                one["mountPath"]: one["name"]
                for one in backup_container(name)["volumeMounts"]}, name)
            mounts = {one["mountPath"]: one["name"]
                      for one in container(name)["volumeMounts"]}
            self.assertLessEqual(set(mounts.values()), declared | claims, name)

    def test_no_two_pods_have_one_store(self):
        for name in MANIFESTS:
            made = workload(name)
            self.assertEqual(made["spec"]["replicas"], 1)
            if made["kind"] == "Deployment":
                self.assertEqual(made["spec"]["strategy"], {"type": "Recreate"})
            claims = of_kind(("PersistentVolumeClaim",), documents(f"k8s/{name}"))
            for claim in claims + made["spec"].get("volumeClaimTemplates", []):
                self.assertEqual(claim["spec"]["accessModes"], ["ReadWriteOncePod"])

    def test_statecpp_is_there_before_daprd_and_after_it(self):
        pod = workload("native-sidecar.yaml")["spec"]["template"]
        annotations = pod["metadata"]["annotations"]
        self.assertEqual(annotations["dapr.io/enable-native-sidecar"], "true")
        first, second = pod["spec"]["initContainers"]
        self.assertEqual((first["name"], first["restartPolicy"]),
                         ("statecpp", "Always"))
        self.assertEqual(first["startupProbe"]["exec"]["command"],
                         ["/usr/bin/statecpp", "health"])
        # Nothing waits for a backup.
        self.assertEqual((second["name"], second["restartPolicy"]),
                         ("statecpp-backup", "Always"))
        self.assertNotIn("startupProbe", second)

    def test_gives_no_privilege(self):
        for name in MANIFESTS:
            for one in (container(name), backup_container(name)):
                self.assertEqual(one["securityContext"], {
                    "runAsNonRoot": True, "runAsUser": 65532, "runAsGroup": 65532,
                    "readOnlyRootFilesystem": True,
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]}})
            pod = workload(name)["spec"]["template"]["spec"]
            self.assertEqual(pod["securityContext"]["fsGroup"], 65532)

    def test_nobody_else_may_read_the_key(self):
        for name in MANIFESTS:
            pod = workload(name)["spec"]["template"]["spec"]
            key, = (one["secret"] for one in pod["volumes"] if "secret" in one)
            self.assertEqual(key["defaultMode"], 0o440)


def unit(name):
    return (DEPLOY / "systemd" / name).read_text(encoding="utf-8")


class ServiceTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.units = []
        for name in SERVICES + ("statecpp-backup.timer",):
            self.units.append(pathlib.Path(folder.name, name))
            # systemd looks whether the program is there.
            self.units[-1].write_text(
                unit(name).replace("/usr/bin/statecpp", str(PROGRAM)))

    def test_systemd_understands_all_of_it(self):
        self.assertEqual(
            output("systemd-analyze", "verify", "--man=no", *self.units), "")

    def test_systemd_finds_little_that_is_exposed(self):
        # In tenths: of 10 that a service may have, none has less than 0.2 that
        # keeps its users as they are.
        for one in self.units[:len(SERVICES)]:
            output("systemd-analyze", "security", "--offline=true",
                   "--threshold=6", "--no-pager", one)

    def test_a_backup_goes_where_both_services_may_write(self):
        into = re.search(r"--into=%S/(\S+)", unit("statecpp-backup.service"))[1]
        for name in SERVICES:
            made = re.search(r"^StateDirectory=(.*)$", unit(name), re.M)[1]
            self.assertIn(into, made.split())


class PackageTest(unittest.TestCase):
    # Debian 12's services need no init.d script. In Abseil's flags stands UpTo.
    EXCUSED = ("package-supports-alternative-init-but-no-init.d-script,"
               "spelling-error-in-binary")

    @classmethod
    def setUpClass(cls):
        import make_deb
        cls.make = staticmethod(make_deb.make)
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.package = make_deb.make(PROGRAM, folder.name)

    def test_lintian_finds_nothing(self):
        self.assertEqual(
            output("lintian", "--no-cfg", "--allow-root", "--display-info",
                   f"--suppress-tags={self.EXCUSED}",
                   "--fail-on=error,warning,info", self.package), "")

    def test_is_the_same_when_it_is_made_again(self):
        with tempfile.TemporaryDirectory() as folder:
            again = self.make(PROGRAM, folder)
            self.assertEqual(again.read_bytes(), self.package.read_bytes())

    def test_apt_would_install_it(self):
        said = output("apt-get", "install", "--simulate", "--no-install-recommends",
                      self.package)
        self.assertRegex(said, r"(?m)^Inst statecpp ")

    def test_its_service_serves_in_a_machine_of_its_own(self):
        with tempfile.TemporaryDirectory() as folder:
            for source in (HERE / "package_trial.py",
                           ROOT / "tests/hostile/http2.py", self.package):
                shutil.copy(source, folder)
            done = subprocess.run(
                [HERE / "trial_machine.sh", folder, "./package_trial.py"],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode == 125 or os.geteuid() != 0:
            self.skipTest("needs root, to make namespaces and an overlay")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout, r"(?m)^Ran \d\d tests")


class Aloud(unittest.TextTestResult):
    """Says of a test that was skipped that it was, and why."""

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        print(f"SKIPPED: {test.id()}: {reason}", file=sys.stderr)


def main():
    global PROGRAM
    if len(sys.argv) < 2:
        sys.exit("usage: check_deploy.py PROGRAM [TEST]...")
    if "yaml" not in globals() or "kubernetes_validate" not in globals():
        python = str(tools.environment() / "bin/python3")
        if sys.executable == python:
            sys.exit(f"{python} lacks what was installed for it; remove its folder")
        os.execv(python, [python, "-B", str(HERE / "check_deploy.py"), *sys.argv[1:]])
    PROGRAM = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(testRunner=unittest.TextTestRunner(resultclass=Aloud))


if __name__ == "__main__":
    main()
