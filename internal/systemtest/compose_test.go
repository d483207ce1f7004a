package systemtest

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	goyaml "github.com/goccy/go-yaml"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/worker"
)

// A compose file without changes must not open anything to other hosts.
func TestComposeIsClosedToOthers(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	var compose struct {
		Services map[string]struct {
			Ports       []string
			Environment map[string]string
		}
	}
	if err := goyaml.UnmarshalWithOptions(source, &compose, goyaml.AllowDuplicateMapKey()); err != nil {
		t.Fatal(err)
	}
	for name, service := range compose.Services {
		for _, port := range service.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s publishes %s on every interface", name, port)
			}
		}
	}
	if token := compose.Services["serve"].Environment["BALER_HTTP_TOKEN"]; !strings.HasPrefix(token, "${BALER_HTTP_TOKEN:?") {
		t.Errorf("serve starts with the token %q", token)
	}
	if found := regexp.MustCompile(`(?i)(password|token)\w*:?-`).FindString(string(source)); found != "" {
		t.Errorf("%q begins a default password", found)
	}
}

// A container that is killed while it hands back leaves its batches to their
// leases: compose has to wait for longer than the slowest stop.
func TestComposeWaitsForTheSlowestStop(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	var compose struct {
		Services map[string]struct {
			StopGracePeriod string `yaml:"stop_grace_period"`
		}
	}
	// A key that a merge brought in may be set again: the library takes it for a duplicate.
	if err := goyaml.UnmarshalWithOptions(source, &compose, goyaml.AllowDuplicateMapKey()); err != nil {
		t.Fatal(err)
	}
	grace := config.Config{}.WithDefaults(nil).Worker.Grace
	slowest := grace + worker.ReleaseTime + worker.ReleaseTime // handlers and the ledger, then the recorder
	for _, name := range []string{"worker", "serve"} {
		period, err := time.ParseDuration(compose.Services[name].StopGracePeriod)
		if err != nil || period <= slowest {
			t.Errorf("%s is killed after %s (%v), a stop may take %s + 2 × %s = %s", name, period, err, grace, worker.ReleaseTime, slowest)
		}
	}
}
