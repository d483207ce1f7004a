package tasks_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/balerhq/baler/internal/testkit"
)

func TestMain(m *testing.M) {
	testkit.Main(m,
		// A pool that could not dial asks once more, a second later, whether it is closed.
		goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"),
		// A fault that is added while data flows may leave the proxy's pipe behind.
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run"),
	)
}
