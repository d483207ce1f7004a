package doctor

import (
	"strings"
	"testing"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/signing"
	"github.com/balerhq/baler/tasks"
)

func TestKeysOfWorkersAreCompared(t *testing.T) {
	const first, second = "the first key of thirty-two characters", "the second key of thirty-two characters"
	ids := signing.New([]string{first, second}).IDs()
	for name, c := range map[string]struct {
		here   []string
		there  []string
		status Status
		detail string
	}{
		"both without":        {nil, nil, StatusOK, "messages are not signed"},
		"both with":           {[]string{first}, ids[:1], StatusOK, "messages are signed with key " + ids[0]},
		"during the exchange": {[]string{first, second}, []string{ids[1], ids[0]}, StatusOK, "2 verified here"},
		"only here":           {[]string{first}, nil, StatusError, "it accepts any message, and its own are refused"},
		"only there":          {nil, ids[:1], StatusError, "worker w refuses the messages of processes like this one"},
		"another one":         {[]string{first}, ids[1:], StatusError, "worker w refuses what is signed here with key " + ids[0]},
		"it is ahead":         {[]string{first}, []string{ids[1], ids[0]}, StatusError, "worker w signs with key " + ids[1]},
	} {
		d := doctor{cfg: config.Config{Redis: config.RedisSettings{URL: "redis://h", SigningKeys: c.here}}}
		checks := d.diagnoseSigning([]tasks.Worker{{Name: "w", SigningKeys: c.there}})
		if len(checks) != 1 || checks[0].Status != c.status || !strings.Contains(checks[0].Detail, c.detail) {
			t.Errorf("%s: %+v", name, checks)
		}
		if strings.Contains(checks[0].Detail, first) || strings.Contains(checks[0].Detail, second) {
			t.Errorf("%s: a key is shown", name)
		}
	}
	embedded := doctor{cfg: config.Config{Redis: config.RedisSettings{URL: "embedded"}}}
	if checks := embedded.diagnoseSigning(nil); len(checks) > 0 {
		t.Errorf("embedded: %+v", checks)
	}
}
