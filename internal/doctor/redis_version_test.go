package doctor

import "testing"

func TestRedisVersion(t *testing.T) {
	for version, want := range map[string]Status{
		"6.2": StatusOK, "6.2.14": StatusOK, "7.0.15": StatusOK, "10.0.0": StatusOK, "255.255.255": StatusOK,
		"6.0.16": StatusError, "5": StatusError, "6.1.999": StatusError,
		"": StatusWarning, "unknown": StatusWarning, "6.2.x": StatusWarning,
	} {
		if c := redisVersion("redis:6379", version); c.Status != want || (c.Hint == "") != (want == StatusOK) {
			t.Errorf("version %q: %s, %q; want %s", version, c.Status, c.Hint, want)
		}
	}
}
