package config_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/config"
)

func TestDelaysThatDoNotFit(t *testing.T) {
	t.Parallel()
	const longest = time.Duration(math.MaxInt64)
	for name, tc := range map[string]struct {
		change func(c *config.Config)
		wants  string // what the message must say, parted by |; empty when all is well
	}{
		"the shortest grace":       {func(c *config.Config) { c.Worker.Grace = 1250 * time.Millisecond }, ""},
		"a shorter grace":          {func(c *config.Config) { c.Worker.Grace = 1249 * time.Millisecond }, "worker.grace: 1.249s is too short|250ms + 1s = 1.25s, so set 1.25s or more"},
		"late results":             {func(c *config.Config) { c.Record.MaxDelay = 29*time.Second + 1 }, "worker.grace: 30s is|29.000000001s + 1s = 30.000000001s"},
		"results that never come":  {func(c *config.Config) { c.Record.MaxDelay = longest }, "worker.grace: 30s"},
		"a long handler":           {func(c *config.Config) { c.Handlers = map[string]config.HandlerSettings{"x": {Timeout: time.Hour}} }, ""},
		"a group beyond the grace": {func(c *config.Config) { c.Group.MaxDelay = time.Minute }, ""},
		"the shortest lag":         {func(c *config.Config) { c.Dispatch.Lag = 1500*time.Millisecond + 1 }, ""},
		"a shorter lag":            {func(c *config.Config) { c.Dispatch.Lag = 1500 * time.Millisecond }, "dispatch.lag: 1.5s is too short|500ms + 1s = 1.5s|set more than 1.5s"},
		"late groups":              {func(c *config.Config) { c.Group.MaxDelay = 2 * time.Minute }, "dispatch.lag: 2m0s is|2m0s + 1s = 2m1s"},
		"groups that never come":   {func(c *config.Config) { c.Group.MaxDelay, c.Group.Grace = longest, longest }, "dispatch.lag: 2m0s"},
		"the shortest resend":      {func(c *config.Config) { c.Dispatch.Resend = 100 * time.Millisecond }, ""},
		"a shorter resend":         {func(c *config.Config) { c.Dispatch.Resend = 99 * time.Millisecond }, "dispatch.resend: 99ms is|the dispatcher's interval, 100ms (dispatch.interval); set 100ms or more"},
		"no time at all":           {func(c *config.Config) { c.Worker.Grace = 0 }, "worker.grace: 0s is too short; set more than 0"},
	} {
		c := config.Config{}.WithDefaults([]string{home})
		tc.change(&c)
		err := c.Validate()
		if tc.wants == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: want one problem, got %v", name, err)
			continue
		}
		for part := range strings.SplitSeq(tc.wants, "|") {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q is not in %v", name, part, err)
			}
		}
	}
}
