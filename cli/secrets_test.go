package cli

import (
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

// For any mistake in an address, the program's messages do not show the secret.
func TestSecretsAreNotShown(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.env = append(s.env, "BALER_LOG_LEVEL=debug")
	s.file("in/a", "a")
	for _, address := range testkit.CanaryURLs() {
		for _, args := range [][]string{
			{"run", "--webhook", address, s.path("in")},
			{"submit", "--webhook=" + address, s.path("in")},
			{"doctor", "--redis", address, "--json"},
			{"doctor", "--database", address},
			{"bench", "commit", "--database", address},
			{"serve", "--listen", address},
		} {
			r := s.do(args...)
			if said := r.stdout + r.stderr; strings.Contains(strings.ToLower(said), strings.ToLower(testkit.Canary)) {
				t.Errorf("baler %s:\n%s", strings.Join(args, " "), said)
			}
		}
	}
}
