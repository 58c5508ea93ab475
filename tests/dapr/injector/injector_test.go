// SPDX-License-Identifier: Apache-2.0

// Package injector_test asks Dapr's own injector what it makes of the pods in
// deploy/k8s: whether each gets the volumes, the folder and the order that
// deploy/README.md promises, and whether each trap named there is one.
package injector_test

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"

	components "github.com/dapr/dapr/pkg/apis/components/v1alpha1"
	"github.com/dapr/dapr/pkg/injector/patcher"
)

const socketsFolder = "/tmp/dapr-components-sockets"

// A manifest is what the injector looks at in one of our files.
type manifest struct {
	pod        corev1.Pod
	components []components.Component
}

func read(t *testing.T, name string) (m manifest) {
	t.Helper()
	file, err := os.Open(filepath.Join("..", "..", "..", "deploy", "k8s", name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	decoder := yaml.NewYAMLOrJSONDecoder(file, 4096)
	for {
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err == io.EOF {
			return m
		} else if err != nil {
			t.Fatal(err)
		}
		m.add(t, raw)
	}
}

func (m *manifest) add(t *testing.T, raw []byte) {
	t.Helper()
	var kind metav1.TypeMeta
	decode(t, raw, &kind)
	switch kind.Kind {
	case "Component":
		var one components.Component
		decode(t, raw, &one)
		m.components = append(m.components, one)
	case "StatefulSet", "Deployment":
		var workload struct {
			Spec struct {
				Template             corev1.PodTemplateSpec
				VolumeClaimTemplates []corev1.PersistentVolumeClaim
			}
		}
		decode(t, raw, &workload)
		m.pod = corev1.Pod{
			ObjectMeta: workload.Spec.Template.ObjectMeta, Spec: workload.Spec.Template.Spec}
		// As the StatefulSet's controller does, before the injector sees the pod.
		for _, claim := range workload.Spec.VolumeClaimTemplates {
			m.pod.Spec.Volumes = append(m.pod.Spec.Volumes, corev1.Volume{
				Name: claim.Name, VolumeSource: corev1.VolumeSource{
					PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim.Name + "-order-0"}}})
		}
	}
}

func decode(t *testing.T, raw []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatal(err)
	}
}

// injected is the pod as Kubernetes would run it.
func (m *manifest) injected(t *testing.T) corev1.Pod {
	t.Helper()
	config := patcher.NewSidecarConfig(&m.pod)
	config.Namespace = "default"
	config.SidecarImage = "daprio/daprd"
	config.GetInjectedComponentContainers = func(appID, _ string) ([]corev1.Container, error) {
		return patcher.Injectable(appID, m.components), nil
	}
	config.SetFromPodAnnotations()
	patch, err := config.GetPatch()
	if err != nil {
		t.Fatal(err)
	}
	before, err := json.Marshal(m.pod)
	if err != nil {
		t.Fatal(err)
	}
	after, err := patch.Apply(before)
	if err != nil {
		t.Fatal(err)
	}
	var pod corev1.Pod
	decode(t, after, &pod)
	return pod
}

func find(t *testing.T, containers []corev1.Container, name string) corev1.Container {
	t.Helper()
	at := slices.IndexFunc(containers, func(one corev1.Container) bool { return one.Name == name })
	if at < 0 {
		t.Fatalf("no container %s", name)
	}
	return containers[at]
}

// mount is the volume that the container has there.
func mount(t *testing.T, pod corev1.Pod, container corev1.Container, path string) corev1.Volume {
	t.Helper()
	for _, one := range container.VolumeMounts {
		for _, volume := range pod.Spec.Volumes {
			if one.MountPath == path && one.Name == volume.Name {
				return volume
			}
		}
	}
	t.Fatalf("%s has nothing at %s: %v", container.Name, path, container.VolumeMounts)
	return corev1.Volume{}
}

// State and backups are on two claims, which the container that has backups made
// shares with the server.
func wantClaims(t *testing.T, pod corev1.Pod, store, backup corev1.Container) {
	t.Helper()
	for _, path := range []string{"/data", "/backup"} {
		volume := mount(t, pod, store, path)
		if volume.PersistentVolumeClaim == nil {
			t.Errorf("%s is no claim: %+v", volume.Name, volume.VolumeSource)
		}
		if its := mount(t, pod, backup, path); its.Name != volume.Name {
			t.Errorf("%s is %s for the server and %s beside it", path, volume.Name, its.Name)
		}
	}
}

func variable(container corev1.Container, name string) (value string) {
	for _, one := range container.Env {
		if one.Name == name {
			value = one.Value
		}
	}
	return value
}

func TestTheNativeSidecarStartsBeforeDaprdAndSharesItsFolder(t *testing.T) {
	m := read(t, "native-sidecar.yaml")
	pod := m.injected(t)
	var order []string
	for _, one := range pod.Spec.InitContainers {
		order = append(order, one.Name)
		if one.RestartPolicy == nil || *one.RestartPolicy != corev1.ContainerRestartPolicyAlways {
			t.Errorf("%s is no native sidecar", one.Name)
		}
	}
	if !slices.Equal(order, []string{"statecpp", "statecpp-backup", "daprd"}) {
		t.Fatalf("they start in the order %v", order)
	}
	store, daprd := pod.Spec.InitContainers[0], pod.Spec.InitContainers[2]
	if ours, daprds := mount(t, pod, store, socketsFolder), mount(t, pod, daprd, socketsFolder); ours.Name != daprds.Name {
		t.Errorf("statecpp's sockets are in %s, daprd looks into %s", ours.Name, daprds.Name)
	}
	wantClaims(t, pod, store, pod.Spec.InitContainers[1])
}

func TestTheInjectedContainerHasTheClaimTheKeyAndDaprdsFolder(t *testing.T) {
	m := read(t, "injected.yaml")
	pod := m.injected(t)
	store, daprd := find(t, pod.Spec.Containers, "statecpp"), find(t, pod.Spec.Containers, "daprd")
	wantClaims(t, pod, store, find(t, pod.Spec.Containers, "statecpp-backup"))
	if key := mount(t, pod, store, "/keys"); key.Secret == nil {
		t.Errorf("the key's volume is %+v", key)
	}
	if ours, daprds := mount(t, pod, store, socketsFolder), mount(t, pod, daprd, socketsFolder); ours.Name != daprds.Name {
		t.Errorf("statecpp's sockets are in %s, daprd looks into %s", ours.Name, daprds.Name)
	}
	// One of the names by which statecpp asks for its folder.
	if folder := variable(store, "DAPR_COMPONENT_SOCKETS_FOLDER"); folder != socketsFolder {
		t.Errorf("statecpp is told %q", folder)
	}
}

// --- The traps: should Dapr take one away, its sentence in deploy goes as well.

func TestTrapAVolumeThatThePodDoesNotDeclareIsAnEmptyFolder(t *testing.T) {
	m := read(t, "injected.yaml")
	m.pod.Spec.Volumes = slices.DeleteFunc(m.pod.Spec.Volumes,
		func(one corev1.Volume) bool { return one.Name == "state-data" })
	pod := m.injected(t)
	if data := mount(t, pod, find(t, pod.Spec.Containers, "statecpp"), "/data"); data.EmptyDir == nil {
		t.Errorf("it is %+v", data)
	}
}

func TestTrapOfTwoComponentsWithOneImageOneIsInjected(t *testing.T) {
	m := read(t, "injected.yaml")
	second := m.components[0].DeepCopy()
	second.Name = "other"
	const key = "dapr.io/component-container"
	second.Annotations[key] = strings.Replace(second.Annotations[key], `"statecpp"`, `"other"`, 1)
	m.components = append(m.components, *second)
	if got := patcher.Injectable("order", m.components); len(got) != 1 || got[0].Name != "statecpp" {
		t.Errorf("it injects %d", len(got))
	}
}

func TestTrapAFolderByAnnotationDoesNotReachDaprd(t *testing.T) {
	m := read(t, "injected.yaml")
	m.pod.Annotations["dapr.io/pluggable-components-sockets-folder"] = "/sockets"
	pod := m.injected(t)
	daprd := find(t, pod.Spec.Containers, "daprd")
	if folder := variable(daprd, "DAPR_COMPONENTS_SOCKETS_FOLDER"); folder != "" {
		t.Errorf("daprd is told %q, by the name that it reads", folder)
	}
	if folder := variable(daprd, "DAPR_COMPONENT_SOCKETS_FOLDER"); folder != "/sockets" {
		t.Errorf("daprd is told %q, by the name that it does not read", folder)
	}
}

func TestTrapNothingMakesDaprdWaitForAnInjectedContainer(t *testing.T) {
	m := read(t, "injected.yaml")
	pod := m.injected(t)
	at := func(name string) int {
		return slices.IndexFunc(pod.Spec.Containers, func(one corev1.Container) bool { return one.Name == name })
	}
	if at("daprd") > at("statecpp") {
		t.Errorf("daprd is started after statecpp: %d, %d", at("daprd"), at("statecpp"))
	}
}
