package tlshint

import (
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }
