// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	componentsv1 "github.com/dapr/dapr/pkg/proto/components/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

const ourProtos = "../../api/proto"

type counterpart struct {
	file    protoreflect.FileDescriptor
	partial bool
	without []string
}

// upstream is what our hand-written files are held against. A partial file may
// lack messages and rpcs that we have no use for; what it has must be whole, but
// for the fields named here.
var upstream = []counterpart{
	{file: componentsv1.File_dapr_proto_components_v1_common_proto},
	{file: componentsv1.File_dapr_proto_components_v1_state_proto},
	{file: rpcstatus.File_google_rpc_status_proto},
	{file: errdetails.File_google_rpc_error_details_proto, partial: true, without: []string{
		"google.rpc.BadRequest.FieldViolation.reason = ",
		"google.rpc.BadRequest.FieldViolation.localized_message = ",
	}},
	{file: healthv1.File_grpc_health_v1_health_proto, partial: true},
}

func TestOurProtosAreTheOnesUpstreamSpeaks(t *testing.T) {
	ours := compile(t, ourProtos)
	for _, one := range upstream {
		for _, difference := range differences(ours[one.file.Path()], one) {
			t.Errorf("%s: %s", one.file.Path(), difference)
		}
	}
}

// The comparison has to bite: each of these slips must be found.
func TestASlipInOurProtosIsFound(t *testing.T) {
	const state = "dapr/proto/components/v1/state.proto"
	for name, slip := range map[string]struct{ file, old, new string }{
		"field number": {state, "bytes value = 2", "bytes value = 22"},
		"field name":   {state, "bytes value = 2", "bytes contents = 2"},
		"field type":   {state, "bytes value = 2", "string value = 2"},
		"field label":  {state, "repeated SetRequest items = 1", "SetRequest items = 1"},
		"enum value":   {state, "CONCURRENCY_FIRST_WRITE = 1", "CONCURRENCY_FIRST_WRITE = 3"},
		"service name": {state, "QueriableStateStore", "QueryableStateStore"},
		"rpc missing":  {state, "rpc Ping(PingRequest) returns (PingResponse) {}", ""},
		"package":      {"google/rpc/error_details.proto", "package google.rpc;", "package google.rpc.v1;"},
		"detail field": {"google/rpc/error_details.proto", "string domain = 2", "string domain = 4"},
		"status type":  {"google/rpc/status.proto", "int32 code = 1", "int64 code = 1"},
	} {
		t.Run(name, func(t *testing.T) {
			protos := t.TempDir()
			if err := os.CopyFS(protos, os.DirFS(ourProtos)); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(protos, slip.file)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(text), slip.old) {
				t.Fatalf("%s has no %q to get wrong", slip.file, slip.old)
			}
			wrong := strings.Replace(string(text), slip.old, slip.new, 1)
			if err := os.WriteFile(path, []byte(wrong), 0o600); err != nil {
				t.Fatal(err)
			}

			ours := compile(t, protos)
			found := 0
			for _, one := range upstream {
				found += len(differences(ours[one.file.Path()], one))
			}
			if found == 0 {
				t.Fatal("no difference was found")
			}
		})
	}
}

// compile returns our files by path, as the protoc that also feeds the C++
// build understands them.
func compile(t *testing.T, protos string) map[string]protoreflect.FileDescriptor {
	t.Helper()
	out := filepath.Join(t.TempDir(), "set")
	args := []string{"-I", protos, "--include_imports", "--descriptor_set_out", out}
	for _, one := range upstream {
		args = append(args, one.file.Path())
	}
	if text, err := exec.Command("/usr/bin/protoc", args...).CombinedOutput(); err != nil {
		t.Fatalf("protoc: %v\n%s", err, text)
	}
	raw, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(raw, &set); err != nil {
		t.Fatal(err)
	}
	files, err := protodesc.NewFiles(&set)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]protoreflect.FileDescriptor{}
	files.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		all[file.Path()] = file
		return true
	})
	return all
}

// differences compares two files statement by statement.
func differences(ours protoreflect.FileDescriptor, theirs counterpart) []string {
	us, them := statements(ours), statements(theirs.file)
	var found []string
	for owner := range us {
		for _, statement := range us[owner] {
			if !slices.Contains(them[owner], statement) {
				found = append(found, "upstream has no `"+statement+"`")
			}
		}
	}
	for owner := range them {
		for _, statement := range them[owner] {
			if !slices.Contains(us[owner], statement) && !theirs.mayBeMissing(us, owner, statement) {
				found = append(found, "we lack `"+statement+"`")
			}
		}
	}
	slices.Sort(found)
	return found
}

func (c counterpart) mayBeMissing(us map[protoreflect.FullName][]string, owner protoreflect.FullName, statement string) bool {
	_, declared := us[owner]
	named := func(field string) bool { return strings.Contains(statement, field) }
	return c.partial && (!declared || strings.HasPrefix(statement, "rpc ")) || slices.ContainsFunc(c.without, named)
}

// statements lists all that a file says and the wire depends on, by the message,
// enum or service that says it.
func statements(file protoreflect.FileDescriptor) map[protoreflect.FullName][]string {
	said := map[protoreflect.FullName][]string{
		file.Package(): {fmt.Sprintf("package %s, %s", file.Package(), file.Syntax())},
	}
	describeMessages(said, file.Messages())
	describeEnums(said, file.Enums())
	for i := range file.Services().Len() {
		service := file.Services().Get(i)
		name := service.FullName()
		said[name] = []string{"service " + string(name)}
		for j := range service.Methods().Len() {
			m := service.Methods().Get(j)
			said[name] = append(said[name], fmt.Sprintf("rpc %s(stream=%t %s) returns (stream=%t %s)", m.FullName(),
				m.IsStreamingClient(), m.Input().FullName(), m.IsStreamingServer(), m.Output().FullName()))
		}
	}
	return said
}

func describeMessages(said map[protoreflect.FullName][]string, messages protoreflect.MessageDescriptors) {
	for i := range messages.Len() {
		message := messages.Get(i)
		name := message.FullName()
		said[name] = []string{"message " + string(name)}
		for j := range message.Fields().Len() {
			said[name] = append(said[name], describeField(message.Fields().Get(j)))
		}
		describeMessages(said, message.Messages()) // the entries of maps are among them
		describeEnums(said, message.Enums())
	}
}

func describeField(field protoreflect.FieldDescriptor) string {
	kind := field.Kind().String()
	if of := field.Message(); of != nil {
		kind += " " + string(of.FullName())
	}
	if of := field.Enum(); of != nil {
		kind += " " + string(of.FullName())
	}
	text := fmt.Sprintf("%s %s %s = %d", field.Cardinality(), kind, field.FullName(), field.Number())
	if field.IsMap() {
		text += ", a map"
	}
	if field.IsPacked() {
		text += ", packed"
	}
	if of := field.ContainingOneof(); of != nil {
		text += ", in oneof " + string(of.Name())
	}
	return text
}

func describeEnums(said map[protoreflect.FullName][]string, enums protoreflect.EnumDescriptors) {
	for i := range enums.Len() {
		enum := enums.Get(i)
		name := enum.FullName()
		said[name] = []string{"enum " + string(name)}
		for j := range enum.Values().Len() {
			v := enum.Values().Get(j)
			said[name] = append(said[name], fmt.Sprintf("%s.%s = %d", name, v.Name(), v.Number()))
		}
	}
}
