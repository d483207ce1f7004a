package systemtest

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	goyaml "github.com/goccy/go-yaml"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/worker"
)

// composeFile is the part of docker-compose.yml that the tests check.
type composeFile struct {
	Services map[string]struct {
		Ports           []string
		Environment     map[string]string
		StopGracePeriod string `yaml:"stop_grace_period"`
	}
}

func readCompose(t *testing.T) (source []byte, compose composeFile) {
	t.Helper()
	source, err := os.ReadFile("../../docker-compose.yml")
	testkit.Must(t, err)
	// A key that a merge brought in may be set again: the library takes it for a duplicate.
	testkit.Must(t, goyaml.UnmarshalWithOptions(source, &compose, goyaml.AllowDuplicateMapKey()))
	return source, compose
}

// docker-compose.yml as it is must not publish a port to other hosts.
func TestComposeIsClosedToOthers(t *testing.T) {
	t.Parallel()
	source, compose := readCompose(t)
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
		t.Errorf("%q is the beginning of a default password", found)
	}
}

// When a container is killed while it releases its batches, they wait until their leases
// expire. So compose must wait for longer than the slowest stop.
func TestComposeWaitsForTheSlowestStop(t *testing.T) {
	t.Parallel()
	_, compose := readCompose(t)
	grace := config.Config{}.WithDefaults(nil).Worker.Grace
	slowest := grace + worker.StopTime + worker.StopTime // handlers and the ledger, then the recorder
	for _, name := range []string{"worker", "serve"} {
		period, err := time.ParseDuration(compose.Services[name].StopGracePeriod)
		if err != nil || period <= slowest {
			t.Errorf("%s is killed after %s (%v), a stop may take %s + 2 × %s = %s", name, period, err, grace, worker.StopTime, slowest)
		}
	}
}
