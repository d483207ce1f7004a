package suggest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/suggest"
)

func TestOf(t *testing.T) {
	t.Parallel()
	words := []string{"checksum", "max_items"}
	known := func(s string) bool { return slices.Contains(words, s) }
	for word, want := range map[string]string{
		"checksums":                         "checksum", // one too many
		"cheksum":                           "checksum", // one missing
		"chacksum":                          "checksum", // one wrong
		"chekcsum":                          "checksum", // two swapped
		"hcecksum":                          "checksum",
		"checksmu":                          "checksum",
		"maxitems":                          "max_items",
		"checksum":                          "", // itself is no near miss
		"thumbnail":                         "",
		"":                                  "",
		strings.Repeat("checksum", 100_000): "",
	} {
		if got := suggest.Of(word, known); got != want {
			t.Errorf("Of(%.20q) = %q, want %q", word, got, want)
		}
	}
}
