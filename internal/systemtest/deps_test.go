package systemtest

import (
	"os/exec"
	"strings"
	"testing"
)

// dependencies lists the packages that some packages need, themselves included.
func dependencies(t *testing.T, packages ...string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-deps"}, packages...)...)
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return strings.Fields(string(out))
}

func forbid(t *testing.T, packages, words []string) {
	t.Helper()
	for _, p := range dependencies(t, packages...) {
		for _, word := range words {
			if strings.Contains(p, word) {
				t.Errorf("%v need %s", packages, p)
			}
		}
	}
}

// The packages for authors of handlers need no database, queue or metrics library. Beside
// the standard library they need only golang.org/x/sys, which opens files on Linux.
func TestContractNeedsTheStandardLibraryOnly(t *testing.T) {
	t.Parallel()
	for _, p := range dependencies(t, "./handlers", "./handlers/handlertest", "./tasks") {
		first, _, _ := strings.Cut(p, "/")
		if strings.Contains(first, ".") && p != "golang.org/x/sys/unix" && !strings.HasPrefix(p, "github.com/balerhq/baler/") {
			t.Errorf("the contract needs %s", p)
		}
	}
	forbid(t, []string{"./handlers", "./handlers/handlertest", "./handlers/command", "./tasks", "./recipe"},
		[]string{"gorm", "mysql", "sqlite", "asynq", "redis", "prometheus", "opentelemetry"})
}

// A producer over HTTP needs the standard library alone.
func TestClientNeedsTheStandardLibraryOnly(t *testing.T) {
	t.Parallel()
	for _, p := range dependencies(t, "./client") {
		first, _, _ := strings.Cut(p, "/")
		if strings.Contains(first, ".") && p != "github.com/balerhq/baler/client" {
			t.Errorf("the client needs %s", p)
		}
	}
}

// A worker links the handlers that it registers, and no others.
func TestWorkerLinksOnlyItsHandlers(t *testing.T) {
	t.Parallel()
	forbid(t, []string{".", "./handlers", "./handlers/handlertest", "./handlers/builtin/checksum"},
		[]string{"siegfried", "pdfcpu", "golang.org/x/image"})
}
