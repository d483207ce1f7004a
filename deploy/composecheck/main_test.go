package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// Without a container engine the script says so and checks the file.
func TestScriptWithoutAnEngine(t *testing.T) {
	bin := t.TempDir()
	for name, script := range map[string]string{"": "", "docker": "#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2\nexit 1\n"} {
		if name != "" {
			testkit.Must(t, os.WriteFile(filepath.Join(bin, name), []byte(script), 0o700))
		}
		cmd := exec.CommandContext(t.Context(), "../compose-check")
		path := os.Getenv("PATH")
		if name != "" {
			path = bin + ":" + path
		}
		cmd.Env = append(os.Environ(), "PATH="+path, "DOCKER_HOST=unix:///nowhere.sock")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v:\n%s", err, out)
		}
		for _, want := range []string{"docker", "is as it should be; nothing was started"} {
			if !strings.Contains(string(out), want) {
				t.Errorf("it does not say %q:\n%s", want, out)
			}
		}
	}
}

func TestMistakesAreFound(t *testing.T) {
	text, err := os.ReadFile("../../docker-compose.yml")
	testkit.Must(t, err)
	testkit.Must(t, check(text))
	for _, c := range []struct{ replace, by, want string }{
		{"image: redis:7", "", "service redis: it has no image"},
		{"- 127.0.0.1:${BALER_PORT", "- ${BALER_PORT", "on every interface"},
		{"condition: service_completed_successfully", "condition: finished", `its condition on migrate is "finished"`},
		{"  redis:\n    image", "  valkey:\n    image", "the service redis is missing"},
		{"- redis:/data", "- elsewhere:/data", "its volume elsewhere is not defined"},
		{"BALER_WORKER_ADMIN_LISTEN", "BALER_ADMIN_LISTEN", "no setting is called BALER_ADMIN_LISTEN"},
		{`test: ["CMD-SHELL", "redis-cli ping | grep -q PONG"]`, "disable: true", "until redis is healthy, which has no health check"},
		{"services:", "services: [", "it is no compose file"},
	} {
		if !strings.Contains(string(text), c.replace) {
			t.Errorf("the file has no %q", c.replace)
			continue
		}
		err := check([]byte(strings.Replace(string(text), c.replace, c.by, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q by %q: %v, want %q", c.replace, c.by, err, c.want)
		}
	}
}

func TestSummary(t *testing.T) {
	const good = `{"type":"summary","state":"completed","files":3,"finished":3,"results":{"succeeded":3},"steps":[{"step":"a","routed":3,"done":3}]}`
	for text, want := range map[string]string{
		good: "",
		strings.Replace(good, "completed", "running", 1):        "is running",
		strings.Replace(good, `"files":3`, `"files":2`, 1):      "files 2, finished 3, and 3 were submitted",
		strings.Replace(good, `"succeeded":3`, `"failed":3`, 1): "3 results are failures",
		strings.Replace(good, `"done":3`, `"done":2`, 1):        "step a: 2 of 3 files are done",
		"": "the summary",
	} {
		var out, errs bytes.Buffer
		code := run([]string{"--summary", "3"}, strings.NewReader(text), &out, &errs)
		if (want == "") != (code == 0) || !strings.Contains(errs.String(), want) {
			t.Errorf("%s: code %d, %q, want %q", text, code, errs.String(), want)
		}
	}
	if code := run(nil, nil, &bytes.Buffer{}, &bytes.Buffer{}); code != 2 {
		t.Errorf("without arguments: code %d", code)
	}
}
